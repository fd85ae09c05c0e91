// Clients that one record shows to be one: a contact card with both their addresses. The join lasts as long as the
// record says so, and a person who parted them is not overruled.
import type { Transaction } from 'kysely';
import { newId } from '../../ids.ts';
import { toJson } from '../../store/codec.ts';
import type { OrgTables } from '../../store/tables.ts';
import { parts } from '../documents/known-rows.ts';
import { pairOf, rootsOf } from './keys.ts';
import type { Seen } from './people-seen.ts';

type Tx = Transaction<OrgTables>;

export async function joinByRecord(
  tx: Tx,
  given: { orgId: string; now: number; kept: string; other: string; seen: Seen },
): Promise<void> {
  const { orgId, now, kept, other, seen } = given;
  const roots = await rootsOf(tx, orgId, [kept, other]);
  const [into, from] = [roots.get(kept) ?? kept, roots.get(other) ?? other];
  if (into === from) return;
  const pair = pairOf(kept, other);
  const before = await tx
    .selectFrom('client_merges')
    .select(['id', 'kind', 'state', 'decided_by'])
    .where('org_id', '=', orgId)
    .where('pair', '=', pair)
    .execute();
  if (before.some((one) => one.decided_by !== null)) return;
  const open = before.find((one) => one.state === 'proposed');
  if (open !== undefined) {
    await tx.deleteFrom('client_merges').where('org_id', '=', orgId).where('id', '=', open.id).execute();
  }
  const text = `one record names both: ${seen.addresses.slice(0, 4).join(', ')}`;
  await tx
    .insertInto('client_merges')
    .values({
      org_id: orgId,
      id: newId('mrg', now),
      kind: 'merge',
      state: 'accepted',
      client_id: into,
      other_id: from,
      pair,
      rule: 'one record',
      score: 1,
      evidence: toJson([{ text, ...(seen.documentId === undefined ? {} : { documentId: seen.documentId }) }]),
      keys: '[]',
      document_id: seen.documentId ?? null,
      proposed_at: now,
      decided_at: now,
      decided_by: null,
    })
    .execute();
  await tx
    .updateTable('client_intelligence')
    .set({ merged_into: into, updated_at: now })
    .where('org_id', '=', orgId)
    .where('id', '=', from)
    .execute();
}

/** Undoes the joins that these documents made. */
export async function partFromRecords(tx: Tx, orgId: string, documentIds: readonly string[]): Promise<void> {
  for (const some of parts(documentIds, 500)) {
    const joins = await tx
      .selectFrom('client_merges')
      .select(['id', 'client_id', 'other_id', 'state'])
      .where('org_id', '=', orgId)
      .where('document_id', 'in', some)
      .where('decided_by', 'is', null)
      .execute();
    for (const { id, client_id, other_id, state } of joins) {
      if (state === 'accepted') {
        await tx
          .updateTable('client_intelligence')
          .set({ merged_into: null })
          .where('org_id', '=', orgId)
          .where('id', '=', other_id)
          .where('merged_into', '=', client_id)
          .execute();
      }
      await tx.deleteFrom('client_merges').where('org_id', '=', orgId).where('id', '=', id).execute();
    }
  }
}
