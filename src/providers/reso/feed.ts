// All listings of an MLS, then what changed: by the log of events where it keeps one, else by time of change. What
// it shows no more is gone: told by an event, or by counting its keys over. An MLS without a log is looked at first,
// and read where it shows something else than it did.
//
// No page is asked for by number: rows that change meanwhile would shift others over a page's edge. Each question
// begins where the last one's newest change was; where more rows than fit a page share one moment, they are read by
// their keys. All times compared are the server's own.
import { DrawbridgeError } from '../../errors.ts';
import type { Feed, FeedPage, ProviderContext } from '../define.ts';
import { type Counted, countOver, isDue, isOver, newestChange } from './count.ts';
import type { Dialect } from './dialect.ts';
import { keyOf, textOf, timeOf } from './listing.ts';
import { type Look, lookAt } from './look.ts';
import { type Answer, ask, askNext, both, quoted, type Row } from './odata.ts';
import { selectOf } from './operations.ts';
import {
  type Cursor,
  cursorForm,
  kept,
  later,
  named,
  type Reader,
  readerOf,
  taken,
  timestampOf,
} from './reader.ts';

const mostPages = 1_000_000;
/** A question names so many keys at most: addresses have an end. */
const keysAtOnce = 40;

export function feedOf(dialect: Dialect): Feed {
  return {
    kinds: ['listing'],
    pages: (context, cursor) => pages(context, dialect, cursor),
    record: {
      owns: () => true,
      async read(context, key) {
        const reader = await readerOf(context, dialect, undefined);
        const { records } = await taken(reader, (await named(reader, [key])).rows);
        return records[0];
      },
    },
  };
}

async function* pages(context: ProviderContext, dialect: Dialect, stored: unknown): AsyncGenerator<FeedPage> {
  const reader = await readerOf(context, dialect, stored);
  const { cursor } = reader;
  const first = cursorForm.safeParse(stored).data === undefined;
  if (first) {
    // Before anything is read: what happens meanwhile is told after it.
    const sequence = await lastEvent(reader);
    if (sequence !== undefined) cursor.sequence = sequence;
    if (dialect.bulk !== undefined) {
      cursor.bulk = {};
      cursor.since = (await newestChange(reader)) ?? cursor.since;
    }
  }
  let look: Look | undefined;
  if (cursor.bulk !== undefined && dialect.bulk !== undefined) yield* everything(reader, dialect.bulk);
  else if (cursor.done && cursor.sequence !== undefined) {
    yield* events(reader);
    // The log tells what is gone, too; it is counted over once a day.
    if (cursor.counted !== undefined && !isOver(context, cursor.counted)) return;
  } else {
    // It tells nothing where the MLS does not count, or its keys are read over in any case.
    const tells = cursor.done && cursor.counted?.total !== undefined && !isOver(context, cursor.counted);
    look = tells ? await lookAt(reader) : undefined;
    if (look?.mark !== undefined && look.mark === cursor.looked && look.total === cursor.counted?.total)
      return;
    yield* changes(reader);
  }
  yield await last(reader, look);
}

/** The whole, page by page, as the server leads. A link that has ended begins it anew. */
async function* everything(reader: Reader, bulk: NonNullable<Dialect['bulk']>): AsyncGenerator<FeedPage> {
  const { context, dialect, catalogue, cursor, floor } = reader;
  const rows = bulk.rows(context.fields);
  const begin = () =>
    ask(context, dialect, bulk.path, {
      select: selectOf(catalogue),
      ...(bulk.filters ? { filter: `ModificationTimestamp ge ${new Date(floor).toISOString()}` } : {}),
      ...(dialect.prefers ? {} : { top: rows }),
      pageRows: rows,
    });
  let begun = 0;
  for (let page = 0; page < mostPages; page += 1) {
    const at = cursor.bulk?.at;
    if (at === undefined) begun += 1;
    const answer = at === undefined ? await begin() : await goOn(reader, at, rows, begun > 0);
    if (answer === undefined) {
      cursor.bulk = {};
      continue;
    }
    const recent = answer.rows.filter((row) => (timeOf(row['ModificationTimestamp']) ?? floor) >= floor);
    const found = await taken(reader, recent);
    if (answer.next === at && at !== undefined)
      throw new DrawbridgeError('malformed_response', 'The MLS gives the same page again and again.');
    if (answer.next === undefined) delete cursor.bulk;
    else cursor.bulk = { at: answer.next };
    yield { ...found, cursor: kept(reader) };
    if (answer.next === undefined) return;
  }
}

/** @param own the link is of this very run: refused, it is no old one @returns undefined where it has ended */
async function goOn(reader: Reader, link: string, rows: number, own: boolean): Promise<Answer | undefined> {
  try {
    return await askNext(reader.context, reader.dialect, link, rows);
  } catch (error) {
    const ended =
      error instanceof DrawbridgeError && (error.code === 'not_found' || error.code === 'invalid_request');
    if (ended && !own) return undefined;
    throw error;
  }
}

/** Oldest change first, from the cursor to now. */
async function* changes(reader: Reader): AsyncGenerator<FeedPage> {
  const { context, dialect, catalogue, cursor, rows } = reader;
  let newest = cursor.since;
  let place: Place = { since: cursor.since, afterKey: cursor.afterKey, beyond: cursor.beyond === true };
  if (cursor.done) {
    const early = new Date((timeOf(cursor.since) ?? 0) - dialect.lagMs).toISOString();
    place = { since: early, afterKey: undefined, beyond: false };
  }
  for (let page = 0; page < mostPages; page += 1) {
    const tied = place.afterKey !== undefined;
    const answer = await ask(context, dialect, '/Property', {
      filter: filterOf(place),
      select: selectOf(catalogue),
      orderBy: tied ? 'ListingKey' : 'ModificationTimestamp,ListingKey',
      top: rows,
    });
    const found = await taken(reader, answer.rows);
    const full = answer.rows.length > 0 && (answer.next !== undefined || answer.rows.length >= rows);
    newest = later(newest, timestampOf(answer.rows.at(-1)));
    const more = tied || full;
    if (more) place = behind(place, answer.rows.at(-1), full);
    const { since, afterKey, beyond } = more ? place : { since: newest, afterKey: undefined, beyond: false };
    reader.cursor = { ...reader.cursor, since, done: false, afterKey, beyond };
    yield { ...found, cursor: kept(reader) };
    if (!more) return;
  }
}

interface Place {
  since: string;
  afterKey: string | undefined;
  beyond: boolean;
}

function filterOf({ since, afterKey, beyond }: Place): string | undefined {
  if (afterKey === undefined) return `ModificationTimestamp ${beyond ? 'gt' : 'ge'} ${since}`;
  const behindKey = afterKey === '' ? undefined : `ListingKey gt ${quoted(afterKey)}`;
  return both(`ModificationTimestamp eq ${since}`, behindKey);
}

/** Where to go on after a page that may not have been the last. */
function behind({ since, afterKey }: Place, row: Row | undefined, full: boolean): Place {
  if (afterKey !== undefined) {
    if (!full) return { since, afterKey: undefined, beyond: true };
    return { since, afterKey: keyOf(row ?? {}) ?? '', beyond: false };
  }
  const at = timestampOf(row) ?? since;
  // A whole page of one moment: there may be more of them than a page holds.
  return { since: at, afterKey: at === since ? '' : undefined, beyond: false };
}

/** What the log of the MLS tells since the last event that was read. Entity events, RCP-27. */
async function* events(reader: Reader): AsyncGenerator<FeedPage> {
  const { context, dialect, cursor, rows } = reader;
  for (let page = 0; page < mostPages; page += 1) {
    const answer = await ask(context, dialect, '/EntityEvent', {
      filter: both("ResourceName eq 'Property'", `EntityEventSequence gt ${cursor.sequence ?? 0}`),
      orderBy: 'EntityEventSequence',
      top: rows,
    });
    const keys = [...new Set(answer.rows.flatMap((row) => textOf(row['ResourceRecordKey']) ?? []))];
    for (let start = 0; start < keys.length; start += keysAtOnce) {
      const some = keys.slice(start, start + keysAtOnce);
      const { rows: there } = await named(reader, some);
      const found = await taken(reader, there);
      const known = new Set(there.map(keyOf));
      const gone = some.filter((key) => !known.has(key));
      for (const row of there) cursor.since = later(cursor.since, timestampOf(row));
      yield { ...found, deleted: [...found.deleted, ...gone], cursor: kept(reader) };
    }
    const sequence = Number(answer.rows.at(-1)?.['EntityEventSequence'] ?? Number.NaN);
    if (!(sequence > (cursor.sequence ?? 0))) return;
    cursor.sequence = sequence;
    yield { records: [], deleted: [], cursor: kept(reader) };
    if (answer.next === undefined && answer.rows.length < rows) return;
  }
}

/** The newest event; undefined where the MLS keeps no log, or shows us none. */
async function lastEvent({ context, dialect, catalogue }: Reader): Promise<number | undefined> {
  if (!catalogue.resources.includes('EntityEvent')) return undefined;
  try {
    const { rows } = await ask(context, dialect, '/EntityEvent', {
      filter: "ResourceName eq 'Property'",
      orderBy: 'EntityEventSequence desc',
      top: 1,
    });
    return Number(rows[0]?.['EntityEventSequence'] ?? 0);
  } catch (error) {
    const refused =
      error instanceof DrawbridgeError && /^(not_found|permission_denied|invalid_request)$/.test(error.code);
    if (!refused) throw error;
    context.log.info({ err: error }, 'no log of events for this token: changes are read by their time');
    return undefined;
  }
}

async function last(reader: Reader, look: Look | undefined): Promise<FeedPage> {
  const { context, cursor } = reader;
  const done = (counted: Counted | undefined): Cursor => ({
    ...kept(reader),
    done: true,
    ...(counted === undefined ? {} : { counted }),
    ...(look?.mark === undefined ? {} : { looked: look.mark }),
  });
  const { due, total } = await isDue(reader, cursor.counted, look?.total);
  const counted = { at: context.clock.now(), upTo: cursor.since, ...(total === undefined ? {} : { total }) };
  if (!due)
    return {
      records: [],
      deleted: [],
      cursor: done(cursor.counted && { ...counted, at: cursor.counted.at }),
    };
  const ids = await countOver(reader, total);
  if (ids === undefined) return { records: [], deleted: [], cursor: done(cursor.counted) };
  return { records: [], deleted: [], cursor: done(counted), complete: { ids } };
}
