// CalDAV: the calendars of one account. Reads events, says when one is busy, books one event an approval, and takes back what it booked.
import { defineProvider, type ProviderContext } from '../define.ts';
import { openAccount } from './account.ts';
import { cancel } from './cancel.ts';
import { create } from './create.ts';
import { eventFeed } from './feed.ts';
import { caldavFields, caldavSecrets } from './fields.ts';
import { freeBusy } from './free-busy.ts';

export const provider = defineProvider({
  id: 'caldav',
  title: 'Calendar (CalDAV)',
  fields: caldavFields,
  secrets: caldavSecrets,
  example: { url: 'https://caldav.example.com/', user: 'you' },
  auth: { kind: 'password' },
  identity,
  operations: { create, cancel, 'free-busy': freeBusy },
  capabilities: { 'calendar.create': 'create', 'calendar.free-busy': 'free-busy' },
  feeds: { events: eventFeed },
  limit: { perSecond: 5, burst: 20, concurrent: 3 },
  notes: [
    'Speaks CalDAV (tsdav, ical.js). Discovery follows RFC 6764; sync uses sync-tokens (RFC 6578) where the server has them, else ETags.',
    'The list of calendars tells which have changed (their sync-token and getctag); the others are not asked. A server that tells neither there is asked for each calendar.',
    'DAViCal tells whoever comes with a token of more than a week ago all that exists and not what went: with a token older than five days, what exists is asked for as well.',
    'A new event goes to the calendar named, the server’s default, or the first that the account may write to.',
    'Events are written under a UID of our own with If-None-Match: *, so that trying again cannot book twice.',
    'An event that was booked here is cancelled by its UID, with If-Match where the server gives an ETag; other events are not touched.',
    'Whether attendees are invited is the server’s doing (RFC 6638); where it does not announce that it does, the outcome says so.',
  ],
  verified:
    'Real servers: Debian’s Radicale, in the tests. By hand, with the same tests, on 2026-11-22: Cyrus 3.6.1, Xandikos 0.2.8, Radicale 3.5.3 and sabre/dav 1.8.12, the last by password and by digest; DAViCal 1.1.12 with these tests, a forgotten token by one of its own, and through the whole program (found from the bare host, shared calendars, invitations and their cancelling, odd names, zones of their own, series). Emulator: sandbox/caldav.ts.',
});

async function identity(context: ProviderContext): Promise<{ id: string; label: string }> {
  const { fields, principalUrl } = await openAccount(context);
  const { host } = new URL(fields.url);
  return { id: principalUrl, label: fields.user.includes('@') ? fields.user : `${fields.user}@${host}` };
}
