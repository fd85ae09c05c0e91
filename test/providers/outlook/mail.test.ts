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

  describe('that finds nothing new', () => {
    const batches = (scene: Scene) =>
      scene.asked().map(({ method, path, body }) => ({
        path: `${method} ${path}`,
        inside: path === '/v1.0/$batch' ? (JSON.parse(body).requests as { url: string }[]).length : 0,
      }));
    const batch = (inside: number) => ({ path: 'POST /v1.0/$batch', inside });

    async function synced() {
      const scene = await openScene({ empty: true });
      const { mail } = scene.microsoft;
      const inbox = mail.folder('inbox')?.id ?? '';
      const below = mail.addFolder('Below', inbox);
      const message = mail.add(letter(1), 'inbox', { received: 1 });
      mail.add(letter(2), below.id, { received: 2 });
      const { cursor } = await read(scene);
      scene.asked();
      return { scene, mail, inbox, below, message, cursor };
    }

    test('costs one call, whatever the folders, and tells no page', async () => {
      const { scene, cursor } = await synced();
      const { pages } = await read(scene, cursor);
      expect(pages).toEqual([]);
      // Four that are not read, the list of folders and that of those in the inbox, five folders.
      expect(batches(scene)).toEqual([batch(11)]);
    });

    test('costs one call for every twenty questions', async () => {
      const { scene, mail, cursor } = await synced();
      for (let n = 0; n < 25; n += 1) mail.addFolder(`More ${n}`);
      const next = await read(scene, cursor);
      scene.asked();
      await read(scene, next.cursor);
      expect(batches(scene)).toEqual([batch(20), batch(16)]);
    });

    test('keeps the links of this time', async () => {
      const { scene, mail, cursor } = await synced();
      mail.add(letter(3), 'drafts', { received: 3, draft: true });
      const { pages, cursor: next } = await read(scene, cursor);
      expect(pages).toMatchObject([{ records: [], deleted: [] }]);
      expect(next).not.toEqual(cursor);
    });

    test('and what is new, gone or in a new folder is found by the same call', async () => {
      const { scene, mail, inbox, below, message, cursor } = await synced();
      mail.remove(message.id);
      const added = mail.add(letter(3), below.id, { received: 3 });
      const deep = mail.addFolder('Deep', below.id);
      const hidden = mail.add(letter(4), deep.id, { received: 4 });
      const { ids, deleted, cursor: next } = await read(scene, cursor);
      const under = (folder: string, id: string) => `${encodeURIComponent(folder)}/${id}`;
      expect(ids.sort()).toEqual([under(below.id, added.id), under(deep.id, hidden.id)].sort());
      expect(deleted).toEqual([under(inbox, message.id)]);
      scene.asked();
      await read(scene, next);
      expect(batches(scene)).toEqual([batch(13)]);
    });

    test('the bearer is that of the call, and stands in no part of it', async () => {
      const { scene, cursor } = await synced();
      await read(scene, cursor);
      const [call] = scene.asked();
      expect(call?.headers['authorization']).toMatch(/^Bearer /);
      expect(call?.body).not.toMatch(/bearer|authorization/i);
    });

    test('attack: a link to another server in the cursor is not asked', async () => {
      const { scene, cursor } = await synced();
      const text = JSON.stringify(cursor).replaceAll(
        'graph.microsoft.com',
        'graph.microsoft.com.evil.example',
      );
      await expect(read(scene, JSON.parse(text))).rejects.toMatchObject({ code: 'permission_denied' });
      expect(scene.asked()).toEqual([]);
    });

    /** Answers of the next batch, each with this status for questions whose address holds `part`. */
    async function refuse(
      { scene, cursor }: Awaited<ReturnType<typeof synced>>,
      part: string,
      said: { status: number; headers?: Record<string, string> },
    ) {
      await read(scene, cursor);
      const [call] = scene.asked();
      const { requests } = JSON.parse(call?.body ?? '') as { requests: { id: string; url: string }[] };
      const { responses } = JSON.parse(answerOf(scene, call?.body ?? '')) as { responses: { id: string }[] };
      const error = { error: { code: 'TooManyRequests', message: 'no' } };
      const body = responses.map((one) =>
        requests.find(({ id }) => id === one.id)?.url.includes(part) === true
          ? { id: one.id, ...said, body: error }
          : one,
      );
      scene.hosts.faults.failNext({ kind: 'garble', body: JSON.stringify({ responses: body }) }, '$batch');
    }
    const answerOf = ({ microsoft, hosts }: Scene, body: string): string => {
      const headers = { authorization: hosts.calls().at(-1)?.headers['authorization'] ?? '' };
      const query = new URLSearchParams();
      const path = '/v1.0/$batch';
      return String(
        microsoft.emulator.handle({ host: 'graph.microsoft.com', method: 'POST', path, query, headers, body })
          .body,
      );
    };

    test('a part that is refused for its rate is asked again by itself, and not before its time', async () => {
      const scenery = await synced();
      const { scene, cursor } = scenery;
      await refuse(scenery, '/messages/delta', { status: 429, headers: { 'Retry-After': '5' } });
      const again = read(scene, cursor);
      expect(await scene.clock.asleep((ms) => ms <= 20_000)).toBe(5000);
      expect(batches(scene)).toEqual([batch(11)]);
      scene.clock.advance(5000);
      const { ids, complete } = await again;
      expect([ids, complete]).toEqual([[], []]);
      const asked = batches(scene).map(({ path }) => path);
      expect(asked).toHaveLength(5);
      for (const path of asked) expect(path).toMatch(/^GET .+\/messages\/delta$/);
    });

    test.each([400, 401, 404, 410, 500])(
      'a part that is answered with %i is asked by itself: no folder is begun anew for it',
      async (status) => {
        const scenery = await synced();
        await refuse(scenery, '/messages/delta', { status });
        const { ids, complete } = await read(scenery.scene, scenery.cursor);
        expect([ids, complete]).toEqual([[], []]);
        expect(batches(scenery.scene)).toHaveLength(6);
      },
    );

    test.each([
      ['no JSON', 'So sorry.'],
      ['JSON of another kind', '{"value":[]}'],
      ['nothing', '{"responses":[]}'],
    ])('a batch that is answered with %s: each is asked by itself', async (_what, body) => {
      const { scene, cursor } = await synced();
      scene.hosts.faults.failNext({ kind: 'garble', body }, '$batch');
      const { pages } = await read(scene, cursor);
      expect(pages).toEqual([]);
      expect(batches(scene)).toHaveLength(12);
    });

    test('a server that takes no batches is asked one by one', async () => {
      const { scene, cursor } = await synced();
      const text = JSON.stringify({ error: { code: 'BadRequest', message: 'no' } });
      scene.hosts.faults.failNext({ kind: 'refuse', status: 400, text }, '$batch');
      const { pages } = await read(scene, cursor);
      expect(pages).toEqual([]);
      expect(batches(scene)).toHaveLength(12);
    });
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
