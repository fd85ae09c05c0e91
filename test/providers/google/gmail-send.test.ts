import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { refusal } from '../../../sandbox/google/answers.ts';
import { EffectRefused } from '../../../src/providers/define.ts';
import { provider } from '../../../src/providers/gmail/index.ts';
import { lookUp } from '../mailbox/context.ts';
import { mailTo } from '../mailbox/mail.ts';
import { openScene, type Scene } from './scene.ts';

const { send } = provider.operations;
const sent = ({ google }: Scene) => google.mail.messages().filter(({ labels }) => labels.has('SENT'));
const empty = (more: Parameters<typeof openScene>[1] = {}) => openScene(provider, { empty: true, ...more });

test('one mail is sent once, under our own Message-ID, and Gmail’s ids are told', async () => {
  const scene = await empty();
  scene.google.rewriteMessageIds(false);
  const outcome = await send.run(scene.context, mailTo('bob@example.org'));
  const [message, ...more] = sent(scene);
  expect(more).toEqual([]);
  expect(outcome).toEqual({
    reference: '<eff_01test@tidewell.example>',
    url: `https://mail.google.com/mail/u/?authuser=maren%40tidewell.example#all/${message?.id}`,
    details: {
      messageId: '<eff_01test@tidewell.example>',
      id: message?.id,
      threadId: message?.threadId,
      recipients: ['bob@example.org'],
    },
  });
  expect(scene.announced()).toBe(1);
  const [post, get] = scene.asked();
  const raw = Buffer.from(JSON.parse(post?.split('\n')[1] ?? '').raw, 'base64url').toString();
  expect(post?.split('\n')[0]).toBe('POST https://gmail.googleapis.com/gmail/v1/users/me/messages/send');
  expect(raw).toMatchSnapshot();
  expect(get?.replace(message?.id ?? '', 'ID')).toMatchSnapshot();
});

test('where Gmail gives the mail a Message-ID of its own, it is told', async () => {
  const scene = await empty();
  const { details, reference } = await send.run(scene.context, mailTo('bob@example.org'));
  expect(reference).toBe('<eff_01test@tidewell.example>');
  expect(details['serverMessageId']).toMatch(/@mail\.gmail\.com>$/);
});

test.each([true, false])(
  'a mail that went out is found again, whether its Message-ID was replaced (%s) or not',
  async (replaced) => {
    const scene = await empty();
    scene.google.rewriteMessageIds(replaced);
    const mail = mailTo('bob@example.org');
    expect(await lookUp(send, scene.context, mail)).toMatchObject({ found: false, conclusive: false });
    await send.run(scene.context, mail);
    await send.run({ ...scene.context, effectKey: 'eff_02other' }, mail);
    scene.asked();
    const found = await lookUp(send, scene.context, mail);
    expect(found).toMatchObject({
      found: true,
      outcome: { reference: '<eff_01test@tidewell.example>', details: { id: sent(scene).at(-1)?.id } },
    });
    expect(scene.asked()[0]).toMatchSnapshot();
  },
);

test('an answer that is lost after the mail went out leaves it unclear, and the look-up finds it', async () => {
  const scene = await empty();
  scene.hosts.faults.failNext({ kind: 'drop', after: 'effect' }, 'messages/send');
  const failure = await send.run(scene.context, mailTo('bob@example.org')).catch((error: unknown) => error);
  expect(failure).not.toBeInstanceOf(EffectRefused);
  expect(failure).toMatchObject({ code: 'network' });
  // Not tried a second time by itself.
  expect(sent(scene)).toHaveLength(1);
  expect(await lookUp(send, scene.context, mailTo('bob@example.org'))).toMatchObject({ found: true });
});

test.each([
  [400, 'invalidArgument'],
  [403, 'rateLimitExceeded'],
  [403, 'insufficientPermissions'],
  [429, 'rateLimitExceeded'],
])('a refusal (%i %s) is a refusal: nothing happened', async (status, reason) => {
  const scene = await empty();
  const { body = '', headers = {} } = refusal(status, reason, 'No.');
  scene.hosts.faults.failNext({ kind: 'refuse', status, text: body, headers }, 'messages/send', 9);
  const failure = await send.run(scene.context, mailTo('bob@example.org')).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(EffectRefused);
  expect(String(failure)).toContain('It says: No.');
  expect(scene.asked().filter((line) => line.includes('/send'))).toHaveLength(1);
});

test.each([500, 502, 503, 504, 408])(
  'an answer %i leaves the outcome unclear and is not tried again',
  async (status) => {
    const scene = await empty();
    scene.hosts.faults.failNext({ kind: 'refuse', status }, 'messages/send', 9);
    const failure = await send.run(scene.context, mailTo('bob@example.org')).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Error);
    expect(failure).not.toBeInstanceOf(EffectRefused);
    expect(scene.asked()).toHaveLength(1);
  },
);

test('when aboutToSend refuses, nothing leaves', async () => {
  const scene = await empty({ aboutToSend: () => Promise.reject(new Error('the lease is lost')) });
  await expect(send.run(scene.context, mailTo('bob@example.org'))).rejects.toThrow('the lease is lost');
  expect(sent(scene)).toEqual([]);
  expect(scene.asked()).toEqual([]);
});

test('without the scope for sending nothing is sent, and it says so', async () => {
  const scopes = ['https://www.googleapis.com/auth/gmail.readonly'];
  const scene = await empty({ scopes });
  const failure = await send.run(scene.context, mailTo('bob@example.org')).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(EffectRefused);
  expect(failure).toMatchObject({ cause: { code: 'permission_denied' } });
});

test('hidden recipients get the mail, and those who see it do not see them', async () => {
  const scene = await empty();
  await send.run(
    scene.context,
    mailTo('bob@example.org', { bcc: [{ email: 'secret@example.org', name: 'Hidden' }] }),
  );
  expect(scene.google.delivered()).toEqual([
    {
      recipients: ['bob@example.org', 'secret@example.org'],
      raw: expect.not.stringMatching(/secret@|Hidden|^Bcc/im),
    },
  ]);
});

test('a reply goes into the thread of the mail that it answers', async () => {
  const scene = await openScene(provider);
  const [original] = scene.google.mail.messages().filter(({ labels }) => labels.has('INBOX'));
  if (original === undefined) throw new Error('the story has no mail');
  const messageId = scene.google.mail.headerOf(original, 'message-id') ?? '';
  const reply = mailTo('bob@example.org', { inReplyTo: messageId, references: [messageId] });
  const { details } = await send.run(scene.context, reply);
  expect(details['threadId']).toBe(original.threadId);
  const [search, post] = scene.asked();
  expect(new URL(search?.slice(4) ?? '').searchParams.get('q')).toBe(`rfc822msgid:${messageId.slice(1, -1)}`);
  expect(JSON.parse(post?.split('\n')[1] ?? '')).toMatchObject({ threadId: original.threadId });
});

test('a reply to a mail that the account does not hold is a mail of its own', async () => {
  const scene = await empty();
  await send.run(scene.context, mailTo('bob@example.org', { inReplyTo: '<unknown@x.test>' }));
  expect(sent(scene)).toHaveLength(1);
});

test('a message id that holds a search of its own is not searched for', async () => {
  const scene = await empty();
  await send.run(scene.context, mailTo('bob@example.org', { inReplyTo: '<a"OR(in:sent)@x.test>' }));
  expect(scene.asked().filter((line) => line.includes('?q='))).toEqual([]);
});

test('a mail that is too large for JSON goes by the upload address, attachments whole', async () => {
  const bytes = Buffer.from('%PDF'.padEnd(4 * 1024 * 1024, '\n1234567'));
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const scene = await empty({ attachments: [bytes] });
  await send.run(
    scene.context,
    mailTo('bob@example.org', {
      attachments: [{ name: 'plan.pdf', mediaType: 'application/pdf', size: bytes.length, sha256 }],
    }),
  );
  expect(scene.asked()[0]?.split('\n')[0]).toBe(
    'POST https://gmail.googleapis.com/upload/gmail/v1/users/me/messages/send?uploadType=multipart',
  );
  const { default: PostalMime } = await import('postal-mime');
  const read = await PostalMime.parse(sent(scene)[0]?.raw ?? '');
  expect(
    createHash('sha256')
      .update(Buffer.from(read.attachments[0]?.content as ArrayBuffer))
      .digest('hex'),
  ).toBe(sha256);
});

test('the connection’s own name stands before its address', async () => {
  const scene = await empty({ fields: { email: 'maren@tidewell.example', name: 'Maren Okafor' } });
  await send.run(scene.context, mailTo('bob@example.org'));
  expect(sent(scene)[0]?.raw.toString()).toContain('From: Maren Okafor <maren@tidewell.example>\r\n');
});
