// Walks the record from its beginning, a page at a time, and names the first entry that does not hold.
import { canonicalJson } from '../canonical-json.ts';
import { fromJson } from '../store/codec.ts';
import type { OrgStore } from '../store/store.ts';
import type { OrgTables } from '../store/tables.ts';
import type { AuditCheckpoint, AuditVerdict, RecordedEntry } from './audit.ts';
import { beginning, commitmentOf, hashEntry } from './chain.ts';
import { isSigned } from './checkpoint.ts';

type Row = OrgTables['audit_log'];
type Value = OrgTables['audit_values'];

const page = 500;

/** @param trusted public keys whose checkpoints are believed */
export async function verifyChain(
  org: OrgStore,
  against: AuditCheckpoint | undefined,
  trusted: readonly string[],
): Promise<AuditVerdict> {
  let entries = 0;
  let head = beginning;
  let agreed = against === undefined || (against.entries === 0 && against.head === beginning);
  const verdict = (seq: number, why: string): AuditVerdict => ({ entries, bad: { seq, why }, head });

  if (against !== undefined) {
    const why = unbelieved(org, against, trusted);
    if (why !== undefined) return verdict(against.entries, why);
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
  const stray = await strayValue(org, entries);
  return stray === undefined
    ? { entries, bad: undefined, head }
    : verdict(stray, 'missing: only its values are there');
}

/** Why a checkpoint says nothing about this record, or undefined. */
function unbelieved(org: OrgStore, against: AuditCheckpoint, trusted: readonly string[]): string | undefined {
  if (against.org !== org.orgId) return 'the checkpoint is of another org';
  if (!isSigned(against)) return 'the checkpoint was altered: its signature does not hold';
  if (!trusted.includes(against.publicKey)) {
    return `the checkpoint is signed by a key that is not this installation’s (${against.publicKey})`;
  }
  return undefined;
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

/** The entry of a text whose hash held: whoever rebuilt it may have written anything. */
function readEntry(text: string): RecordedEntry | undefined {
  try {
    const entry = fromJson<Partial<RecordedEntry> | null>(text);
    const whole = typeof entry?.commitments === 'object' && entry.commitments !== null;
    return whole && canonicalJson(entry) === text ? (entry as RecordedEntry) : undefined;
  } catch {
    return undefined;
  }
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

/** A value beyond the last entry: what it belonged to was cut off by somebody who forgot it. */
async function strayValue(org: OrgStore, entries: number): Promise<number | undefined> {
  const row = await org.read((db) =>
    db
      .selectFrom('audit_values')
      .select('seq')
      .where('org_id', '=', org.orgId)
      .where('seq', '>', entries)
      .orderBy('seq')
      .limit(1)
      .executeTakeFirst(),
  );
  return row?.seq;
}
