// One IMAP session: to the address that egress admitted, under the server's name, encrypted wherever it
// leaves this machine, silent, and never retried.
import { ImapFlow, type ImapFlowError } from 'imapflow';
import { DrawbridgeError, type ErrorCode } from '../../errors.ts';
import type { ProviderContext } from '../define.ts';
import { mailboxFields, parseEndpoint } from './fields.ts';

/** The mend for a certificate that nobody vouches for. */
export const ownCa = 'If it is your own, name its CA in NODE_EXTRA_CA_CERTS.';

/** Largest message that is taken whole, bytes. */
export const messageLimit = 25 * 1024 * 1024;

export type Credentials = { accessToken: string } | { pass: string };

/** The credential of the connection: an access token where there is one, else the password. */
export function credentials(context: ProviderContext): Credentials {
  try {
    return { accessToken: context.secret('access_token').reveal() };
  } catch (error) {
    if (!(error instanceof DrawbridgeError)) throw error;
    return { pass: context.secret('password').reveal() };
  }
}

/** How long a server asked to be left alone, ms. */
const throttled = new WeakMap<ImapFlow, number>();
const unheard = (): void => undefined;

/** Logs in. The session ends with `signal`. @throws DrawbridgeError */
export async function openImap(context: ProviderContext, signal: AbortSignal): Promise<ImapFlow> {
  const fields = mailboxFields.parse(context.fields);
  const server = parseEndpoint(fields.imap);
  if (server === undefined)
    throw new DrawbridgeError('invalid_request', 'imap: must be HOST:PORT', { field: 'imap' });
  const dialled = await context.dial(server.host, server.port);
  const named = dialled.servername !== dialled.address;
  const client = new ImapFlow({
    host: dialled.address,
    port: dialled.port,
    ...(named ? { servername: dialled.servername } : {}),
    secure: server.implicitTls,
    ...(!server.implicitTls && dialled.tlsRequired ? { doSTARTTLS: true } : {}),
    tls: { minVersion: 'TLSv1.2', ...(named ? { servername: dialled.servername } : {}) },
    auth: { user: fields.user, ...credentials(context) },
    logger: {
      trace: unheard,
      debug: unheard,
      info: unheard,
      error: unheard,
      fatal: unheard,
      // The library would wait out half a minute or more of what the server asks for: a person is told at once.
      warn(entry: { throttleDelay?: unknown }) {
        if (typeof entry.throttleDelay !== 'number') return;
        throttled.set(client, entry.throttleDelay);
        // The wait begins just after this word; only what has begun can be cut short.
        queueMicrotask(() => client.close());
      },
    },
    emitLogs: false,
    disableAutoIdle: true,
    disableCompression: true,
    qresync: true,
    clientInfo: { name: 'Drawbridge', version: false, vendor: false, 'support-url': false },
    connectionTimeout: 20_000,
    greetingTimeout: 15_000,
    socketTimeout: 60_000,
    maxLineLength: 16 * 1024 * 1024,
    maxLiteralSize: messageLimit + 1024,
    maxResponseSize: 2 * messageLimit,
  });
  // An `error` event without a listener ends the process; each command rejects by itself as well.
  client.on('error', (error) => context.log.debug({ err: error }, 'IMAP session'));
  const stop = () => client.close();
  signal.addEventListener('abort', stop, { once: true });
  try {
    signal.throwIfAborted();
    await client.connect();
    if (dialled.tlsRequired && !client.secureConnection) {
      throw new DrawbridgeError('network', `The IMAP server ${server.host} offers no TLS; nothing was read.`);
    }
    return client;
  } catch (error) {
    client.close();
    throw imapError(error, fields.imap, client);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** Ends the session politely where it still lives. */
export async function closeImap(client: ImapFlow): Promise<void> {
  if (!client.usable) {
    client.close();
    return;
  }
  try {
    await client.logout();
  } catch (error) {
    // The answer to LOGOUT is owed by nobody: what was read has been read.
    if (!(error instanceof Error)) throw error;
    client.close();
  }
}

/** Runs `work` in one conversation with a session of its own. */
export function withImap<Result>(
  context: ProviderContext,
  work: (client: ImapFlow) => Promise<Result>,
  timeoutMs = 120_000,
): Promise<Result> {
  return context.converse(
    async (signal) => {
      const client = await openImap(context, signal);
      try {
        return await during(client, signal, () => work(client));
      } finally {
        await closeImap(client);
      }
    },
    { timeoutMs },
  );
}

/** Runs commands of an open session under `signal`: an abort closes the session, so that nothing waits on. */
export async function during<Result>(
  client: ImapFlow,
  signal: AbortSignal,
  work: () => Promise<Result>,
): Promise<Result> {
  const stop = () => client.close();
  signal.addEventListener('abort', stop, { once: true });
  try {
    signal.throwIfAborted();
    return await work();
  } catch (error) {
    throw imapError(error, client.host, client);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** Response codes of RFC 5530 3; what none of them stands beside may pass by itself. */
const refusals: Readonly<Record<string, ErrorCode>> = {
  AUTHENTICATIONFAILED: 'auth_expired',
  EXPIRED: 'auth_expired',
  AUTHORIZATIONFAILED: 'permission_denied',
  CONTACTADMIN: 'permission_denied',
  NOPERM: 'permission_denied',
  PRIVACYREQUIRED: 'permission_denied',
  NONEXISTENT: 'not_found',
  ALREADYEXISTS: 'conflict',
  INUSE: 'conflict',
  LIMIT: 'rate_limited',
  OVERQUOTA: 'quota_exhausted',
  UNAVAILABLE: 'provider_unavailable',
};

/** What the library threw, in the house's words; the server's own text is kept, it tells a person the mend. */
function imapError(error: unknown, server: string, client: ImapFlow): unknown {
  if (error instanceof DrawbridgeError || !(error instanceof Error)) return error;
  const failure: ImapFlowError = error;
  const said = failure.responseText === undefined ? '' : ` It said: ${oneLine(failure.responseText)}`;
  const wait = throttled.get(client);
  if (wait !== undefined) {
    return new DrawbridgeError('rate_limited', `The IMAP server ${server} asks to slow down.`, {
      cause: error,
      retryAfterMs: wait,
    });
  }
  const refusal = refusals[failure.serverResponseCode?.toUpperCase() ?? ''];
  if (failure.authenticationFailed === true) {
    // Too many sessions (Dovecot, Gmail) and a user database that is away say nothing of the password.
    const code = refusal ?? 'auth_expired';
    return new DrawbridgeError(code, `The IMAP server ${server} refused the log-in.${said}`, {
      cause: error,
    });
  }
  if (/TIMEOUT/.test(failure.code ?? '')) {
    return new DrawbridgeError('timeout', `The IMAP server ${server} did not answer in time.`, {
      cause: error,
    });
  }
  if (/TooLarge|ParserError|InvalidResponse|UnexpectedTag|NESTING/.test(failure.code ?? '')) {
    return new DrawbridgeError('malformed_response', `The IMAP server ${server} sent what cannot be read.`, {
      cause: error,
    });
  }
  if (failure.responseStatus !== undefined) {
    return new DrawbridgeError(
      refusal ?? 'provider_unavailable',
      `The IMAP server ${server} refused a command.${said}`,
      {
        cause: error,
      },
    );
  }
  // A connection that breaks off while TLS begins says nothing of the certificate.
  if (failure.tlsFailed === true && !/^(?:ECONNRESET|EPIPE)$/.test(failure.code ?? '')) {
    return new DrawbridgeError(
      'network',
      `The IMAP server ${server} cannot be trusted (${failure.message}). ${ownCa}`,
      {
        retry: 'never',
        cause: error,
      },
    );
  }
  return new DrawbridgeError(
    'network',
    `The connection to the IMAP server ${server} failed (${failure.message}).`,
    {
      cause: error,
    },
  );
}

/** A server's text on one line, at most 300 characters. */
export function oneLine(text: string): string {
  return text
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .slice(0, 300);
}

export type { ImapFlow };
