// The tokens of a connection as they are stored: read with their ages on one snapshot, replaced only by who
// names the version that it replaces.
import type { Vault } from '../../auth/vault.ts';
import type { OAuth2, TokenAnswer } from '../../providers/auth.ts';
import type { Secret } from '../../secret.ts';
import { fromJson, toJson } from '../../store/codec.ts';
import { type Lease, releaseWith, requireLease } from '../../store/lease.ts';
import type { OrgStore } from '../../store/store.ts';
import { requireDataKey, unsealRows } from '../credentials.ts';
import { rowById } from '../rows.ts';
import { agesOf, tokenFields, tokenSecrets } from './grant.ts';

export interface HeldTokens {
  /** Grows with each answer of the token endpoint. */
  version: number;
  access: Secret | undefined;
  refresh: Secret | undefined;
  /** Integer ms; null: it does not end, or nobody knows when. */
  accessExpiresAt: number | null;
  /** When the access token was got, integer ms. */
  since: number;
  scopes: readonly string[];
}

/** Undefined where the connection has no grant, or is gone. */
export async function readTokens(
  org: OrgStore,
  vault: Vault,
  connectionId: string,
): Promise<HeldTokens | undefined> {
  await vault.open(org);
  const read = await org.read(async (db) => {
    const ages = await db
      .selectFrom('oauth_tokens')
      .selectAll()
      .where('org_id', '=', org.orgId)
      .where('connection_id', '=', connectionId)
      .executeTakeFirst();
    const sealed = await db
      .selectFrom('secrets')
      .select(['field', 'sealed', 'key_id'])
      .where('org_id', '=', org.orgId)
      .where('connection_id', '=', connectionId)
      .where('field', 'in', Object.values(tokenFields))
      .execute();
    return ages === undefined ? undefined : { ages, sealed };
  });
  if (read === undefined) return undefined;
  const secrets = await unsealRows(org, vault, connectionId, read.sealed);
  const { ages } = read;
  return {
    version: ages.version,
    access: secrets.get(tokenFields.access),
    refresh: secrets.get(tokenFields.refresh),
    accessExpiresAt: ages.access_expires_at,
    since: ages.refreshed_at ?? ages.obtained_at,
    scopes: fromJson<string[]>(ages.scopes),
  };
}

/** What became of an answer: stored; another one is there already; the connection was disconnected. */
export type Stored = 'stored' | 'superseded' | 'gone';

export interface Renewal {
  auth: OAuth2;
  answer: TokenAnswer;
  /** What it replaces. */
  held: HeldTokens;
  lease: Lease;
  at: number;
}

/**
 * One transaction: under the lease, by the version, the access token and where there is one the refresh
 * token. A refresh token that the answer does not bring stays. `stored`: the lease was given up with it.
 * @throws DrawbridgeError `conflict` when the lease was lost, or the data key was replaced meanwhile
 */
export async function storeRenewed(
  org: OrgStore,
  vault: Vault,
  connectionId: string,
  { auth, answer, held, lease, at }: Renewal,
): Promise<Stored> {
  const ages = agesOf(auth, answer, { asked: held.scopes, at });
  const { orgId } = org;
  return org.write(async (tx) => {
    const row = await rowById(tx, orgId, connectionId);
    if (row === undefined || row.state === 'REVOKED') return 'gone';
    await requireLease(org, tx, lease);
    const changed = await tx
      .updateTable('oauth_tokens')
      .set({
        version: held.version + 1,
        access_expires_at: ages.accessExpiresAt,
        ...(answer.refreshToken === undefined && answer.refreshLivesMs === undefined
          ? {}
          : { refresh_expires_at: ages.refreshExpiresAt }),
        scopes: toJson(ages.scopes),
        refreshed_at: at,
      })
      .where('org_id', '=', orgId)
      .where('connection_id', '=', connectionId)
      .where('version', '=', held.version)
      .executeTakeFirst();
    if (changed.numUpdatedRows !== 1n) return 'superseded';
    for (const [field, secret] of tokenSecrets(answer)) {
      const { sealed, keyId } = vault.seal(orgId, connectionId, field, secret);
      await requireDataKey(tx, orgId, keyId);
      const values = { sealed, key_id: keyId, updated_at: at };
      await tx
        .insertInto('secrets')
        .values({ org_id: orgId, connection_id: connectionId, field, ...values })
        .onConflict((known) => known.columns(['org_id', 'connection_id', 'field']).doUpdateSet(values))
        .execute();
    }
    // Another commit would cost as much as this one.
    await releaseWith(tx, orgId, lease);
    return 'stored';
  });
}
