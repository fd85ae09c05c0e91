// Microsoft in the sandbox: its sign-in, and mail and calendar of one account by Graph, filled with the story.
import type { Clock } from '../../src/clock.ts';
import type { AuthorizationServer } from '../authorization.ts';
import { createAuthorizationServer } from '../authorization-server.ts';
import { zone } from '../dates.ts';
import { eventFrom, GoogleCalendarStore } from '../google/event-store.ts';
import type { Answer } from '../http.ts';
import type { Call, Emulator } from '../providers.ts';
import type { World } from '../world.ts';
import { forbidden, json, notFound, selected } from './answers.ts';
import { answerBatch, batchPath } from './batch.ts';
import { createOutlookCalendar } from './calendar.ts';
import { createMail } from './mail.ts';
import { OutlookMailStore } from './mail-store.ts';

export const microsoftApp = {
  clientId: 'sandbox-microsoft',
  clientSecret: 'sandbox-only-microsoft-secret',
};

export interface MicrosoftSandbox {
  emulator: Emulator;
  authorization: AuthorizationServer;
  mail: OutlookMailStore;
  calendar: GoogleCalendarStore;
  /** What Outlook mailed about events so far. */
  invitations(): { id: string; title: string; occasion: string; to: string[] }[];
  /** What was sent so far, as those who got it see it. */
  delivered(): { recipients: string[]; raw: string }[];
}

export function createMicrosoft({ clock, world }: { clock: Clock; world: World }): MicrosoftSandbox {
  const authorization = createAuthorizationServer(
    {
      authorizePath: '/common/oauth2/v2.0/authorize',
      tokenPath: '/common/oauth2/v2.0/token',
      app: microsoftApp,
      pkce: 'required',
      clientAuthentication: 'body',
      accessLivesS: 3_900,
      // Microsoft lets the old one live on; here its second use is told, so that ours is seen to use the new.
      rotation: 'always',
    },
    clock,
  );
  const owner = world.user.email;
  const store = mailOf(world);
  const calendar = new GoogleCalendarStore({ id: owner, name: world.user.name, timeZone: zone });
  for (const { ics } of world.events) calendar.put(eventFrom(ics, { owner, zone, now: clock.now() }));
  const invitations: ReturnType<MicrosoftSandbox['invitations']> = [];
  const delivered: ReturnType<MicrosoftSandbox['delivered']> = [];
  const mail = createMail({
    store,
    clock,
    owner,
    deliver: (recipients, raw) => void delivered.push({ recipients, raw: raw.toString('utf8') }),
  });
  const events = createOutlookCalendar({
    store: calendar,
    clock,
    owner,
    invite({ id, summary, attendees }, occasion) {
      const to = (attendees ?? []).map(({ email }) => email);
      invitations.push({ id, title: summary ?? '', occasion, to });
    },
  });
  return {
    authorization,
    mail: store,
    calendar,
    invitations: () => [...invitations],
    delivered: () => [...delivered],
    emulator: {
      provider: 'outlook',
      hosts: ['login.microsoftonline.com', 'graph.microsoft.com'],
      handle(call) {
        const signIn = authorization.handle(call);
        if (signIn !== undefined) return signIn;
        if (call.path !== batchPath) return graph(call);
        const granted = authorization.scopesOf(call.headers['authorization']);
        const refused = granted === undefined ? forbidden(granted, []) : undefined;
        return refused ?? answerBatch(call, graph);
      },
    },
  };

  function graph(call: Call): Answer {
    const granted = authorization.scopesOf(call.headers['authorization']);
    const path = /^\/v1\.0\/me(?:\/(.*))?$/.exec(call.path);
    if (path === null) return notFound();
    const below = path[1];
    if (below === undefined) {
      const me = {
        id: '48d31887-5fad-4d73-a9f5-3c356e68a038',
        displayName: world.user.name,
        mail: owner,
        userPrincipalName: owner,
      };
      return forbidden(granted, ['User.Read']) ?? json(selected(me, call.query));
    }
    return mail(call, below, granted) ?? events(call, below, granted) ?? notFound();
  }
}

function mailOf(world: World): OutlookMailStore {
  const store = new OutlookMailStore();
  const offers = store.addFolder('Offers', store.folder('inbox')?.id);
  const places: Record<string, string> = {
    INBOX: 'inbox',
    Sent: 'sentitems',
    Junk: 'junkemail',
    Archive: offers.id,
  };
  for (const { account, folder, flags, raw, at } of world.mail) {
    if (account !== world.user.email) continue;
    store.add(raw, places[folder] ?? 'inbox', { received: at, read: flags.includes('\\Seen') });
  }
  return store;
}
