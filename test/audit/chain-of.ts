// A record over a test's database: an audit with keys of its own, and entries to fill it with.
import { createHash } from 'node:crypto';
import type { Audit, AuditEntry } from '../../src/audit/audit.ts';
import { createAudit } from '../../src/audit/create.ts';
import type { OrgStore } from '../../src/store/store.ts';

/** An audit whose keys come from `master`; `former`: master keys from before. */
export function auditWith(master = 'master', former: readonly string[] = []): Audit {
  const seed = (text: string, orgId: string) => createHash('sha256').update(`${text}/${orgId}`).digest();
  return createAudit({
    signingSeed: (orgId) => seed(master, orgId),
    knownSeeds: (orgId) => [master, ...former].map((text) => seed(text, orgId)),
  });
}

export const pat = { kind: 'person', id: 'mem_1', name: 'Pat Example' };

export function entry(n: number, more: Partial<AuditEntry> = {}): AuditEntry {
  return {
    kind: 'action.proposed',
    subject: `act_${n}`,
    by: pat,
    channel: 'terminal',
    facts: { hash: `hash ${n}`, version: n, final: false, reason: null },
    values: { summary: `Letter to bo${n}@b.example` },
    ...more,
  };
}

/** `count` entries, each in a transaction of its own. */
export async function fill(audit: Audit, org: OrgStore, count: number): Promise<void> {
  for (let n = 1; n <= count; n += 1) {
    await org.write((tx) => audit.append(tx, org.orgId, 1_700_000_000_000 + n, entry(n)));
  }
}
