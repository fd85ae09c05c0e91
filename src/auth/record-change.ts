// Changes in the control tables, entered in the org's own record. The two are different databases where
// Drawbridge is embedded, so the entry is a transaction of its own.
import type { Audit, AuditEntry, AuditMaker } from '../audit/audit.ts';
import type { Store } from '../store/store.ts';
import type { Principal } from './principal.ts';

/** Where a change is recorded, and who makes it by which road. */
export interface ChangeRecord {
  audit: Pick<Audit, 'append'>;
  by: AuditMaker;
  channel: string;
}

/** A principal as the record names it. */
export function makerOf(principal: Principal): AuditMaker {
  const id = principal.kind === 'person' ? principal.memberId : principal.agentId;
  return { kind: principal.kind, id, name: principal.name };
}

/** Nothing where no record is kept. */
export async function recordChange(
  store: Store,
  orgId: string,
  record: ChangeRecord | undefined,
  change: Omit<AuditEntry, 'by' | 'channel'>,
): Promise<void> {
  if (record === undefined) return;
  const { audit, by, channel } = record;
  const org = await store.forOrg(orgId);
  const at = await org.now();
  await org.write((tx) => audit.append(tx, orgId, at, { ...change, by, channel }));
}
