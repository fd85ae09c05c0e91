// The same proposal again joins the action that is there. A key of the caller's own takes the place of the
// comparison, for as long as the action is stored.
import type { Kysely } from 'kysely';
import { DrawbridgeError } from '../../errors.ts';
import type { OrgTables } from '../../store/tables.ts';
import type { ActionRow } from '../envelope.ts';
import { replayMs } from '../room.ts';

export interface Asked {
  /** Of the arguments alone. */
  argumentsHash: string;
  /** As stored: it belongs to one principal. */
  key: string | undefined;
}

/**
 * The action that this proposal already is: one not yet final, or else one that came to an end a moment ago.
 * What expired or was taken back came to no end that could be told again, unless a key asks for that very one.
 * @throws DrawbridgeError `conflict` naming the key that was used for something else
 */
export async function sameProposal(
  db: Kysely<OrgTables>,
  orgId: string,
  { argumentsHash, key }: Asked,
  now: number,
): Promise<ActionRow | undefined> {
  if (key !== undefined) return ofKey(db, orgId, { argumentsHash, key });
  return db
    .selectFrom('action_queue')
    .selectAll()
    .where('org_id', '=', orgId)
    .where((eb) =>
      eb.or([
        eb('arguments_hash', '=', argumentsHash),
        // Proposed when nothing but the arguments was hashed.
        eb.and([eb('arguments_hash', 'is', null), eb('payload_hash', '=', argumentsHash)]),
      ]),
    )
    .where((eb) =>
      eb.or([
        eb.and([eb('status', '=', 'pending'), eb('expires_at', '>', now)]),
        eb('status', 'in', ['approved', 'executing', 'unknown']),
        eb.and([
          eb('status', 'in', ['completed', 'failed', 'rejected']),
          eb('finished_at', '>', now - replayMs),
        ]),
      ]),
    )
    .orderBy('id', 'desc')
    .executeTakeFirst();
}

async function ofKey(
  db: Kysely<OrgTables>,
  orgId: string,
  { argumentsHash, key }: { argumentsHash: string; key: string },
): Promise<ActionRow | undefined> {
  const row = await db
    .selectFrom('action_queue')
    .selectAll()
    .where('org_id', '=', orgId)
    .where('idempotency_key', '=', key)
    .executeTakeFirst();
  if (row === undefined || row.arguments_hash === argumentsHash) return row;
  throw new DrawbridgeError(
    'conflict',
    `idempotencyKey: ${JSON.stringify(given(key))} was used for other arguments, in ${row.id}. Nothing was queued.`,
    { field: 'idempotencyKey' },
  );
}

/** A key as it is stored: two principals may choose the same. */
export function keyOf(by: { kind: string; id: string }, key: string): string {
  return `${by.kind}/${by.id}/${key}`;
}

function given(stored: string): string {
  return stored.split('/').slice(2).join('/');
}
