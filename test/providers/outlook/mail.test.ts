// Mail by Microsoft Graph: what is sent is what was approved, once; what is not clear is found again by its mark.
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { FeedPage } from '../../../src/providers/define.ts';
import { EffectRefused } from '../../../src/providers/define.ts';
import { provider } from '../../../src/providers/outlook/index.ts';
import { lookUp } from '../mailbox/context.ts';
import { mailTo } from '../mailbox/mail.ts';
import { openScene, type Scene } from './scene.ts';

const { send, reply, list, search, get } = provider.operations;
const draft = provider.operations['create-draft'];
const sent = ({ microsoft }: Scene) => {
  const folder = microsoft.mail.folder('sentitems')?.id;
  return microsoft.mail.messages().filter((one) => one.folder === folder);
};
const failure = (work: Promise<unknown>) => work.catch((error: unknown) => error);

describe('reading', () => {
  test('a folder is listed page by page, newest first', async () => {
    const scene = await openScene();
    const first = await list.run(scene.context, list.input.parse({ limit: 5 }));
    expect(first.messages).toHaveLength(5);
    expect(first.nextSkip).toBe(5);
    const next = await list.run(scene.context, list.input.parse({ limit: 5, skip: 5 }));
    const ids = [...first.messages, ...next.messages].map(({ id }) => id);
    expect(new Set(ids).size).toBe(10);
    const times = first.messages.map(({ at }) => Date.parse(at ?? ''));
    expect(times).toEqual([...times].sort((a, b) => b - a));
  });

  test('a search stays one text, whatever stands in it', async () => {
    const scene = await openScene();
    await search.run(scene.context, search.input.parse({ query: 'a" OR from:b\\' }));
    const [call] = scene.hosts.calls().slice(-1);
    expect(call?.query.get('$search')).toBe('"a\\" OR from:b\\\\"');
    expect(call?.path).toBe('/v1.0/me/messages');
  });

  test('a message comes with its text, its people and whom it asks to be answered', async () => {
    const scene = await openScene({ empty: true });
    const raw = Buffer.from(
      'From: "Bo" <bo@example.org>\r\nReply-To: desk@example.org\r\nTo: maren@tidewell.example\r\nSubject: Keys\r\nMessage-ID: <k@example.org>\r\n\r\nThe keys are here.',
    );
    const { id } = scene.microsoft.mail.add(raw, 'inbox', { received: scene.clock.now() });
    expect(await get.run(scene.context, { id })).toMatchObject({
      subject: 'Keys',
      from: { email: 'bo@example.org', name: 'Bo' },
      repliesTo: [{ email: 'desk@example.org' }],
      messageId: '<k@example.org>',
      text: expect.stringContaining('The keys are here.'),
    });
  });
});

describe('sending', () => {
  test('one mail leaves once, to those who were approved, with our Message-ID, mark and attachment', async () => {
    const bytes = Buffer.from('a plan');
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const scene = await openScene({ empty: true, attachments: [bytes] });
    const mail = {
      ...mailTo('bob@example.org'),
      bcc: [{ email: 'eve@example.org' }],
      inReplyTo: '<before@example.org>',
      attachments: [{ name: 'plan.txt', mediaType: 'text/plain', size: bytes.length, sha256 }],
    };
    const outcome = await send.run(scene.context, mail);
    expect(outcome.reference).toBe('<eff_01test@tidewell.example>');
    expect(scene.announced()).toBe(1);
    expect(scene.microsoft.delivered().map(({ recipients }) => recipients)).toEqual([
      ['bob@example.org', 'eve@example.org'],
    ]);
    const [call, ...more] = scene.asked();
    expect(more).toEqual([]);
    expect(call?.path).toBe('/v1.0/me/sendMail');
    const { message, saveToSentItems } = JSON.parse(call?.body ?? '{}');
    expect(saveToSentItems).toBe(true);
    expect(message).toMatchSnapshot();
  });

  test('a mail whose answer was lost is found by its mark, and that of another action is not', async () => {
    const scene = await openScene({ empty: true });
    const mail = mailTo('bob@example.org');
    expect(await lookUp(send, scene.context, mail)).toMatchObject({ found: false, conclusive: false });
    await send.run({ ...scene.context, effectKey: 'eff_02other' }, mail);
    expect(await lookUp(send, scene.context, mail)).toMatchObject({ found: false });
    scene.hosts.faults.failNext({ kind: 'drop', after: 'effect' }, 'sendMail');
    const lost = await failure(send.run(scene.context, mail));
    expect(lost).toMatchObject({ code: 'network' });
    expect(lost).not.toBeInstanceOf(EffectRefused);
    expect(sent(scene)).toHaveLength(2);
    expect(await lookUp(send, scene.context, mail)).toMatchObject({ found: true });
  });

  test('a draft is no mail that was sent', async () => {
    const scene = await openScene({ empty: true });
    const mail = mailTo('bob@example.org');
    const { reference } = await draft.run(scene.context, mail);
    expect(scene.microsoft.mail.get(reference)).toMatchObject({ draft: true });
    expect(scene.microsoft.delivered()).toEqual([]);
    expect(await lookUp(draft, scene.context, mail)).toMatchObject({ found: true, outcome: { reference } });
    expect(await lookUp(send, scene.context, mail)).toMatchObject({ found: false });
  });

  test.each([
    [429, 'rate_limited', 'later'],
    [401, 'auth_expired', 'reconnect'],
    [403, 'permission_denied', 'never'],
  ])('%i: it was not sent, for that reason', async (status, code, retry) => {
    const scene = await openScene({ empty: true });
    const text = JSON.stringify({ error: { code: 'X', message: 'no' } });
    const headers = { 'content-type': 'application/json', 'retry-after': '7' };
    scene.hosts.faults.failNext({ kind: 'refuse', status, text, headers }, 'sendMail');
    const refused = await failure(send.run(scene.context, mailTo('bob@example.org')));
    expect(refused).toBeInstanceOf(EffectRefused);
    expect(refused).toMatchObject({ cause: { code, retry } });
    expect(sent(scene)).toEqual([]);
  });

  test('more than 3 MB of attachments are refused before anybody is asked', () => {
    const sha256 = 'a'.repeat(64);
    const attachments = [{ name: 'x', mediaType: 'text/plain', size: 3 * 1024 * 1024 + 1, sha256 }];
    expect(() => send.validate?.({ ...mailTo('bob@example.org'), attachments })).toThrow('3 MB');
  });
});

describe('replying', () => {
  async function withLetter(replyTo = '') {
    const scene = await openScene({ empty: true });
    const raw = Buffer.from(
      `From: bo@example.org\r\n${replyTo}To: maren@tidewell.example\r\nSubject: Keys\r\nMessage-ID: <k@example.org>\r\n\r\nWhere?`,
    );
    return { scene, ...scene.microsoft.mail.add(raw, 'inbox', { received: scene.clock.now() }) };
  }
  const answer = { to: [{ email: 'bo@example.org' }], subject: 'Keys', text: 'At the desk.' };

  test('goes to whom was approved, in its conversation, and is found again', async () => {
    const { scene, id } = await withLetter();
    await reply.run(scene.context, { id, ...answer });
    const [one, ...more] = scene.microsoft.delivered();
    expect(more).toEqual([]);
    expect(one?.recipients).toEqual(['bo@example.org']);
    expect(one?.raw).toContain('In-Reply-To: <k@example.org>');
    expect(await lookUp(reply, scene.context, { id, ...answer })).toMatchObject({ found: true });
  });

  test('does not leave where the message asks to be answered to somebody else than was approved', async () => {
    const { scene, id } = await withLetter('Reply-To: eve@evil.example\r\n');
    await expect(reply.run(scene.context, { id, ...answer })).rejects.toMatchObject({ code: 'conflict' });
    expect(scene.announced()).toBe(0);
    expect(scene.microsoft.delivered()).toEqual([]);
  });
});

describe('the feed', () => {
  const { mail: feed } = provider.feeds;
  async function read(scene: Scene, cursor?: unknown) {
    const pages: FeedPage[] = [];
    for await (const page of feed.pages(scene.context, cursor)) pages.push(page);
    return {
      pages,
      ids: pages.flatMap(({ records }) => records.map(({ externalId }) => externalId)),
      deleted: pages.flatMap(({ deleted }) => deleted),
      complete: pages.flatMap(({ complete }) => complete ?? []),
      cursor: JSON.parse(JSON.stringify(pages.at(-1)?.cursor ?? null)) as unknown,
    };
  }
  const letter = (n: number) =>
    Buffer.from(`From: a@example.org\r\nSubject: ${n}\r\nMessage-ID: <${n}@example.org>\r\n\r\nNumber ${n}`);

  test('reads folders within folders, and neither junk, bin nor drafts', async () => {
    const scene = await openScene({ empty: true });
    const { mail } = scene.microsoft;
    const deep = mail.addFolder('Deep', mail.addFolder('Below', mail.folder('inbox')?.id).id);
    const places = ['inbox', deep.id, 'junkemail', 'deleteditems', 'drafts'];
    const added = places.map((place, n) => mail.add(letter(n), place, { received: n }).id);
    const { ids } = await read(scene);
    expect(ids.map((id) => id.split('/')[1]).sort()).toEqual(added.slice(0, 2).sort());
  });

  test('a message that moves is gone from where it was and new where it is, whatever the order of folders', async () => {
    const scene = await openScene({ empty: true });
    const { mail } = scene.microsoft;
    for (const [from, to] of [
      ['inbox', 'archive'],
      ['archive', 'inbox'],
    ] as const) {
      const { id } = mail.add(letter(1), from, { received: 1 });
      const first = await read(scene);
      mail.move(id, to);
      const second = await read(scene, first.cursor);
      expect(second.ids).toEqual([`${encodeURIComponent(mail.folder(to)?.id ?? '')}/${id}`]);
      expect(second.deleted).toEqual([`${encodeURIComponent(mail.folder(from)?.id ?? '')}/${id}`]);
      mail.remove(id);
    }
  });

  test('a delta link that is too old (410) begins the folder anew, and tells all that exists', async () => {
    const scene = await openScene({ empty: true });
    const { mail } = scene.microsoft;
    const kept = mail.add(letter(1), 'inbox', { received: 1 });
    const lost = mail.add(letter(2), 'inbox', { received: 2 });
    const { cursor } = await read(scene);
    mail.remove(lost.id);
    mail.forgetDeltas();
    const again = await read(scene, cursor);
    expect(again.ids.map((id) => id.split('/')[1])).toEqual([kept.id]);
    const prefix = `${encodeURIComponent(mail.folder('inbox')?.id ?? '')}/`;
    expect(again.complete).toContainEqual({ ids: [`${prefix}${kept.id}`], prefix });
  });

  test('a link to another server is not followed, and the bearer does not go there', async () => {
    const scene = await openScene({ empty: true });
    scene.microsoft.mail.add(letter(1), 'inbox', { received: 1 });
    const body = JSON.stringify({
      value: [],
      '@odata.nextLink': 'https://graph.microsoft.com.evil.example/v1.0/me/x',
    });
    scene.hosts.faults.failNext({ kind: 'garble', body }, '/messages/delta');
    await expect(read(scene)).rejects.toMatchObject({ code: 'permission_denied' });
    expect(scene.hosts.calls().map(({ host }) => host)).not.toContain('graph.microsoft.com.evil.example');
  });
});
