// Retention: entries that are older than they have to be kept leave the front of the record. They are verified,
// exported and signed for first, and that they went is itself an entry; what is left verifies from there.
import type { Transaction } from 'kysely';
import { canonicalJson } from '../canonical-json.ts';
import { newToken } from '../ids.ts';
import { deleteCutEntries } from '../store/cut-audit.ts';
import { acquireLease, releaseLease } from '../store/lease.ts';
import type { OrgStore } from '../store/store.ts';
import type { OrgTables } from '../store/tables.ts';
import { writeArchive } from './archive.ts';
import type { AuditCheckpoint, AuditEntry } from './audit.ts';
import { beginning } from './chain.ts';

const day = 24 * 3_600_000;
/** A cut a month is enough, but where there is more to let go of than one takes. */
const everyMs = 30 * day;
/** One transaction deletes so many. */
const mostEntries = 10_000;
const leaseMs = 10 * 60_000;

export interface CutParts {
  /** Milliseconds that entries are kept. */
  keptMs: number;
  /** Folder of the exports. */
  folder: string;
  /** @throws DrawbridgeError `conflict` when the record does not hold */
  mustHold(): Promise<void>;
  sign(reached: { org: string; entries: number; head: string; at: number }): AuditCheckpoint;
  append(tx: Transaction<OrgTables>, orgId: string, at: number, entry: AuditEntry): Promise<void>;
}

/** One cut, where one is due. @returns the number of entries that went */
export async function cutRecord(org: OrgStore, parts: CutParts): Promise<number> {
  // Looked at before the lease is asked for: nearly always there is nothing to do.
  if ((await dueIn(org, parts.keptMs)) === undefined) return 0;
  const lease = await acquireLease(org, { name: 'audit-cut', owner: newToken(12), ttlMs: leaseMs });
  if (lease === undefined) return 0;
  try {
    const due = await dueIn(org, parts.keptMs);
    if (due === undefined) return 0;
    await parts.mustHold();
    const { from, to, prevHash, head } = due;
    const at = await org.now();
    const cut = parts.sign({ org: org.orgId, entries: to, head, at });
    const archive = await writeArchive(org, parts.folder, { org: org.orgId, from, to, prevHash, head }, cut);
    await org.write(async (tx) => {
      await tx
        .insertInto('audit_cuts')
        .values({
          org_id: org.orgId,
          seq: to,
          at,
          checkpoint: canonicalJson(cut),
          archive: archive.name,
          archive_hash: archive.hash,
        })
        .execute();
      await parts.append(tx, org.orgId, at, {
        kind: 'audit.cut',
        subject: 'audit',
        by: { kind: 'clock', id: 'retention', name: 'Retention' },
        channel: 'clock',
        facts: { upto: to, head, entries: to - from + 1, archive: archive.name, archiveHash: archive.hash },
      });
      await deleteCutEntries(tx, org, to);
    });
    return to - from + 1;
  } finally {
    await releaseLease(org, lease);
  }
}

interface Due {
  from: number;
  to: number;
  prevHash: string;
  head: string;
}

/** The front of the record that is old enough, to its last entry before a younger one. */
async function dueIn(org: OrgStore, keptMs: number): Promise<Due | undefined> {
  const now = await org.now();
  const limit = now - keptMs;
  return org.read(async (db) => {
    const entries = db.selectFrom('audit_log').where('org_id', '=', org.orgId);
    const first = await entries.select(['seq', 'at']).orderBy('seq').limit(1).executeTakeFirst();
    if (first === undefined || first.at >= limit) return undefined;
    const cut = await db
      .selectFrom('audit_cuts')
      .select(['at'])
      .where('org_id', '=', org.orgId)
      .orderBy('seq', 'desc')
      .limit(1)
      .executeTakeFirst();
    const young = await entries
      .select((e) => e.fn.min('seq').as('seq'))
      .where('at', '>=', limit)
      .executeTakeFirst();
    const newest = await entries.select((e) => e.fn.max('seq').as('seq')).executeTakeFirst();
    const beforeYoung = young?.seq === null || young?.seq === undefined ? undefined : Number(young.seq) - 1;
    const old = beforeYoung ?? Number(newest?.seq ?? 0);
    const from = first.seq;
    const to = Math.min(old, from + mostEntries - 1);
    const isFull = to - from + 1 === mostEntries;
    if (to < from || (cut !== undefined && !isFull && cut.at > now - everyMs)) return undefined;
    const [start, end] = await Promise.all([hashesOf(db, org.orgId, from), hashesOf(db, org.orgId, to)]);
    return { from, to, prevHash: start?.prev_hash ?? beginning, head: end?.hash ?? beginning };
  });
}

async function hashesOf(db: Parameters<Parameters<OrgStore['read']>[0]>[0], orgId: string, seq: number) {
  return db
    .selectFrom('audit_log')
    .select(['hash', 'prev_hash'])
    .where('org_id', '=', orgId)
    .where('seq', '=', seq)
    .executeTakeFirst();
}
