// What Slack answers alike: an envelope with `ok`, always with status 200 but for too many calls; lists by cursor.
import type { Answer } from '../http.ts';

export const json = (body: unknown, status = 200, headers: Record<string, string> = {}): Answer => ({
  status,
  headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
  body: JSON.stringify(body),
});

export const refused = (error: string, more: Record<string, unknown> = {}): Answer =>
  json({ ok: false, error, ...more });

export const tooMany = (seconds: number): Answer =>
  json({ ok: false, error: 'ratelimited' }, 429, { 'retry-after': String(seconds) });

/** Fewer than was asked for may come: so the pages are many, and the end is told by the cursor alone. */
export const mostListed = 25;

/** A page of a list, from where `cursor` says. */
export function listed<Item>(
  all: readonly Item[],
  query: URLSearchParams,
): { items: Item[]; next: string } | { error: string } {
  const cursor = query.get('cursor') ?? '';
  const start = cursor === '' ? 0 : Number(Buffer.from(cursor, 'base64').toString().replace('at:', ''));
  if (!Number.isInteger(start) || start < 0) return { error: 'invalid_cursor' };
  const limit = Number(query.get('limit') ?? 100);
  if (!(limit >= 1 && limit < 1000)) return { error: 'invalid_limit' };
  const end = start + Math.min(limit, mostListed);
  const next = end < all.length ? Buffer.from(`at:${end}`).toString('base64') : '';
  return { items: all.slice(start, end), next };
}
