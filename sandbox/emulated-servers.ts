// The other sides that speak protocols of their own or belong to nobody: mail, calendars, MCP servers, files.
import { caldavHost, createCaldav } from './caldav.ts';
import { type Emulated, type Ground, letter, numbers } from './emulated.ts';
import type { Fault } from './faults.ts';
import { createMcpEmulator, type SandboxTool } from './mcp-server.ts';
import { startSandbox } from './start.ts';

const password = 'sandbox-only-password';

export const emulatedServers: Readonly<Record<string, (ground: Ground) => Emulated | Promise<Emulated>>> = {
  async mailbox({ clock }) {
    const sandbox = await startSandbox({ clock });
    const { imap, smtp, mail } = sandbox;
    const inbox = sandbox.mailboxes.byUser(mail.user)?.inbox;
    if (inbox === undefined) throw new Error('the story has no inbox');
    let sent = 0;
    return {
      emulators: [],
      way: { kind: 'form', secrets: { password: mail.password }, wrong: { password: 'another-password' } },
      fields: {
        email: mail.address,
        imap: `${imap.host}:${imap.port}`,
        smtp: `${smtp.host}:${smtp.port}`,
      },
      samples: {},
      feeds: {
        mail: {
          add: (count, says) =>
            numbers(count).map(() => {
              sent += 1;
              const { uid } = inbox.add(
                Buffer.from(letter(mail.address, sent, clock.now(), says)),
                clock.now(),
              );
              return `INBOX/${inbox.uidValidity}/${uid}`;
            }),
          remove(externalId) {
            const found = inbox.messages.find(({ uid }) => String(uid) === externalId.split('/').at(-1));
            if (found !== undefined) inbox.remove(found);
          },
        },
      },
      talk: {
        asked: () => [
          imap.commands().map((command) => `IMAP ${command}`),
          smtp.commands().map((command) => `SMTP ${command}`),
        ],
        fail(fault, times, spare) {
          const [onImap, onSmtp] = inMail(fault);
          if (spare > 0) return imap.faults.failNext(onImap, '', times, spare);
          const signsIn = fault.kind === 'refuse' && fault.status === 401;
          for (const step of signsIn ? ['LOGIN', 'AUTHENTICATE'] : working)
            imap.faults.failNext(onImap, step, times);
          smtp.faults.failNext(onSmtp, 'AUTH', times);
        },
        waiting: () => imap.faults.waiting + smtp.faults.waiting,
        clear() {
          imap.faults.clear();
          smtp.faults.clear();
        },
      },
      close: () => sandbox.close(),
    };
  },

  caldav({ clock, world }) {
    const user = world.user.email;
    const url = `https://${caldavHost}/`;
    const caldav = createCaldav({ user, password, url: () => url });
    for (const event of world.events) caldav.store.put(`${event.uid}.ics`, event.ics);
    const path = `/calendars/${encodeURIComponent(user)}/work/`;
    let made = 0;
    return {
      emulators: [caldav],
      way: { kind: 'form', secrets: { password }, wrong: { password: 'another-password' } },
      fields: { url, user },
      samples: { 'free-busy': { from: clock.now(), to: clock.now() + 7 * 86_400_000 } },
      feeds: {
        events: {
          add: (count, says = '') =>
            numbers(count).map(() => {
              made += 1;
              const name = `numbered${made}.ics`;
              caldav.store.put(name, numbered(made, clock.now(), says));
              return `${path}${name}`;
            }),
          remove: (externalId) => void caldav.store.delete(externalId.split('/').at(-1) ?? ''),
        },
      },
    };
  },

  mcp({ clock }) {
    const server = createMcpEmulator(clock);
    server.tools.push(...workbench());
    return {
      emulators: [server],
      way: {
        kind: 'browser',
        ...server.app,
        authorization: server.authorization,
        wrong: { token: 'a-bearer-that-nobody-gave-out' },
      },
      fields: { url: 'https://mcp.tools.example/mcp' },
      samples: { 'mcp:find-notes': { words: 'the key' } },
      feeds: {},
    };
  },
};

/** Commands of IMAP that do the work once somebody has signed in. */
const working = ['LIST', 'STATUS', 'EXAMINE', 'SELECT', 'SEARCH', 'FETCH', 'NOOP'];

/** RFC 5530 for IMAP, RFC 5321 and 4954 for SMTP. */
const mailWords: Record<number, [imap: string, smtp: string]> = {
  401: ['[AUTHENTICATIONFAILED] wrong user or password', '535 5.7.8 wrong user or password'],
  403: ['[NOPERM] not for you', '550 5.7.1 not for you'],
  404: ['[NONEXISTENT] no such mailbox', '550 5.1.1 no such mailbox'],
  409: ['[INUSE] somebody else works in it', '450 4.2.0 somebody else works in it'],
  429: ['[LIMIT] too many commands', '450 4.7.1 too many commands'],
};

/** A fault of HTTP as the two servers of a mailbox have it. */
function inMail(fault: Fault): [imap: Fault, smtp: Fault] {
  if (fault.kind !== 'refuse') return [fault, fault];
  const wait = Number(fault.headers?.['retry-after'] ?? 0) * 1_000;
  const [imap, smtp] = mailWords[fault.status] ?? ['[UNAVAILABLE] out of order', '451 4.3.0 out of order'];
  // Microsoft 365 tells its waits so; the standard has no word for them.
  const said = wait > 0 ? `Request is throttled. Suggested Backoff Time: ${wait} milliseconds` : imap;
  return [
    { kind: 'refuse', status: fault.status, text: said },
    { kind: 'refuse', status: Number(smtp.slice(0, 3)), text: smtp.slice(4) },
  ];
}

function numbered(n: number, now: number, says: string): string {
  const at = (hours: number) =>
    `${new Date(now + hours * 3_600_000).toISOString().replace(/[-:]|\.\d+/g, '')}`;
  return [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//sandbox//EN',
    'BEGIN:VEVENT',
    `UID:numbered${n}@sandbox.example`,
    `DTSTAMP:${at(0)}`,
    `DTSTART:${at(n)}`,
    `DTEND:${at(n + 1)}`,
    `SUMMARY:Number ${n} ${says}`,
    'END:VEVENT',
    'END:VCALENDAR',
    '',
  ].join('\r\n');
}

/** Tools of a server that keeps notes: one that reads, one that changes, one that says nothing of itself. */
function workbench(): SandboxTool[] {
  const notes = [{ id: 1, text: 'Maria has the key to the boat house' }];
  return [
    {
      name: 'find-notes',
      title: 'Find notes',
      description: 'Notes that hold these words',
      inputSchema: {
        type: 'object',
        properties: { words: { type: 'string' }, most: { type: 'integer' } },
        required: ['words'],
      },
      annotations: { readOnlyHint: true },
      run: ({ words }) => ({ notes: notes.filter(({ text }) => text.includes(String(words))) }),
    },
    {
      name: 'add-note',
      description: 'Keeps a note',
      inputSchema: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] },
      annotations: { readOnlyHint: false, destructiveHint: false },
      run: ({ text }) => {
        const note = { id: notes.length + 1, text: String(text) };
        notes.push(note);
        return note;
      },
    },
    {
      name: 'erase-note',
      inputSchema: { type: 'object', properties: { id: { type: 'integer' } }, required: ['id'] },
      run: ({ id }) => {
        const at = notes.findIndex((note) => note.id === id);
        if (at < 0) throw new Error('no such note');
        notes.splice(at, 1);
        return 'erased';
      },
    },
  ];
}
