// The app that is registered at a provider: from the environment first, else as a person entered it here.
import { appPlace } from '../../auth/reseal.ts';
import type { Vault } from '../../auth/vault.ts';
import type { Clock } from '../../clock.ts';
import type { AppCredentials } from '../../config.ts';
import type { OAuth2, OAuthApp } from '../../providers/auth.ts';
import type { Secret } from '../../secret.ts';
import type { OrgStore } from '../../store/store.ts';
import { requireDataKey } from '../credentials.ts';
import { appOfConnection, discoveredApp } from './reached.ts';

export interface AppParts {
  vault: Vault;
  clock: Clock;
  /** Of the installation, by app. */
  apps: ReadonlyMap<string, AppCredentials>;
}

/** The app of a grant: the connection's own where its server registered us, else the installation's or the org's. */
export async function appOf(
  org: OrgStore,
  parts: AppParts,
  auth: Pick<OAuth2, 'app'>,
  connection: { fields: Readonly<Record<string, unknown>>; secrets(): Promise<ReadonlyMap<string, Secret>> },
): Promise<OAuthApp | undefined> {
  if (auth.app !== discoveredApp) return findApp(org, parts, auth.app);
  return appOfConnection(connection.fields, await connection.secrets());
}

/** Undefined where it is registered neither in the environment nor here. */
export async function findApp(org: OrgStore, parts: AppParts, app: string): Promise<OAuthApp | undefined> {
  const ofInstallation = parts.apps.get(app);
  if (ofInstallation !== undefined) {
    return { clientId: ofInstallation.clientId, clientSecret: ofInstallation.clientSecret };
  }
  const row = await org.read((db) =>
    db
      .selectFrom('provider_apps')
      .select(['client_id', 'sealed', 'key_id'])
      .where('org_id', '=', org.orgId)
      .where('app', '=', app)
      .executeTakeFirst(),
  );
  if (row === undefined) return undefined;
  if (row.sealed === null || row.key_id === null) return { clientId: row.client_id, clientSecret: undefined };
  await parts.vault.open(org);
  const sealed = { sealed: row.sealed, keyId: row.key_id };
  return { clientId: row.client_id, clientSecret: parts.vault.unseal(org.orgId, appPlace, app, sealed) };
}

/** Names of the apps that a person entered. */
export async function enteredApps(org: OrgStore): Promise<Set<string>> {
  const rows = await org.read((db) =>
    db.selectFrom('provider_apps').select('app').where('org_id', '=', org.orgId).execute(),
  );
  return new Set(rows.map(({ app }) => app));
}

/** Stores it in the place of the one before. */
export async function storeApp(
  org: OrgStore,
  { vault, clock }: AppParts,
  app: string,
  given: { clientId: string; clientSecret?: Secret },
): Promise<void> {
  await vault.open(org);
  const at = clock.now();
  const kept =
    given.clientSecret === undefined ? undefined : vault.seal(org.orgId, appPlace, app, given.clientSecret);
  const values = {
    client_id: given.clientId,
    sealed: kept?.sealed ?? null,
    key_id: kept?.keyId ?? null,
    updated_at: at,
  };
  await org.write(async (tx) => {
    if (kept !== undefined) await requireDataKey(tx, org.orgId, kept.keyId);
    await tx
      .insertInto('provider_apps')
      .values({ org_id: org.orgId, app, ...values })
      .onConflict((known) => known.columns(['org_id', 'app']).doUpdateSet(values))
      .execute();
  });
}
