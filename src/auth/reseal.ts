// Seals anew, under the current data key, what is stored under another: a few at a time, each replaced only
// where nobody stored a newer one meanwhile.
import type { Secret } from '../secret.ts';
import { toJson } from '../store/codec.ts';
import type { OrgStore } from '../store/store.ts';
import { sealedSettings, sealedText } from './sealed-setting.ts';
import type { Sealed } from './vault.ts';

const batch = 50;

interface Sealer {
  seal(connectionId: string, field: string, secret: Secret): Sealed;
  unseal(connectionId: string, field: string, sealed: Sealed): Secret;
}

/** Where the client secret of a registered app is sealed to, and the key of an embedder's server. */
export const appPlace = 'provider-app';
export const embedderPlace = 'embedder';

/** Whether the org has a credential, or a key for one. */
export async function holdsAnything(org: OrgStore): Promise<boolean> {
  const tables = ['data_keys', 'secrets', 'provider_apps'] as const;
  const rows = await org.read((db) =>
    Promise.all(
      tables.map((table) =>
        db.selectFrom(table).select('org_id').where('org_id', '=', org.orgId).limit(1).executeTakeFirst(),
      ),
    ),
  );
  return rows.some((row) => row !== undefined);
}

/** Returns how many values it sealed anew. */
export async function resealAll(org: OrgStore, currentKeyId: string, sealer: Sealer): Promise<number> {
  return (
    (await resealSecrets(org, currentKeyId, sealer)) +
    (await resealApps(org, currentKeyId, sealer)) +
    (await resealEmbedders(org, currentKeyId, sealer)) +
    (await resealSettings(org, currentKeyId, sealer))
  );
}

async function resealSecrets(org: OrgStore, currentKeyId: string, sealer: Sealer): Promise<number> {
  let resealed = 0;
  for (;;) {
    const done = await org.write(async (tx) => {
      const rows = await tx
        .selectFrom('secrets')
        .select(['connection_id', 'field', 'sealed', 'key_id'])
        .where('org_id', '=', org.orgId)
        .where('key_id', '<>', currentKeyId)
        .limit(batch)
        .execute();
      let changed = 0;
      for (const row of rows) {
        const secret = sealer.unseal(row.connection_id, row.field, {
          sealed: row.sealed,
          keyId: row.key_id,
        });
        const next = sealer.seal(row.connection_id, row.field, secret);
        const { numUpdatedRows } = await tx
          .updateTable('secrets')
          .set({ sealed: next.sealed, key_id: next.keyId })
          .where('org_id', '=', org.orgId)
          .where('connection_id', '=', row.connection_id)
          .where('field', '=', row.field)
          .where('sealed', '=', row.sealed)
          .executeTakeFirst();
        changed += Number(numUpdatedRows);
      }
      return { seen: rows.length, changed };
    });
    resealed += done.changed;
    if (done.seen === 0) return resealed;
  }
}

async function resealApps(org: OrgStore, currentKeyId: string, sealer: Sealer): Promise<number> {
  return org.write(async (tx) => {
    const rows = await tx
      .selectFrom('provider_apps')
      .select(['app', 'sealed', 'key_id'])
      .where('org_id', '=', org.orgId)
      .where('key_id', '<>', currentKeyId)
      .execute();
    let resealed = 0;
    for (const { app, sealed, key_id } of rows) {
      if (sealed === null || key_id === null) continue;
      const next = sealer.seal(appPlace, app, sealer.unseal(appPlace, app, { sealed, keyId: key_id }));
      const { numUpdatedRows } = await tx
        .updateTable('provider_apps')
        .set({ sealed: next.sealed, key_id: next.keyId })
        .where('org_id', '=', org.orgId)
        .where('app', '=', app)
        .where('sealed', '=', sealed)
        .executeTakeFirst();
      resealed += Number(numUpdatedRows);
    }
    return resealed;
  });
}

async function resealEmbedders(org: OrgStore, currentKeyId: string, sealer: Sealer): Promise<number> {
  return org.write(async (tx) => {
    const rows = await tx
      .selectFrom('embedders')
      .select(['name', 'sealed', 'key_id'])
      .where('org_id', '=', org.orgId)
      .where('key_id', '<>', currentKeyId)
      .execute();
    let resealed = 0;
    for (const { name, sealed, key_id } of rows) {
      if (sealed === null || key_id === null) continue;
      const secret = sealer.unseal(embedderPlace, name, { sealed, keyId: key_id });
      const next = sealer.seal(embedderPlace, name, secret);
      const { numUpdatedRows } = await tx
        .updateTable('embedders')
        .set({ sealed: next.sealed, key_id: next.keyId })
        .where('org_id', '=', org.orgId)
        .where('name', '=', name)
        .where('sealed', '=', sealed)
        .executeTakeFirst();
      resealed += Number(numUpdatedRows);
    }
    return resealed;
  });
}

async function resealSettings(org: OrgStore, currentKeyId: string, sealer: Sealer): Promise<number> {
  return org.write(async (tx) => {
    let resealed = 0;
    for (const { name, text, value, key } of await sealedSettings(tx, org.orgId)) {
      if (key.keyId === currentKeyId) continue;
      const next = sealer.seal(name, 'key', sealer.unseal(name, 'key', key));
      const { numUpdatedRows } = await tx
        .updateTable('org_settings')
        .set({ value: toJson({ ...value, key: sealedText(next) }) })
        .where('org_id', '=', org.orgId)
        .where('name', '=', name)
        .where('value', '=', text)
        .executeTakeFirst();
      resealed += Number(numUpdatedRows);
    }
    return resealed;
  });
}
