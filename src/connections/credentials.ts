// The stored credentials of a connection: sealed on the way in, unsealed for one call, removed with it.
import type { Kysely, Transaction } from 'kysely';
import type { Vault } from '../auth/vault.ts';
import type { Secret } from '../secret.ts';
import type { OrgTables } from '../store/tables.ts';

type Secrets = ReadonlyMap<string, Secret>;

/** Replaces all credentials of the connection by `secrets`. */
export async function storeSecrets(
  tx: Transaction<OrgTables>,
  vault: Vault,
  target: { orgId: string; connectionId: string; at: number },
  secrets: Secrets,
): Promise<void> {
  const { orgId, connectionId, at } = target;
  await removeSecrets(tx, orgId, connectionId);
  for (const [field, secret] of secrets) {
    const { sealed, keyId } = vault.seal(orgId, connectionId, field, secret);
    await tx
      .insertInto('secrets')
      .values({ org_id: orgId, connection_id: connectionId, field, sealed, key_id: keyId, updated_at: at })
      .execute();
  }
}

export async function removeSecrets(
  tx: Transaction<OrgTables>,
  orgId: string,
  connectionId: string,
): Promise<void> {
  await tx
    .deleteFrom('secrets')
    .where('org_id', '=', orgId)
    .where('connection_id', '=', connectionId)
    .execute();
}

/** @throws DrawbridgeError `auth_expired` or `internal` when a value does not open (see Vault). */
export async function loadSecrets(
  db: Kysely<OrgTables>,
  vault: Vault,
  orgId: string,
  connectionId: string,
): Promise<Secrets> {
  const rows = await db
    .selectFrom('secrets')
    .select(['field', 'sealed', 'key_id'])
    .where('org_id', '=', orgId)
    .where('connection_id', '=', connectionId)
    .execute();
  return new Map(
    rows.map((row) => [
      row.field,
      vault.unseal(orgId, connectionId, row.field, { sealed: row.sealed, keyId: row.key_id }),
    ]),
  );
}
