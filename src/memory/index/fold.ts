// Folding: what is loose becomes a block with its postings, and runs of a size become one of the next. In the
// background, one process at a time, computed in a thread and written in short transactions.
import type { Clock } from '../../clock.ts';
import { DrawbridgeError } from '../../errors.ts';
import { newId } from '../../ids.ts';
import type { Log } from '../../log.ts';
import { holdLease } from '../../store/hold.ts';
import { acquireLease } from '../../store/lease.ts';
import type { OrgStore } from '../../store/store.ts';
import { staticEnName } from '../embed/static-en.ts';
import type { Reader } from '../reader.ts';
import { withAccess } from './access.ts';
import { createFoldRows, type FoldRows, type Made } from './fold-rows.ts';
import type { FoldAnswer, Folded, FoldTask } from './fold-work.ts';
import type { RunRow } from './stored.sql.ts';

export interface FoldSizes {
  /** Loose chunks from which on they are folded. */
  due: number;
  /** Chunks of a block. */
  most: number;
  /** Runs of a level that become one of the next. */
  merged: number;
}
const sizes: FoldSizes = { due: 2_000, most: 4_000, merged: 8 };

const ttlMs = 60_000;
/** Of a run's chunks; when as many are gone, it is written anew. */
const goneShare = 0.3;

/** Runs of one level in a row, enough of them to be merged: the first such group. */
function due(runs: readonly RunRow[], merged: number): RunRow[] | undefined {
  for (let i = 0; i + merged <= runs.length; i += 1) {
    const group = runs.slice(i, i + merged);
    if (group.every((run) => run.level === group[0]?.level)) return group;
  }
  return undefined;
}

export interface Folding {
  /** Begins, unless `loose` chunks are too few or it is running already for this org; never throws. */
  settle(org: OrgStore, loose: number): void;
  settled(): Promise<void>;
  close(): Promise<void>;
}

export function createFolding(
  {
    clock,
    log,
    models,
    background,
  }: {
    clock: Clock;
    log: Log;
    models: { name: string; dimensions: number }[];
    background: Pick<Reader, 'fold'>;
  },
  { due: dueAt, most, merged }: FoldSizes = sizes,
): Folding {
  const running = new Map<string, Promise<void>>();
  const again = new Set<string>();
  const stop = new AbortController();

  const ask = (org: OrgStore, work: FoldTask['work']): Promise<FoldAnswer> =>
    withAccess(org, (access, transfer) => background.fold({ access, orgId: org.orgId, work }, transfer));

  /** Writes all of a block, unseen. */
  async function write(rows: FoldRows, folded: Folded): Promise<Made> {
    const ids = await rows.nextIds();
    await rows.writePages(ids.run, 0, folded.pages);
    await rows.addVectors(staticEnName, folded.vectors);
    await rows.writeBlock(ids.block, folded);
    const { firstSeq, lastSeq, slots, directory, names } = folded;
    return { ...ids, folded: { firstSeq, lastSeq, slots, directory, names } };
  }

  async function foldOnce(org: OrgStore, rows: FoldRows): Promise<boolean> {
    const seen = await rows.state();
    if (seen === undefined || seen.lastSeq - seen.foldedSeq < dueAt) return false;
    const { foldedSeq: afterSeq, lastSeq } = seen;
    const folded = await ask(org, { what: 'fold', afterSeq, lastSeq, most, models });
    if (folded?.what !== 'fold') await rows.skip(lastSeq, seen);
    else {
      await rows.addBlock(await write(rows, folded), seen);
    }
    return true;
  }

  /** Writes a run anew from those of its chunks that are left, when many have gone. */
  async function cleanOnce(org: OrgStore, rows: FoldRows, signal: AbortSignal): Promise<boolean> {
    for (const run of await rows.runs()) {
      if ((await rows.goneIn(run)) < run.slots * goneShare) continue;
      const seen = await rows.state();
      if (seen === undefined) return false;
      const made: Made[] = [];
      for (let afterSeq = run.firstSeq - 1; ; ) {
        signal.throwIfAborted();
        const { lastSeq } = run;
        const folded = await ask(org, { what: 'fold', afterSeq, lastSeq, most, models });
        if (folded?.what !== 'fold') break;
        made.push(await write(rows, folded));
        afterSeq = folded.lastSeq;
      }
      await rows.exchange(run, made, seen);
      return true;
    }
    return false;
  }

  async function mergeOnce(org: OrgStore, rows: FoldRows, signal: AbortSignal): Promise<boolean> {
    const group = due(await rows.runs(), merged);
    if (group === undefined) return false;
    const { run } = await rows.nextIds();
    const runs = group.map(({ id, slots }) => ({ id, slots }));
    let page = 0;
    for (let begin = true; ; begin = false) {
      signal.throwIfAborted();
      const step = await ask(org, { what: 'merge', runs, begin });
      if (step?.what !== 'merge') throw new DrawbridgeError('internal', 'The merge gave nothing.');
      await rows.writePages(run, page, step.pages);
      page += step.pages.length;
      if (step.end !== undefined) {
        await rows.replace(run, group, step.end);
        return true;
      }
    }
  }

  async function run(org: OrgStore): Promise<void> {
    const lease = await acquireLease(org, { name: 'search-index', owner: newId('fold', clock.now()), ttlMs });
    // Another process is at it.
    if (lease === undefined) return;
    const hold = holdLease(org, lease, { ttlMs, clock, log });
    const signal = AbortSignal.any([hold.lost, stop.signal]);
    const rows = createFoldRows(org, lease);
    try {
      await rows.sweep(signal);
      do {
        signal.throwIfAborted();
        while ((await cleanOnce(org, rows, signal)) || (await mergeOnce(org, rows, signal)))
          await rows.sweep(signal);
      } while (await foldOnce(org, rows));
    } finally {
      await hold.end();
    }
  }

  async function runUntilDone(org: OrgStore): Promise<void> {
    try {
      do {
        again.delete(org.orgId);
        await run(org);
      } while (again.has(org.orgId) && !stop.signal.aborted);
    } catch (thrown) {
      // What was written stays hidden, and the next folding begins anew.
      if (!stop.signal.aborted) log.warn({ err: thrown, org: org.orgId }, 'the index was not folded');
    } finally {
      running.delete(org.orgId);
    }
  }

  return {
    settle(org, loose) {
      if (loose < dueAt || stop.signal.aborted) return;
      if (running.has(org.orgId)) again.add(org.orgId);
      else running.set(org.orgId, runUntilDone(org));
    },
    async settled() {
      while (running.size > 0) await Promise.all(running.values());
    },
    async close() {
      stop.abort();
      await Promise.all(running.values());
    },
  };
}
