// Receipts: what an answer of memory held, and which of it informed which section of which output. An attribution
// can only name what an answer held, and is never changed; whether its source still says so is judged when asked.
import type { Agent, Principal } from '../../auth/principal.ts';
import type { Clock } from '../../clock.ts';
import { newId } from '../../ids.ts';
import type { Log } from '../../log.ts';
import { toJson } from '../../store/codec.ts';
import type { OrgStore } from '../../store/store.ts';
import type { OrgTables } from '../../store/tables.ts';
import { attribute, checkUsed } from './attribute.ts';
import { informedBy, outputs } from './informed-by.ts';
import { makerOf } from './maker.ts';
import type { SourceState } from './sources-now.ts';

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
      checkUsed(used);
      await flush();
      return attribute(org, by, used);
    },
    informedBy: (org, outputId) => org.read((db) => informedBy(db, org, outputId)),
    outputs,
    flush,
    async close() {
      over.abort();
      await flush();
    },
  };
}
