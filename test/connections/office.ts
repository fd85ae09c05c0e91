// A store in a temporary folder, a door to loopback, and providers whose other side is a small server.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { openVault, type Vault } from '../../src/auth/vault.ts';
import type { Connections } from '../../src/connections/connections.ts';
import { type ConnectionsOptions, createConnections } from '../../src/connections/create.ts';
import { createEgress } from '../../src/egress/door.ts';
import type { Egress } from '../../src/egress/egress.ts';
import { createLog } from '../../src/log.ts';
import type { CatalogEntry } from '../../src/providers/entry.ts';
import { openStore } from '../../src/store/open.ts';
import type { OrgStore, Store } from '../../src/store/store.ts';
import { type ManualClock, manualClock } from '../egress/manual-clock.ts';
import type { TestDatabase } from '../store/databases.ts';

export interface Office {
  home: string;
  clock: ManualClock;
  store: Store;
  org: OrgStore;
  vault: Vault;
  egress: Egress;
  connections: Connections;
}

export const log = createLog({ level: 'silent' });

export async function temporaryHome(): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), 'drawbridge-connections-'));
  onTestFinished(() => rm(home, { recursive: true, force: true }));
  return home;
}

/** @param given.database the store's; default: embedded, in the home */
export async function openOffice(
  catalog?: readonly CatalogEntry[],
  given: {
    database?: TestDatabase;
    sandboxUrl?: string;
    options?: Partial<ConnectionsOptions>;
  } = {},
): Promise<Office> {
  const home = await temporaryHome();
  const clock = manualClock();
  const opened = await given.database?.open({ clock });
  const store = opened?.store ?? (await openStore({ config: { home, databaseUrl: undefined }, clock, log }));
  onTestFinished(() => opened?.close() ?? store.close());
  const egress = createEgress({
    allowLoopback: true,
    sandboxUrl: given.sandboxUrl,
    clock,
    log,
    random: () => 0,
  });
  onTestFinished(() => egress.close());
  const vault = openVault({ config: { home, key: undefined }, log });
  const connections = createConnections({
    store,
    egress,
    vault,
    clock,
    log,
    ...(catalog === undefined ? {} : { catalog }),
    ...given.options,
  });
  const org = await store.forOrg(await store.createOrg('Harbour Homes'));
  return { home, clock, store, org, vault, egress, connections };
}
