// A person's word on whether two clients are one, as it is stored. What was proposed or decided before of the same pair
// is answered by it.
import type { Transaction } from 'kysely';
import { newId } from '../../ids.ts';
import { toJson } from '../../store/codec.ts';
import type { OrgTables } from '../../store/tables.ts';
import { pairOf } from './keys.ts';
import type { Evidence } from './proposals.ts';

export async function newMerge(
  tx: Transaction<OrgTables>,
  given: {
    orgId: string;
    at: number;
    kind: 'merge' | 'split';
    clientId: string;
    otherId: string;
    rule: string;
    evidence: Evidence[];
    keys: readonly string[];
    by: string;
  },
): Promise<OrgTables['client_merges']> {
  const { orgId, at, kind, clientId, otherId, rule, evidence, keys, by } = given;
  const pair = pairOf(clientId, otherId);
  await tx
    .deleteFrom('client_merges')
    .where('org_id', '=', orgId)
    .where('pair', '=', pair)
    .where('state', '=', 'proposed')
    .execute();
  const row = {
    org_id: orgId,
    id: newId('mrg', at),
    kind,
    state: 'accepted' as const,
    client_id: clientId,
    other_id: otherId,
    pair,
    rule,
    score: 1,
    evidence: toJson(evidence),
    keys: toJson(keys),
    document_id: null,
    proposed_at: at,
    decided_at: at,
    decided_by: by,
  };
  await tx.insertInto('client_merges').values(row).execute();
  return row;
}
