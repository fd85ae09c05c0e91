// The shapes of Mailchimp's answers, good and bad: RFC 7807 problems, times to the second, `fields` that thin out.
import type { Answer } from '../http.ts';
import type { Call } from '../providers.ts';

export function json(body: unknown, status = 200): Answer {
  return {
    status,
    headers: { 'content-type': `application/${status < 400 ? 'json' : 'problem+json'}; charset=utf-8` },
    body: JSON.stringify(body),
  };
}

export function problem(
  status: number,
  title: string,
  detail: string,
  errors?: { field: string; message: string }[],
): Answer {
  const type = 'https://mailchimp.com/developer/marketing/docs/errors/';
  const instance = 'c1a9e2d4-7b0f-4c55-9d5e-2f0f6a1b7c33';
  return json({ type, title, status, detail, instance, ...(errors === undefined ? {} : { errors }) }, status);
}

export const missing = () => problem(404, 'Resource Not Found', 'The requested resource could not be found.');

/** `2026-01-05T12:00:00+00:00` */
export function stamp(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}+00:00`;
}

/** The page that was asked for: 10 where nothing is said, 1,000 at most. */
export function page<T>(call: Call, all: readonly T[]): T[] {
  const offset = Number(call.query.get('offset') ?? 0);
  const count = Number(call.query.get('count') ?? 10);
  return all.slice(offset, offset + count);
}

/** A count or offset that Mailchimp refuses. */
export function unfit(call: Call): Answer | undefined {
  const wrong = ['count', 'offset'].find((name) => {
    const value = call.query.get(name);
    return value !== null && !(/^\d+$/.test(value) && (name === 'offset' || Number(value) <= 1000));
  });
  if (wrong === undefined) return undefined;
  return problem(400, 'Invalid Resource', 'The resource submitted could not be validated.', [
    { field: wrong, message: 'Data presented is not one of the accepted values.' },
  ]);
}

/** The body with the members alone that `fields` names (`lists.id,total_items`). */
export function thinned(call: Call, body: Record<string, unknown>): Answer {
  const fields = call.query.get('fields');
  return json(fields === null ? body : kept(body, fields.split(',')));
}

function kept(value: unknown, names: readonly string[]): unknown {
  if (Array.isArray(value)) return value.map((one) => kept(one, names));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, one]) => {
      if (names.includes(name)) return [[name, one]];
      const below = names.flatMap((path) =>
        path.startsWith(`${name}.`) ? [path.slice(name.length + 1)] : [],
      );
      return below.length === 0 ? [] : [[name, kept(one, below)]];
    }),
  );
}

export function bodyOf(call: Call): Record<string, unknown> | undefined {
  try {
    const body: unknown = JSON.parse(call.body);
    return typeof body === 'object' && body !== null && !Array.isArray(body)
      ? (body as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
