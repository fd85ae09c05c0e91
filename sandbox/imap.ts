// An IMAP4rev1 server on loopback, small but true (RFC 3501, with SPECIAL-USE, UIDPLUS, CONDSTORE, IDLE,
// LITERAL+ and MOVE): what a mail client may do to the sandbox's mailboxes.
import { createServer, type Socket } from 'node:net';
import type { Clock } from '../src/clock.ts';
import { Faults } from './faults.ts';
import { ImapSession } from './imap-session.ts';
import { listen } from './listen.ts';
import type { Mailboxes } from './mailboxes.ts';

export interface ImapServer {
  host: string;
  port: number;
  faults: Faults;
  /** Every command that clients gave, in order, without its arguments: `LOGIN`, `UID FETCH`. */
  commands(): string[];
  close(): Promise<void>;
}

export interface ImapOptions {
  clock: Clock;
  mailboxes: Mailboxes;
  /** Capabilities to leave out, and `UIDNEXT` when a mailbox is opened, so that a test meets a plainer server. */
  without?: readonly string[];
}

const offered = [
  'IMAP4rev1',
  'AUTH=PLAIN',
  'ID',
  'NAMESPACE',
  'ENABLE',
  'CONDSTORE',
  'SPECIAL-USE',
  'UIDPLUS',
  'UNSELECT',
  'LITERAL+',
  'MOVE',
  'IDLE',
];

export async function startImap(options: ImapOptions): Promise<ImapServer> {
  const faults = new Faults();
  const seen: string[] = [];
  const capabilities = offered.filter((name) => !(options.without ?? []).includes(name));
  const sockets = new Set<Socket>();
  // Answers are many short lines: without this each waits 40 ms for the other side to acknowledge the last.
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    const session = new ImapSession(socket, {
      clock: options.clock,
      mailboxes: options.mailboxes,
      capabilities,
      tellsNextUid: !(options.without ?? []).includes('UIDNEXT'),
      faults,
      heard: (command) => seen.push(command),
    });
    socket.on('close', () => {
      sockets.delete(socket);
      session.close();
    });
  });
  const { host, port } = await listen(server);
  return {
    host,
    port,
    faults,
    commands: () => [...seen],
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
