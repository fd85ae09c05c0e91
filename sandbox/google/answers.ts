// What Google's APIs answer alike: JSON, refusals in their own form, and the scopes that a call needs.
import type { Answer } from '../http.ts';
import type { Call } from '../providers.ts';

export const json = (body: unknown, status = 200): Answer => ({
  status,
  headers: { 'content-type': 'application/json; charset=UTF-8' },
  body: JSON.stringify(body),
});

const statusNames: Record<number, string> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  409: 'ALREADY_EXISTS',
  429: 'RESOURCE_EXHAUSTED',
  503: 'UNAVAILABLE',
};

/** A refusal as Google writes it, with its reason (`rateLimitExceeded`, `notFound`, …). */
export function refusal(status: number, reason: string, message: string): Answer {
  const error = { code: status, message, errors: [{ message, domain: 'global', reason }] };
  const name = statusNames[status];
  return json({ error: name === undefined ? error : { ...error, status: name } }, status);
}

const scopeBase = 'https://www.googleapis.com/auth/';

/** Why a bearer with these scopes may not make a call that takes any of `needed`; undefined when it may. */
export function forbidden(
  granted: readonly string[] | undefined,
  needed: readonly string[],
): Answer | undefined {
  if (granted === undefined) {
    return refusal(401, 'authError', 'Request had invalid authentication credentials.');
  }
  if (needed.some((name) => granted.includes(`${scopeBase}${name}`))) return undefined;
  return refusal(403, 'insufficientPermissions', 'Request had insufficient authentication scopes.');
}

/** A page of `all`, whose token names the last element before it: what is added or gone elsewhere moves nothing. */
export function pageOf<T>(
  all: readonly T[],
  query: URLSearchParams,
  given: { key(one: T): string; size: { name: string; usual: number; most: number } },
): { items: T[]; next: string | undefined } | undefined {
  const token = query.get('pageToken');
  let start = 0;
  if (token !== null) {
    const after = Buffer.from(token, 'base64url').toString('utf8');
    const at = all.findIndex((one) => given.key(one) === after);
    if (at < 0) return undefined;
    start = at + 1;
  }
  const asked = Number(query.get(given.size.name) ?? given.size.usual);
  const size = Math.min(Math.max(asked, 1), given.size.most);
  const items = all.slice(start, start + size);
  const last = items.at(-1);
  const more = start + size < all.length && last !== undefined;
  return { items, next: more ? Buffer.from(given.key(last)).toString('base64url') : undefined };
}

/** The parts of a multipart/related upload; undefined where it is none. */
export function relatedParts(call: Call): { type: string; body: string }[] | undefined {
  const boundary = /^multipart\/related;.*boundary="?([^";]+)"?/i.exec(
    call.headers['content-type'] ?? '',
  )?.[1];
  if (boundary === undefined) return undefined;
  return call.body
    .split(`--${boundary}`)
    .slice(1, -1)
    .map((part) => {
      const [head = '', ...rest] = part.replace(/^\r\n/, '').split('\r\n\r\n');
      const type = /^content-type:\s*(.+)$/im.exec(head)?.[1]?.trim() ?? '';
      return { type, body: rest.join('\r\n\r\n').replace(/\r\n$/, '') };
    });
}

/** A JSON object in a body; undefined for anything else. */
export function objectIn(body: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body === '' ? '{}' : body);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

export const textsIn = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
