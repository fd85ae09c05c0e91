// What a server is asked: every request leaves through the connection's own fetch, logged in as the server takes it,
// and an answer that is about the account and not the question becomes an error at once.
import { davRequest } from 'tsdav';
import { DrawbridgeError } from '../../errors.ts';
import type { Secret } from '../../secret.ts';
import type { ProviderContext } from '../define.ts';
import { answerTo, type Challenge, challengeIn } from './digest.ts';
import type { CaldavFields } from './fields.ts';

/** One response of a multistatus. */
export type DavResponse = Awaited<ReturnType<typeof davRequest>>[number];
export type Fetch = typeof globalThis.fetch;

export interface Dav {
  headers: Record<string, string>;
  /** For questions: a status that is about the account is an error. */
  fetch: Fetch;
  /** For what has an effect: the caller reads the status. */
  send: Fetch;
  /** A REPORT or PROPFIND with its XML body in tsdav's compact form. */
  report(url: string, body: Record<string, unknown>, depth: '0' | '1'): Promise<DavResponse[]>;
}

const namespaces = { 'xmlns:d': 'DAV:', 'xmlns:c': 'urn:ietf:params:xml:ns:caldav' };
// RFC 4918, RFC 3253: neither changes anything, so a repeat is harmless.
const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS', 'PROPFIND', 'REPORT']);

interface LogIn {
  headers: Record<string, string>;
  /** Undefined where a token logs in. */
  password: Secret | undefined;
}

function logIn(context: ProviderContext, fields: CaldavFields): LogIn {
  try {
    const headers = { authorization: `Bearer ${context.secret('access_token').reveal()}` };
    return { headers, password: undefined };
  } catch (error) {
    if (!(error instanceof DrawbridgeError)) throw error;
  }
  const password = context.secret('password');
  const pair = Buffer.from(`${fields.user}:${password.reveal()}`, 'utf8').toString('base64');
  return { headers: { authorization: `Basic ${pair}` }, password };
}

/** Requests with the log-in that the server takes: the password as it is, or the digest that it asks for instead. */
function loggedIn(context: ProviderContext, { user }: CaldavFields, password: Secret | undefined): Fetch {
  let challenge: Challenge | undefined;
  let count = 0;
  const send = (input: Parameters<Fetch>[0], init: RequestInit) => {
    const headers = new Headers(init.headers);
    if (challenge !== undefined && password !== undefined) {
      count += 1;
      const url = input instanceof Request ? input.url : String(input);
      const asked = { method: init.method ?? 'GET', url, user, password: password.reveal(), count };
      headers.set('authorization', answerTo(challenge, asked));
    }
    return context.fetch(input, {
      ...init,
      headers,
      idempotent: safeMethods.has(init.method ?? 'GET'),
      ...(context.signal === undefined ? {} : { signal: context.signal }),
    });
  };
  return async (input, init = {}) => {
    const response = await send(input, init);
    if (response.status !== 401 || password === undefined) return response;
    const asked = challengeIn(response.headers.get('www-authenticate'));
    if (asked === undefined || (challenge !== undefined && !asked.stale)) return response;
    await response.body?.cancel();
    challenge = asked;
    count = 0;
    return send(input, init);
  };
}

/** The server of a connection; it is asked nothing yet. */
export function openDav(context: ProviderContext, fields: CaldavFields): Dav {
  const { headers, password } = logIn(context, fields);
  const send = loggedIn(context, fields, password);
  const fetch: Fetch = async (input, init = {}) => {
    const response = await send(input, init);
    const trouble = troubleOf(response, fields.url);
    if (trouble !== undefined) throw trouble;
    return response;
  };
  return {
    headers,
    fetch,
    send,
    report: (url, body, depth) =>
      davRequest({
        url,
        init: {
          method: 'REPORT',
          namespace: 'd',
          headers: { ...headers, depth },
          body: Object.fromEntries(
            Object.entries(body).map(([name, content]) => [
              name,
              { _attributes: namespaces, ...(content as Record<string, unknown>) },
            ]),
          ),
        },
        fetch,
      }),
  };
}

function troubleOf(response: Response, server: string): DrawbridgeError | undefined {
  const { status } = response;
  if (status === 401) {
    return new DrawbridgeError('auth_expired', `The calendar server ${server} refused the log-in.`);
  }
  if (status === 429)
    return new DrawbridgeError('rate_limited', `The calendar server ${server} asks to slow down.`);
  if (status >= 500 && status !== 501 && status !== 507) {
    return new DrawbridgeError('provider_unavailable', `The calendar server ${server} answered ${status}.`);
  }
  return undefined;
}

/** The text of a property, whatever the XML reader made of it (it turns numerals into numbers). */
export function textOf(value: unknown): string | undefined {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return String(value);
  if (typeof value === 'object' && value !== null && '_cdata' in value) return textOf(value._cdata);
  return undefined;
}

/** The path of an href in a multistatus: what identifies a record of the account. */
export function pathOf(href: string, base: string): string {
  return new URL(href, base).pathname;
}

/** The address of a collection ends in a slash, however it was told. */
export function slashed(url: string): string {
  return url.endsWith('/') ? url : `${url}/`;
}
