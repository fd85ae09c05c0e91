// Google in the sandbox: its sign-in, Gmail, Calendar and Drive of one account, filled with the story.
import type { Clock } from '../../src/clock.ts';
import type { AuthorizationServer } from '../authorization.ts';
import { createAuthorizationServer } from '../authorization-server.ts';
import { zone } from '../dates.ts';
import type { Emulator } from '../providers.ts';
import type { World } from '../world.ts';
import { refusal } from './answers.ts';
import { answerBatch, batchPath } from './batch.ts';
import { createCalendar } from './calendar.ts';
import { createDrive } from './drive.ts';
import { eventFrom, GoogleCalendarStore } from './event-store.ts';
import { type DriveStore, filesOf } from './file-store.ts';
import { createGmail } from './gmail.ts';
import { GmailStore } from './mail-store.ts';

export const googleApp = { clientId: 'sandbox-google', clientSecret: 'sandbox-only-google-secret' };

export interface GoogleSandbox {
  emulator: Emulator;
  authorization: AuthorizationServer;
  mail: GmailStore;
  /** The first is the main one. */
  calendars: GoogleCalendarStore[];
  files: DriveStore;
  /** What Google mailed about events so far. */
  invitations(): { id: string; title: string; occasion: string; to: string[] }[];
  /** Gmail gives sent mails a Message-ID of its own, as it is said to do. Default: it does. */
  rewriteMessageIds(on: boolean): void;
  /** What was sent so far, as those who got it see it. */
  delivered(): { recipients: string[]; raw: string }[];
}

/** @param given.deliver what is sent to others; default: it goes nowhere */
export function createGoogle(given: {
  clock: Clock;
  world: World;
  deliver?: (recipients: string[], raw: Buffer) => void;
}): GoogleSandbox {
  const { clock, world } = given;
  const authorization = createAuthorizationServer(
    {
      authorizePath: '/o/oauth2/v2/auth',
      tokenPath: '/token',
      revokePath: '/revoke',
      app: googleApp,
      pkce: 'required',
      clientAuthentication: 'body',
      accessLivesS: 3600,
      rotation: 'never',
      issuer: 'https://accounts.google.com',
    },
    clock,
  );
  const mail = mailOf(world);
  const calendars = calendarsOf(world, clock.now());
  const invitations: ReturnType<GoogleSandbox['invitations']> = [];
  const calendar = createCalendar({
    calendars,
    clock,
    invite({ id, summary, attendees }, occasion) {
      invitations.push({
        id,
        title: summary ?? '',
        occasion,
        to: (attendees ?? []).map(({ email }) => email),
      });
    },
  });
  const files = filesOf(world);
  const drive = createDrive({ store: files, clock });
  let rewrites = true;
  const delivered: { recipients: string[]; raw: string }[] = [];
  const gmail = createGmail({
    store: mail,
    clock,
    rewritesMessageId: () => rewrites,
    deliver(recipients, raw) {
      delivered.push({ recipients, raw: raw.toString('utf8') });
      given.deliver?.(recipients, raw);
    },
  });
  return {
    authorization,
    mail,
    calendars,
    files,
    invitations: () => [...invitations],
    delivered: () => [...delivered],
    rewriteMessageIds(on) {
      rewrites = on;
    },
    emulator: {
      provider: 'google',
      hosts: ['accounts.google.com', 'oauth2.googleapis.com', 'gmail.googleapis.com', 'www.googleapis.com'],
      handle(call) {
        const signIn = authorization.handle(call);
        if (signIn !== undefined) return signIn;
        const granted = authorization.scopesOf(call.headers['authorization']);
        if (call.host === 'gmail.googleapis.com') return gmail(call, granted);
        if (call.path === batchPath && granted !== undefined) {
          return answerBatch(call, (one) => calendar(one, granted));
        }
        if (call.path === batchPath || call.path.startsWith('/calendar/')) return calendar(call, granted);
        if (/^\/(?:upload\/)?drive\//.test(call.path)) return drive(call, granted);
        return refusal(404, 'notFound', 'Not Found');
      },
    },
  };
}

function mailOf(world: World): GmailStore {
  const store = new GmailStore(world.user.email);
  store.userLabels.set('Label_1', 'Offers');
  const places: Record<string, string[]> = { INBOX: ['INBOX'], Sent: ['SENT'], Junk: ['SPAM'], Archive: [] };
  for (const { account, folder, flags, raw, at } of world.mail) {
    if (account !== world.user.email) continue;
    const unread = flags.includes('\\Seen') ? [] : ['UNREAD'];
    const starred = flags.includes('\\Flagged') ? ['STARRED'] : [];
    store.add(raw, [...(places[folder] ?? []), ...unread, ...starred], at);
  }
  return store;
}

function calendarsOf(world: World, now: number): GoogleCalendarStore[] {
  const { user, events } = world;
  const main = new GoogleCalendarStore({ id: user.email, name: user.name, timeZone: zone });
  for (const { ics } of events) {
    main.put(eventFrom(ics, { owner: user.email, zone, now }));
  }
  const holidays = new GoogleCalendarStore({
    id: 'en.usa#holiday@group.v.calendar.google.com',
    name: 'Holidays in United States',
    timeZone: zone,
    access: 'reader',
  });
  return [main, holidays];
}
