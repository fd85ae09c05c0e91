// What Dropbox's routes answer alike: JSON, refusals by tag, and the scope that a route needs.
import type { Answer } from '../http.ts';

export const json = (body: unknown, status = 200, headers: Record<string, string> = {}): Answer => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(body),
});

/** An error by its tags from the outside in: `path`, `not_found`. A tag may bring members of its own. */
export function refusal(tags: readonly (string | object)[], status = 409): Answer {
  const names = tags.filter((tag) => typeof tag === 'string');
  const build = ([tag, next, ...rest]: readonly (string | object)[]): object => {
    if (typeof tag !== 'string') return {};
    if (typeof next === 'object') return { '.tag': tag, ...next };
    return { '.tag': tag, ...(next === undefined ? {} : { [tag]: build([next, ...rest]) }) };
  };
  return json({ error_summary: `${names.join('/')}/..`, error: build(tags) }, status);
}

export const missing = (): Answer => refusal(['path', 'not_found']);

/** A request that cannot be read is told so in a line of text. */
export const unreadable = (route: string, why: string): Answer => ({
  status: 400,
  headers: { 'content-type': 'text/plain; charset=utf-8' },
  body: `Error in call to API function "${route}": ${why}`,
});

/** https://www.dropbox.com/developers/documentation/http/documentation#error-handling */
export function tooMany(seconds: number): Answer {
  const error = { reason: { '.tag': 'too_many_requests' }, retry_after: seconds };
  return json({ error_summary: 'too_many_requests/..', error }, 429, { 'retry-after': String(seconds) });
}

/** Why a bearer with these scopes may not call a route that needs `scope`; undefined when it may. */
export function forbidden(granted: readonly string[] | undefined, scope: string): Answer | undefined {
  if (granted === undefined) return refusal(['expired_access_token'], 401);
  return granted.includes(scope) ? undefined : refusal(['missing_scope', { required_scope: scope }], 401);
}
