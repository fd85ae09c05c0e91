// The accounts of the story that live at providers of their own: the colleague's Gmail and calendar, the
// brokerage's CRM and its books. One loopback port plays all of their hosts.
import type { Clock } from '../src/clock.ts';
import { createGoogle, type GoogleSandbox, googleApp } from './google/google.ts';
import { createHubspot, type HubspotEmulator, hubspotApp } from './hubspot/index.ts';
import { fillWithStory } from './hubspot/story.ts';
import { type ProviderHosts, startProviderHosts } from './providers.ts';
import { createQuickbooks, type QuickbooksEmulator, quickbooksApp } from './quickbooks/index.ts';
import { fillBooks } from './quickbooks/story.ts';
import type { World } from './world.ts';

export interface Accounts {
  hosts: ProviderHosts;
  google: GoogleSandbox;
  hubspot: HubspotEmulator;
  quickbooks: QuickbooksEmulator;
  /** What a Drawbridge needs to find them: variables of its environment. */
  environment: Record<string, string>;
  close(): Promise<void>;
}

/** @param deliver what is sent from the Gmail account to others */
export async function startAccounts(given: {
  clock: Clock;
  world: World;
  deliver?: (recipients: string[], raw: Buffer) => void;
}): Promise<Accounts> {
  const { clock, world } = given;
  const { colleague } = world;
  const google = createGoogle({
    ...given,
    // The person whose assistant it is has a mailbox already: this one is the colleague's.
    world: {
      ...world,
      user: colleague,
      colleague: world.user,
      events: world.events.filter(({ ics }) => ics.replaceAll('\r\n ', '').includes(colleague.email)),
    },
  });
  const hubspot = createHubspot({ clock });
  fillWithStory(hubspot.state, world);
  const quickbooks = createQuickbooks({ clock });
  fillBooks(quickbooks, world);
  const hosts = await startProviderHosts([google.emulator, hubspot, quickbooks]);
  const apps = { GOOGLE: googleApp, HUBSPOT: hubspotApp, QUICKBOOKS: quickbooksApp };
  return {
    hosts,
    google,
    hubspot,
    quickbooks,
    environment: Object.fromEntries([
      ['DRAWBRIDGE_SANDBOX_URL', hosts.url],
      ...Object.entries(apps).flatMap(([name, { clientId, clientSecret }]) => [
        [`DRAWBRIDGE_${name}_CLIENT_ID`, clientId],
        [`DRAWBRIDGE_${name}_CLIENT_SECRET`, clientSecret],
      ]),
    ]),
    close: () => hosts.close(),
  };
}
