// One feed a kind of object: everything that changed since the cursor, oldest change first, then what was
// deleted. What was deleted for good or merged is told nowhere: once a week all that exists is counted over.
//
// A search gives 10,000 records at most and its pages shift while records change. So no page is ever asked
// for by number: each search begins where the last one's newest change was, and where more records than fit
// a page share one moment, they are read by their ids. External id: `contacts/123`.
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import type { Feed, FeedPage, ProviderContext } from '../define.ts';
import type { SourceRecord } from '../record.ts';
import { asked, type HubspotClient, operator, readingClient } from './client.ts';
import { describeObjects } from './documents.ts';
import { type Kind, kinds } from './kinds.ts';
import { externalId, type RawObject, rawObject, rawPage } from './objects.ts';
import { stageNames } from './pipelines.ts';

const pageSize = 100;
/** A search sees a change some moments late: each run begins this much before the last one's newest change. Not documented. */
export const indexLagMs = 5 * 60_000;
/** Searches of an account have a limit of their own, 5 a second, that their answers do not tell of. */
const searchEveryMs = 250;
const mostPages = 1_000_000;
const countEveryMs = 7 * 24 * 3_600_000;
/** An account with more of a kind is not counted over: it would take too many of its calls. */
const mostCounted = 500_000;

const cursorForm = z.object({
  version: z.literal(1),
  /** Integer ms: changes from then on are still to be read. */
  since: z.number().int().min(0),
  /** Of the records changed at exactly `since`, those up to this id are read. */
  afterId: z.string().optional(),
  /** The run came to its end. */
  done: z.boolean(),
  /** Integer ms: when all that exists was last counted over, or first read. */
  countedAt: z.number().int().min(0).optional(),
  /** What the last run was told of the moments that this one asks for again. */
  tail: z
    .object({
      hash: z.string(),
      /** Integer ms of our clock: when it was told first. */
      at: z.number().int(),
      /** It was read once more when searches had seen all of it. */
      settled: z.boolean(),
    })
    .optional(),
});
type Cursor = z.infer<typeof cursorForm>;
type Tail = NonNullable<Cursor['tail']>;
/** Where the next search begins. */
type Place = Pick<Cursor, 'since' | 'afterId'>;

export function feedOf(kind: Kind): Feed {
  return {
    kinds: [kind.document],
    // A ticket is kept as a note, and is sooner out of date than one.
    ...(kind.type === 'tickets' ? { freshMs: 15 * 60_000 } : {}),
    scopes: [
      ...new Set([kind, ...kind.about.map((type) => kinds[type])].flatMap(({ scopes }) => scopes.read)),
    ],
    pages: (context, cursor) => pages(context, kind, cursor),
    record: {
      owns: (id) => idOf(kind, id) !== undefined,
      read: (context, id) => oneRecord(context, kind, idOf(kind, id) ?? ''),
    },
  };
}

function idOf({ type }: Kind, id: string): string | undefined {
  return id.startsWith(externalId(type, '')) ? id.slice(externalId(type, '').length) : undefined;
}

/** Undefined: deleted, merged into another, or thrown into the recycling bin. */
async function oneRecord(
  context: ProviderContext,
  kind: Kind,
  id: string,
): Promise<SourceRecord | undefined> {
  const client = await readingClient(context);
  try {
    const raw = await asked(context, client.objects.getById(kind.type, id, [...kind.shown]), rawObject);
    // One that was merged answers with the record that it became.
    if (raw.archived === true || raw.id !== id) return undefined;
    const [record] = await describeObjects(context, client, kind, [raw], await stageNames(context, kind));
    return record;
  } catch (error) {
    if (error instanceof DrawbridgeError && error.code === 'not_found') return undefined;
    throw error;
  }
}

async function* pages(context: ProviderContext, kind: Kind, stored: unknown): AsyncGenerator<FeedPage> {
  const client = await readingClient(context);
  const pace = paced(context);
  let stages: ReturnType<typeof stageNames> | undefined;
  let tail: Tail | undefined;
  const known = cursorForm.safeParse(stored).data;
  const start = known?.done === true ? Math.max(0, known.since - indexLagMs) : (known?.since ?? 0);
  const countedAt = known?.countedAt ?? context.clock.now();
  let place: Place = known?.done === false ? placeOf(known) : { since: start };
  let newest = Math.max(known?.since ?? 0, start);
  for (let page = 0; ; page += 1) {
    await pace();
    const { results, total = 0 } = await changedSince(context, client, kind, place);
    const step = next(kind, place, results);
    newest = Math.max(newest, step.newest);
    const more = step.place !== undefined && page < mostPages;
    place = step.place ?? { since: newest };
    if (known?.done === true && page === 0 && !more) {
      tail = tailOf(known.tail, results, context.clock.now());
      if (known.tail?.settled === true && known.tail.hash === tail.hash) break;
    }
    if (results.length > 0) stages ??= stageNames(context, kind);
    const records = await describeObjects(context, client, kind, results, await stages);
    const remaining = more ? { remaining: Math.max(0, total - results.length) } : {};
    yield { records, deleted: [], cursor: cursorOf(place, false, countedAt), ...remaining };
    if (!more) break;
  }
  const cursor = cursorOf({ since: newest }, false, countedAt);
  for await (const ids of listed(context, client, kind, true)) {
    yield { records: [], deleted: ids, cursor };
  }
  const now = context.clock.now();
  const due = now - countedAt >= countEveryMs;
  const ids = due ? await existing(context, client, kind) : undefined;
  yield {
    records: [],
    deleted: [],
    cursor: { ...cursorOf({ since: newest }, true, due ? now : countedAt), ...(tail && { tail }) },
    ...(ids === undefined ? {} : { complete: { ids, prefix: externalId(kind.type, '') } }),
  };
}

/** Every external id of the kind; undefined: too many to count. */
async function existing(
  context: ProviderContext,
  client: HubspotClient,
  kind: Kind,
): Promise<string[] | undefined> {
  const all: string[] = [];
  for await (const ids of listed(context, client, kind, false)) {
    all.push(...ids);
    if (all.length <= mostCounted) continue;
    context.log.warn({ kind: kind.type }, 'too many records to count over: those merged or erased stay');
    return undefined;
  }
  return all;
}

/**
 * What a record belongs to is often told just after it, which moves no time of it: so all is read once more when
 * it is older than the lag of searches, and from then on left alone while it is told alike.
 */
function tailOf(before: Tail | undefined, results: readonly RawObject[], now: number): Tail {
  const hash = createHash('sha256').update(JSON.stringify(results)).digest('hex');
  if (before?.hash !== hash) return { hash, at: now, settled: false };
  return { hash, at: before.at, settled: before.settled || now - before.at >= indexLagMs };
}

function placeOf({ since, afterId }: Cursor): Place {
  return { since, ...(afterId === undefined ? {} : { afterId }) };
}

function cursorOf(place: Place, done: boolean, countedAt: number): Cursor {
  return { version: 1, ...place, done, countedAt };
}

function changedSince(context: ProviderContext, client: HubspotClient, kind: Kind, place: Place) {
  const at = String(place.since);
  const tied = place.afterId !== undefined;
  const filters = tied
    ? [
        { propertyName: kind.modified, operator: operator('EQ'), value: at },
        { propertyName: 'hs_object_id', operator: operator('GT'), value: place.afterId ?? '0' },
      ]
    : [{ propertyName: kind.modified, operator: operator('GTE'), value: at }];
  const call = client.search.doSearch(kind.type, {
    limit: pageSize,
    properties: [...kind.shown],
    sorts: [tied ? 'hs_object_id' : kind.modified],
    filterGroups: [{ filters }],
  });
  return asked(context, call, rawPage);
}

/** Where to go on after a page; `place` undefined: that was the last. */
function next(
  kind: Kind,
  place: Place,
  results: readonly RawObject[],
): { place: Place | undefined; newest: number } {
  const { since } = place;
  const times = results.map((raw) => modifiedAt(kind, raw));
  const last = times.at(-1) ?? since;
  const full = results.length >= pageSize;
  if (place.afterId !== undefined) {
    const afterId = results.at(-1)?.id;
    return full && afterId !== undefined
      ? { place: { since, afterId }, newest: since }
      : { place: { since: since + 1 }, newest: since };
  }
  if (!full) return { place: undefined, newest: Math.max(since, last) };
  // A whole page of one moment: there may be more of them than a search can page through.
  if (last <= since) return { place: { since, afterId: '0' }, newest: since };
  return { place: { since: last }, newest: last };
}

function modifiedAt(kind: Kind, raw: RawObject): number {
  const value = raw.properties[kind.modified];
  const at = value == null ? Number.NaN : Date.parse(value);
  return Number.isNaN(at) ? (raw.updatedAt?.getTime() ?? 0) : at;
}

/** External ids of all that exists, or of all in the recycling bin: HubSpot does not say since when they are there. */
async function* listed(
  context: ProviderContext,
  client: HubspotClient,
  kind: Kind,
  archived: boolean,
): AsyncGenerator<string[]> {
  let after: string | undefined;
  for (;;) {
    const properties = ['hs_object_id'];
    const call = client.objects.getPage(
      kind.type,
      pageSize,
      after,
      properties,
      undefined,
      undefined,
      archived,
    );
    const { results, paging } = await asked(context, call, rawPage);
    if (results.length > 0) yield results.map(({ id }) => externalId(kind.type, id));
    const token = paging?.next?.after;
    if (token === undefined || token === after) return;
    after = token;
  }
}

/** Waits until the next search may be made. */
function paced(context: ProviderContext): () => Promise<void> {
  let last = Number.NEGATIVE_INFINITY;
  return async () => {
    const wait = last + searchEveryMs - context.clock.elapsed();
    if (wait > 0) await context.clock.sleep(wait, { signal: context.signal });
    last = context.clock.elapsed();
  };
}
