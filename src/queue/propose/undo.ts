// What was done is taken back by another action, proposed and decided like any other, that points at the first.
import type { Principal } from '../../auth/principal.ts';
import { DrawbridgeError } from '../../errors.ts';
import type { WriteBase, WriteOutcome } from '../../providers/define.ts';
import { fromJson } from '../../store/codec.ts';
import type { OrgStore } from '../../store/store.ts';
import type { ActionRow } from '../envelope.ts';
import type { Action, ActionOutcome } from '../queue.ts';
import { actionOf, rowOf } from '../read.ts';
import { type QueueRoom, sameOrg } from '../room.ts';
import { propose } from './propose.ts';

type Compensation = NonNullable<WriteBase<unknown>['compensation']>;

/** @throws DrawbridgeError `conflict` where there is nothing that takes it back */
export async function undo(
  room: QueueRoom,
  org: OrgStore,
  principal: Principal,
  actionId: string,
): Promise<{ action: Action; attached: boolean }> {
  sameOrg(org, principal);
  const { row, earlier } = await org.read(async (db) => {
    const found = await undoOf(db, org.orgId, actionId);
    return {
      row: await rowOf(db, org.orgId, actionId),
      earlier: found === undefined ? undefined : await actionOf(db, found),
    };
  });
  if (earlier !== undefined) return { action: earlier, attached: true };
  const done = outcomeOf(row);
  const way = done === undefined ? undefined : await compensationOf(room, org, row);
  const payload = done === undefined ? undefined : way?.payload(JSON.parse(row.payload), done);
  if (done === undefined || way === undefined || payload === undefined) {
    throw new DrawbridgeError(
      'conflict',
      done === undefined
        ? row.erased_at === null
          ? `Action ${actionId} was not done, so there is nothing to take back.`
          : `What action ${actionId} said was erased, so nothing tells what to take back.`
        : `Drawbridge cannot take ${row.operation} back. See to it at the provider.`,
    );
  }
  const { connection_id: connectionId } = row;
  return propose(room, org, principal, { connectionId, operation: way.operation, payload }, actionId);
}

/** One action, with what would take it back. @throws DrawbridgeError `not_found` */
export async function getAction(room: QueueRoom, org: OrgStore, id: string): Promise<Action> {
  const { row, action } = await org.read(async (db) => {
    const found = await rowOf(db, org.orgId, id);
    return { row: found, action: await actionOf(db, found) };
  });
  const title = await undoTitle(room, org, row);
  return title === undefined ? action : { ...action, undo: { title } };
}

/** What taking it back is called; undefined where it cannot be, or is already. */
async function undoTitle(room: QueueRoom, org: OrgStore, row: ActionRow): Promise<string | undefined> {
  const done = outcomeOf(row);
  if (done === undefined) return undefined;
  try {
    const way = await compensationOf(room, org, row);
    if (way?.payload(JSON.parse(row.payload), done) === undefined) return undefined;
    const earlier = await org.read((db) => undoOf(db, org.orgId, row.id));
    return earlier === undefined ? way.title : undefined;
  } catch (error) {
    // The account is gone, or no longer admits writing: that is no failure of showing the action.
    if (error instanceof DrawbridgeError) return undefined;
    throw error;
  }
}

/** The action that takes it back already, or is about to. */
async function undoOf(
  db: Parameters<typeof rowOf>[0],
  orgId: string,
  actionId: string,
): Promise<ActionRow | undefined> {
  return db
    .selectFrom('action_queue')
    .selectAll()
    .where('org_id', '=', orgId)
    .where('undo_of', '=', actionId)
    .where('status', 'in', ['pending', 'approved', 'executing', 'unknown', 'completed'])
    .orderBy('id', 'desc')
    .executeTakeFirst();
}

/** Of an action that the provider is known to have done; what a person merely said, or erased, has no reference. */
function outcomeOf(row: ActionRow): WriteOutcome | undefined {
  if (row.erased_at !== null) return undefined;
  const outcome = row.outcome === null ? undefined : fromJson<ActionOutcome>(row.outcome);
  if (outcome?.kind !== 'completed' || outcome.found === 'said by a person') return undefined;
  const { reference, url, details } = outcome;
  return { reference, details, ...(url === undefined ? {} : { url }) };
}

async function compensationOf(
  room: QueueRoom,
  org: OrgStore,
  row: ActionRow,
): Promise<Compensation | undefined> {
  const connection = await room.connections.get(org, row.connection_id);
  const operation = await room.connections.write(org, connection, row.operation);
  // Another version may mean another payload.
  return operation.version === row.operation_version ? operation.compensation : undefined;
}
