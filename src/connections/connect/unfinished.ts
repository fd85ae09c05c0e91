// An account that a person is being asked for at its provider: the row that waits for them, taken back when they do
// not come or nothing comes of it.
import { DrawbridgeError } from '../../errors.ts';
import { newId } from '../../ids.ts';
import type { Provider } from '../../providers/define.ts';
import type { OrgStore } from '../../store/store.ts';
import { assertPlace, type Plan, readAllowance } from '../plan.ts';
import { isUnfinished, rowById, unfinishedAccount, unfinishedRows, waitingRow } from '../rows.ts';
import { move, type Recorder } from '../states.ts';
import { insertPending, remove } from './connect.ts';
import { authorizationLivesMs } from './state.ts';

/** The row that waits for the person: the connection that is authorised anew, or one without an account yet. */
export async function begin(
  org: OrgStore,
  parts: Recorder & { plan: Plan },
  provider: Provider,
  given: { reconnect: string | undefined; at: number },
): Promise<string> {
  const { reconnect, at } = given;
  await sweepUnfinished(org, { audit: parts.audit }, at);
  return org.write(async (tx) => {
    const step = { orgId: org.orgId, at };
    if (reconnect !== undefined) {
      const row = await rowById(tx, org.orgId, reconnect);
      if (row === undefined || row.provider !== provider.id || isUnfinished(row)) {
        throw new DrawbridgeError('not_found', `There is no such account of ${provider.title}.`, {
          field: 'account',
        });
      }
      // What still works goes on working until the person is back.
      if (row.state === 'EXPIRED') {
        const reason = 'a person authorises it again';
        await move(parts, tx, { ...step, id: row.id, from: 'EXPIRED', to: 'AUTHORIZING', reason });
      }
      return row.id;
    }
    const another = await tx
      .selectFrom('connected_sources')
      .select('id')
      .where('org_id', '=', org.orgId)
      .where('provider', '=', provider.id)
      .where('account', 'not like', 'unfinished:%')
      .where('state', 'not in', ['REVOKED', 'DELETED'])
      .executeTakeFirst();
    // Where the provider has an account already it may be the same one again, which takes no place.
    if (another === undefined) assertPlace(await readAllowance(tx, org.orgId, parts.plan));
    // Who begins again has left the beginning before: one waits for both, whichever way back is taken.
    const left = await waitingRow(tx, org.orgId, provider.id);
    if (left !== undefined) {
      await tx
        .updateTable('connected_sources')
        .set({ updated_at: at })
        .where('org_id', '=', org.orgId)
        .where('id', '=', left.id)
        .execute();
      return left.id;
    }
    const id = newId('con', at);
    const label = `${provider.title}, not finished`;
    await insertPending(parts, tx, {
      ...step,
      id,
      provider: provider.id,
      account: unfinishedAccount(id),
      label,
      fields: {},
    });
    const reason = 'a person is at the provider';
    await move(parts, tx, { ...step, id, from: 'PENDING', to: 'AUTHORIZING', reason });
    return id;
  });
}

/** Takes back what was begun: the beginning goes, the connection that expired has expired. */
export async function abandon(
  org: OrgStore,
  recorder: Recorder,
  id: string,
  { reason, at }: { reason: string; at: number },
): Promise<void> {
  await org.write(async (tx) => {
    const row = await rowById(tx, org.orgId, id);
    if (row?.state !== 'AUTHORIZING') return;
    const step = { orgId: org.orgId, id, reason, at };
    if (isUnfinished(row)) await remove(recorder, tx, step, row.state);
    else await move(recorder, tx, { ...step, from: 'AUTHORIZING', to: 'EXPIRED' });
  });
}

/** Ends authorizations that nobody came back from in time. */
export async function sweepUnfinished(org: OrgStore, recorder: Recorder, at: number): Promise<void> {
  const left = await org.read((db) => unfinishedRows(db, org.orgId, at - authorizationLivesMs));
  for (const { id } of left)
    await abandon(org, recorder, id, { reason: 'nobody came back from the provider', at });
}
