// A real SMTP server (smtp-server) on loopback that delivers into the Maildirs of Dovecot, with log-in and
// STARTTLS, and remembers what was handed to it.
import { chownSync, existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import type { Certificate, Dovecot } from './dovecot.ts';

export interface Received {
  from: string;
  to: string[];
  raw: Buffer;
  secure: boolean;
}

export interface SmtpServer {
  port: number;
  received: Received[];
  stop(): Promise<void>;
}

export interface SmtpOptions {
  /** Where mail for `name@…` is delivered; nowhere when left out. */
  dovecot?: Pick<Dovecot, 'maildir' | 'uid'>;
  certificate?: Certificate;
  /** TLS from the first byte. */
  implicitTls?: boolean;
  password?: string;
  accessToken?: string;
  server?: SMTPServerOptions;
}

let delivered = 0;

export async function startSmtp(options: SmtpOptions = {}): Promise<SmtpServer> {
  const received: Received[] = [];
  const { certificate } = options;
  const server = new SMTPServer({
    ...(certificate === undefined
      ? { disabledCommands: ['STARTTLS'] }
      : { cert: certificate.cert, key: certificate.key }),
    secure: options.implicitTls === true,
    authMethods: options.accessToken === undefined ? ['PLAIN', 'LOGIN'] : ['XOAUTH2'],
    allowInsecureAuth: true,
    authOptional: false,
    disableReverseLookup: true,
    logger: false,
    onAuth(auth, _session, done) {
      const good =
        options.accessToken === undefined
          ? auth.password === (options.password ?? 'correct-horse')
          : auth.accessToken === options.accessToken;
      if (good) done(null, { user: auth.username ?? 'unknown' });
      else done(new Error('Invalid username or password'));
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const mail: Received = {
          from: session.envelope.mailFrom === false ? '' : session.envelope.mailFrom.address,
          to: session.envelope.rcptTo.map(({ address }) => address),
          raw: Buffer.concat(chunks),
          secure: session.secure,
        };
        received.push(mail);
        for (const to of mail.to) {
          if (options.dovecot !== undefined) deliver(options.dovecot, to.slice(0, to.indexOf('@')), mail.raw);
        }
        done(null, 'OK: taken');
      });
    },
    ...options.server,
  });
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.server.address() as AddressInfo;
  return {
    port,
    received,
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** Puts a mail into a Maildir the way every delivery agent does: written aside, then renamed into `new`. */
export function deliver(dovecot: Pick<Dovecot, 'maildir' | 'uid'>, user: string, raw: Buffer | string): void {
  const maildir = dovecot.maildir(user);
  for (const folder of ['', 'tmp', 'new', 'cur']) {
    const path = join(maildir, folder);
    if (existsSync(path)) continue;
    mkdirSync(path, { recursive: true });
    chownSync(path, dovecot.uid, dovecot.uid);
  }
  delivered += 1;
  const name = `${1_700_000_000 + delivered}.M${delivered}P${process.pid}.test`;
  const aside = join(maildir, 'tmp', name);
  writeFileSync(aside, raw);
  chownSync(aside, dovecot.uid, dovecot.uid);
  renameSync(aside, join(maildir, 'new', name));
}
