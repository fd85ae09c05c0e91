// Receipts: what an answer of memory held, and which of it informed which section of which output. An attribution
// can only name what an answer held, and is never changed; whether its source still says so is judged when asked.
import type { Kysely } from 'kysely';
import type { Agent, Principal } from '../../auth/principal.ts';
import type { Clock } from '../../clock.ts';
import { DrawbridgeError } from '../../errors.ts';
import { newId } from '../../ids.ts';
import type { Log } from '../../log.ts';
import { fromJson, toJson } from '../../store/codec.ts';
import type { OrgStore } from '../../store/store.ts';
import type { OrgTables } from '../../store/tables.ts';
import { type SourceState, sourcesNow } from './sources-now.ts';

/** Something that an answer held. Of a fact and of a brain entry the document is where it comes from, if any. */
export interface ReceiptItem {
  target: { chunkId: string } | { factId: string } | { brainId: string };
  documentId: string | undefined;
  /** SHA-256 of what was shown, hex. */
  contentHash: string;
  /** When its source was last known to say so, integer ms. */
  verifiedAt: number;
  /** By arm or field; `score` is the sum that ranked it. */
  scores: Readonly<Record<string, number>>;
}

export interface Used {
  receiptId: string;
  /** Letters, digits, `-` and `_`, at most 64: the caller's own name of what it makes. */
  outputId: string;
  title?: string;
  section: string;
  role: string;
  /** Places in the answer, from 1. */
  hits: readonly number[];
}

export interface InformedBy {
  outputId: string;
  title: string;
  at: number;
  by: string;
  sources: InformingSource[];
}

export interface InformingSource {
  attributionId: string;
  section: string;
  role: string;
  documentId: string | undefined;
  factId: string | undefined;
  /** As its source is called now; undefined when it is gone. */
  title: string | undefined;
  kind: string | undefined;
  source: string | undefined;
  writtenAt: number | undefined;
  scores: Readonly<Record<string, number>>;
  contentHash: string;
  usedAt: number;
  /** When it was last verified before it was used. */
  verifiedAt: number;
  by: string;
  /** `changed`: the source says something else by now; `vanished`: it is deleted. */
  state: SourceState;
}

export interface Receipts {
  /** Takes note of an answer; returns its id at once. Kept 90 days; attributions stay. */
  issue(
    org: OrgStore,
    by: Agent,
    answer: { tool: string; question: string; items: readonly ReceiptItem[] },
  ): string;
  /**
   * Says what of an answer informed a section of an output. The same said twice is kept once.
   * @throws DrawbridgeError `not_found` for a receipt that is not there; `invalid_request` naming the field
   */
  record(org: OrgStore, by: Principal, used: Used): Promise<string[]>;
  /** @throws DrawbridgeError `not_found` */
  informedBy(org: OrgStore, outputId: string): Promise<InformedBy>;
  /** Newest first. */
  outputs(
    org: OrgStore,
    limit: number,
  ): Promise<{ id: string; title: string; at: number; by: string; sources: number }[]>;
  /** Resolves when every receipt that was issued is stored. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

const writeAfterMs = 200;
const keptMs = 90 * 24 * 3_600_000;
const tidyEveryMs = 3_600_000;
const outputShape = /^[A-Za-z0-9_-]{1,64}$/u;

type ReceiptRow = OrgTables['answer_receipts'];

export function createReceipts({ clock, log }: { clock: Clock; log: Log }): Receipts {
  let waiting: { org: OrgStore; row: ReceiptRow }[] = [];
  let writing: Promise<void> = Promise.resolve();
  let due = false;
  const over = new AbortController();
  const tidied = new Map<string, number>();

  async function writeAll(): Promise<void> {
    const some = waiting;
    waiting = [];
    for (const [org, rows] of Map.groupBy(some, (one) => one.org)) {
      try {
        await org.writeBeside(async (tx) => {
          const values = rows.map(({ row }) => row);
          for (let i = 0; i < values.length; i += 50) {
            await tx
              .insertInto('answer_receipts')
              .values(values.slice(i, i + 50))
              .execute();
          }
        });
        await tidy(org);
      } catch (thrown) {
        // The answers were given; what cannot be attributed any more is asked again.
        log.warn({ err: thrown, lost: rows.length }, 'receipts of answers could not be stored');
      }
    }
  }

  async function tidy(org: OrgStore): Promise<void> {
    const last = tidied.get(org.orgId);
    if (last !== undefined && clock.elapsed() - last < tidyEveryMs) return;
    tidied.set(org.orgId, clock.elapsed());
    await org.write((tx) =>
      tx
        .deleteFrom('answer_receipts')
        .where('org_id', '=', org.orgId)
        .where('at', '<', clock.now() - keptMs)
        .execute(),
    );
  }

  function flush(): Promise<void> {
    writing = writing.then(writeAll);
    return writing;
  }

  function soon(): void {
    if (due || over.signal.aborted) return;
    due = true;
    clock.sleep(writeAfterMs, { unref: true, signal: over.signal }).then(
      () => {
        due = false;
        return flush();
      },
      // Closed meanwhile: the close writes what is left.
      () => undefined,
    );
  }

  return {
    issue(org, by, { tool, question, items }) {
      const at = clock.now();
      const id = newId('rcp', at);
      const row = { org_id: org.orgId, id, tool, question, items: toJson(items), by: makerOf(by), at };
      waiting.push({ org, row });
      soon();
      return id;
    },
    async record(org, by, used) {
      check(used);
      await flush();
      const at = await org.now();
      return org.write(async (tx) => {
        const receipt = await tx
          .selectFrom('answer_receipts')
          .select(['items', 'by'])
          .where('org_id', '=', org.orgId)
          .where('id', '=', used.receiptId)
          .executeTakeFirst();
        if (receipt === undefined) {
          throw new DrawbridgeError(
            'not_found',
            'receiptId: no answer of the last 90 days has this receipt. Search again and use the one that comes with the answer.',
            { field: 'receiptId' },
          );
        }
        const items = fromJson<ReceiptItem[]>(receipt.items);
        const chosen = [...new Set(used.hits)].map((hit, i) => {
          const item = items[hit - 1];
          if (item !== undefined) return item;
          throw new DrawbridgeError(
            'invalid_request',
            `used.${i}: that answer had ${items.length} hits; ${hit} is none of them.`,
            { field: `used.${i}` },
          );
        });
        await tx
          .insertInto('outputs')
          .values({
            org_id: org.orgId,
            id: used.outputId,
            title: used.title ?? used.outputId,
            by: makerOf(by),
            at,
          })
          .onConflict((conflict) =>
            used.title === undefined
              ? conflict.doNothing()
              : conflict.columns(['org_id', 'id']).doUpdateSet({ title: used.title }),
          )
          .execute();
        const known = await tx
          .selectFrom('source_attribution')
          .select(['id', 'chunk_id', 'fact_id', 'brain_id', 'content_hash'])
          .where('org_id', '=', org.orgId)
          .where('output_id', '=', used.outputId)
          .where('section', '=', used.section)
          .where('agent_role', '=', used.role)
          .execute();
        const ids: string[] = [];
        for (const item of chosen) {
          const target = columnsOf(item);
          const same = known.find(
            (row) =>
              row.content_hash === item.contentHash &&
              row.chunk_id === target.chunk_id &&
              row.fact_id === target.fact_id &&
              row.brain_id === target.brain_id,
          );
          if (same !== undefined) {
            ids.push(same.id);
            continue;
          }
          const id = newId('att', at);
          await tx
            .insertInto('source_attribution')
            .values({
              org_id: org.orgId,
              id,
              output_id: used.outputId,
              section: used.section,
              agent_role: used.role,
              ...target,
              document_id: item.documentId ?? null,
              receipt_id: used.receiptId,
              scores: toJson(item.scores),
              content_hash: item.contentHash,
              verified_at: item.verifiedAt,
              used_at: at,
              by: makerOf(by),
            })
            .execute();
          ids.push(id);
        }
        return ids;
      });
    },
    informedBy: (org, outputId) => org.read((db) => informedBy(db, org, outputId)),
    async outputs(org, limit) {
      const rows = await org.read((db) =>
        db
          .selectFrom('outputs as o')
          .select(['o.id', 'o.title', 'o.at', 'o.by'])
          .select((e) =>
            e
              .selectFrom('source_attribution as s')
              .select((count) => count.fn.countAll<number | string>().as('n'))
              .whereRef('s.org_id', '=', 'o.org_id')
              .whereRef('s.output_id', '=', 'o.id')
              .as('sources'),
          )
          .where('o.org_id', '=', org.orgId)
          .orderBy('o.at', 'desc')
          .orderBy('o.id')
          .limit(limit)
          .execute(),
      );
      return rows.map((row) => ({
        id: row.id,
        title: row.title,
        at: row.at,
        by: nameOf(row.by),
        sources: Number(row.sources ?? 0),
      }));
    },
    flush,
    async close() {
      over.abort();
      await flush();
    },
  };
}

function check({ outputId, section, role, hits }: Used): void {
  const refuse = (field: string, text: string) => {
    throw new DrawbridgeError('invalid_request', `${field}: ${text}`, { field });
  };
  if (!outputShape.test(outputId))
    refuse('output', 'must be 1 to 64 letters, digits, "-" or "_", such as brief-keller-2026-03.');
  if (section.trim() === '' || section.length > 200) refuse('section', 'must be 1 to 200 characters.');
  if (role.trim() === '' || role.length > 60) refuse('role', 'must be 1 to 60 characters.');
  if (hits.length === 0) refuse('used', 'name at least one hit of the answer, by its number.');
}

function makerOf(by: Principal): string {
  return toJson({ kind: by.kind, id: by.kind === 'person' ? by.memberId : by.agentId, name: by.name });
}

function nameOf(by: string): string {
  return fromJson<{ name: string }>(by).name;
}

function columnsOf({ target }: ReceiptItem) {
  return {
    chunk_id: 'chunkId' in target ? target.chunkId : null,
    fact_id: 'factId' in target ? target.factId : null,
    brain_id: 'brainId' in target ? target.brainId : null,
  };
}

async function informedBy(db: Kysely<OrgTables>, org: OrgStore, outputId: string): Promise<InformedBy> {
  const { orgId } = org;
  const output = await db
    .selectFrom('outputs')
    .selectAll()
    .where('org_id', '=', orgId)
    .where('id', '=', outputId)
    .executeTakeFirst();
  if (output === undefined) {
    throw new DrawbridgeError(
      'not_found',
      'No output of that name has sources on record. They are recorded with record-attribution.',
      { field: 'output' },
    );
  }
  const rows = await db
    .selectFrom('source_attribution')
    .selectAll()
    .where('org_id', '=', orgId)
    .where('output_id', '=', outputId)
    .orderBy('used_at')
    .orderBy('id')
    .execute();
  const now = await sourcesNow(db, org, rows);
  return {
    outputId,
    title: output.title,
    at: output.at,
    by: nameOf(output.by),
    sources: rows.map((row) => {
      const source = now(row);
      return {
        attributionId: row.id,
        section: row.section,
        role: row.agent_role,
        documentId: source.documentId,
        factId: row.fact_id ?? undefined,
        title: source.title,
        kind: source.kind,
        source: source.source,
        writtenAt: source.writtenAt,
        scores: fromJson<Record<string, number>>(row.scores),
        contentHash: row.content_hash,
        usedAt: row.used_at,
        verifiedAt: row.verified_at,
        by: nameOf(row.by),
        state: source.state,
      };
    }),
  };
}
