// The one door into memory. Records are read in the workers, then stored in one transaction together with
// their index rows, clients, tombstones and cursor: all of a batch, or nothing.
import type { Transaction } from 'kysely';
import type { Clock } from '../clock.ts';
import { newId } from '../ids.ts';
import { toJson } from '../store/codec.ts';
import type { OrgStore } from '../store/store.ts';
import type { OrgTables } from '../store/tables.ts';
import { createClientFacts } from './clients/fact-rows.ts';
import { createClientRollUp } from './clients/roll-up.ts';
import { attachedTo } from './documents/attached.ts';
import { insertChunks, removeChunks } from './documents/chunk-rows.ts';
import {
  insertDocuments,
  removePeople,
  tombstone,
  updateDocuments,
  verify,
} from './documents/document-rows.ts';
import { comeBack, gather, takeAgreed } from './documents/held-deletions.ts';
import { findGone, findKnown, findLeftBehind, type Known } from './documents/known-rows.ts';
import { lockIngest } from './index/lock.sql.ts';
import type { SearchIndex } from './index/search-index.ts';
import type { IngestBatch, IngestResult, Source } from './memory.ts';
import type { ParsedRecord } from './parse.ts';
import { learnHomes } from './properties/documents.ts';
import type { Reader } from './reader.ts';

export interface IngestParts {
  reader: Reader;
  index: SearchIndex;
  clock: Clock;
  /** A new document's id; ids ascend in the order in which they are given out. */
  documentId(): string;
}
export interface Ingested {
  result: IngestResult;
  /** Documents that changed, in no particular order. */
  changed: string[];
  /** Chunks of the org that are not folded into the index yet. */
  loose: number;
}

/** A record that is to be stored: read, and with the payload as it came. */
export interface Incoming {
  parsed: ParsedRecord;
  raw: Uint8Array;
}

interface Read {
  incoming: Incoming[];
  rejected: IngestResult['rejected'];
}

/** Reads a batch; of two records with the same id the later one counts. */
async function readBatch(reader: Reader, batch: IngestBatch): Promise<Read> {
  const byId = new Map(batch.records.map((record) => [record.externalId, record]));
  const records = [...byId.values()];
  const outcomes = await reader.read(records);
  const read: Read = { incoming: [], rejected: [] };
  outcomes.forEach((outcome, i) => {
    const record = records[i];
    if ('parsed' in outcome && record !== undefined) {
      read.incoming.push({ parsed: outcome.parsed, raw: record.raw });
      // The bytes of an attachment are in its mail.
      for (const parsed of outcome.attached ?? []) read.incoming.push({ parsed, raw: new Uint8Array() });
    } else if ('reason' in outcome) read.rejected.push(outcome);
  });
  return read;
}

async function store(
  tx: Transaction<OrgTables>,
  {
    org,
    source,
    batch,
    read,
    parts,
  }: { org: OrgStore; source: Source; batch: IngestBatch; read: Read; parts: IngestParts },
): Promise<Ingested> {
  const { clock } = parts;
  const { orgId } = org;
  const now = clock.now();
  await lockIngest(tx, org.dialect, orgId);
  const known = await findKnown(
    tx,
    orgId,
    source.connectionId,
    read.incoming.map((one) => one.parsed.externalId),
  );
  const isLive = (one: Known | undefined): one is Known => one !== undefined && one.deletedAt === null;

  const unchanged: string[] = [];
  let unchangedRecords = 0;
  const added: Incoming[] = [];
  const replaced: { before: Known; incoming: Incoming }[] = [];
  for (const incoming of read.incoming) {
    const before = known.get(incoming.parsed.externalId);
    if (batch.again !== undefined) {
      const { externalId } = incoming.parsed;
      const mail = attachedTo(externalId)?.mail;
      const root = mail === undefined ? before : known.get(mail);
      // Meanwhile another, or gone: what came since is newer than what was read here.
      if (root === undefined || !isLive(root) || root.contentHash !== batch.again.get(mail ?? externalId))
        continue;
      if (before === undefined) added.push(incoming);
      else {
        const parsed = { ...incoming.parsed, contentHash: before.contentHash };
        replaced.push({ before, incoming: { ...incoming, parsed } });
      }
    } else if (before === undefined) added.push(incoming);
    else if (before.deletedAt === null && before.contentHash === incoming.parsed.contentHash) {
      unchanged.push(before.id);
      if (attachedTo(before.externalId) === undefined) unchangedRecords += 1;
    } else replaced.push({ before, incoming });
  }

  const { connectionId } = source;
  await comeBack(tx, { orgId, connectionId, batch });
  const agreed = batch.agreed === undefined ? [] : await takeAgreed(tx, orgId, connectionId, batch.agreed);
  const missing = await findGone(
    tx,
    orgId,
    connectionId,
    agreed.length === 0 ? batch : { ...batch, deleted: agreed },
  );
  const gone = batch.gather === true ? [] : missing;
  if (batch.gather === true) await gather(tx, { orgId, connectionId, missing, now });
  const left = await findLeftBehind(tx, {
    orgId,
    connectionId: source.connectionId,
    mails: [...gone, ...replaced.map(({ before }) => before)].map((one) => one.externalId),
    staying: new Set([
      ...read.incoming.map((one) => one.parsed.externalId),
      ...gone.map((one) => one.externalId),
    ]),
  });
  gone.push(...left);
  const clients = createClientRollUp(tx, orgId, now, source.connectionId);
  const facts = createClientFacts(tx, orgId, now, source.connectionId);
  const index = await parts.index.change(tx, orgId);

  await verify(tx, orgId, unchanged, now);
  const outdated = [...replaced.map(({ before }) => before), ...gone];
  await clients.forget(outdated.filter(isLive).map((one) => one.id));
  const outdatedIds = outdated.map((one) => one.id);
  await facts.forget(gone.map((one) => one.id));
  await removeChunks(tx, org, index, outdatedIds);
  await removePeople(tx, orgId, outdatedIds);
  await tombstone(
    tx,
    orgId,
    gone.map((one) => one.id),
    now,
  );
  const updated = await updateDocuments(tx, replaced, {
    org,
    now: batch.again === undefined ? now : undefined,
    number: index.number,
  });
  const inserted = await insertDocuments(tx, added, {
    org,
    source,
    now,
    number: index.number,
    documentId: parts.documentId,
  });
  const written = [...updated, ...inserted];
  await clients.learn(written);
  await facts.learn(
    written,
    updated.map((one) => one.id),
    await clients.own(),
  );
  await clients.settle();
  await insertChunks(tx, org, written);
  await learnHomes(tx, { orgId, source, now }, { outdated: outdatedIds, written, unchanged });

  if (batch.cursor !== undefined) {
    const cursor = toJson(batch.cursor.value);
    await tx
      .insertInto('sync_cursors')
      .values({
        org_id: orgId,
        connection_id: source.connectionId,
        feed: batch.cursor.feed,
        cursor,
        updated_at: now,
      })
      .onConflict((conflict) =>
        conflict.columns(['org_id', 'connection_id', 'feed']).doUpdateSet({ cursor, updated_at: now }),
      )
      .execute();
  }
  const loose = await index.write();
  // An attachment is counted with its mail.
  const records = <One>(all: readonly One[], id: (one: One) => string): One[] =>
    all.filter((one) => attachedTo(id(one)) === undefined);
  const changedRecords = records(replaced, ({ before }) => before.externalId);
  const revived = changedRecords.filter(({ before }) => before.deletedAt !== null).length;
  const result: IngestResult = {
    inserted: records(added, ({ parsed }) => parsed.externalId).length + revived,
    updated: changedRecords.length - revived,
    unchanged: unchangedRecords,
    deleted: records(gone, (one) => one.externalId).length,
    rejected: read.rejected,
  };
  await batch.also?.(tx, result);
  return {
    result,
    changed: [...written.map((one) => one.id), ...gone.map((one) => one.id)],
    loose,
  };
}

/**
 * Reads at once and stores in the order of the calls (an org at a time), so that a caller may hand in the
 * next batch while this one is being stored.
 */
export function createIngest(
  parts: Omit<IngestParts, 'documentId'>,
): (org: OrgStore, source: Source, batch: IngestBatch) => Promise<Ingested> {
  const last = new Map<string, Promise<unknown>>();
  const { clock } = parts;
  let lastTime = 0;
  // An id begins with its time. A millisecond apart, ids keep the order in which records of no known time came.
  const documentId = () => {
    lastTime = Math.max(clock.now(), lastTime + 1);
    return newId('doc', lastTime);
  };
  return async (org, source, batch) => {
    const reading = readBatch(parts.reader, batch);
    const before = last.get(org.orgId);
    const storing = (async () => {
      const read = await reading;
      // What went wrong with the batch before is its own caller's to hear.
      await before?.catch(() => undefined);
      return org.write((tx) => store(tx, { org, source, batch, read, parts: { ...parts, documentId } }));
    })();
    last.set(org.orgId, storing);
    try {
      return await storing;
    } finally {
      if (last.get(org.orgId) === storing) last.delete(org.orgId);
    }
  };
}
