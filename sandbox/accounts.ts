// The accounts of the story that live at providers of their own: the colleague's Gmail and calendar, the office's
// Outlook, the team's Slack, the brokerage's CRM and its books. One loopback port plays all of their hosts.
import type { Clock } from '../src/clock.ts';
import { createGoogle, type GoogleSandbox, googleApp } from './google/google.ts';
import { createHubspot, type HubspotEmulator, hubspotApp } from './hubspot/index.ts';
import { fillWithStory } from './hubspot/story.ts';
import { createMicrosoft, type MicrosoftSandbox, microsoftApp } from './microsoft/graph.ts';
import { type ProviderHosts, startProviderHosts } from './providers.ts';
import { createQuickbooks, type QuickbooksEmulator, quickbooksApp } from './quickbooks/index.ts';
import { fillBooks } from './quickbooks/story.ts';
import { createSlack, type SlackEmulator, slackApp } from './slack/index.ts';
import type { World } from './world.ts';

export interface Accounts {
  hosts: ProviderHosts;
  google: GoogleSandbox;
  microsoft: MicrosoftSandbox;
  slack: SlackEmulator;
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
  const microsoft = createMicrosoft({ clock, world: officeOf(world) });
  const slack = createSlack({ clock, world });
  const hubspot = createHubspot({ clock });
  fillWithStory(hubspot.state, world);
  const quickbooks = createQuickbooks({ clock });
  fillBooks(quickbooks, world);
  const hosts = await startProviderHosts([google.emulator, microsoft.emulator, slack, hubspot, quickbooks]);
  const apps = {
    GOOGLE: googleApp,
    MICROSOFT: microsoftApp,
    SLACK: slackApp,
    HUBSPOT: hubspotApp,
    QUICKBOOKS: quickbooksApp,
  };
  return {
    hosts,
    google,
    microsoft,
    slack,
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

/** The world as the front desk has it: what it wrote and what it was sent, each mail once. */
function officeOf(world: World): World {
  const user = world.contacts.find(({ role }) => role === 'staff');
  if (user === undefined) throw new Error('the story has no front desk');
  const seen = new Set<string>();
  const mail = world.mail.flatMap((one) => {
    const head = one.raw.subarray(0, one.raw.indexOf('\r\n\r\n')).toString('latin1');
    const concerned = new RegExp(`^(?:From|To|Cc):[^]*?${user.email.replaceAll('.', '\\.')}`, 'm').test(head);
    if (!concerned || seen.has(one.messageId)) return [];
    seen.add(one.messageId);
    const own = /^From:[^\n]*/m.exec(head)?.[0].includes(user.email) === true;
    return [{ ...one, account: user.email, folder: own ? 'Sent' : 'INBOX' }];
  });
  const events = world.events.filter(({ ics }) => ics.replaceAll('\r\n ', '').includes(user.email));
  return { ...world, user, colleague: world.user, mail, events };
}
