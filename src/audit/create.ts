// The record of one installation: entries are added in the transaction of what they record, each over the hash
// of the one before. Writers of an org follow one another on both databases, so the chain has one end.
import { randomBytes } from 'node:crypto';
import type { Transaction } from 'kysely';
import { canonicalJson } from '../canonical-json.ts';
import { DrawbridgeError } from '../errors.ts';
import type { OrgStore } from '../store/store.ts';
import type { OrgTables } from '../store/tables.ts';
import { verifyArchive } from './archive.ts';
import type { Audit, AuditEntry, AuditMaker, AuditVerdict, RecordedEntry } from './audit.ts';
import { beginning, commitmentOf, hashEntry } from './chain.ts';
import { cutPurpose, keyOf, signCheckpoint } from './checkpoint.ts';
import { cutRecord } from './cut.ts';
import { eraseValues } from './erase.ts';
import { listEntries } from './list.ts';
import { verifyChain } from './verify.ts';

export interface AuditOptions {
  /** 32 bytes from which the org's signing key is made; read when a checkpoint is signed. */
  signingSeed(orgId: string): Uint8Array;
  /** The same of every master key that is known, the present one too: whose checkpoints are this installation's. */
  knownSeeds(orgId: string): Uint8Array[];
}

export function createAudit(options: AuditOptions): Audit {
  /** Whoever names a key needs none of ours: an auditor's copy has no key file. */
  const believed =
    (orgId: string, trusted: readonly string[]) =>
    (key: string): boolean =>
      trusted.includes(key) || options.knownSeeds(orgId).some((seed) => keyOf(seed).public === key);

  async function mustHold(org: OrgStore): Promise<AuditVerdict> {
    const found = await verify(org);
    if (found.bad === undefined) return found;
    throw new DrawbridgeError(
      'conflict',
      `Entry ${found.bad.seq} of the record does not hold (${found.bad.why}), so nothing was signed.`,
    );
  }

  const verify: Audit['verify'] = async (org, against, trusted = []) => {
    return verifyChain(org, against, believed(org.orgId, trusted));
  };

  return {
    append,
    verify,
    list: listEntries,
    async checkpoint(org) {
      const found = await mustHold(org);
      return signCheckpoint(options.signingSeed(org.orgId), {
        org: org.orgId,
        entries: found.entries,
        head: found.head,
        at: await org.now(),
      });
    },
    async cut(org, { keptMs, folder }) {
      return cutRecord(org, {
        keptMs,
        folder,
        mustHold: async () => void (await mustHold(org)),
        sign: (reached) => signCheckpoint(options.signingSeed(org.orgId), reached, cutPurpose),
        append,
      });
    },
    async verifyArchive(org, lines, trusted = []) {
      const found = verifyArchive(lines, believed(org.orgId, trusted));
      return found.org === org.orgId
        ? found
        : { ...found, bad: { seq: found.from, why: 'the archive is of another org' } };
    },
    async erase(org, subject, by, channel) {
      const at = await org.now();
      return eraseValues(org, subject, (tx, values) =>
        append(tx, org.orgId, at, { kind: 'audit.erased', subject, by, channel, facts: { values } }),
      );
    },
  };
}

/** As both databases give it back: no U+0000, no half of a character. */
function storable(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\uFFFD');
}

function storableBy({ kind, id }: AuditMaker): { kind: string; id: string } {
  return { kind: storable(kind), id: storable(id) };
}

async function append(
  tx: Transaction<OrgTables>,
  orgId: string,
  at: number,
  given: AuditEntry,
): Promise<void> {
  const last = await tx
    .selectFrom('audit_log')
    .select(['seq', 'hash'])
    .where('org_id', '=', orgId)
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst();
  const seq = Number(last?.seq ?? 0) + 1;
  const values = Object.entries({ ...given.values, name: given.by.name }).map(([name, value]) => ({
    org_id: orgId,
    seq,
    name,
    salt: randomBytes(32).toString('hex'),
    value: storable(value),
  }));
  const whole: RecordedEntry = {
    org: orgId,
    seq,
    at,
    kind: storable(given.kind),
    subject: storable(given.subject),
    by: storableBy(given.by),
    channel: storable(given.channel),
    facts: Object.fromEntries(
      Object.entries(given.facts).map(([name, fact]) => [
        name,
        typeof fact === 'string' ? storable(fact) : fact,
      ]),
    ),
    commitments: Object.fromEntries(values.map(({ name, salt, value }) => [name, commitmentOf(salt, value)])),
    prev_hash: last?.hash ?? beginning,
  };
  const entry = canonicalJson(whole);
  await tx
    .insertInto('audit_log')
    .values({
      org_id: orgId,
      seq,
      at,
      kind: whole.kind,
      subject: whole.subject,
      entry,
      prev_hash: whole.prev_hash,
      hash: hashEntry(entry),
    })
    .execute();
  await tx.insertInto('audit_values').values(values).execute();
}
