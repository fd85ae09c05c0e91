// Store, vault, door and connections of one process, as the server opens them, with the harbour as the only
// provider.
import type { OAuth } from '../../src/auth/oauth/oauth.ts';
import { openVault } from '../../src/auth/vault.ts';
import { systemClock } from '../../src/clock.ts';
import type { Connections } from '../../src/connections/connections.ts';
import { createConnections } from '../../src/connections/create.ts';
import { createEgress } from '../../src/egress/door.ts';
import { createLog } from '../../src/log.ts';
import { Secret } from '../../src/secret.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { harbourApps, harbourCatalog } from './refresh-provider.ts';

export interface HarbourRooms {
  store: Store;
  connections: Connections;
  vault: ReturnType<typeof openVault>;
  close(): Promise<void>;
}

export async function openHarbour(
  home: string,
  given: { sandboxUrl: string; databaseUrl?: string | undefined; leaseMs?: number; oauth?: OAuth },
): Promise<HarbourRooms> {
  const clock = systemClock;
  const log = createLog({ level: 'silent' });
  const databaseUrl = given.databaseUrl === undefined ? undefined : new Secret(given.databaseUrl);
  const store = await openStore({ config: { home, databaseUrl }, clock, log });
  const egress = createEgress({ allowLoopback: true, sandboxUrl: given.sandboxUrl, clock, log });
  const vault = openVault({ config: { home, key: undefined }, log });
  const connections = createConnections({
    store,
    egress,
    vault,
    clock,
    log,
    catalog: harbourCatalog,
    apps: harbourApps,
    ...(given.leaseMs === undefined ? {} : { tokenTiming: { leaseMs: given.leaseMs } }),
    ...(given.oauth === undefined ? {} : { oauth: given.oauth }),
  });
  return {
    store,
    connections,
    vault,
    async close() {
      await connections.close();
      await egress.close();
      await store.close();
    },
  };
}
