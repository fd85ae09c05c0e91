// What Microsoft Graph answers alike: JSON, refusals in its own form, the scopes that a call needs, and lists.
import type { Answer } from '../http.ts';

export const json = (body: unknown, status = 200, headers: Record<string, string> = {}): Answer => ({
  status,
  headers: { 'content-type': 'application/json; odata.metadata=minimal; charset=utf-8', ...headers },
  body: JSON.stringify(body),
});

/** A refusal as Graph writes it (`ErrorItemNotFound`, …). */
export const refusal = (status: number, code: string, message: string): Answer =>
  json(
    { error: { code, message, innerError: { 'request-id': '00000000-0000-4000-8000-000000000000' } } },
    status,
  );

export const notFound = (): Answer =>
  refusal(404, 'ErrorItemNotFound', 'The specified object was not found in the store.');
export const invalid = (message: string): Answer => refusal(400, 'BadRequest', message);
/** For a delta link that is too old. */
const tooOld = (): Answer =>
  refusal(410, 'syncStateNotFound', 'The sync state generation is not found; begin again.');

/** Why a bearer with these scopes may not make a call that takes any of `needed`; undefined when it may. */
export function forbidden(
  granted: readonly string[] | undefined,
  needed: readonly string[],
): Answer | undefined {
  if (granted === undefined) {
    return refusal(401, 'InvalidAuthenticationToken', 'Access token has expired or is not yet valid.');
  }
  if (needed.some((name) => granted.includes(name))) return undefined;
  return refusal(403, 'ErrorAccessDenied', 'Access is denied. Check credentials and try again.');
}

/** The members that `$select` names; the id and the annotations come in any case. */
export function selected(one: Record<string, unknown>, query: URLSearchParams): Record<string, unknown> {
  const names = query.get('$select')?.split(',');
  if (names === undefined) return one;
  return Object.fromEntries(
    Object.entries(one).filter(([name]) => name === 'id' || name.startsWith('@') || names.includes(name)),
  );
}

/** A list by `$top` and `$skip`, with the link to the rest of it. */
export function listed(
  all: readonly Record<string, unknown>[],
  call: { path: string; query: URLSearchParams },
): Answer {
  const number = (name: string, usual: number) => Number(call.query.get(name) ?? usual);
  const [top, skip] = [number('$top', 10), number('$skip', 0)];
  if (!(top >= 1 && top <= 1000 && skip >= 0)) return invalid('Invalid value of $top or $skip.');
  const more = skip + top < all.length;
  const next = new URLSearchParams(call.query);
  next.set('$skip', String(skip + top));
  return json({
    value: all.slice(skip, skip + top).map((one) => selected(one, call.query)),
    ...(more ? { '@odata.nextLink': `https://graph.microsoft.com${call.path}?${next}` } : {}),
  });
}

/** As `Prefer: odata.maxpagesize` asks. */
function pageSizeOf(headers: Record<string, string>, usual: number): number {
  const asked = Number(/odata\.maxpagesize=(\d+)/.exec(headers['prefer'] ?? '')?.[1] ?? usual);
  return Math.min(Math.max(asked, 1), 1000);
}

/** What an extended property must be, where a filter asks for that; undefined for any other filter. */
export function markAsked(query: URLSearchParams): { id: string; value: string } | undefined {
  const filter = query.get('$filter') ?? '';
  const form = /^singleValueExtendedProperties\/Any\(ep: ep\/id eq '([^']+)' and ep\/value eq '([^']*)'\)$/;
  const [, id, value] = form.exec(filter) ?? [];
  return id === undefined || value === undefined ? undefined : { id, value };
}

export interface Property {
  id: string;
  value: string;
}

export const propertiesIn = (body: Record<string, unknown>): Property[] => {
  const given = body['singleValueExtendedProperties'];
  return Array.isArray(given) ? (given as Property[]) : [];
};

/**
 * A page of a delta. `$deltatoken` and `$skiptoken` are made here: a version of the store, and how far a round
 * has come.
 */
export interface DeltaSource<Item> {
  version: number;
  /** All there is, in an order that holds, each with a number that grows. */
  all(): { at: number; item: Item }[];
  /** Keys changed since; undefined where that is forgotten. */
  changedSince(version: number): string[] | undefined;
  /** A key's item as it is; undefined: it is gone. */
  item(key: string): Item | undefined;
  shown(item: Item): Record<string, unknown>;
}

export function delta<Item>(
  source: DeltaSource<Item>,
  call: { path: string; query: URLSearchParams; headers: Record<string, string> },
): Answer {
  const size = pageSizeOf(call.headers, 50);
  const link = (name: '$skiptoken' | '$deltatoken', value: string) =>
    `https://graph.microsoft.com${call.path}?${new URLSearchParams({ [name]: value })}`;
  const [kind = 'full', from, at] = (call.query.get('$skiptoken') ?? '')
    .split('.')
    .filter((part) => part !== '');
  const token = call.query.get('$deltatoken');
  if (token === null && kind === 'full') {
    const version = Number(from ?? source.version);
    if (from !== undefined && source.changedSince(version) === undefined) return tooOld();
    const rest = source.all().filter((one) => one.at > Number(at ?? -1));
    const some = rest.slice(0, size);
    const last = some.at(-1);
    const more = rest.length > size && last !== undefined;
    return json({
      value: some.map(({ item }) => selected(source.shown(item), call.query)),
      ...(more
        ? { '@odata.nextLink': link('$skiptoken', `full.${version}.${last.at}`) }
        : { '@odata.deltaLink': link('$deltatoken', String(version)) }),
    });
  }
  const since = Number(token ?? from);
  const changed = source.changedSince(since);
  if (changed === undefined) return tooOld();
  const start = Number(at ?? 0);
  const value = changed.slice(start, start + size).map((key) => {
    const item = source.item(key);
    return item === undefined ? { id: key, '@removed': { reason: 'deleted' } } : source.shown(item);
  });
  const more = start + size < changed.length;
  return json({
    value,
    ...(more
      ? { '@odata.nextLink': link('$skiptoken', `changes.${since}.${start + size}`) }
      : { '@odata.deltaLink': link('$deltatoken', String(source.version)) }),
  });
}
