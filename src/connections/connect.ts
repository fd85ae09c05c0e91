// Connecting: a real log-in first, then the connection and its sealed credentials in one transaction. The
// same account again keeps its id, and with it its records. Disconnecting removes the credentials at once.
import type { Transaction } from 'kysely';
import type { Vault } from '../auth/vault.ts';
import type { Clock } from '../clock.ts';
import { DrawbridgeError } from '../errors.ts';
import { newId } from '../ids.ts';
import { toJson } from '../store/codec.ts';
import type { OrgStore } from '../store/store.ts';
import type { ConnectionState, OrgTables } from '../store/tables.ts';
import { removeSecrets, storeSecrets } from './credentials.ts';
import type { Checked } from './given.ts';
import { rowByAccount, rowById } from './rows.ts';
import { move, writeEvent } from './states.ts';

export interface Verified extends Checked {
  provider: string;
  /** The provider's own id of the account, and what a person reads. */
  account: string;
  label: string;
}

/** The road to ACTIVE from each state in which a connection can stand. */
const roads: Partial<Record<ConnectionState, readonly ConnectionState[]>> = {
  PENDING: ['AUTHORIZING', 'CONNECTED', 'ACTIVE'],
  AUTHORIZING: ['CONNECTED', 'ACTIVE'],
  CONNECTED: ['ACTIVE'],
  ACTIVE: [],
  DEGRADED: ['ACTIVE'],
  ERROR: ['ACTIVE'],
  EXPIRED: ['AUTHORIZING', 'CONNECTED', 'ACTIVE'],
};

/** Stores a verified account as ACTIVE; returns the connection's id. */
export async function storeConnection(
  org: OrgStore,
  { vault, clock }: { vault: Vault; clock: Clock },
  verified: Verified,
): Promise<string> {
  const at = clock.now();
  return org.write(async (tx) => {
    const { id, state } = await beginOrFind(tx, org.orgId, verified, at);
    await tx
      .updateTable('connected_sources')
      .set({ label: verified.label, fields: toJson(verified.fields), last_error: null, updated_at: at })
      .where('org_id', '=', org.orgId)
      .where('id', '=', id)
      .execute();
    await storeSecrets(tx, vault, { orgId: org.orgId, connectionId: id, at }, verified.secrets);
    const road = roads[state];
    if (road === undefined) throw new DrawbridgeError('conflict', `A connection that is ${state} stays so.`);
    let from = state;
    for (const to of road) {
      await move(tx, { orgId: org.orgId, id, from, to, reason: 'connected by a person', at });
      from = to;
    }
    if (road.length === 0) {
      await writeEvent(tx, { orgId: org.orgId, id, from, to: from, reason: 'credentials renewed', at });
    }
    return id;
  });
}

async function beginOrFind(
  tx: Transaction<OrgTables>,
  orgId: string,
  verified: Verified,
  at: number,
): Promise<{ id: string; state: ConnectionState }> {
  const known = await rowByAccount(tx, orgId, verified.provider, verified.account);
  if (known !== undefined && known.state !== 'REVOKED') return known;
  // A revoked connection is not taken up again: it goes, and the account begins anew.
  if (known !== undefined)
    await move(tx, { orgId, id: known.id, from: 'REVOKED', to: 'DELETED', reason: 'replaced', at });
  const id = newId('con', at);
  const begun = await tx
    .insertInto('connected_sources')
    .values({
      org_id: orgId,
      id,
      provider: verified.provider,
      account: verified.account,
      label: verified.label,
      state: 'PENDING',
      fields: toJson(verified.fields),
      mcp_server_url: null,
      last_sync_at: null,
      last_error: null,
      created_at: at,
      updated_at: at,
    })
    .onConflict((account) => account.doNothing())
    .executeTakeFirst();
  if (begun.numInsertedOrUpdatedRows === 0n) {
    // On PostgreSQL another process may have connected the same account since the look-up.
    const other = await rowByAccount(tx, orgId, verified.provider, verified.account);
    if (other === undefined)
      throw new DrawbridgeError('conflict', 'The account is being connected already. Try again.');
    return other;
  }
  await writeEvent(tx, { orgId, id, from: null, to: 'PENDING', reason: null, at });
  return { id, state: 'PENDING' };
}

/** Revokes and deletes: the credentials are gone with the same transaction. @throws DrawbridgeError `not_found` */
export async function removeConnection(org: OrgStore, clock: Clock, id: string): Promise<void> {
  const at = clock.now();
  await org.write(async (tx) => {
    const row = await rowById(tx, org.orgId, id);
    if (row === undefined) throw new DrawbridgeError('not_found', `There is no connection ${id}.`);
    const step = { orgId: org.orgId, id, reason: 'disconnected by a person', at };
    await removeSecrets(tx, org.orgId, id);
    if (row.state !== 'REVOKED') await move(tx, { ...step, from: row.state, to: 'REVOKED' });
    await move(tx, { ...step, from: 'REVOKED', to: 'DELETED' });
  });
}
