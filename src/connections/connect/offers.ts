// Every provider of the catalog as it stands in this installation, told without loading any of them.
import type { AppCredentials } from '../../config.ts';
import { DrawbridgeError } from '../../errors.ts';
import type { CatalogEntry } from '../../providers/entry.ts';
import type { OrgStore } from '../../store/store.ts';
import type { Offer } from '../connections.ts';
import { enteredApps } from './apps.ts';

export interface OfferParts {
  catalog: readonly CatalogEntry[];
  apps: ReadonlyMap<string, AppCredentials>;
  providersOff: readonly string[];
}

export async function offersOf(org: OrgStore, { catalog, apps, providersOff }: OfferParts): Promise<Offer[]> {
  const entered = await enteredApps(org);
  const statusOf = ({ id, app }: CatalogEntry): Offer['status'] => {
    if (providersOff.includes(id)) return 'off';
    return app === undefined || apps.has(app) || entered.has(app) ? 'available' : 'not-configured';
  };
  return catalog
    .filter(({ connectable }) => connectable)
    .map((entry) => ({
      id: entry.id,
      title: entry.title,
      status: statusOf(entry),
      way: entry.app === undefined ? 'form' : 'browser',
      app: entry.app,
      ...(entry.pasted === undefined ? {} : { pasted: entry.pasted }),
      command: entry.command,
    }));
}

/** @throws DrawbridgeError `permission_denied` where the installation has switched the provider off */
export function assertOn(provider: { id: string; title: string }, off: readonly string[]): void {
  if (!off.includes(provider.id)) return;
  throw new DrawbridgeError(
    'permission_denied',
    `${provider.title} is switched off in this installation (DRAWBRIDGE_PROVIDERS_OFF). No call is made to it.`,
  );
}
