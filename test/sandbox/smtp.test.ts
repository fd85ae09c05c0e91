// What the sandbox's SMTP server accepts arrives; what it was told to refuse or drop does what it was told.
import { createTransport } from 'nodemailer';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Sandbox, startSandbox } from '../../sandbox/start.ts';

let sandbox: Sandbox;

beforeEach(async () => {
  sandbox = await startSandbox({ empty: true });
});

afterEach(async () => {
  await sandbox.close();
});

function send(to: string[], pass = sandbox.mail.password): Promise<unknown> {
  const transport = createTransport({
    host: sandbox.smtp.host,
    port: sandbox.smtp.port,
    secure: false,
    auth: { user: sandbox.mail.user, pass },
  });
  return transport.sendMail({
    from: sandbox.mail.address,
    to,
    subject: 'Keys',
    text: 'On the hook.',
    messageId: '<keys@tidewell.example>',
  });
}

const inboxOf = (user: string) => sandbox.mailboxes.byUser(user)?.inbox.messages ?? [];

test('accepted mail arrives once in the mailbox of each recipient', async () => {
  await send([sandbox.colleague.address, 'joyce@mail.example', 'kofi@post.example']);
  expect(inboxOf(sandbox.colleague.user)).toHaveLength(1);
  expect(inboxOf(sandbox.clients.user)).toHaveLength(1);
  expect(inboxOf(sandbox.mail.user)).toHaveLength(0);
  const [received] = sandbox.smtp.received();
  expect(received?.to).toEqual([sandbox.colleague.address, 'joyce@mail.example', 'kofi@post.example']);
  expect(received?.raw.toString()).toContain('Message-ID: <keys@tidewell.example>');
  expect(received?.user).toBe(sandbox.mail.user);
});

test('a wrong password sends nothing', async () => {
  await expect(send([sandbox.colleague.address], 'wrong')).rejects.toMatchObject({ code: 'EAUTH' });
  expect(sandbox.smtp.received()).toEqual([]);
});

test('a refusal after DATA leaves nothing behind', async () => {
  sandbox.smtp.faults.failNext({ kind: 'refuse', status: 451, text: 'try later' }, 'DATA');
  await expect(send([sandbox.colleague.address])).rejects.toMatchObject({ responseCode: 451 });
  expect(sandbox.smtp.received()).toEqual([]);
});

test('a drop after DATA leaves the message delivered and the sender without an answer', async () => {
  sandbox.smtp.faults.failNext({ kind: 'drop', after: 'effect' }, 'DATA');
  await expect(send([sandbox.colleague.address])).rejects.toThrow();
  expect(inboxOf(sandbox.colleague.user)).toHaveLength(1);
});

test('a drop before the effect leaves nothing delivered', async () => {
  sandbox.smtp.faults.failNext({ kind: 'drop', after: 'nothing' }, 'DATA');
  await expect(send([sandbox.colleague.address])).rejects.toThrow();
  expect(inboxOf(sandbox.colleague.user)).toHaveLength(0);
});
