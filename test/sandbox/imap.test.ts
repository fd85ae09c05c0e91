// The sandbox's IMAP server is met by a real client (imapflow): log-in, sync, search, append, deletions.
import { ImapFlow } from 'imapflow';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Sandbox, startSandbox } from '../../sandbox/start.ts';

let sandbox: Sandbox;
const clients: ImapFlow[] = [];

beforeEach(async () => {
  sandbox = await startSandbox({ empty: true });
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await sandbox.close();
});

async function login(pass = sandbox.mail.password): Promise<ImapFlow> {
  const client = new ImapFlow({
    host: sandbox.imap.host,
    port: sandbox.imap.port,
    secure: false,
    auth: { user: sandbox.mail.user, pass },
    logger: false,
  });
  clients.push(client);
  await client.connect();
  return client;
}

const mail = (id: string, subject: string, body = 'Words.') =>
  Buffer.from(
    `Date: Mon, 02 Mar 2026 09:12:00 -0800\r\nFrom: "Vasquez, Elena" <elena@mail.example>\r\nTo: maren@tidewell.example\r\nSubject: ${subject}\r\nMessage-ID: <${id}@mail.example>\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n${body}\r\n`,
  );

const inbox = () => {
  const account = sandbox.mailboxes.byUser(sandbox.mail.user);
  if (account === undefined) throw new Error('no account');
  return account.inbox;
};

test('a wrong password is refused, and the refusal says that it is the password', async () => {
  await expect(login('not-the-password')).rejects.toMatchObject({ authenticationFailed: true });
});

test('folders come with their special uses', async () => {
  const client = await login();
  const folders = await client.list({ statusQuery: { messages: true, uidNext: true } });
  expect(folders.map((folder) => [folder.path, folder.specialUse])).toEqual(
    expect.arrayContaining([
      ['INBOX', '\\Inbox'],
      ['Sent', '\\Sent'],
      ['Trash', '\\Trash'],
    ]),
  );
  expect(folders.find((folder) => folder.path === 'INBOX')?.status?.messages).toBe(0);
});

test('messages are fetched whole and byte for byte, with envelope and structure', async () => {
  const raw = mail('one', 'A {12} "quoted" subject', 'Grüße.\r\n.\r\n* not an answer');
  inbox().add(raw, Date.UTC(2026, 2, 2, 17));
  const client = await login();
  await client.mailboxOpen('INBOX');
  const [message] = await client.fetchAll(
    '1:*',
    {
      uid: true,
      flags: true,
      envelope: true,
      source: true,
      bodyStructure: true,
      internalDate: true,
      size: true,
    },
    { uid: true },
  );
  expect(message?.source?.toString('latin1')).toBe(raw.toString('latin1'));
  expect(message?.size).toBe(raw.length);
  expect(message?.envelope?.subject).toBe('A {12} "quoted" subject');
  expect(message?.envelope?.from?.[0]).toEqual({ name: 'Vasquez, Elena', address: 'elena@mail.example' });
  expect(message?.bodyStructure?.type).toBe('text/plain');
  expect(new Date(message?.internalDate ?? 0).toISOString()).toBe('2026-03-02T17:00:00.000Z');
  expect(message?.flags?.size).toBe(0);
});

test('a message is found by its Message-ID, and another is not', async () => {
  inbox().add(mail('one', 'First'), 0);
  inbox().add(mail('two', 'Second'), 0);
  const client = await login();
  await client.mailboxOpen('INBOX');
  expect(await client.search({ header: { 'message-id': '<two@mail.example>' } }, { uid: true })).toEqual([2]);
  expect(await client.search({ header: { 'message-id': '<none@mail.example>' } }, { uid: true })).toEqual([]);
  expect(await client.search({ all: true }, { uid: true })).toEqual([1, 2]);
  expect(await client.search({ subject: 'second', seen: false }, { uid: true })).toEqual([2]);
});

test('an appended copy lands in Sent with its flags and its UID', async () => {
  const client = await login();
  const raw = mail('sent', 'Sent by us');
  const result = await client.append('Sent', raw, ['\\Seen']);
  expect(result).toMatchObject({ uid: 1, uidValidity: 20240101n });
  const sent = sandbox.mailboxes.byUser(sandbox.mail.user)?.folder('Sent');
  expect(sent?.messages[0]?.raw.equals(raw)).toBe(true);
  expect([...(sent?.messages[0]?.flags ?? [])]).toEqual(['\\Seen']);
});

test('a later session sees by MODSEQ what changed, and by UIDs what is gone', async () => {
  const first = inbox().add(mail('one', 'First'), 0);
  inbox().add(mail('two', 'Second'), 0);
  const client = await login();
  const before = await client.mailboxOpen('INBOX');
  const modseq = BigInt(before.highestModseq ?? 0n);
  expect(modseq > 0n).toBe(true);
  await client.messageDelete('2', { uid: true });
  inbox().setFlags(first, ['\\Seen']);
  inbox().add(mail('three', 'Third'), 0);
  const again = await login();
  await again.mailboxOpen('INBOX');
  const changed = await again.fetchAll(
    '1:*',
    { uid: true, flags: true },
    { uid: true, changedSince: modseq },
  );
  expect(changed.map((message) => message.uid)).toEqual([1, 3]);
  expect(await again.search({ all: true }, { uid: true })).toEqual([1, 3]);
});

test('a client that idles hears of new mail', async () => {
  const client = await login();
  await client.mailboxOpen('INBOX');
  const heard = new Promise<number>((resolve) => {
    client.on('exists', (data: { count: number }) => resolve(data.count));
  });
  void client.idle();
  inbox().add(mail('one', 'First'), 0);
  expect(await heard).toBe(1);
});

test('an order to fail is obeyed once', async () => {
  const client = await login();
  sandbox.imap.faults.failNext({ kind: 'refuse', status: 0, text: '[OVERQUOTA] full' }, 'APPEND');
  await expect(client.append('Sent', mail('a', 'A'))).rejects.toMatchObject({
    serverResponseCode: 'OVERQUOTA',
  });
  await expect(client.append('Sent', mail('a', 'A'))).resolves.toMatchObject({ uid: 1 });
});

test('a connection cut after the append leaves the copy standing', async () => {
  const client = await login();
  client.on('error', () => undefined);
  sandbox.imap.faults.failNext({ kind: 'drop', after: 'effect' }, 'APPEND');
  await expect(client.append('Sent', mail('a', 'A'))).rejects.toThrow();
  expect(sandbox.mailboxes.byUser(sandbox.mail.user)?.folder('Sent')?.messages).toHaveLength(1);
});
