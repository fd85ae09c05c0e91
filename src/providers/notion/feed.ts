// The feed `pages`: every page that is shared, rows of databases among them, then what was edited since, and what
// went into the trash or came back from it.
//
// External id: Notion's own of the page. A search sees an edit late, and tells its time to the minute: each run goes
// back a while before the newest edit that it knows, and reads again what may have changed within its minute.
// https://developers.notion.com/reference/post-search
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import type { Feed, FeedPage, ProviderContext } from '../define.ts';
import type { SourceRecord } from '../record.ts';
import { idIn } from './http.ts';
import { rowsOf, searchPages, sourcesOf, trashed } from './listing.ts';
import { getPage, recordOf } from './page.ts';
import { type Page, timeOf } from './shapes.ts';

const pageSize = 25;
const idsPage = 100;
const atOnce = 3;
/** How late a search may see an edit; not documented. */
const lateMs = 15 * 60_000;
/** So long after an edit another one bears another minute. */
const settledMs = 3 * 60_000;

/** A page that is shared, or no longer, is not edited by that: so often all that is there is listed. */
const listEveryMs = 24 * 60 * 60_000;
const digits = 8;
const shortIds = (ids: readonly string[]): string => ids.map((id) => id.slice(0, digits)).join('');

const version = z.literal(1);
const cursorForm = z.discriminatedUnion('phase', [
  z.object({
    version,
    phase: z.literal('full'),
    /** The newest edit when it began, integer ms: what comes after is read at its end. */
    newest: z.number().optional(),
    from: z.string().optional(),
    /** As of the changes that come after. */
    read: z.record(z.string(), z.number()).default({}),
    /** Only what the list has left out is still to come. */
    listed: z.literal(true).optional(),
  }),
  z.object({
    version,
    phase: z.literal('changes'),
    newest: z.number(),
    /** What was read of the time that is gone through again: id → edited, integer ms. */
    read: z.record(z.string(), z.number()),
    trash: z.array(z.string()),
    /** When all was listed, integer ms, and the pages that were there: the first 8 digits of each id. */
    listedAt: z.number(),
    known: z.string(),
  }),
]);
type Full = Extract<z.infer<typeof cursorForm>, { phase: 'full' }>;
type Changes = Extract<z.infer<typeof cursorForm>, { phase: 'changes' }>;

export const pageFeed: Feed = {
  kinds: ['page'],
  pages,
  record: { owns: (externalId) => idIn(externalId) === externalId, read: readOne },
};

/** Undefined: it is not there, not shared any more, or in the trash. */
async function readOne(context: ProviderContext, id: string): Promise<SourceRecord | undefined> {
  try {
    const one = await getPage(context, id);
    return one.in_trash === true ? undefined : await recordOf(context, one);
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

async function* pages(context: ProviderContext, cursor: unknown): AsyncGenerator<FeedPage> {
  const known = cursorForm.safeParse(cursor).data;
  const start = known?.phase === 'changes' ? known : yield* full(context, known ?? beginning);
  yield* changes(context, start);
}

const beginning: Full = { version: 1, phase: 'full', read: {} };

async function* full(context: ProviderContext, start: Full): AsyncGenerator<FeedPage, Changes> {
  const listed =
    start.listed === true
      ? start
      : yield* onceAgain((again) => everything(context, again ? { ...start, from: undefined } : start));
  const { newest = 0, read } = listed;
  const listedAt = context.clock.now();
  const { ids, whole } = yield* leftOut(context, listed);
  const known = shortIds(ids);
  const after: Changes = { version: 1, phase: 'changes', newest, read, trash: [], listedAt, known };
  yield { records: [], deleted: [], cursor: after, ...(whole ? { complete: { ids } } : {}) };
  return after;
}

/** Where Notion no longer knows the place in its list, the list is begun again, which only repeats. */
async function* onceAgain<Result>(
  run: (again: boolean) => AsyncGenerator<FeedPage, Result>,
): AsyncGenerator<FeedPage, Result> {
  try {
    return yield* run(false);
  } catch (error) {
    if (!(error instanceof DrawbridgeError && error.code === 'invalid_request')) throw error;
    return yield* run(true);
  }
}

/** @returns the cursor of who is through with the list */
async function* everything(context: ProviderContext, start: Full): AsyncGenerator<FeedPage, Full> {
  let cursor = start;
  for await (const { output, next } of searchPages(context, { size: pageSize, from: start.from })) {
    const newest = cursor.newest ?? timeOf(output.results[0]?.last_edited_time) ?? 0;
    const now = context.clock.now();
    const { records, absent } = await taken(context, output.results);
    const read = { ...cursor.read };
    for (const { id, last_edited_time: time } of output.results) {
      const at = timeOf(time) ?? 0;
      if (at >= newest - lateMs && now - at > settledMs) read[id] = at;
    }
    cursor = { ...beginning, newest, read, ...(next === undefined ? { listed: true } : { from: next }) };
    yield { records, deleted: absent, cursor };
  }
  return cursor;
}

/**
 * A search is not promised to find everything: rows that it leaves out are read from their databases. `whole`:
 * Notion gave up nowhere, so that what is not among `ids` is there no more.
 * @param known short ids; a page that is not among them is read; default: all are known
 */
async function* leftOut(
  context: ProviderContext,
  cursor: Full | Changes,
  known?: ReadonlySet<string>,
): AsyncGenerator<FeedPage, { ids: string[]; whole: boolean }> {
  const ids = new Set<string>();
  let whole = true;
  const isWhole = (list: { request_status?: { type: string } | undefined }) =>
    list.request_status?.type !== 'incomplete';
  for await (const { output } of searchPages(context, { size: idsPage })) {
    whole &&= isWhole(output);
    for (const { id } of output.results) ids.add(id);
    const fresh = output.results.filter(({ id }) => known?.has(id.slice(0, digits)) === false);
    if (fresh.length === 0) continue;
    const { records, absent } = await taken(context, fresh);
    yield { records, deleted: absent, cursor };
  }
  for await (const { output } of sourcesOf(context)) {
    whole &&= isWhole(output);
    for (const { id } of output.results) {
      for await (const { output: rows } of rowsOf(context, id)) {
        whole &&= isWhole(rows);
        const missed = rows.results.filter((row) => row.object === 'page' && !ids.has(row.id)) as Page[];
        for (const row of missed) ids.add(row.id);
        if (missed.length === 0) continue;
        const { records, absent } = await taken(context, missed);
        yield { records, deleted: absent, cursor };
      }
    }
  }
  return { ids: [...ids], whole };
}

async function* changes(context: ProviderContext, start: Changes): AsyncGenerator<FeedPage> {
  const read = new Map(Object.entries(start.read));
  const newest = yield* onceAgain(() => edited(context, start, read));
  const bin = await trashed(context);
  const old = new Set(start.trash);
  const now = new Set(bin.ids);
  // What is put back need not be edited.
  const back = bin.whole ? start.trash.filter((id) => !now.has(id)) : [];
  const { records, absent } = await restored(context, back);
  const recent = Object.fromEntries([...read].filter(([, at]) => at >= newest - lateMs));
  const deleted = [...bin.ids.filter((id) => !old.has(id)), ...absent];
  const after: Changes = { ...start, newest, read: recent, trash: bin.ids };
  yield { records, deleted, cursor: after };
  const listedAt = context.clock.now();
  if (listedAt - start.listedAt < listEveryMs) return;
  const known = new Set(start.known.match(/.{8}/g));
  const { ids, whole } = yield* leftOut(context, after, known);
  const complete = whole ? { complete: { ids } } : {};
  yield { records: [], deleted: [], cursor: { ...after, listedAt, known: shortIds(ids) }, ...complete };
}

/** @param read grows by what is read, so that a run that is cut off goes on. @returns the newest edit */
async function* edited(
  context: ProviderContext,
  start: Changes,
  read: Map<string, number>,
): AsyncGenerator<FeedPage, number> {
  const floor = start.newest - lateMs;
  let { newest } = start;
  for await (const { output } of searchPages(context, { size: pageSize })) {
    const timed = output.results.map((one) => ({ one, at: timeOf(one.last_edited_time) ?? newest }));
    const fresh = timed.filter(({ one, at }) => at >= floor && read.get(one.id) !== at);
    const now = context.clock.now();
    const { records, absent } = await taken(
      context,
      fresh.map(({ one }) => one),
    );
    for (const { one, at } of fresh) {
      newest = Math.max(newest, at);
      if (now - at > settledMs) read.set(one.id, at);
    }
    if (fresh.length > 0) {
      yield { records, deleted: absent, cursor: { ...start, read: Object.fromEntries(read) } };
    }
    if (timed.some(({ at }) => at < floor)) break;
  }
  return newest;
}

async function restored(context: ProviderContext, ids: readonly string[]) {
  const records: SourceRecord[] = [];
  const absent: string[] = [];
  for (const id of ids) {
    const record = await readOne(context, id);
    if (record === undefined) absent.push(id);
    else records.push(record);
  }
  return { records, absent };
}

/** The pages with their text; `absent`: those that went meanwhile. */
async function taken(
  context: ProviderContext,
  some: readonly Page[],
): Promise<{ records: SourceRecord[]; absent: string[] }> {
  const records: SourceRecord[] = [];
  const absent: string[] = [];
  // Without properties it is one whose content the integration may not see.
  const shown = some.filter(({ properties }) => properties !== undefined);
  for (let start = 0; start < shown.length; start += atOnce) {
    const group = shown.slice(start, start + atOnce);
    const found = await Promise.all(group.map((one) => recordOrNothing(context, one)));
    for (const [index, record] of found.entries()) {
      if (record !== undefined) records.push(record);
      else absent.push(group[index]?.id ?? '');
    }
  }
  return { records, absent };
}

async function recordOrNothing(context: ProviderContext, one: Page): Promise<SourceRecord | undefined> {
  try {
    return await recordOf(context, one);
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

function isGone(error: unknown): boolean {
  return error instanceof DrawbridgeError && error.code === 'not_found';
}
