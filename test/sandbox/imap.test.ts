// The sandbox's IMAP server is met by a real client (imapflow): log-in, sync, search, append, deletions.
import { once } from 'node:events';
import { connect } from 'node:net';
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

test('a server that lost its index says so by another UIDVALIDITY', async () => {
  inbox().add(mail('one', 'First'), 0);
  inbox().add(mail('two', 'Second'), 0);
  const [first] = inbox().messages;
  if (first !== undefined) inbox().remove(first);
  const before = await (await login()).mailboxOpen('INBOX');
  inbox().renumber();
  const client = await login();
  const after = await client.mailboxOpen('INBOX');
  expect(after.uidValidity).not.toBe(before.uidValidity);
  expect(await client.search({ all: true }, { uid: true })).toEqual([1]);
});

test('without CONDSTORE there is no mod-sequence, and all else works', async () => {
  const plain = await startSandbox({ empty: true, imapWithout: ['CONDSTORE', 'LITERAL+', 'MOVE'] });
  try {
    const client = new ImapFlow({
      host: plain.imap.host,
      port: plain.imap.port,
      secure: false,
      auth: { user: plain.mail.user, pass: plain.mail.password },
      logger: false,
    });
    clients.push(client);
    await client.connect();
    await client.append('INBOX', mail('one', 'First'));
    const open = await client.mailboxOpen('INBOX');
    expect(open.highestModseq).toBeUndefined();
    expect(await client.search({ subject: 'first' }, { uid: true })).toEqual([1]);
  } finally {
    await plain.close();
  }
});

test('what is no IMAP, or comes before the log-in, is refused and the line stays open', async () => {
  const socket = connect(sandbox.imap.port, sandbox.imap.host);
  let text = '';
  const until = async (words: string) => {
    while (!text.includes(words)) text += String((await once(socket, 'data'))[0]);
  };
  await until('ready');
  socket.write('a1 NONSENSE\r\na2 SELECT INBOX\r\na3 LOGIN (\r\na4 NOOP\r\n');
  await until('a4 ');
  expect(text).toMatch(/^a1 BAD /m);
  expect(text).toMatch(/^a2 NO /m);
  expect(text).toMatch(/^a3 BAD /m);
  expect(text).toMatch(/^a4 OK /m);
  socket.destroy();
});

test('parts, headers and bytes of a message can be asked for apart', async () => {
  const raw = Buffer.from(
    'Subject: Parts\r\nX-Odd: yes\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nWords\r\n--b\r\nContent-Type: application/pdf; name="a.pdf"\r\nContent-Disposition: attachment; filename="a.pdf"\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERg==\r\n--b--\r\n',
  );
  inbox().add(raw, 0);
  const client = await login();
  await client.mailboxOpen('INBOX');
  const [message] = await client.fetchAll('1', {
    bodyStructure: true,
    bodyParts: ['1', '2'],
    headers: ['x-odd'],
    source: { start: 0, maxLength: 14 },
  });
  expect(message?.bodyStructure?.childNodes?.map(({ type }) => type)).toEqual([
    'text/plain',
    'application/pdf',
  ]);
  expect(message?.bodyStructure?.childNodes?.[1]?.dispositionParameters).toEqual({ filename: 'a.pdf' });
  expect(message?.bodyParts?.get('1')?.toString()).toBe('Words');
  expect(message?.bodyParts?.get('2')?.toString()).toBe('JVBERg==');
  expect(message?.headers?.toString()).toBe('X-Odd: yes\r\n\r\n');
  expect(message?.source?.toString()).toBe('Subject: Parts');
});
