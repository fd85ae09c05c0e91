// Whether an MLS still shows what it showed: a count that is not what it should be, or a day gone by, and all its
// keys are read. Deleted listings are told by no time of change.
import type { ProviderContext } from '../define.ts';
import { keyOf, textOf } from './listing.ts';
import { type Answer, ask, askNext, quoted } from './odata.ts';
import type { Reader } from './reader.ts';

const countEveryMs = 24 * 3_600_000;
/** More are not counted over: it would take too many calls. */
const mostCounted = 500_000;

export interface Counted {
  /** When all keys were last read, integer ms. */
  at: number;
  /** Listings that the MLS said it had. */
  total?: number | undefined;
  /** The server's time: what was entered later is new since. */
  upTo: string;
}

/** The time of the newest change, by the server's own clock. */
export async function newestChange({ context, dialect }: Reader): Promise<string | undefined> {
  const { rows } = await ask(context, dialect, '/Property', {
    select: ['ListingKey', 'ModificationTimestamp'],
    orderBy: 'ModificationTimestamp desc',
    top: 1,
  });
  return textOf(rows[0]?.['ModificationTimestamp']);
}

/** @param told how many listings there were before this run read what changed, where that is known */
export async function isDue(
  { context, dialect, fresh }: Reader,
  counted: Counted | undefined,
  told?: number,
): Promise<{ due: boolean; total: number | undefined }> {
  const expected =
    counted === undefined || isOver(context, counted) ? undefined : (counted.total ?? 0) + fresh;
  if (told !== undefined && told === expected) return { due: false, total: told };
  const { total } = await ask(context, dialect, '/Property', { select: ['ListingKey'], top: 1, count: true });
  if (expected === undefined) return { due: true, total };
  return { due: total !== undefined && total !== expected, total };
}

/** All keys are to be read again, whatever the count. */
export const isOver = ({ clock }: ProviderContext, { at }: Counted): boolean =>
  clock.now() - at >= countEveryMs;

/** Every key that the MLS shows; undefined: too many, or fewer than it says it has. */
export async function countOver(reader: Reader, total: number | undefined): Promise<string[] | undefined> {
  const { context } = reader;
  if ((total ?? 0) > mostCounted) {
    context.log.warn(
      { total },
      'too many listings to count over: those that are gone are known by events alone',
    );
    return undefined;
  }
  const keys = new Set<string>();
  for await (const { rows } of keyPages(reader)) {
    for (const row of rows) {
      const key = keyOf(row);
      if (key !== undefined) keys.add(key);
    }
  }
  // What is missing without a reason is no proof that it is gone.
  if (total === undefined || keys.size >= total) return [...keys];
  const { total: now } = await isDue(reader, undefined);
  if (now !== undefined && keys.size >= now) return [...keys];
  context.log.warn(
    { total, keys: keys.size },
    'the MLS lists fewer keys than it counts: nothing is taken for gone',
  );
  return undefined;
}

async function* keyPages({ context, dialect, rows: size }: Reader): AsyncGenerator<Answer> {
  const { bulk } = dialect;
  if (bulk !== undefined) {
    const pageRows = bulk.rows(context.fields);
    let page = await ask(context, dialect, bulk.path, {
      select: ['ListingKey'],
      ...(dialect.prefers ? {} : { top: pageRows }),
      pageRows,
    });
    for (;;) {
      yield page;
      if (page.next === undefined) return;
      page = await askNext(context, dialect, page.next, pageRows);
    }
  }
  let after: string | undefined;
  for (;;) {
    const page = await ask(context, dialect, '/Property', {
      select: ['ListingKey'],
      filter: after === undefined ? undefined : `ListingKey gt ${quoted(after)}`,
      orderBy: 'ListingKey',
      top: size,
    });
    yield page;
    const last = page.rows.at(-1);
    const key = last === undefined ? undefined : keyOf(last);
    const more = page.next !== undefined || page.rows.length >= size;
    if (!more || key === undefined || key === after) return;
    after = key;
  }
}
