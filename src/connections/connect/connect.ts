// Storing what was verified: the connection and its sealed credentials in one transaction. The same account
// again keeps its id, and with it its records. Disconnecting removes the credentials at once.
import type { Transaction } from 'kysely';
import type { Vault } from '../../auth/vault.ts';
import type { Clock } from '../../clock.ts';
import { DrawbridgeError } from '../../errors.ts';
import { newId } from '../../ids.ts';
import { isOwn } from '../../providers/own.ts';
import { toJson } from '../../store/codec.ts';
import type { OrgStore } from '../../store/store.ts';
import type { ConnectionState, OrgTables } from '../../store/tables.ts';
import { removeSecrets, storeSecrets } from '../credentials.ts';
import { type Plan, takePlace } from '../plan.ts';
import { type ConnectionRow, isUnfinished, rowByAccount, rowById } from '../rows.ts';
import { move, type Recorder, writeEvent } from '../states.ts';
import { removeAges, storeAges, type TokenAges, tokenFields } from '../tokens/grant.ts';
import type { Checked } from './given.ts';

export interface Verified extends Checked {
  provider: string;
  /** The provider's own id of the account, and what a person reads. */
  account: string;
  label: string;
  /** Reached by the provider's own MCP server instead of its API. */
  mcpServerUrl?: string | undefined;
  /** What agents may do with it. Default: read, and propose. */
  access?: 'read' | 'write';
  /** Of an account that was authorised in a browser. */
  authorised?: {
    /** The row that waits for it: a beginning without an account, or the connection that is authorised anew. */
    connectionId: string;
    ages: TokenAges;
  };
}

interface Parts extends Recorder {
  vault: Vault;
  clock: Clock;
  plan: Plan;
}

const connected = 'connected by a person';
const renewed = 'credentials renewed';
/** Reasons of the event that ends a person's connecting. */
export const doneByPerson: ReadonlySet<string> = new Set([connected, renewed]);

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

/**
 * Stores a verified account as ACTIVE; returns the connection's id.
 * @throws DrawbridgeError `quota_exhausted` when it is a new one and the plan has no place left
 */
export async function storeConnection(org: OrgStore, parts: Parts, verified: Verified): Promise<string> {
  const { vault, clock } = parts;
  const at = clock.now();
  await vault.open(org);
  return org.write(async (tx) => {
    const { id, state } = await rowFor(tx, org.orgId, verified, { ...parts, at });
    await tx
      .updateTable('connected_sources')
      .set({
        account: verified.account,
        label: verified.label,
        fields: toJson(verified.fields),
        mcp_server_url: verified.mcpServerUrl ?? null,
        access: verified.access ?? 'write',
        last_error: null,
        updated_at: at,
      })
      .where('org_id', '=', org.orgId)
      .where('id', '=', id)
      .execute();
    await replaceSecrets(tx, vault, { orgId: org.orgId, connectionId: id, at }, verified.secrets);
    const ages = verified.authorised?.ages;
    if (ages === undefined) await removeAges(tx, org.orgId, id);
    else await storeAges(tx, org.orgId, id, ages);
    const road = roads[state];
    if (road === undefined) throw new DrawbridgeError('conflict', `A connection that is ${state} stays so.`);
    let from = state;
    for (const to of road) {
      const reached = to === 'CONNECTED' ? (ages?.obtainedAt ?? at) : at;
      await move(parts, tx, { orgId: org.orgId, id, from, to, reason: connected, at: reached });
      from = to;
    }
    if (road.length === 0) {
      await writeEvent(parts, tx, { orgId: org.orgId, id, from, to: from, reason: renewed, at });
    }
    await adoptRecords(tx, org.orgId, { provider: verified.provider, account: verified.account, id });
    return id;
  });
}

/**
 * What an account left in memory when it was disconnected belongs to it again: the first sync then finds what
 * changed, instead of bringing everything a second time.
 */
async function adoptRecords(
  tx: Transaction<OrgTables>,
  orgId: string,
  { provider, account, id }: { provider: string; account: string; id: string },
): Promise<void> {
  const former = await tx
    .selectFrom('connected_sources')
    .select('id')
    .where('org_id', '=', orgId)
    .where('provider', '=', provider)
    .where('account', '=', account)
    .where('state', '=', 'DELETED')
    .orderBy('updated_at', 'desc')
    .execute();
  const last = former[0];
  if (last === undefined) return;
  const own = await tx
    .selectFrom('source_documents')
    .select('id')
    .where('org_id', '=', orgId)
    .where('connection_id', '=', id)
    .limit(1)
    .executeTakeFirst();
  if (own !== undefined) return;
  for (const table of ['source_documents', 'property_sightings'] as const) {
    await tx
      .updateTable(table)
      .set({ connection_id: id })
      .where('org_id', '=', orgId)
      .where('connection_id', '=', last.id)
      .execute();
  }
}

/** All credentials anew; a grant whose answer brought no refresh token keeps the one before. */
async function replaceSecrets(
  tx: Transaction<OrgTables>,
  vault: Vault,
  target: { orgId: string; connectionId: string; at: number },
  secrets: Verified['secrets'],
): Promise<void> {
  const incomplete = secrets.has(tokenFields.access) && !secrets.has(tokenFields.refresh);
  const kept = incomplete
    ? await tx
        .selectFrom('secrets')
        .selectAll()
        .where('org_id', '=', target.orgId)
        .where('connection_id', '=', target.connectionId)
        .where('field', '=', tokenFields.refresh)
        .executeTakeFirst()
    : undefined;
  await storeSecrets(tx, vault, target, secrets);
  if (kept !== undefined) await tx.insertInto('secrets').values(kept).execute();
}

/** The row that the account gets: its own where it is known, the one that waits for it, or a new one. */
async function rowFor(
  tx: Transaction<OrgTables>,
  orgId: string,
  verified: Verified,
  given: Recorder & { plan: Plan; at: number },
): Promise<Pick<ConnectionRow, 'id' | 'state'>> {
  const { at } = given;
  const { authorised, provider, account } = verified;
  const known = await rowByAccount(tx, orgId, provider, account);
  const waiting = authorised === undefined ? undefined : await rowById(tx, orgId, authorised.connectionId);
  if (waiting !== undefined && isUnfinished(waiting) && known !== undefined && known.state !== 'REVOKED') {
    await remove(
      given,
      tx,
      { orgId, id: waiting.id, at, reason: 'the account was connected already' },
      waiting.state,
    );
  }
  if (known !== undefined && known.state !== 'REVOKED') return known;
  // A revoked connection is not taken up again: it goes, and the account begins anew.
  if (known !== undefined)
    await move(given, tx, { orgId, id: known.id, from: 'REVOKED', to: 'DELETED', reason: 'replaced', at });
  if (!isOwn(provider)) await takePlace(tx, orgId, given);
  if (waiting !== undefined && isUnfinished(waiting)) return waiting;
  const id = newId('con', at);
  if (await insertPending(given, tx, { orgId, id, at, ...verified })) return { id, state: 'PENDING' };
  // On PostgreSQL another process may have connected the same account since the look-up.
  const other = await rowByAccount(tx, orgId, provider, account);
  if (other === undefined)
    throw new DrawbridgeError('conflict', 'The account is being connected already. Try again.');
  return other;
}

/** The row of a connection that begins, and its event; false where the account has one already. */
export async function insertPending(
  recorder: Recorder,
  tx: Transaction<OrgTables>,
  begun: Pick<Verified, 'provider' | 'account' | 'label' | 'fields'> & {
    orgId: string;
    id: string;
    at: number;
  },
): Promise<boolean> {
  const { orgId, id, at } = begun;
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto('connected_sources')
    .values({
      org_id: orgId,
      id,
      provider: begun.provider,
      account: begun.account,
      label: begun.label,
      state: 'PENDING',
      fields: toJson(begun.fields),
      mcp_server_url: null,
      last_sync_at: null,
      last_error: null,
      created_at: at,
      updated_at: at,
    })
    .onConflict((account) => account.doNothing())
    .executeTakeFirst();
  if (numInsertedOrUpdatedRows === 0n) return false;
  await writeEvent(recorder, tx, { orgId, id, from: null, to: 'PENDING', reason: null, at });
  return true;
}

/** Revokes and deletes: the credentials are gone with the same transaction. @throws DrawbridgeError `not_found` */
export async function removeConnection(
  org: OrgStore,
  parts: Recorder & { clock: Clock },
  id: string,
): Promise<void> {
  const at = parts.clock.now();
  await org.write(async (tx) => {
    const row = await rowById(tx, org.orgId, id);
    if (row === undefined) throw new DrawbridgeError('not_found', `There is no connection ${id}.`);
    await remove(parts, tx, { orgId: org.orgId, id, reason: 'disconnected by a person', at }, row.state);
  });
}

/** To DELETED from wherever it stands, inside a transaction. */
export async function remove(
  recorder: Recorder,
  tx: Transaction<OrgTables>,
  step: { orgId: string; id: string; reason: string; at: number },
  state: ConnectionState,
): Promise<void> {
  await removeSecrets(tx, step.orgId, step.id);
  await removeAges(tx, step.orgId, step.id);
  if (state !== 'REVOKED') await move(recorder, tx, { ...step, from: state, to: 'REVOKED' });
  await move(recorder, tx, { ...step, from: 'REVOKED', to: 'DELETED' });
}
