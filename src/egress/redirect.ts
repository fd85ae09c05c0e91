// Where an answer sends a call next. Each hop is judged like a first call; credentials and effects stay
// with the origin they were meant for.
import { DrawbridgeError } from '../errors.ts';
import type { Answer } from './answer.ts';
import type { Outgoing } from './transport.ts';

export const mostRedirects = 5;
const redirects = new Set([301, 302, 303, 307, 308]);
// RFC 9110 9.2.1 and WebDAV's own reading methods.
const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS', 'PROPFIND', 'REPORT']);
// What may cross to another origin. A credential can hide in a header of any name, so the list says what
// is known to be none.
const harmlessHeaders = new Set([
  'accept',
  'accept-language',
  'content-type',
  'content-language',
  'depth',
  'if-modified-since',
  'if-none-match',
  'prefer',
  'range',
  'user-agent',
]);

export function isRedirect(response: Answer): boolean {
  return redirects.has(response.status) && response.headers.has('location');
}

/**
 * The request that follows a redirect, by the fetch standard's method rules (4.4, HTTP-redirect fetch).
 * @throws DrawbridgeError `malformed_response` for an unusable address, `permission_denied` where a write
 * would go to another origin.
 */
export function followed(request: Outgoing, response: Answer): Outgoing {
  const from = request.url.hostname;
  const url = URL.parse(response.headers.get('location') ?? '', request.url.href);
  if (url === null || url.username !== '' || url.password !== '') {
    throw new DrawbridgeError('malformed_response', `${from} redirects to an address that cannot be used.`);
  }
  const becomesGet =
    (response.status === 303 && request.method !== 'HEAD') ||
    ((response.status === 301 || response.status === 302) && request.method === 'POST');
  const method = becomesGet ? 'GET' : request.method;
  const headers = new Headers(request.headers);
  if (becomesGet) {
    for (const name of ['content-type', 'content-language', 'content-encoding']) headers.delete(name);
  }
  if (url.origin !== request.url.origin) {
    if (!safeMethods.has(method)) {
      throw new DrawbridgeError(
        'permission_denied',
        `${from} redirects a ${method} to ${url.hostname}: not followed.`,
      );
    }
    for (const name of [...headers.keys()]) {
      if (!harmlessHeaders.has(name)) headers.delete(name);
    }
  }
  return { url, method, headers, body: becomesGet ? undefined : request.body };
}
