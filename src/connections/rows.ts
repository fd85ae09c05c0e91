// From a stored row to a Connection, with what the catalog knows of its provider.
import type { Kysely, Selectable } from 'kysely';
import { isWrite } from '../providers/capabilities.ts';
import type { CatalogEntry } from '../providers/entry.ts';
import { fromJson } from '../store/codec.ts';
import { isKept } from '../store/kept-connections.ts';
import { prepared } from '../store/prepared.ts';
import type { OrgStore } from '../store/store.ts';
import type { OrgTables } from '../store/tables.ts';
import type { Connection } from './connections.ts';

export interface ConnectionRow extends Selectable<OrgTables['connected_sources']> {
  /** Of `oauth_tokens`; null where it has none. */
  scopes: string | null;
}

/** What stands in the place of an account until the person has come back from the provider. */
export function unfinishedAccount(id: string): string {
  return `unfinished:${id}`;
}

export function isUnfinished(row: Pick<ConnectionRow, 'id' | 'account'>): boolean {
  return row.account === unfinishedAccount(row.id);
}

export function toConnection(row: ConnectionRow, entry: CatalogEntry | undefined): Connection {
  return {
    id: row.id,
    provider: row.provider,
    // A provider that this version does not know keeps its rows, and can do nothing.
    providerTitle: entry?.title ?? row.provider,
    account: isUnfinished(row) ? '' : row.account,
    label: row.label,
    state: row.state,
    fields: fromJson<Record<string, unknown>>(row.fields),
    // A server of tools fulfils no capability, and has no feed.
    capabilities: (row.mcp_server_url === null ? (entry?.capabilities ?? []) : []).filter(
      (capability) => row.access !== 'read' || !isWrite(capability),
    ),
    hasFeeds: row.mcp_server_url === null && (entry?.feedKinds.length ?? 0) > 0,
    feedKinds: [...(row.mcp_server_url === null ? (entry?.feedKinds ?? []) : [])],
    ...(entry?.freshMs === undefined ? {} : { freshMs: entry.freshMs }),
    lastSyncAt: row.last_sync_at ?? undefined,
    lastError: row.last_error === null ? undefined : fromJson<Connection['lastError']>(row.last_error),
    mcpServerUrl: row.mcp_server_url ?? undefined,
    access: row.access ?? 'write',
    scopes: row.scopes === null ? undefined : fromJson<string[]>(row.scopes),
    createdAt: row.created_at,
  };
}

/** All of an org's connections, those that were disconnected left out; the oldest first. */
export async function allRows(org: OrgStore): Promise<ConnectionRow[]> {
  return org.read((db) => all(db, { orgId: org.orgId }));
}

const all = prepared((db: Kysely<OrgTables>, { orgId }: { orgId: string }) =>
  live(db, orgId).orderBy('created_at').orderBy('id'),
);

export async function rowById(
  db: Kysely<OrgTables>,
  orgId: string,
  id: string,
): Promise<ConnectionRow | undefined> {
  return live(db, orgId).where('id', '=', id).executeTakeFirst();
}

export async function rowByAccount(
  db: Kysely<OrgTables>,
  orgId: string,
  provider: string,
  account: string,
): Promise<ConnectionRow | undefined> {
  return live(db, orgId).where('provider', '=', provider).where('account', '=', account).executeTakeFirst();
}

/** Connections that have waited for a person at the provider since before `since`, integer ms. */
export async function unfinishedRows(
  db: Kysely<OrgTables>,
  orgId: string,
  since: number,
): Promise<ConnectionRow[]> {
  return live(db, orgId).where('state', '=', 'AUTHORIZING').where('updated_at', '<=', since).execute();
}

/** A beginning of that provider from which nobody has come back yet. */
export async function waitingRow(
  db: Kysely<OrgTables>,
  orgId: string,
  provider: string,
): Promise<ConnectionRow | undefined> {
  return live(db, orgId)
    .where('provider', '=', provider)
    .where('state', '=', 'AUTHORIZING')
    .where('account', 'like', 'unfinished:%')
    .orderBy('created_at')
    .executeTakeFirst();
}

function live(db: Kysely<OrgTables>, orgId: string) {
  return db
    .selectFrom('connected_sources')
    .selectAll()
    .select((row) =>
      row
        .selectFrom('oauth_tokens')
        .select('oauth_tokens.scopes')
        .whereRef('oauth_tokens.org_id', '=', 'connected_sources.org_id')
        .whereRef('oauth_tokens.connection_id', '=', 'connected_sources.id')
        .as('scopes'),
    )
    .where('org_id', '=', orgId)
    .where(isKept);
}
