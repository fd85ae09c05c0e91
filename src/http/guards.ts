// What every request must pass before anything of ours looks at it. Each guard names its attack; each
// refuses when in doubt.
import type { Context, MiddlewareHandler } from 'hono';
import type { PageEnv } from '../dashboard/environment.ts';
import { contentPolicy } from '../dashboard/page/content-policy.ts';
import { refusal } from './answers.ts';
import { ownOrigin } from './origin.ts';

/** Posted forms are small; only `/mcp` takes 4 MB. */
const largestForm = 64 * 1024;

const policy = contentPolicy();

/**
 * Framing, sniffing, injected scripts, leaking addresses, shared caches. The referrer stays within us
 * instead of being dropped: a browser told `no-referrer` sends `Origin: null` with our own forms too.
 */
export const securityHeaders: MiddlewareHandler<PageEnv> = async (c, next) => {
  await next();
  const { headers } = c.res;
  const set = (name: string, value: string) => {
    if (!headers.has(name)) headers.set(name, value);
  };
  set('Content-Security-Policy', policy);
  set('Cache-Control', 'no-store');
  set('X-Content-Type-Options', 'nosniff');
  set('Referrer-Policy', 'same-origin');
  set('Cross-Origin-Opener-Policy', 'same-origin');
  set('Cross-Origin-Resource-Policy', 'same-origin');
  set('Permissions-Policy', 'camera=(), microphone=(), geolocation=(), payment=()');
};

/** DNS rebinding: a foreign name that leads here is not answered, whatever it asks for. */
export function hostGuard(publicUrl: string | undefined): MiddlewareHandler<PageEnv> {
  return async (c, next) => {
    const host = c.req.header('host');
    const own = ownOrigin(host, c.env.incoming.socket.localPort, publicUrl);
    // The request line may carry an address of its own (RFC 9112, 3.2.2); it must not contradict.
    const line = c.env.incoming.url ?? '';
    if (own === undefined || !line.startsWith('/') || line.startsWith('//')) {
      return refusal(
        c,
        421,
        'This server does not answer to that name. If it should, set DRAWBRIDGE_PUBLIC_URL.',
      );
    }
    c.set('origin', own.origin);
    c.set('secure', own.secure);
    return next();
  };
}

/**
 * Requests that another site makes a browser send. Programs send no Origin and may pass to `/mcp` and, with a
 * key, to the API: no other site can make a browser send one. A form always has an Origin, and it must be this
 * very page's. `null` is nobody's.
 */
export const originGuard: MiddlewareHandler<PageEnv> = async (c, next) => {
  const origin = c.req.header('origin');
  const changes = c.req.method !== 'GET' && c.req.method !== 'HEAD';
  const withKey = c.req.path.startsWith('/api/v1/') && c.req.header('authorization') !== undefined;
  const forPrograms = c.req.path === '/mcp' || withKey;
  const foreign = origin === undefined ? changes && !forPrograms : origin !== c.get('origin');
  const site = c.req.header('sec-fetch-site');
  const crossSite = (changes || forPrograms) && site !== undefined && site !== 'same-origin';
  // A page that is only looked at may be reached from anywhere.
  if ((foreign && (changes || forPrograms)) || crossSite) {
    return refusal(c, 403, 'The request comes from another site. Nothing was done.');
  }
  return next();
};

/** Memory exhaustion: a body is refused by its announced size, or cut where it passes the limit. */
export function bodyGuard(largest: number = largestForm): MiddlewareHandler<PageEnv> {
  const tooLarge = (c: Context<PageEnv>) =>
    refusal(c, 413, `The body is larger than ${largest.toLocaleString('en')} bytes.`);
  return async (c, next) => {
    const { headers } = c.req.raw;
    if (!headers.has('transfer-encoding')) {
      // RFC 9112, 6.3: with neither header there is no body. One that is announced is not opened here: that makes
      // a stream of it, which costs as much as all the guards.
      return Number(headers.get('content-length') ?? 0) > largest ? tooLarge(c) : next();
    }
    const { body } = c.req.raw;
    if (body === null) return next();
    const parts: Uint8Array[] = [];
    let size = 0;
    for await (const part of body as unknown as AsyncIterable<Uint8Array>) {
      size += part.length;
      if (size > largest) return tooLarge(c);
      parts.push(part);
    }
    const { url, method } = c.req.raw;
    c.req.raw = new Request(url, { method, headers, body: Buffer.concat(parts) });
    return next();
  };
}
