// A real SMTP submission server on loopback (smtp-server): signs in with the sandbox's accounts, and what
// it accepts arrives in the mailboxes of its recipients.
import { SMTPServer } from 'smtp-server';
import type { Clock } from '../src/clock.ts';
import { type Fault, Faults } from './faults.ts';
import { listen } from './listen.ts';
import type { Mailboxes } from './mailboxes.ts';

export interface ReceivedMessage {
  from: string;
  /** The envelope's recipients, in order, as the client gave them. */
  to: string[];
  raw: Buffer;
  /** Integer ms. */
  at: number;
  /** Whom the session had signed in as. */
  user: string | undefined;
}

export interface SmtpServer {
  host: string;
  port: number;
  /** Steps that may fail on order: `AUTH`, `MAIL`, `RCPT`, `DATA`. */
  faults: Faults;
  received(): ReceivedMessage[];
  /** Every step so far, in order, with the address that it names: `RCPT you@example.com`. */
  commands(): string[];
  /** The next message that is accepted (or the first that already was, after `since` of them). */
  waitFor(count: number): Promise<ReceivedMessage>;
  close(): Promise<void>;
}

class Refused extends Error {
  readonly responseCode: number;

  constructor(fault: Extract<Fault, { kind: 'refuse' }>) {
    super(fault.text ?? 'ordered to fail');
    this.responseCode = fault.status;
  }
}

export async function startSmtp(options: { clock: Clock; mailboxes: Mailboxes }): Promise<SmtpServer> {
  const { clock, mailboxes } = options;
  const faults = new Faults();
  const received: ReceivedMessage[] = [];
  const seen: string[] = [];
  const waiting: { count: number; resolve: (message: ReceivedMessage) => void }[] = [];

  function cut(sessionId: string): void {
    for (const connection of server.connections) {
      if (connection.id === sessionId) connection._socket.destroy();
    }
  }

  /** Runs a step under the fault ordered for it; `done` gets the error that becomes the reply. */
  async function step(label: string, sessionId: string, done: (error?: Error) => void, work: () => void) {
    const [command = ''] = label.split(' ');
    seen.push(label);
    const fault = faults.take(command);
    if (fault?.kind === 'hold') await fault.until;
    if (fault?.kind === 'refuse') return done(new Refused(fault));
    if (fault?.kind === 'drop') {
      if (fault.after === 'effect') work();
      return cut(sessionId);
    }
    work();
    done();
  }

  const server = new SMTPServer({
    name: 'mail.sandbox.test',
    banner: 'Sandbox mail',
    disabledCommands: ['STARTTLS'],
    disableReverseLookup: true,
    allowInsecureAuth: true,
    authMethods: ['PLAIN', 'LOGIN'],
    size: 30 * 1024 * 1024,
    onAuth(auth, session, callback) {
      const account = mailboxes.byUser(auth.username ?? '');
      const known = account !== undefined && account.password === auth.password;
      void step(
        'AUTH',
        session.id,
        (error) => {
          if (error !== undefined) callback(error);
          else if (known) callback(null, { user: account.user });
          else callback(new Error('wrong user or password'));
        },
        () => undefined,
      );
    },
    onMailFrom({ address }, session, callback) {
      void step(`MAIL ${address}`, session.id, callback, () => undefined);
    },
    onRcptTo({ address }, session, callback) {
      void step(`RCPT ${address}`, session.id, callback, () => undefined);
    },
    onData(stream, session, callback) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope;
        const message: ReceivedMessage = {
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo.map((recipient) => recipient.address),
          raw: Buffer.concat(chunks),
          at: clock.now(),
          user: typeof session.user === 'string' ? session.user : undefined,
        };
        void step('DATA', session.id, callback, () => {
          received.push(message);
          mailboxes.deliver(message.to, message.raw, message.at);
          for (const waiter of waiting) if (received.length >= waiter.count) waiter.resolve(message);
        });
      });
    },
  });
  // Cut connections are the sandbox's own doing.
  server.on('error', () => undefined);
  const { host, port } = await listen(server.server);
  return {
    host,
    port,
    faults,
    received: () => [...received],
    commands: () => [...seen],
    waitFor(count) {
      const there = received[count - 1];
      if (there !== undefined) return Promise.resolve(there);
      return new Promise((resolve) => waiting.push({ count, resolve }));
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const connection of server.connections) connection._socket.destroy();
      }),
  };
}
