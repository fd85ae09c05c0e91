// One feed an entity: first everything, oldest change first, then what change data capture tells, deletions
// included. External id: `invoice/130`.
//
// Pages of the first walk go on from the newest change that the last one had, not from a number: a record that
// is deleted meanwhile shifts nothing, one that is changed comes again. Change data capture gives no second
// page and reaches back 30 days: past either bound everything is walked again, and what is gone is told by
// what is there.
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import type { Feed, FeedPage, ProviderContext } from '../define.ts';
import type { SourceRecord } from '../record.ts';
import { ifThere, send } from '../request.ts';
import { documentOf, externalId, type Kept, kindsOf } from './documents.ts';
import { type Raw, raw } from './entities.ts';
import { http, mostRows, version } from './http.ts';
import { getRecord, select } from './reads.ts';

/** Change data capture reaches 30 days back; a day less, for clocks that differ. */
const reachMs = 29 * 86_400_000;
/** A change may be told some moments late: each run begins this much before the last one. Not documented. */
const lagMs = 2 * 60_000;

const cursorForm = z.discriminatedUnion('phase', [
  z.object({
    version: z.literal(1),
    phase: z.literal('walk'),
    /** Integer ms: when the walk began. Later changes are asked of change data capture. */
    began: z.number().int().min(0),
    /** Integer ms: changes from then on are still to be read, but for the first `skip` of them. */
    since: z.number().int().min(0),
    skip: z.number().int().min(0),
    /** What is not found any more is gone. */
    sweep: z.boolean(),
  }),
  z.object({
    version: z.literal(1),
    phase: z.literal('changes'),
    since: z.number().int().min(0),
  }),
]);
type Cursor = z.infer<typeof cursorForm>;
type Walk = Extract<Cursor, { phase: 'walk' }>;
/** Records of this run: id → version. */
type Seen = Map<string, string>;

export function feedOf(entity: Kept): Feed {
  const prefix = externalId(entity, '');
  return {
    kinds: kindsOf[entity],
    pages: (context, cursor) => pages(context, entity, cursor),
    record: {
      owns: (id) => id.startsWith(prefix),
      read: (context, id) => oneRecord(context, entity, id.slice(prefix.length)),
    },
  };
}

/** Undefined: deleted, or made inactive. */
async function oneRecord<Name extends Kept>(
  context: ProviderContext,
  entity: Name,
  id: string,
): Promise<SourceRecord | undefined> {
  const row = await ifThere(getRecord(context, entity, id));
  if (row === undefined || ('Active' in row && row.Active === false)) return undefined;
  return documentOf(context, entity, row);
}

async function* pages(context: ProviderContext, entity: Kept, stored: unknown): AsyncGenerator<FeedPage> {
  const seen: Seen = new Map();
  let cursor = cursorForm.safeParse(stored).data ?? walkFrom(context, stored !== undefined);
  if (cursor.phase === 'changes' && context.clock.now() - cursor.since > reachMs) {
    cursor = walkFrom(context, true);
  }
  if (cursor.phase === 'walk') cursor = yield* walked(context, entity, cursor, seen);
  const changes = await changesSince(context, entity, cursor.since, seen);
  if (changes === 'too many') yield* walked(context, entity, walkFrom(context, true), new Map());
  else yield changes;
}

const walkFrom = (context: ProviderContext, sweep: boolean): Walk => ({
  version: 1,
  phase: 'walk',
  began: context.clock.now(),
  since: 0,
  skip: 0,
  sweep,
});

/** Everything; where the walk sweeps, its last page says what exists. Returns the cursor to go on from. */
async function* walked(
  context: ProviderContext,
  entity: Kept,
  from: Walk,
  seen: Seen,
): AsyncGenerator<FeedPage, Extract<Cursor, { phase: 'changes' }>> {
  const fromBeginning = from.since === 0 && from.skip === 0;
  const after = { version: 1, phase: 'changes', since: from.began } as const;
  for await (const { rows, next } of steps(context, entity, from)) {
    const last = next === undefined && (fromBeginning || !from.sweep);
    yield {
      records: news(rows, seen).map((row) => documentOf(context, entity, row)),
      deleted: [],
      cursor: last ? after : (next ?? from),
      ...(last && from.sweep ? { complete: complete(entity, seen.keys()) } : {}),
    };
  }
  // What was seen before the kill is not known any more: it is looked at once more.
  if (from.sweep && !fromBeginning) {
    const there = new Set<string>();
    for await (const { rows } of steps(context, entity, { ...from, since: 0, skip: 0 })) {
      for (const { Id } of rows) there.add(Id);
    }
    yield { records: [], deleted: [], cursor: after, complete: complete(entity, there) };
  }
  return after;
}

function complete(entity: Kept, ids: Iterable<string>): NonNullable<FeedPage['complete']> {
  return { ids: [...ids].map((id) => externalId(entity, id)), prefix: externalId(entity, '') };
}

/** Those that were not seen in this run, or not as they are now. */
function news<Name extends Kept>(rows: readonly Raw[Name][], seen: Seen): Raw[Name][] {
  return rows.filter((row) => {
    const version = `${row.SyncToken} ${row.MetaData?.LastUpdatedTime}`;
    if (seen.get(row.Id) === version) return false;
    seen.set(row.Id, version);
    return true;
  });
}

/** Pages of a walk, each with where it goes on; undefined after the last. */
async function* steps<Name extends Kept>(
  context: ProviderContext,
  entity: Name,
  from: Walk,
): AsyncGenerator<{ rows: Raw[Name][]; next: Walk | undefined }> {
  for (let at: Walk | undefined = from; at !== undefined; ) {
    context.signal?.throwIfAborted();
    const rows: Raw[Name][] = await select(context, {
      from: entity,
      where: [
        // Else customers that were made inactive are left out.
        ...(entity === 'Customer' ? [{ property: 'Active', is: 'any' } as const] : []),
        ...(at.since === 0
          ? []
          : [{ property: 'MetaData.LastUpdatedTime', is: '>=', value: stamp(at.since) } as const]),
      ],
      orderBy: { property: 'MetaData.LastUpdatedTime' },
      start: at.skip + 1,
      most: mostRows,
    });
    at = rows.length < mostRows ? undefined : following(entity, at, rows);
    yield { rows, next: at };
  }
}

function following(entity: Kept, at: Walk, rows: readonly Raw[Kept][]): Walk {
  const last = Math.max(...rows.map((row) => changedAt(entity, row)));
  // A whole page of one second: those that are read are passed by their number.
  return last > at.since ? { ...at, since: last, skip: 0 } : { ...at, skip: at.skip + rows.length };
}

/** Integer ms, cut to the second that QuickBooks tells. */
function changedAt(entity: Kept, { MetaData }: Raw[Kept]): number {
  const at = Date.parse(MetaData?.LastUpdatedTime ?? '');
  if (Number.isNaN(at)) {
    throw new DrawbridgeError('malformed_response', `QuickBooks gave a ${entity} without a time of change.`);
  }
  return at - (at % 1000);
}

/** `2026-03-02T09:12:00+00:00` */
function stamp(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d{3}Z$/, '+00:00');
}

const cdcAnswer = z.object({
  CDCResponse: z.array(z.object({ QueryResponse: z.array(z.record(z.string(), z.unknown())) })),
  time: z.string().optional(),
});

/** https://developer.intuit.com/app/developer/qbo/docs/learn/explore-the-quickbooks-online-api/change-data-capture */
async function changesSince<Name extends Kept>(
  context: ProviderContext,
  entity: Name,
  since: number,
  seen: Seen,
): Promise<FeedPage | 'too many'> {
  const asked = context.clock.now();
  const { CDCResponse, time } = await send(context, http, {
    method: 'GET',
    path: '/cdc',
    query: { entities: entity, changedSince: stamp(Math.max(0, since - lagMs)), ...version },
    output: cdcAnswer,
    maxBytes: 64 * 1024 * 1024,
  });
  const found = CDCResponse.flatMap(({ QueryResponse }) => QueryResponse).flatMap(
    (response) => response[entity] ?? [],
  );
  if (found.length >= mostRows) return 'too many';
  const parsed = z.array(raw[entity] as unknown as z.ZodType<Raw[Name]>).safeParse(found);
  if (!parsed.success) {
    throw new DrawbridgeError(
      'malformed_response',
      `QuickBooks answered with something unexpected at "${parsed.error.issues[0]?.path.join('.') ?? ''}".`,
    );
  }
  const [gone, live] = [parsed.data.filter(isDeleted), parsed.data.filter((record) => !isDeleted(record))];
  const told = Date.parse(time ?? '');
  return {
    records: news(live, seen).map((record) => documentOf(context, entity, record)),
    deleted: gone.map(({ Id }) => externalId(entity, Id)),
    // By QuickBooks's own clock, where it says.
    cursor: { version: 1, phase: 'changes', since: Number.isNaN(told) ? asked : told },
  };
}

function isDeleted({ status }: Raw[Kept]): boolean {
  return status?.toLowerCase() === 'deleted';
}
