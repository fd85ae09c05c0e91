// Which hits of an answer informed a section of an output: kept once, and only what the answer held.
import type { Principal } from '../../auth/principal.ts';
import { DrawbridgeError } from '../../errors.ts';
import { newId } from '../../ids.ts';
import { fromJson, toJson } from '../../store/codec.ts';
import type { OrgStore } from '../../store/store.ts';
import { makerOf } from './maker.ts';
import type { ReceiptItem, Used } from './receipts.ts';

const outputShape = /^[A-Za-z0-9_-]{1,64}$/u;

/** The ids of the attributions. The answer's receipt is stored by then. @throws DrawbridgeError as `Receipts.record` says */
export async function attribute(org: OrgStore, by: Principal, used: Used): Promise<string[]> {
  const at = await org.now();
  return org.write(async (tx) => {
    const receipt = await tx
      .selectFrom('answer_receipts')
      .select(['items', 'by'])
      .where('org_id', '=', org.orgId)
      .where('id', '=', used.receiptId)
      .executeTakeFirst();
    if (receipt === undefined) {
      throw new DrawbridgeError(
        'not_found',
        'receiptId: no answer of the last 90 days has this receipt. Search again and use the one that comes with the answer.',
        { field: 'receiptId' },
      );
    }
    const items = fromJson<ReceiptItem[]>(receipt.items);
    const chosen = [...new Set(used.hits)].map((hit, i) => {
      const item = items[hit - 1];
      if (item !== undefined) return item;
      throw new DrawbridgeError(
        'invalid_request',
        `used.${i}: that answer had ${items.length} hits; ${hit} is none of them.`,
        { field: `used.${i}` },
      );
    });
    await tx
      .insertInto('outputs')
      .values({
        org_id: org.orgId,
        id: used.outputId,
        title: used.title ?? used.outputId,
        by: makerOf(by),
        at,
      })
      .onConflict((conflict) =>
        used.title === undefined
          ? conflict.doNothing()
          : conflict.columns(['org_id', 'id']).doUpdateSet({ title: used.title }),
      )
      .execute();
    const known = await tx
      .selectFrom('source_attribution')
      .select(['id', 'chunk_id', 'fact_id', 'brain_id', 'content_hash'])
      .where('org_id', '=', org.orgId)
      .where('output_id', '=', used.outputId)
      .where('section', '=', used.section)
      .where('agent_role', '=', used.role)
      .execute();
    const ids: string[] = [];
    for (const item of chosen) {
      const target = columnsOf(item);
      const same = known.find(
        (row) =>
          row.content_hash === item.contentHash &&
          row.chunk_id === target.chunk_id &&
          row.fact_id === target.fact_id &&
          row.brain_id === target.brain_id,
      );
      if (same !== undefined) {
        ids.push(same.id);
        continue;
      }
      const id = newId('att', at);
      await tx
        .insertInto('source_attribution')
        .values({
          org_id: org.orgId,
          id,
          output_id: used.outputId,
          section: used.section,
          agent_role: used.role,
          ...target,
          document_id: item.documentId ?? null,
          receipt_id: used.receiptId,
          scores: toJson(item.scores),
          content_hash: item.contentHash,
          verified_at: item.verifiedAt,
          used_at: at,
          by: makerOf(by),
        })
        .execute();
      ids.push(id);
    }
    return ids;
  });
}

/** @throws DrawbridgeError `invalid_request` naming the field */
export function checkUsed({ outputId, section, role, hits }: Used): void {
  const refuse = (field: string, text: string) => {
    throw new DrawbridgeError('invalid_request', `${field}: ${text}`, { field });
  };
  if (!outputShape.test(outputId))
    refuse('output', 'must be 1 to 64 letters, digits, "-" or "_", such as brief-keller-2026-03.');
  if (section.trim() === '' || section.length > 200) refuse('section', 'must be 1 to 200 characters.');
  if (role.trim() === '' || role.length > 60) refuse('role', 'must be 1 to 60 characters.');
  if (hits.length === 0) refuse('used', 'name at least one hit of the answer, by its number.');
}

function columnsOf({ target }: ReceiptItem) {
  return {
    chunk_id: 'chunkId' in target ? target.chunkId : null,
    fact_id: 'factId' in target ? target.factId : null,
    brain_id: 'brainId' in target ? target.brainId : null,
  };
}
