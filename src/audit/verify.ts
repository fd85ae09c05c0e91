// Walks the record from its beginning, a page at a time, and names the first entry that does not hold.

import { DrawbridgeError } from '../errors.ts';
import { fromJson } from '../store/codec.ts';
import type { OrgStore } from '../store/store.ts';
import type { OrgTables } from '../store/tables.ts';
import type { AuditCheckpoint, AuditVerdict, RecordedEntry } from './audit.ts';
import { beginning, commitmentOf, hashEntry, readEntry } from './chain.ts';
import { cutPurpose, isSigned, readCheckpoint } from './checkpoint.ts';

type Row = OrgTables['audit_log'];
type Value = OrgTables['audit_values'];

const page = 500;

/** @param isBelieved whether what this public key (base64) signed counts */
export async function verifyChain(
  org: OrgStore,
  against: AuditCheckpoint | undefined,
  isBelieved: (key: string) => boolean,
): Promise<AuditVerdict> {
  const cut = await lastCut(org);
  let entries = cut?.seq ?? 0;
  let head = cut?.head ?? beginning;
  let isCutRecorded = cut === undefined;
  let agreed = against === undefined || (against.entries === entries && against.head === head);
  const verdict = (seq: number, why: string): AuditVerdict => ({
    entries,
    bad: { seq, why },
    head,
    cut: cut?.seq ?? 0,
  });

  if (cut !== undefined) {
    const why = unbelievedCut(org, cut, isBelieved);
    if (why !== undefined) return verdict(cut.seq, why);
  }

  if (against !== undefined) {
    const why = unbelieved(org, against, isBelieved);
    if (why !== undefined) return verdict(against.entries, why);
    if (cut !== undefined && against.entries < cut.seq) {
      return verdict(
        against.entries,
        `cut: entries up to ${cut.seq} went to archives, the last one ${cut.archive}; verify those`,
      );
    }
  }
  // Below every number that an entry may have, so that one slipped in before the first is met.
  for (let after = Number.MIN_SAFE_INTEGER; ; ) {
    const { rows, values } = await readPage(org, after);
    for (const row of rows) {
      const why =
        faultOf(org.orgId, row, { seq: entries + 1, head }) ?? faultOfValues(row, values.get(row.seq) ?? []);
      if (why !== undefined) return verdict(Math.min(row.seq, entries + 1), why);
      entries = row.seq;
      head = row.hash;
      isCutRecorded ||= recordsCut(row, cut);
      if (against?.entries === entries) {
        if (against.head !== head) return verdict(entries, 'rebuilt: the checkpoint has another hash here');
        agreed = true;
      }
    }
    const last = rows.at(-1);
    if (last === undefined) break;
    after = last.seq;
  }
  if (!agreed && against !== undefined) {
    return verdict(
      entries + 1,
      `missing: the checkpoint has ${against.entries} entries, here are ${entries}`,
    );
  }
  if (!isCutRecorded && cut !== undefined) {
    return verdict(cut.seq + 1, 'missing: no entry records that what stood before it was cut off');
  }
  const stray = await strayValue(org, { first: cut?.seq ?? 0, last: entries });
  return stray === undefined
    ? { entries, bad: undefined, head, cut: cut?.seq ?? 0 }
    : verdict(stray, 'missing: only its values are there');
}

/** Why a checkpoint says nothing about this record, or undefined. */
function unbelieved(
  org: OrgStore,
  against: AuditCheckpoint,
  isBelieved: (key: string) => boolean,
): string | undefined {
  if (against.org !== org.orgId) return 'the checkpoint is of another org';
  if (!isSigned(against)) return 'the checkpoint was altered: its signature does not hold';
  if (!isBelieved(against.publicKey)) {
    return `the checkpoint is signed by a key that is not this installation’s (${against.publicKey})`;
  }
  return undefined;
}

interface Cut {
  seq: number;
  head: string;
  archive: string;
  /** Undefined: what stands there is none. */
  signed: AuditCheckpoint | undefined;
}

/** Where the record begins, if its front was cut off. */
async function lastCut(org: OrgStore): Promise<Cut | undefined> {
  const row = await org.read((db) =>
    db
      .selectFrom('audit_cuts')
      .selectAll()
      .where('org_id', '=', org.orgId)
      .orderBy('seq', 'desc')
      .limit(1)
      .executeTakeFirst(),
  );
  if (row === undefined) return undefined;
  const { seq, archive } = row;
  try {
    const signed = readCheckpoint(row.checkpoint);
    return { seq, head: signed.head, archive, signed };
  } catch (thrown) {
    if (!(thrown instanceof DrawbridgeError)) throw thrown;
    return { seq, head: beginning, archive, signed: undefined };
  }
}

/** Attack: somebody takes the front away and writes a cut, or an old checkpoint, in its place. */
function unbelievedCut(
  org: OrgStore,
  { seq, signed }: Cut,
  isBelieved: (key: string) => boolean,
): string | undefined {
  if (signed === undefined || !isSigned(signed, cutPurpose)) {
    return 'cut off before the next entry, and the signature for that does not hold';
  }
  if (signed.org !== org.orgId || signed.entries !== seq) return 'cut off by a signature for something else';
  return isBelieved(signed.publicKey)
    ? undefined
    : `cut off under a key that is not this installation’s (${signed.publicKey})`;
}

function recordsCut(row: Row, cut: Cut | undefined): boolean {
  if (cut === undefined || row.kind !== 'audit.cut') return false;
  const { facts } = fromJson<RecordedEntry>(row.entry);
  return facts['upto'] === cut.seq && facts['head'] === cut.head;
}

function faultOf(orgId: string, row: Row, expected: { seq: number; head: string }): string | undefined {
  if (row.seq > expected.seq) return 'missing';
  if (row.seq < expected.seq) return 'out of order: it stands before the first entry';
  if (hashEntry(row.entry) !== row.hash) return 'changed: its hash is another';
  const entry = readEntry(row.entry);
  if (entry === undefined) return 'changed: it is no entry';
  if (entry.seq !== row.seq) return `out of order: it was written as entry ${entry.seq}`;
  if (entry.prev_hash !== expected.head || row.prev_hash !== expected.head) {
    return 'fork: it does not follow the entry before it';
  }
  const same =
    entry.org === orgId && entry.at === row.at && entry.kind === row.kind && entry.subject === row.subject;
  return same ? undefined : 'changed: its columns say something else';
}

function faultOfValues(row: Row, values: readonly Value[]): string | undefined {
  const { commitments } = fromJson<RecordedEntry>(row.entry);
  for (const { name, salt, value } of values) {
    const committed = Object.hasOwn(commitments, name) ? commitments[name] : undefined;
    if (committed !== commitmentOf(salt, value)) return `changed: its value "${name}" is another`;
  }
  return undefined;
}

async function readPage(
  org: OrgStore,
  after: number,
): Promise<{ rows: Row[]; values: Map<number, Value[]> }> {
  return org.read(async (db) => {
    const rows = await db
      .selectFrom('audit_log')
      .selectAll()
      .where('org_id', '=', org.orgId)
      .where('seq', '>', after)
      .orderBy('seq')
      .limit(page)
      .execute();
    const [first, last] = [rows[0], rows.at(-1)];
    if (first === undefined || last === undefined) return { rows, values: new Map() };
    const found = await db
      .selectFrom('audit_values')
      .selectAll()
      .where('org_id', '=', org.orgId)
      .where('seq', '>=', first.seq)
      .where('seq', '<=', last.seq)
      .execute();
    const values = new Map<number, Value[]>();
    for (const value of found) values.set(value.seq, [...(values.get(value.seq) ?? []), value]);
    return { rows, values };
  });
}

/** A value beyond the last entry, or before the first: what it belonged to was taken away by somebody who forgot it. */
async function strayValue(org: OrgStore, kept: { first: number; last: number }): Promise<number | undefined> {
  const row = await org.read((db) =>
    db
      .selectFrom('audit_values')
      .select('seq')
      .where('org_id', '=', org.orgId)
      .where((e) => e.or([e('seq', '>', kept.last), e('seq', '<=', kept.first)]))
      .orderBy('seq')
      .limit(1)
      .executeTakeFirst(),
  );
  return row?.seq;
}
