// What follows a choice of embedder, in bounded steps under one lease an org: vectors beside the old ones, signatures
// of what is folded, the switch when enough is covered, and the removal of what nobody goes back to.
import type { Clock } from '../../clock.ts';
import { DrawbridgeError, toDrawbridgeError } from '../../errors.ts';
import { newId } from '../../ids.ts';
import type { Log } from '../../log.ts';
import { holdLease } from '../../store/hold.ts';
import { acquireLease, type Lease, requireLease } from '../../store/lease.ts';
import type { OrgStore } from '../../store/store.ts';
import { decodeColumns } from '../index/columns.ts';
import { Signatures } from '../index/signatures.ts';
import { embedNext } from './embed-step.ts';
import type { Embedder } from './embedder.ts';
import { changeRow, type EmbedderRow, errorText, readRows, switchTo } from './embedder-rows.ts';

const ttlMs = 60_000;
/** Share of the chunks that must have a vector before a model answers. */
const covered = 0.995;
/** How long the vectors of the former model are kept to go back to. */
export const keptMs = 7 * 24 * 3_600_000;
const firstWaitMs = 5_000;
const longestWaitMs = 600_000;
/** After an error that time does not mend. */
const mendWaitMs = 900_000;
const rowsAtOnce = 500;

export interface Work {
  org: OrgStore;
  lease: Lease;
  signal: AbortSignal;
}

export interface WorkParts {
  clock: Clock;
  log: Log;
  embedderOf(org: OrgStore, row: EmbedderRow): Promise<Embedder>;
  /** In the transaction of the switch. */
  switched(
    tx: Parameters<Parameters<OrgStore['write']>[0]>[0],
    org: OrgStore,
    name: string,
    at: number,
  ): Promise<void>;
}

interface Seen {
  rows: EmbedderRow[];
  lastSeq: number;
  now: number;
}

async function see(org: OrgStore): Promise<Seen> {
  const now = await org.now();
  return org.read(async (db) => {
    const last = await db
      .selectFrom('chunks')
      .select((select) => select.fn.max('seq').as('last'))
      .where('org_id', '=', org.orgId)
      .executeTakeFirst();
    return { rows: await readRows(db, org.orgId), lastSeq: Number(last?.last ?? 0), now };
  });
}

async function count(org: OrgStore, after: number): Promise<number> {
  const row = await org.read((db) =>
    db
      .selectFrom('chunks')
      .select((select) => select.fn.countAll().as('n'))
      .where('org_id', '=', org.orgId)
      .where('seq', '>', after)
      .executeTakeFirst(),
  );
  return Number(row?.n ?? 0);
}

/** Signatures of one folded block that has none though all its chunks were embedded. @returns whether there was one */
async function signNext({ org, lease, signal }: Work, row: EmbedderRow): Promise<boolean> {
  const { orgId } = org;
  const block = await org.read((db) =>
    db
      .selectFrom('search_blocks')
      .select(['id', 'first_seq', 'last_seq'])
      .where('org_id', '=', orgId)
      .where('last_seq', '<=', row.doneSeq)
      .where('id', 'not in', (select) =>
        select
          .selectFrom('search_signatures')
          .select('block')
          .where('org_id', '=', orgId)
          .where('model', '=', row.name),
      )
      .orderBy('first_seq')
      .limit(1)
      .executeTakeFirst(),
  );
  if (block === undefined) return false;
  const columns = await org.read((db) =>
    db
      .selectFrom('search_columns')
      .select('bytes')
      .where('org_id', '=', orgId)
      .where('block', '=', Number(block.id))
      .executeTakeFirst(),
  );
  // Folded anew meanwhile.
  if (columns === undefined) return true;
  const seqs = decodeColumns(columns.bytes).seqs.slice();
  const places = new Map([...seqs].map((seq, place) => [seq, place]));
  const signatures = new Signatures(row.dimensions);
  for (let after = Number(block.first_seq) - 1; ; ) {
    signal.throwIfAborted();
    const from = after;
    const some = await org.read((db) =>
      db
        .selectFrom('chunk_vectors')
        .select(['seq', 'vector'])
        .where('org_id', '=', orgId)
        .where('model', '=', row.name)
        .where('seq', '>', from)
        .where('seq', '<=', Number(block.last_seq))
        .orderBy('seq')
        .limit(rowsAtOnce)
        .execute(),
    );
    for (const { seq, vector } of some) {
      const place = places.get(Number(seq));
      const vectors = new Int8Array(vector.buffer, vector.byteOffset, vector.byteLength);
      if (place !== undefined) signatures.add({ place, vectors });
    }
    if (some.length < rowsAtOnce) break;
    after = Number(some.at(-1)?.seq);
  }
  await org.write(async (tx) => {
    await requireLease(org, tx, lease);
    await tx
      .insertInto('search_signatures')
      .values({ org_id: orgId, model: row.name, block: Number(block.id), bits: signatures.encode() })
      .onConflict((known) => known.columns(['org_id', 'model', 'block']).doNothing())
      .execute();
  });
  return true;
}

/** A slice of what a model left, from its last chunk down; with the last slice its row goes, too. */
async function purgeNext({ org, lease }: Work, row: EmbedderRow): Promise<void> {
  const { orgId } = org;
  await org.write(async (tx) => {
    await requireLease(org, tx, lease);
    const some = await tx
      .selectFrom('chunk_vectors')
      .select('seq')
      .where('org_id', '=', orgId)
      .where('model', '=', row.name)
      .where('seq', '<=', row.doneSeq)
      .orderBy('seq', 'desc')
      .limit(rowsAtOnce)
      .execute();
    const last = some.at(-1);
    if (last === undefined) {
      await tx
        .deleteFrom('search_signatures')
        .where('org_id', '=', orgId)
        .where('model', '=', row.name)
        .execute();
      await tx.deleteFrom('embedders').where('org_id', '=', orgId).where('name', '=', row.name).execute();
      return;
    }
    await tx
      .deleteFrom('chunk_vectors')
      .where('org_id', '=', orgId)
      .where('model', '=', row.name)
      .where('seq', '>=', Number(last.seq))
      .where('seq', '<=', row.doneSeq)
      .execute();
    // Where the next slice begins.
    await tx
      .updateTable('embedders')
      .set({ done_seq: Number(last.seq) - 1 })
      .where('org_id', '=', orgId)
      .where('name', '=', row.name)
      .execute();
  });
}

/** How many more chunks than these must have a vector, so that `row` may answer; 0: it may. */
async function uncovered(org: OrgStore, row: EmbedderRow): Promise<number> {
  const total = await count(org, 0);
  const behind = await count(org, row.doneSeq);
  // What was refused and has gone since counts still: rather a chunk too many than one too few.
  const without = Math.min(total, behind + row.refused);
  return Math.max(0, without - Math.floor(total * (1 - covered)));
}

/** @returns whether that changed anything */
async function switchIfCovered(
  { org, lease }: Work,
  row: EmbedderRow,
  switched: WorkParts['switched'],
): Promise<boolean> {
  const lacking = await uncovered(org, row);
  return org.write(async (tx) => {
    await requireLease(org, tx, lease);
    const now = await org.now();
    const still = (await readRows(tx, org.orgId)).find((one) => one.name === row.name);
    if (still?.state !== 'building') return false;
    if (lacking > 0) {
      const error = new DrawbridgeError(
        'invalid_request',
        `The model refused ${row.refused} passages, ${lacking} more than it may leave out: it is not switched to.`,
      );
      const change = { error: errorText(error, now), retry_at: now + mendWaitMs };
      await changeRow(tx, org.orgId, row.name, change, now);
      return true;
    }
    await switchTo(tx, org.orgId, row.name, now);
    await switched(tx, org, row.name, now);
    return true;
  });
}

/** One step of what is to be done; undefined when nothing is. */
async function step(work: Work, parts: WorkParts): Promise<EmbedderRow | undefined> {
  const { org, lease } = work;
  const { rows, lastSeq, now } = await see(org);
  const active = rows
    .filter((row) => row.state === 'current' || row.state === 'building')
    // What questions are asked of comes first.
    .sort((a, b) => Number(b.state === 'current') - Number(a.state === 'current'));
  for (const row of active) {
    if (row.doneSeq >= lastSeq || row.retryAt > now) continue;
    try {
      const embedder = await parts.embedderOf(org, row);
      if (await embedNext(work, row, embedder)) return row;
    } catch (thrown) {
      work.signal.throwIfAborted();
      const error = toDrawbridgeError(thrown);
      parts.log.info({ err: thrown, org: org.orgId, embedder: row.name }, 'chunks were not embedded');
      const doubled = Math.min(longestWaitMs, firstWaitMs * 2 ** Math.min(row.tries, 20));
      const waitMs = error.retry === 'later' ? Math.max(doubled, error.retryAfterMs ?? 0) : mendWaitMs;
      const change = {
        tries: row.tries + 1,
        error: errorText(error, now),
        retry_at: now + Math.round(waitMs),
      };
      await org.write(async (tx) => {
        await requireLease(org, tx, lease);
        await changeRow(tx, org.orgId, row.name, change, now);
      });
      return row;
    }
  }
  for (const row of active) if (await signNext(work, row)) return row;
  const building = active.find((row) => row.state === 'building' && row.retryAt <= now);
  if (building !== undefined && building.doneSeq >= lastSeq) {
    if (await switchIfCovered(work, building, parts.switched)) return building;
  }
  for (const row of rows) {
    if (row.state === 'purging') {
      await purgeNext(work, row);
      return row;
    }
    if (row.state === 'former' && (row.switchedAt ?? 0) + keptMs <= now) {
      await org.write(async (tx) => {
        await requireLease(org, tx, lease);
        await changeRow(tx, org.orgId, row.name, { state: 'purging' }, now);
      });
      return row;
    }
  }
  return undefined;
}

/**
 * Does what is to be done for this org, and ends when nothing is, or what is left has to wait.
 * @returns false where another process is at it
 */
export async function workOff(
  org: OrgStore,
  parts: WorkParts,
  { signal, onStep }: { signal: AbortSignal; onStep?: (() => Promise<void> | void) | undefined },
): Promise<boolean> {
  const { clock, log } = parts;
  const lease = await acquireLease(org, { name: 'embedding', owner: newId('emb', clock.now()), ttlMs });
  if (lease === undefined) return false;
  const hold = holdLease(org, lease, { ttlMs, clock, log });
  const work = { org, lease, signal: AbortSignal.any([hold.lost, signal]) };
  try {
    for (;;) {
      work.signal.throwIfAborted();
      if ((await step(work, parts)) === undefined) return true;
      await onStep?.();
    }
  } finally {
    await hold.end();
  }
}
