// One feed a kind: first everything by a bulk operation, then what changed since, then what the shop's events say
// was destroyed. Events of orders, customers and draft orders are known, not verified: each week the ids of all that
// is there are read, too, but for orders, of which an app may see the last 60 days alone.
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import type { Feed, FeedPage, ProviderContext } from '../define.ts';
import { beginBulk, endOfBulk, rowsOf } from './bulk.ts';
import { documents, eventsDocument } from './documents.ts';
import { ask, listed, pageInfo } from './http.ts';
import { type Kind, kinds, type Row } from './kinds.ts';
import { numberOf } from './shown.ts';

/** Search is told of a change some moments late: each run begins so much before the last one. Not documented. */
const lagMs = 5 * 60_000;
/** Events are kept for a year; past that everything is read again. */
const reachMs = 330 * 86_400_000;
const sweepMs = 7 * 86_400_000;

const cursorForm = z.discriminatedUnion('phase', [
  z.object({
    version: z.literal(1),
    phase: z.literal('bulk'),
    operation: z.string(),
    /** Integer ms: what changed later is asked for afterwards. */
    began: z.number().int(),
    /** The byte of its file to go on from. */
    at: z.number().int().min(0),
  }),
  z.object({
    version: z.literal(1),
    phase: z.literal('changes'),
    /** Integer ms; 0: from the beginning, page by page. */
    since: z.number().int().min(0),
    /** Integer ms: when the ids of all that is there were last read; 0: not yet. */
    swept: z.number().int().min(0),
    /** Integer ms, where it is before `since`: what was destroyed from then on is still to be told. */
    gone: z.number().int().min(0).optional(),
    /** A walk under way: behind which page, and when it began. */
    after: z.string().optional(),
    asked: z.number().int().optional(),
  }),
]);
type Cursor = z.infer<typeof cursorForm>;
type Bulk = Extract<Cursor, { phase: 'bulk' }>;
type Changes = Extract<Cursor, { phase: 'changes' }>;

export function feedOf(name: keyof typeof kinds): Feed {
  const kind: Kind = kinds[name];
  const { prefix } = kind;
  return {
    kinds: [kind.document],
    scopes: [kind.scope],
    pages: (context, cursor) => pages(context, kind, cursor),
    record: {
      owns: (id) => id.startsWith(prefix),
      async read(context, externalId) {
        const id = `gid://shopify/${kind.gid}/${externalId.slice(prefix.length)}`;
        const { one } = await ask(
          context,
          documents[name].one,
          { id },
          z.object({ one: kind.row.nullable() }),
        );
        return one?.record(context);
      },
    },
  };
}

async function* pages(context: ProviderContext, kind: Kind, stored: unknown): AsyncGenerator<FeedPage> {
  let cursor = cursorForm.safeParse(stored).data;
  const old = cursor?.phase === 'changes' && cursor.since > 0 && context.clock.now() - cursor.since > reachMs;
  if (cursor === undefined || old) {
    const { id, began } = await beginBulk(context, kind);
    cursor = { version: 1, phase: 'bulk', operation: id, began, at: 0 };
    yield { records: [], deleted: [], cursor };
  }
  if (cursor.phase === 'bulk') cursor = yield* everything(context, kind, cursor);
  cursor = yield* changed(context, kind, cursor);
  if (kind.sweeps && context.clock.now() - cursor.swept > sweepMs) yield await swept(context, kind, cursor);
}

async function* everything(
  context: ProviderContext,
  kind: Kind,
  from: Bulk,
): AsyncGenerator<FeedPage, Changes> {
  const { whole, url } = await endOfBulk(context, from.operation);
  const after = (swept: number): Changes => ({
    version: 1,
    phase: 'changes',
    // What failed on the way is walked page by page.
    since: whole ? from.began : 0,
    swept,
    // No list says what is gone of these: all events that are kept do.
    ...(kind.sweeps ? {} : { gone: Math.max(0, from.began - reachMs) }),
  });
  if (url === undefined) {
    const cursor = after(whole ? from.began : 0);
    yield { records: [], deleted: [], cursor, ...(whole ? { complete: complete(kind, []) } : {}) };
    return cursor;
  }
  const ids: string[] = [];
  let cursor: Cursor = from;
  for await (const { rows, next } of rowsOf(context, kind, url, from.at)) {
    ids.push(...rows.map(({ id }) => id));
    const last = next === undefined;
    // What was taken before a kill is not known any more: then the ids are read anew.
    const told = last && whole && from.at === 0;
    cursor = last ? after(told ? from.began : 0) : { ...from, at: next };
    yield {
      records: records(context, rows),
      deleted: [],
      cursor,
      ...(told ? { complete: complete(kind, ids) } : {}),
    };
  }
  return cursor.phase === 'changes' ? cursor : after(0);
}

async function* changed(
  context: ProviderContext,
  kind: Kind,
  from: Changes,
): AsyncGenerator<FeedPage, Changes> {
  const asked = from.asked ?? context.clock.now();
  const { after: left, asked: _asked, ...base } = from;
  const { gone: untold = from.since === 0 ? asked : from.since, ...told } = base;
  const variables = {
    first: kind.most,
    query: from.since === 0 ? null : `updated_at:>='${stamp(from.since - lagMs)}'`,
    sortKey: 'UPDATED_AT',
  };
  let met = false;
  try {
    for await (const page of walked(context, kind, variables, untold, left)) {
      met = true;
      const cursor = page.next === undefined ? base : { ...base, asked, after: page.next };
      // The last page is told together with what is gone: its cursor leaves both behind.
      if (page.next !== undefined) {
        yield { records: records(context, page.rows), deleted: [], cursor };
        continue;
      }
      const ended = { ...told, since: asked };
      const deleted = page.gone ?? (await destroyed(context, kind, untold));
      yield { records: records(context, page.rows), deleted, cursor: ended };
      return ended;
    }
  } catch (thrown) {
    // A page that Shopify does not know any more: the walk begins again, which only repeats.
    const forgotten =
      left !== undefined && !met && thrown instanceof DrawbridgeError && thrown.code === 'invalid_request';
    if (!forgotten) throw thrown;
  }
  return yield* changed(context, kind, base);
}

/** What changed, page by page. `gone`: what was destroyed, where the first page told all of it. */
async function* walked(
  context: ProviderContext,
  kind: Kind,
  variables: { first: number; query: string | null; sortKey: string },
  untold: number,
  left: string | undefined,
): AsyncGenerator<{ rows: Row[]; next: string | undefined; gone?: string[] }> {
  const { changes, list } = documents[kind.name];
  let from = left;
  if (from === undefined) {
    const page = <One>(row: z.ZodType<One>) => z.object({ nodes: z.array(row), pageInfo });
    const output = z.object({ list: page(kind.row), gone: page(event) });
    const asked = { ...variables, events: eventsPage, gone: destroyedSince(kind, untold) };
    const { list: first, gone } = await ask(context, changes, asked, output);
    const { hasNextPage, endCursor } = first.pageInfo;
    if (hasNextPage && endCursor === null) {
      throw new DrawbridgeError('malformed_response', 'Shopify says there is more, and does not say where.');
    }
    from = hasNextPage ? (endCursor ?? undefined) : undefined;
    const told = gone.pageInfo.hasNextPage ? {} : { gone: ours(kind, gone.nodes) };
    yield { rows: first.nodes, next: from, ...told };
    if (from === undefined) return;
  }
  yield* listed(context, list, variables, kind.row, from);
}

const eventsPage = 100;
const event = z.object({ action: z.string().optional(), subjectId: z.string().optional() });

function destroyedSince({ gid }: Kind, since: number): string {
  const subject = gid.replace(/(?<=.)([A-Z])/g, '_$1').toUpperCase();
  return `action:destroy subject_type:${subject} created_at:>='${stamp(since - lagMs)}'`;
}

const ours = ({ gid, prefix }: Kind, events: readonly z.infer<typeof event>[]): string[] =>
  events.flatMap(({ action, subjectId = '' }) =>
    action === 'destroy' && subjectId.startsWith(`gid://shopify/${gid}/`)
      ? [`${prefix}${numberOf(subjectId)}`]
      : [],
  );

async function destroyed(context: ProviderContext, kind: Kind, since: number): Promise<string[]> {
  const variables = { first: eventsPage, query: destroyedSince(kind, since) };
  const gone: string[] = [];
  for await (const { rows } of listed(context, eventsDocument, variables, event))
    gone.push(...ours(kind, rows));
  return gone;
}

async function swept(context: ProviderContext, kind: Kind, cursor: Changes): Promise<FeedPage> {
  const at = context.clock.now();
  const ids: string[] = [];
  const row = z.object({ id: z.string() });
  for await (const { rows } of listed(context, documents[kind.name].ids, { first: 250 }, row)) {
    ids.push(...rows.map(({ id }) => id));
  }
  const after: Changes = { ...cursor, swept: at };
  return { records: [], deleted: [], cursor: after, complete: complete(kind, ids) };
}

const records = (context: ProviderContext, rows: readonly Row[]) => rows.map((row) => row.record(context));
/** Where age takes records out of sight, what is not told is not gone: a list of nothing, under no record's name. */
const complete = ({ prefix, sweeps }: Kind, ids: readonly string[]) =>
  sweeps
    ? { ids: ids.map((id) => `${prefix}${numberOf(id)}`), prefix }
    : { ids: [], prefix: `${prefix}aged/` };
/** `2026-03-02T09:12:00Z` */
const stamp = (ms: number) => new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z');
