// The stored credentials of a connection: sealed on the way in, unsealed for one call, removed with it.
import type { Transaction } from 'kysely';
import type { Vault } from '../auth/vault.ts';
import { DrawbridgeError } from '../errors.ts';
import type { Secret } from '../secret.ts';
import type { OrgStore } from '../store/store.ts';
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
    await requireDataKey(tx, orgId, keyId);
    await tx
      .insertInto('secrets')
      .values({ org_id: orgId, connection_id: connectionId, field, sealed, key_id: keyId, updated_at: at })
      .execute();
  }
}

/** A key that was dropped meanwhile would open nothing again. */
export async function requireDataKey(
  tx: Transaction<OrgTables>,
  orgId: string,
  keyId: string,
): Promise<void> {
  const row = await tx
    .selectFrom('data_keys')
    .select('id')
    .where('org_id', '=', orgId)
    .where('id', '=', keyId)
    .executeTakeFirst();
  if (row !== undefined) return;
  throw new DrawbridgeError('conflict', 'The keys were rotated meanwhile: nothing was stored. Try again.', {
    retry: 'later',
  });
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
export async function loadSecrets(org: OrgStore, vault: Vault, connectionId: string): Promise<Secrets> {
  await vault.open(org);
  const rows = await org.read((db) =>
    db
      .selectFrom('secrets')
      .select(['field', 'sealed', 'key_id'])
      .where('org_id', '=', org.orgId)
      .where('connection_id', '=', connectionId)
      .execute(),
  );
  return unsealRows(org, vault, connectionId, rows);
}

/** By field. The vault was opened. @throws DrawbridgeError as `loadSecrets` */
export async function unsealRows(
  org: OrgStore,
  vault: Vault,
  connectionId: string,
  rows: readonly Pick<OrgTables['secrets'], 'field' | 'sealed' | 'key_id'>[],
): Promise<Secrets> {
  const unsealed = (): Secrets =>
    new Map(
      rows.map((row) => [
        row.field,
        vault.unseal(org.orgId, connectionId, row.field, { sealed: row.sealed, keyId: row.key_id }),
      ]),
    );
  try {
    return unsealed();
  } catch (thrown) {
    if (!(thrown instanceof DrawbridgeError && thrown.code === 'auth_expired')) throw thrown;
    // Another process may have made a new data key since ours were read.
    await vault.open(org, { fresh: true });
    return unsealed();
  }
}
