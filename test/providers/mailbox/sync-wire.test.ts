// The feed `mail` on a server that does whatever the test wants: a mailbox that changes between any two steps,
// servers of few words, connections that go.
import { type AddressInfo, createServer } from 'node:net';
import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { type ImapServer, startImap } from '../../../sandbox/imap.ts';
import { Account, Mailboxes } from '../../../sandbox/mailboxes.ts';
import { systemClock } from '../../../src/clock.ts';
import type { Feed } from '../../../src/providers/define.ts';
import { syncedMailboxes } from '../../../src/providers/mailbox/folders.ts';
import { provider } from '../../../src/providers/mailbox/index.ts';
import { contextFor, lookUp, Shelf, type TestContext } from './context.ts';
import { mailTo } from './mail.ts';

const feed = provider.feeds.mail;
const servers: ImapServer[] = [];

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function scene(
  without: string[] = [],
  options: Partial<Parameters<typeof contextFor>[0]> = {},
): Promise<{ server: ImapServer; account: Account; context: TestContext }> {
  const mailboxes = new Mailboxes();
  const account = new Account('ann', 'correct-horse', ['ann@example.com'], 7);
  mailboxes.accounts.push(account);
  const server = await startImap({ clock: systemClock, mailboxes, without });
  servers.push(server);
  const context = contextFor({
    fields: { email: 'ann@example.com', user: 'ann', imap: `127.0.0.1:${server.port}`, smtp: '127.0.0.1:9' },
    secrets: { password: 'correct-horse' },
    ...options,
  });
  return { server, account, context };
}

const raw = (subject: string) => Buffer.from(`Subject: ${subject}\r\n\r\nHello.\r\n`);
const at = Date.UTC(2026, 2, 2);

/** What the shelf should hold: every mail of the mailboxes that are read, as often as it lies there. */
function onServer(account: Account): string[] {
  return ['INBOX', 'Archive', 'Sent', ...[...account.folders.keys()].filter((name) => name.startsWith('Own'))]
    .flatMap((name) => account.folder(name)?.messages ?? [])
    .map((message) => message.raw.toString())
    .sort();
}

test.each([
  [[]],
  [['CONDSTORE', 'ENABLE']],
  [['CONDSTORE', 'ENABLE', 'UIDNEXT']],
  [['CONDSTORE', 'ENABLE', 'SPECIAL-USE', 'UIDPLUS', 'LITERAL+', 'NAMESPACE', 'ID', 'MOVE', 'IDLE']],
])('a server without %j is read and kept up with all the same', async (without) => {
  const { account, context } = await scene(without);
  for (const subject of ['a', 'b', 'c']) account.inbox.add(raw(subject), at);
  account.folder('Archive')?.add(raw('old'), at);
  account.folder('Junk')?.add(raw('spam'), at);
  const shelf = new Shelf();
  await shelf.run(feed, context);
  expect([...shelf.records.values()].sort()).toEqual(onServer(account));
  const [first, second] = account.inbox.messages;
  if (first === undefined || second === undefined) throw new Error('no messages');
  account.inbox.remove(second);
  account.folder('Archive')?.add(second.raw, at);
  account.inbox.setFlags(first, ['\\Seen']);
  account.inbox.add(raw('d'), at);
  await shelf.run(feed, context);
  expect([...shelf.records.values()].sort()).toEqual(onServer(account));
  account.inbox.renumber();
  await shelf.run(feed, context);
  expect([...shelf.records.values()].sort()).toEqual(onServer(account));
  expect([...shelf.records.keys()].filter((id) => id.startsWith('INBOX/'))).toEqual([
    'INBOX/8/1',
    'INBOX/8/2',
    'INBOX/8/3',
  ]);
});

test('a server that keeps no UIDs has each mail once in memory after each run', async () => {
  const { account, context } = await scene();
  for (const subject of ['a', 'b', 'c']) account.inbox.add(raw(subject), at);
  // As GNU's imap4d does with a mailbox that no client has written to: another UIDVALIDITY at each opening.
  const restless: Feed = {
    ...feed,
    async *pages(...given) {
      for await (const page of feed.pages(...given)) {
        if (page.records.length > 0) account.inbox.renumber();
        yield page;
      }
    },
  };
  const shelf = new Shelf();
  for (const subject of ['d', 'e', 'f']) {
    await shelf.run(restless, context);
    expect([...shelf.records.values()].sort()).toEqual(onServer(account));
    account.inbox.add(raw(subject), at);
    const [first] = account.inbox.messages;
    if (first !== undefined) account.inbox.remove(first);
  }
});

type Step =
  | { do: 'add' | 'draft'; to: number }
  | { do: 'remove' | 'flag'; from: number; which: number }
  | { do: 'move'; from: number; to: number; which: number }
  | { do: 'renumber'; from: number }
  | { do: 'sync'; pages: number };

const place = fc.nat(3);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('add' as const), to: place }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('draft' as const), to: place }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('remove' as const, 'flag' as const),
      from: place,
      which: fc.nat(9),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('move' as const), from: place, to: place, which: fc.nat(9) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('renumber' as const), from: place }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('sync' as const), pages: fc.integer({ min: 1, max: 4 }) }),
  },
);

test('whatever happens to the mailboxes, and wherever runs were cut off, one whole run sets it right', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 24 }), fc.boolean(), async (steps, plain) => {
      const { server, account, context } = await scene(plain ? ['CONDSTORE', 'ENABLE', 'UIDNEXT'] : []);
      account.create('Own');
      const names = ['INBOX', 'Archive', 'Sent', 'Own'];
      const folder = (index: number) => {
        const found = account.folder(names[index] ?? '');
        if (found === undefined) throw new Error('no such folder');
        return found;
      };
      const shelf = new Shelf();
      let written = 0;
      for (const next of steps) {
        if ('which' in next) {
          const { messages } = folder(next.from);
          const chosen = messages[next.which % Math.max(1, messages.length)];
          if (chosen === undefined) continue;
          if (next.do === 'flag') folder(next.from).setFlags(chosen, ['\\Seen', ...chosen.flags]);
          else folder(next.from).remove(chosen);
          if (next.do === 'move') folder(next.to).add(chosen.raw, at, chosen.flags);
        } else if (next.do === 'renumber') folder(next.from).renumber();
        else if (next.do === 'sync') await shelf.run(feed, context, next.pages);
        else if (next.do === 'add') folder(next.to).add(raw(`m${written++}`), at);
        else folder(next.to).add(raw('unfinished'), at, ['\\Draft']);
      }
      await shelf.run(feed, context);
      expect([...shelf.records.values()].sort()).toEqual(
        onServer(account).filter((text) => !text.includes('unfinished')),
      );
      await server.close();
    }),
    { numRuns: 60 },
  );
});

test('a server that hangs up while TLS begins could not be reached: that says nothing of its certificate', async () => {
  const server = createServer((socket) => {
    let isTls = false;
    socket.on('error', () => undefined);
    socket.write('* OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN] ready\r\n');
    socket.on('data', (data) => {
      if (isTls) return socket.end();
      const [tag, command] = data.toString().trim().split(' ');
      isTls = command === 'STARTTLS';
      if (!isTls) socket.write('* CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN\r\n');
      return socket.write(`${tag} OK go on\r\n`);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const context = contextFor({
    fields: { email: 'ann@example.com', user: 'ann', imap: `127.0.0.1:${port}`, smtp: '127.0.0.1:9' },
    secrets: { password: 'correct-horse' },
  });
  await expect(new Shelf().run(feed, context)).rejects.toMatchObject({
    code: 'network',
    retry: 'later',
    message: expect.stringContaining('The connection to the IMAP server'),
  });
  await new Promise<void>((resolve) => server.close(() => resolve()));
});

test.each([
  // As Dovecot says it, of one session too many and of a user database that is away.
  ['[LIMIT] Maximum number of connections from user+IP exceeded', 'rate_limited', 'later'],
  [
    '[UNAVAILABLE] Temporary authentication failure. [vm:2026-11-22 04:54:20]',
    'provider_unavailable',
    'later',
  ],
  ['[AUTHENTICATIONFAILED] Authentication failed.', 'auth_expired', 'reconnect'],
  ['LOGIN failed', 'auth_expired', 'reconnect'],
])('a log-in that is answered “%s” is %s', async (text, code, retry) => {
  const { server, context } = await scene();
  server.faults.failNext({ kind: 'refuse', status: 503, text }, 'AUTHENTICATE');
  await expect(new Shelf().run(feed, context)).rejects.toMatchObject({ code, retry });
});

test('a connection that goes in the middle is an error, and the next run goes on', async () => {
  const { server, account, context } = await scene();
  for (let index = 0; index < 70; index += 1) account.inbox.add(raw(`m${index}`), at);
  const shelf = new Shelf();
  await shelf.run(feed, context, 1);
  server.faults.failNext({ kind: 'drop', after: 'nothing' }, 'UID FETCH');
  await expect(shelf.run(feed, context)).rejects.toMatchObject({ code: 'network', retry: 'later' });
  await shelf.run(feed, context);
  expect(shelf.records.size).toBe(70);
});

test.each(['[NOPERM] Permission denied', '[NONEXISTENT] Mailbox does not exist'])(
  'a mailbox that is listed and cannot be opened (%s) is left, and the others are read',
  async (text) => {
    const { server, account, context } = await scene();
    account.inbox.add(raw('in'), at);
    account.folder('Archive')?.add(raw('kept'), at);
    const shelf = new Shelf();
    server.faults.failNext({ kind: 'refuse', status: 403, text }, 'EXAMINE');
    await shelf.run(feed, context);
    expect(shelf.records.size).toBe(1);
    await shelf.run(feed, context);
    expect([...shelf.records.values()].sort()).toEqual(onServer(account));
    // Nothing of a mailbox that is known goes for its being refused once.
    account.inbox.add(raw('more'), at);
    server.faults.failNext({ kind: 'refuse', status: 403, text }, 'EXAMINE');
    await shelf.run(feed, context);
    expect(shelf.records.size).toBe(2);
    await shelf.run(feed, context);
    expect([...shelf.records.values()].sort()).toEqual(onServer(account));
  },
);

test('away from loopback a server without TLS gets no password', async () => {
  const { server, context } = await scene([], { tlsRequired: true });
  await expect(new Shelf().run(feed, context)).rejects.toMatchObject({ code: 'network' });
  expect(server.commands().filter((command) => /LOGIN|AUTHENTICATE/.test(command))).toEqual([]);
});

test('a sent mail is looked for in Sent and the inbox, by the whole Message-ID', async () => {
  const { account, context } = await scene();
  account.folder('Sent')?.add(Buffer.from('Message-ID: <eff_other@example.com>\r\n\r\nx\r\n'), at);
  expect(await lookUp(provider.operations.send, context, mailTo('x@y.zz'))).toMatchObject({
    found: false,
    conclusive: false,
  });
  account.inbox.add(Buffer.from('Message-ID: <eff_01test@example.com>\r\n\r\nx\r\n'), at);
  expect(await lookUp(provider.operations.send, context, mailTo('x@y.zz'))).toMatchObject({
    found: true,
    outcome: { details: { mailbox: 'INBOX' } },
  });
});

test('on Gmail “All Mail” alone is read, elsewhere everything but the virtual copy', () => {
  type Listed = Parameters<typeof syncedMailboxes>[1][number];
  type Client = Parameters<typeof syncedMailboxes>[0];
  const listed = (
    [
      ['INBOX', '\\Inbox', []],
      ['[Gmail]', undefined, ['\\Noselect']],
      ['[Gmail]/All Mail', '\\All', []],
      ['[Gmail]/Important', undefined, ['\\Important']],
      ['[Gmail]/Spam', '\\Junk', []],
      ['[Gmail]/Starred', '\\Flagged', []],
      // As GNU's imap4d writes it.
      ['Mail', undefined, ['\\NoSelect']],
      ['Clients', undefined, []],
    ] as const
  ).map(([path, specialUse, flags]) => ({ path, specialUse, flags: new Set(flags) }) as unknown as Listed);
  const client = (...capabilities: string[]) =>
    ({ capabilities: new Map(capabilities.map((name) => [name, true])) }) as unknown as Client;
  expect(syncedMailboxes(client('X-GM-EXT-1'), listed).map(({ path }) => path)).toEqual(['[Gmail]/All Mail']);
  expect(syncedMailboxes(client(), listed).map(({ path }) => path)).toEqual(['INBOX', 'Clients']);
});
