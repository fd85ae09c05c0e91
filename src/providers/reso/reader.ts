// What a run of the feed holds: where it stands, what the service has, and how its rows become records.
import { z } from 'zod';
import type { ProviderContext } from '../define.ts';
import type { SourceRecord, Structured } from '../record.ts';
import type { Catalogue } from './catalogue.ts';
import type { Dialect } from './dialect.ts';
import { isShown, keyOf, listingOf, textOf, timeOf } from './listing.ts';
import { type Answer, ask, either, quoted, type Row } from './odata.ts';
import { propertyCatalogue, selectOf } from './operations.ts';

const dayMs = 86_400_000;

export const cursorForm = z.object({
  version: z.literal(1),
  /** The server's time: changes from then on are still to be read. */
  since: z.string(),
  /** Of the rows changed at exactly `since`, those up to this key are read. */
  afterKey: z.string().optional(),
  /** Those at `since` are read, all of them. */
  beyond: z.boolean().optional(),
  /** The run came to its end. */
  done: z.boolean(),
  /** Everything is being read by the server's next links; `at`: where it goes on. */
  bulk: z.object({ at: z.string().optional() }).optional(),
  /** Events up to this one are read. */
  sequence: z.number().optional(),
  counted: z.object({ at: z.number(), total: z.number().optional(), upTo: z.string() }).optional(),
  /** The mark of the last look that was followed by reading what changed. */
  looked: z.string().optional(),
});
export type Cursor = z.infer<typeof cursorForm>;

export interface Reader {
  context: ProviderContext;
  dialect: Dialect;
  catalogue: Catalogue;
  rows: number;
  /** Rows of this run that are new at the MLS since it was last counted. */
  fresh: number;
  /** Rows older than this, integer ms, are not copied. */
  floor: number;
  cursor: Cursor;
}

export async function readerOf(context: ProviderContext, dialect: Dialect, stored: unknown): Promise<Reader> {
  const catalogue = await propertyCatalogue(context, dialect);
  const known = cursorForm.safeParse(stored).data;
  const days = Number(context.fields['days'] ?? 365);
  const floor = context.clock.now() - days * dayMs;
  const cursor = known ?? { version: 1, since: new Date(floor).toISOString(), done: false };
  return {
    floor,
    context,
    dialect,
    catalogue,
    rows: dialect.rows(context.fields),
    fresh: 0,
    cursor,
  };
}

export const later = (one: string, other: string | undefined): string =>
  (timeOf(other) ?? Number.NEGATIVE_INFINITY) >= (timeOf(one) ?? 0) ? (other ?? one) : one;

/** As it is stored: without what is not there. */
export const kept = ({ cursor }: Reader): Cursor => JSON.parse(JSON.stringify(cursor)) as Cursor;

export const timestampOf = (row: Row | undefined): string | undefined =>
  textOf(row?.['ModificationTimestamp']);

export function named({ context, dialect, catalogue }: Reader, keys: readonly string[]): Promise<Answer> {
  return ask(context, dialect, '/Property', {
    filter: either(...keys.map((key) => `ListingKey eq ${quoted(key)}`)),
    select: selectOf(catalogue),
    top: keys.length,
  });
}

/** Rows as records; those that may not be shown are gone for us. */
export async function taken(
  reader: Reader,
  rows: readonly Row[],
): Promise<{ records: SourceRecord[]; deleted: string[] }> {
  const { context, catalogue, cursor } = reader;
  const records: SourceRecord[] = [];
  const deleted: string[] = [];
  const known = timeOf(cursor.counted?.upTo) ?? Number.POSITIVE_INFINITY;
  for (const row of rows) {
    const key = keyOf(row);
    if (key === undefined) continue;
    if ((timeOf(row['OriginalEntryTimestamp']) ?? 0) > known) reader.fresh += 1;
    if (isShown(row, context.fields)) records.push(recordOf(row, key, reader));
    else deleted.push(key);
  }
  if (records.length + deleted.length < rows.length)
    context.log.warn({ rows: rows.length, catalogue: catalogue.readAt }, 'rows without a key were left out');
  return { records, deleted };
}

function recordOf(row: Row, key: string, { context, catalogue }: Reader): SourceRecord {
  const listing = listingOf(row, catalogue, context.fields);
  const at = timestampOf(row);
  const { agent, url } = listing;
  const structured: Structured = {
    title: listing.address,
    ...(url === undefined ? {} : { url }),
    ...(at === undefined ? {} : { at }),
    ...(agent === undefined ? {} : { people: [{ name: agent.name, role: 'agent' }] }),
    // Without pictures and history: a look at it brings them.
    facts: { ...listing, brief: true },
  };
  return {
    externalId: key,
    kind: 'listing',
    mediaType: 'application/json',
    raw: new TextEncoder().encode(JSON.stringify(structured)),
    // Touched is not changed.
    volatile: ['writtenAt'],
  };
}
