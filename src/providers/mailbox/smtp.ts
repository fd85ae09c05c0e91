// One SMTP session and one mail in it: all approved recipients are accepted or nobody is sent anything, and
// the point after which an effect is possible is marked before the first byte of the mail.
import { Readable } from 'node:stream';
import SMTPConnection, {
  type SMTPConnectionEnvelope,
  type SMTPEnvelope,
} from 'nodemailer/lib/smtp-connection';
import XOAuth2 from 'nodemailer/lib/xoauth2';
import { DrawbridgeError } from '../../errors.ts';
import type { ProviderContext, WriteContext } from '../define.ts';
import type { ComposedMail } from '../mail/compose.ts';
import { mailboxFields, parseEndpoint } from './fields.ts';
import { credentials, oneLine, ownCa } from './imap.ts';

const conversationMs = 600_000;

export type Delivery =
  | { accepted: true; response: string; serverMessageId: string | undefined }
  /** The server said no: nothing was sent to anyone. `later`: not now, said before the first byte of the mail. */
  | { accepted: false; reason: string; later?: true }
  /** Something else stopped it before the first byte of the mail. */
  | { accepted: false; stopped: unknown };

/** Logs in and out again. @throws DrawbridgeError */
export async function checkSmtp(context: ProviderContext): Promise<void> {
  await context.converse(
    async (signal) => {
      const connection = await openSmtp(context, signal);
      connection.quit();
    },
    { timeoutMs: 60_000 },
  );
}

/**
 * Hands one mail to the server. Throws when the outcome is unclear (the connection went after the mail had
 * begun), or before anything was sent (then as DrawbridgeError).
 */
export function deliver(context: WriteContext, mail: ComposedMail): Promise<Delivery> {
  return context.converse(
    async (signal) => {
      const connection = await openSmtp(context, signal);
      const stop = () => connection.close();
      signal.addEventListener('abort', stop, { once: true });
      try {
        const delivery = await send(connection, mail, async () => {
          await context.aboutToSend();
          // The time may have run out meanwhile: then the socket is closed, and nothing is left to send on.
          signal.throwIfAborted();
        });
        connection.quit();
        return delivery;
      } catch (error) {
        connection.close();
        throw error;
      } finally {
        signal.removeEventListener('abort', stop);
      }
    },
    { timeoutMs: conversationMs },
  );
}

async function openSmtp(context: ProviderContext, signal: AbortSignal): Promise<SMTPConnection> {
  const fields = mailboxFields.parse(context.fields);
  const server = parseEndpoint(fields.smtp);
  if (server === undefined)
    throw new DrawbridgeError('invalid_request', 'smtp: must be HOST:PORT', { field: 'smtp' });
  const dialled = await context.dial(server.host, server.port);
  const named = dialled.servername !== dialled.address;
  const connection = new SMTPConnection({
    host: dialled.address,
    port: dialled.port,
    ...(named ? { servername: dialled.servername } : {}),
    secure: server.implicitTls,
    requireTLS: !server.implicitTls && dialled.tlsRequired,
    tls: { minVersion: 'TLSv1.2', ...(named ? { servername: dialled.servername } : {}) },
    // The machine's own name is nobody's business.
    name: '[127.0.0.1]',
    logger: false,
    debug: false,
    connectionTimeout: 20_000,
    greetingTimeout: 15_000,
    socketTimeout: 300_000,
    socketCloseTimeout: 1_000,
    allowInternalNetworkInterfaces: true,
  });
  const stop = () => connection.close();
  signal.addEventListener('abort', stop, { once: true });
  try {
    signal.throwIfAborted();
    await settled((done) => {
      connection.once('error', done);
      connection.once('end', () => done(new Error('the server closed the connection')));
      connection.connect((error) => done(error ?? null));
    });
    // Later failures reach the command that is waiting; the event alone must not end the process.
    connection.on('error', (error) => context.log.debug({ err: error }, 'SMTP session'));
    if (dialled.tlsRequired && !connection.secure) {
      throw new DrawbridgeError('network', `The SMTP server ${server.host} offers no TLS; nothing was sent.`);
    }
    const credential = credentials(context);
    if (connection.allowsAuth) {
      await settled((done) => {
        connection.once('end', () => done(new Error('the server closed the connection')));
        connection.login(
          'pass' in credential
            ? { user: fields.user, pass: credential.pass }
            : {
                user: fields.user,
                method: 'XOAUTH2',
                oauth2: new XOAuth2({ user: fields.user, accessToken: credential.accessToken }),
              },
          (error) => done(error),
        );
      });
    } else if (dialled.tlsRequired) {
      throw new DrawbridgeError('permission_denied', `The SMTP server ${server.host} offers no log-in.`);
    }
    return connection;
  } catch (error) {
    connection.close();
    throw smtpError(error, fields.smtp);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

async function send(
  connection: SMTPConnection,
  mail: ComposedMail,
  aboutToSend: () => Promise<void>,
): Promise<Delivery> {
  // The library writes what each recipient was answered into this very object; it would go on with those
  // that were accepted, and we do not.
  const envelope: SMTPEnvelope & Partial<SMTPConnectionEnvelope> = {
    from: mail.from,
    to: [...mail.recipients],
    size: mail.bytes.length,
  };
  let begun = false;
  let stopped: { why: Delivery } | undefined;
  const body = new Readable({
    // Asked for the first time when the server has answered DATA with "go on".
    read() {
      if (begun || stopped !== undefined) return;
      begun = true;
      void release();
    },
  });
  async function release(): Promise<void> {
    try {
      const refused = envelope.rejectedErrors ?? [];
      if (refused.length > 0 || envelope.accepted?.length !== mail.recipients.length) {
        stopped = {
          why: refused.length === 0 ? { accepted: false, reason: refusal([]) } : refusedBefore(refused),
        };
      } else {
        await aboutToSend();
        body.push(mail.bytes);
        body.push(null);
        return;
      }
    } catch (error) {
      stopped = { why: { accepted: false, stopped: error } };
    }
    // Closing in the middle of DATA, before its first byte, leaves the server with nothing to deliver.
    connection.close();
    body.destroy(new Error('stopped before the first byte'));
  }
  try {
    const info = await new Promise<SMTPConnection.SentMessageInfo>((resolve, reject) => {
      // Later than the library's own word on why it closed, which says more.
      connection.once('end', () => setImmediate(reject, new Error('The server closed the connection.')));
      connection.send(envelope, body, (error, result) => (error === null ? resolve(result) : reject(error)));
    });
    return { accepted: true, response: oneLine(info.response), serverMessageId: info.serverMessageId };
  } catch (error) {
    if (stopped !== undefined) return stopped.why;
    if (isAnswer(error)) {
      // After the mail's last byte a server may have it all the same, whatever it says.
      if (begun) return { accepted: false, reason: refusal([error]) };
      return refusedBefore(everyRefusal(error, envelope.rejectedErrors));
    }
    if (begun) throw error;
    if (isOwnRefusal(error)) return { accepted: false, reason: refusal([error]) };
    throw smtpError(error, connection.host);
  }
}

interface Answered extends Error {
  responseCode?: number | undefined;
  response?: string | undefined;
  recipient?: string | undefined;
  code?: string | undefined;
}

/** A 4xx or 5xx to a command of this mail. 421 may be about the connection alone, so it proves nothing. */
function isAnswer(error: unknown): error is Answered {
  if (!(error instanceof Error)) return false;
  const { responseCode, code }: Answered = error;
  return responseCode !== undefined && responseCode >= 400 && responseCode !== 421 && code !== 'ECONNECTION';
}

/** The library itself refused before it asked the server: the mail is larger than the server takes, say. */
function isOwnRefusal(error: unknown): error is Answered {
  if (!(error instanceof Error)) return false;
  const { code }: Answered = error;
  return code === 'EMESSAGE' || code === 'EENVELOPE';
}

/** What the server said of every recipient, where that is why; else its one word. */
function everyRefusal(error: Answered, recipients: readonly Answered[] | undefined): readonly Answered[] {
  return error.code === 'EENVELOPE' && recipients !== undefined && recipients.length > 0
    ? recipients
    : [error];
}

/** A no before the first byte. A 4xx for all that was refused means "not now" (RFC 5321, 4.2.1): greylisting, say. */
function refusedBefore(errors: readonly Answered[]): Delivery {
  const passing = errors.every(({ responseCode = 0 }) => responseCode >= 400 && responseCode < 500);
  return { accepted: false, reason: refusal(errors), ...(passing ? { later: true } : {}) };
}

function refusal(errors: readonly Answered[]): string {
  const said = errors.map(({ recipient, response, message }) =>
    oneLine(`${recipient === undefined ? '' : `${recipient}: `}${response ?? message}`),
  );
  return `The mail server refused it, and nothing was sent to anyone: ${said.join('; ') || 'no recipient was accepted'}`;
}

/** A 4xx to a log-in passes by itself (RFC 4954 6), all but the one that wants another password first. */
function isPassing(answer: number | undefined): boolean {
  return answer !== undefined && answer >= 400 && answer < 500 && answer !== 432;
}

/** What stopped the session before any mail began. */
function smtpError(error: unknown, server: string): unknown {
  if (error instanceof DrawbridgeError || !(error instanceof Error)) return error;
  const { code, response, responseCode, message }: Answered = error;
  const said = response === undefined ? '' : ` It said: ${oneLine(response)}`;
  if (code === 'EAUTH' || code === 'EOAUTH2' || code === 'ENOAUTH') {
    return new DrawbridgeError(
      isPassing(responseCode) ? 'provider_unavailable' : 'auth_expired',
      `The SMTP server ${server} refused the log-in.${said}`,
      { cause: error },
    );
  }
  if (code === 'ETIMEDOUT') {
    return new DrawbridgeError('timeout', `The SMTP server ${server} did not answer in time.`, {
      cause: error,
    });
  }
  if (code === 'ETLS' || /certificate/i.test(message)) {
    return new DrawbridgeError(
      'network',
      `The SMTP server ${server} cannot be trusted, or offers no TLS (${message}); nothing was sent. ${ownCa}`,
      { retry: 'never', cause: error },
    );
  }
  return new DrawbridgeError(
    'network',
    `The SMTP server ${server} could not be reached (${message}).${said}`,
    {
      cause: error,
    },
  );
}

function settled(start: (done: (error: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    start((error) => (error === null ? resolve() : reject(error)));
  });
}
