// What folding writes, in transactions that stay short: pages first, which nobody sees, then the rows by which
// they are seen. A kill in between leaves pages without a run, which the next folding sweeps.
import type { Transaction } from 'kysely';
import { type Lease, requireLease } from '../../store/lease.ts';
import type { OrgStore } from '../../store/store.ts';
import type { OrgTables } from '../../store/tables.ts';
import type { Folded, Merged } from './fold-work.ts';
import type { IndexState, RunRow } from './stored.sql.ts';
import { insertVectors } from './vector-tables.ts';

type Tx = Transaction<OrgTables>;

const pagesAtOnce = 32;
const bytesAtOnce = 400_000;
const vectorsAtOnce = 200;

/** A block that is written, with its numbers. */
export interface Made {
  block: number;
  run: number;
  folded: Pick<Folded, 'firstSeq' | 'lastSeq' | 'slots' | 'directory' | 'names'>;
}

export interface FoldRows {
  /** Undefined while nothing was ever stored. */
  state(): Promise<IndexState | undefined>;
  runs(): Promise<RunRow[]>;
  /** Two numbers for a block and its run. */
  nextIds(): Promise<{ block: number; run: number }>;
  writePages(run: number, first: number, pages: readonly Uint8Array[]): Promise<void>;
  /** Of those chunks that are still there. */
  addVectors(model: string, vectors: Folded['vectors']): Promise<void>;
  /** What a block is beside its postings; unseen until it is shown. */
  writeBlock(block: number, folded: Folded): Promise<void>;
  addBlock(made: Made, seen: IndexState): Promise<void>;
  /** Chunks of the run that went. */
  goneIn(run: RunRow): Promise<number>;
  /** Blocks and runs of what is left of a run, in its place. */
  exchange(run: RunRow, made: readonly Made[], seen: IndexState): Promise<void>;
  /** Nothing is left of the chunks up to `lastSeq`. */
  skip(lastSeq: number, seen: IndexState): Promise<void>;
  replace(run: number, runs: readonly RunRow[], end: NonNullable<Merged['end']>): Promise<void>;
  /** Removes what belongs to runs and blocks that are not there. */
  sweep(signal: AbortSignal): Promise<void>;
}

export function createFoldRows(org: OrgStore, lease: Lease): FoldRows {
  const { orgId } = org;
  // Questions are answered meanwhile: they do not wait for the disk with it.
  const write = <Result>(work: (tx: Tx) => Promise<Result>) =>
    org.writeBeside(async (tx) => {
      await requireLease(org, tx, lease);
      return work(tx);
    });

  /** What went before `seen` is in no block up to `lastSeq`; what goes later is. */
  async function moveOn(tx: Tx, lastSeq: number, seen: IndexState): Promise<void> {
    await tx
      .deleteFrom('search_gone')
      .where('org_id', '=', orgId)
      .where('seq', '>', seen.foldedSeq)
      .where('seq', '<=', lastSeq)
      .where('change', '<=', seen.change)
      .execute();
    await tx
      .updateTable('search_state')
      .set((row) => ({ folded_seq: lastSeq, generation: row('generation', '+', 1) }))
      .where('org_id', '=', orgId)
      .execute();
  }

  const nextGeneration = (tx: Tx) =>
    tx
      .updateTable('search_state')
      .set((row) => ({ generation: row('generation', '+', 1) }))
      .where('org_id', '=', orgId)
      .execute();

  /** From now on questions see the block, and its postings. */
  async function show(tx: Tx, { block, run, folded }: Made): Promise<void> {
    const range = { first_seq: folded.firstSeq, last_seq: folded.lastSeq, slots: folded.slots };
    await tx
      .insertInto('search_blocks')
      .values({ org_id: orgId, id: block, ...range })
      .execute();
    const { directory, names } = folded;
    await tx
      .insertInto('search_runs')
      .values({ org_id: orgId, id: run, ...range, level: 0, directory, names })
      .execute();
  }

  return {
    async state() {
      const row = await org.read((db) =>
        db.selectFrom('search_state').selectAll().where('org_id', '=', orgId).executeTakeFirst(),
      );
      if (row !== undefined) {
        const { change, last_seq: lastSeq, folded_seq: foldedSeq, generation } = row;
        return { change, lastSeq, foldedSeq, generation };
      }
      // Stored before there was such a row.
      const last = await org.read((db) =>
        db
          .selectFrom('chunks')
          .select((select) => select.fn.max('seq').as('last'))
          .where('org_id', '=', orgId)
          .executeTakeFirst(),
      );
      const lastSeq = Number(last?.last ?? 0);
      if (lastSeq === 0) return undefined;
      await write((tx) =>
        tx
          .insertInto('search_state')
          .values({
            org_id: orgId,
            id: 0,
            change: 0,
            last_seq: lastSeq,
            folded_seq: 0,
            generation: 0,
            next_id: 1,
          })
          .onConflict((conflict) => conflict.columns(['org_id', 'id']).doNothing())
          .execute(),
      );
      return this.state();
    },
    async runs() {
      const rows = await org.read((db) =>
        db
          .selectFrom('search_runs')
          .select(['id', 'first_seq', 'last_seq', 'slots', 'level'])
          .where('org_id', '=', orgId)
          .orderBy('first_seq')
          .execute(),
      );
      return rows.map((row) => ({
        id: row.id,
        firstSeq: row.first_seq,
        lastSeq: row.last_seq,
        slots: row.slots,
        level: row.level,
      }));
    },
    async nextIds() {
      const { next_id } = await write((tx) =>
        tx
          .updateTable('search_state')
          .set((row) => ({ next_id: row('next_id', '+', 2) }))
          .where('org_id', '=', orgId)
          .returning('next_id')
          .executeTakeFirstOrThrow(),
      );
      return { block: next_id - 2, run: next_id - 1 };
    },
    async writePages(run, first, pages) {
      for (let i = 0; i < pages.length; ) {
        const some: Uint8Array[] = [];
        let bytes = 0;
        for (; i < pages.length && some.length < pagesAtOnce && bytes < bytesAtOnce; i += 1) {
          const page = pages[i];
          if (page === undefined) break;
          some.push(page);
          bytes += page.length;
        }
        const from = first + i - some.length;
        const rows = some.map((page, n) => ({ org_id: orgId, run, page: from + n, bytes: page }));
        await write((tx) => tx.insertInto('search_pages').values(rows).execute());
      }
    },
    async addVectors(model, vectors) {
      for (let i = 0; i < vectors.length; i += vectorsAtOnce) {
        const some = vectors.slice(i, i + vectorsAtOnce);
        await write(async (tx) => {
          const there = await tx
            .selectFrom('chunks')
            .select('seq')
            .where('org_id', '=', orgId)
            .where(
              'seq',
              'in',
              some.map(({ seq }) => seq),
            )
            .execute();
          const seqs = new Set(there.map(({ seq }) => Number(seq)));
          const rows = some
            .filter(({ seq }) => seqs.has(seq))
            .map(({ seq, vector }) => ({ model, seq, vector }));
          await insertVectors(tx, org, rows);
        });
      }
    },
    async writeBlock(block, { columns, signatures }) {
      await write((tx) =>
        tx.insertInto('search_columns').values({ org_id: orgId, block, bytes: columns }).execute(),
      );
      for (const { model, bits } of signatures) {
        await write((tx) =>
          tx.insertInto('search_signatures').values({ org_id: orgId, model, block, bits }).execute(),
        );
      }
    },
    addBlock: (made, seen) =>
      write(async (tx) => {
        await show(tx, made);
        await moveOn(tx, made.folded.lastSeq, seen);
      }),
    async goneIn({ firstSeq, lastSeq }) {
      const row = await org.read((db) =>
        db
          .selectFrom('search_gone')
          .select((count) => count.fn.countAll().as('n'))
          .where('org_id', '=', orgId)
          .where('seq', '>=', firstSeq)
          .where('seq', '<=', lastSeq)
          .executeTakeFirst(),
      );
      return Number(row?.n ?? 0);
    },
    exchange: ({ id, firstSeq, lastSeq }, made, seen) =>
      write(async (tx) => {
        await tx.deleteFrom('search_runs').where('org_id', '=', orgId).where('id', '=', id).execute();
        await tx
          .deleteFrom('search_blocks')
          .where('org_id', '=', orgId)
          .where('first_seq', '>=', firstSeq)
          .where('last_seq', '<=', lastSeq)
          .execute();
        for (const one of made) await show(tx, one);
        await tx
          .deleteFrom('search_gone')
          .where('org_id', '=', orgId)
          .where('seq', '>=', firstSeq)
          .where('seq', '<=', lastSeq)
          .where('change', '<=', seen.change)
          .execute();
        await nextGeneration(tx);
      }),
    skip: (lastSeq, seen) => write((tx) => moveOn(tx, lastSeq, seen)),
    async replace(run, runs, { directory, names }) {
      const first = runs[0];
      const last = runs.at(-1);
      if (first === undefined || last === undefined) return;
      const merged = {
        org_id: orgId,
        id: run,
        first_seq: first.firstSeq,
        last_seq: last.lastSeq,
        slots: runs.reduce((sum, one) => sum + one.slots, 0),
        level: first.level + 1,
        directory,
        names,
      };
      const ids = runs.map(({ id }) => id);
      await write(async (tx) => {
        await tx.deleteFrom('search_runs').where('org_id', '=', orgId).where('id', 'in', ids).execute();
        await tx.insertInto('search_runs').values(merged).execute();
        await nextGeneration(tx);
      });
    },
    async sweep(signal) {
      const stray = await org.read((db) =>
        db
          .selectFrom('search_pages')
          .select(['run', (select) => select.fn.max('page').as('last')])
          .where('org_id', '=', orgId)
          .where('run', 'not in', (select) =>
            select.selectFrom('search_runs').select('id').where('org_id', '=', orgId),
          )
          .groupBy('run')
          .execute(),
      );
      for (const table of ['search_columns', 'search_signatures'] as const) {
        const found = await org.read((db) =>
          db
            .selectFrom(table)
            .select('block')
            .distinct()
            .where('org_id', '=', orgId)
            .where('block', 'not in', (select) =>
              select.selectFrom('search_blocks').select('id').where('org_id', '=', orgId),
            )
            .execute(),
        );
        for (const { block } of found) {
          signal.throwIfAborted();
          await write((tx) =>
            tx.deleteFrom(table).where('org_id', '=', orgId).where('block', '=', block).execute(),
          );
        }
      }
      for (const { run, last } of stray) {
        for (let page = 0; page <= Number(last); page += pagesAtOnce) {
          signal.throwIfAborted();
          await write((tx) =>
            tx
              .deleteFrom('search_pages')
              .where('org_id', '=', orgId)
              .where('run', '=', run)
              .where('page', '>=', page)
              .where('page', '<', page + pagesAtOnce)
              .execute(),
          );
        }
      }
    },
  };
}
