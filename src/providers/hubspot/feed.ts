// One feed a kind of object: everything that changed since the cursor, oldest change first, then what was
// deleted.
//
// A search gives 10,000 records at most and its pages shift while records change. So no page is ever asked
// for by number: each search begins where the last one's newest change was, and where more records than fit
// a page share one moment, they are read by their ids. External id: `contacts/123`.
import { z } from 'zod';
import type { Feed, FeedPage, ProviderContext } from '../define.ts';
import { asked, type HubspotClient, operator, readingClient } from './client.ts';
import { describeObjects } from './documents.ts';
import { type Kind, kinds } from './kinds.ts';
import { externalId, type RawObject, rawPage } from './objects.ts';

const pageSize = 100;
/** A search sees a change some moments late: each run begins this much before the last one's newest change. Not documented. */
export const indexLagMs = 5 * 60_000;
/** Searches of an account have a limit of their own, 5 a second, that their answers do not tell of. */
const searchEveryMs = 250;
const mostPages = 1_000_000;

const cursorForm = z.object({
  version: z.literal(1),
  /** Integer ms: changes from then on are still to be read. */
  since: z.number().int().min(0),
  /** Of the records changed at exactly `since`, those up to this id are read. */
  afterId: z.string().optional(),
  /** The run came to its end. */
  done: z.boolean(),
});
type Cursor = z.infer<typeof cursorForm>;

export function feedOf(kind: Kind): Feed {
  return {
    kinds: [kind.document],
    scopes: [
      ...new Set([kind, ...kind.about.map((type) => kinds[type])].flatMap(({ scopes }) => scopes.read)),
    ],
    pages: (context, cursor) => pages(context, kind, cursor),
  };
}

async function* pages(context: ProviderContext, kind: Kind, stored: unknown): AsyncGenerator<FeedPage> {
  const client = await readingClient(context);
  const pace = paced(context);
  const known = cursorForm.safeParse(stored).data;
  let cursor: Cursor =
    known === undefined
      ? { version: 1, since: 0, done: false }
      : known.done
        ? { version: 1, since: Math.max(0, known.since - indexLagMs), done: false }
        : known;
  let newest = Math.max(known?.since ?? 0, cursor.since);
  for (let page = 0; ; page += 1) {
    await pace();
    const { results, total = 0 } = await changedSince(context, client, kind, cursor);
    const step = next(kind, cursor, results);
    newest = Math.max(newest, step.newest);
    const records = await describeObjects(context, client, kind, results);
    const more = step.cursor !== undefined && page < mostPages;
    cursor = step.cursor ?? { version: 1, since: newest, done: false };
    yield {
      records,
      deleted: [],
      cursor,
      ...(more ? { remaining: Math.max(0, total - results.length) } : {}),
    };
    if (!more) break;
  }
  for await (const deleted of archived(context, client, kind)) yield { records: [], deleted, cursor };
  yield { records: [], deleted: [], cursor: { version: 1, since: newest, done: true } };
}

function changedSince(context: ProviderContext, client: HubspotClient, kind: Kind, cursor: Cursor) {
  const at = String(cursor.since);
  const tied = cursor.afterId !== undefined;
  const filters = tied
    ? [
        { propertyName: kind.modified, operator: operator('EQ'), value: at },
        { propertyName: 'hs_object_id', operator: operator('GT'), value: cursor.afterId ?? '0' },
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

/** Where to go on after a page; `cursor` undefined: that was the last. */
function next(
  kind: Kind,
  cursor: Cursor,
  results: readonly RawObject[],
): { cursor: Cursor | undefined; newest: number } {
  const times = results.map((raw) => modifiedAt(kind, raw));
  const last = times.at(-1) ?? cursor.since;
  const full = results.length >= pageSize;
  if (cursor.afterId !== undefined) {
    const afterId = results.at(-1)?.id;
    return full && afterId !== undefined
      ? { cursor: { ...cursor, afterId }, newest: cursor.since }
      : { cursor: { version: 1, since: cursor.since + 1, done: false }, newest: cursor.since };
  }
  if (!full) return { cursor: undefined, newest: Math.max(cursor.since, last) };
  // A whole page of one moment: there may be more of them than a search can page through.
  if (last <= cursor.since) return { cursor: { ...cursor, afterId: '0' }, newest: cursor.since };
  return { cursor: { version: 1, since: last, done: false }, newest: last };
}

function modifiedAt(kind: Kind, raw: RawObject): number {
  const value = raw.properties[kind.modified];
  const at = value == null ? Number.NaN : Date.parse(value);
  return Number.isNaN(at) ? (raw.updatedAt?.getTime() ?? 0) : at;
}

/** What lies in the recycling bin, all of it: HubSpot does not say since when. */
async function* archived(
  context: ProviderContext,
  client: HubspotClient,
  kind: Kind,
): AsyncGenerator<string[]> {
  let after: string | undefined;
  for (;;) {
    const call = client.objects.getPage(
      kind.type,
      pageSize,
      after,
      ['hs_object_id'],
      undefined,
      undefined,
      true,
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
