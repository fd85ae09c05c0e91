// A principal proposes so much a minute: whoever decides must be able to read it.
import type { Kysely } from 'kysely';
import { DrawbridgeError } from '../../errors.ts';
import { newId } from '../../ids.ts';
import { fromJson } from '../../store/codec.ts';
import type { OrgTables } from '../../store/tables.ts';
import type { Mover } from '../moves.ts';
import { type QueueRoom, seconds } from '../room.ts';

const minute = 60 * seconds;

/** @throws DrawbridgeError `rate_limited` with `retryAfterMs` when this one would be too many */
export async function checkRate(
  room: Pick<QueueRoom, 'proposalsPerMinute'>,
  db: Kysely<OrgTables>,
  orgId: string,
  by: Mover,
  now: number,
): Promise<void> {
  const most = room.proposalsPerMinute;
  if (!Number.isFinite(most)) return;
  const rows = await db
    .selectFrom('action_queue')
    .select(['proposed_at', 'proposed_by'])
    .where('org_id', '=', orgId)
    // Ids begin with their time.
    .where('id', '>', newId('act', now - minute - 1))
    .where('proposed_at', '>', now - minute)
    // What was proposed before the clock went back counts no longer.
    .where('proposed_at', '<=', now)
    .orderBy('id', 'desc')
    .execute();
  // By id: a client may call itself something else each time.
  const own = rows.filter(({ proposed_by }) => {
    const { kind, id } = fromJson<Mover>(proposed_by);
    return kind === by.kind && id === by.id;
  });
  const oldest = own[most - 1];
  if (oldest === undefined) return;
  const retryAfterMs = oldest.proposed_at + minute - now;
  throw new DrawbridgeError(
    'rate_limited',
    `At most ${most} proposals a minute are taken, so that people can read them; the next in ${Math.ceil(retryAfterMs / seconds)} s. Nothing was queued.`,
    { retryAfterMs },
  );
}
