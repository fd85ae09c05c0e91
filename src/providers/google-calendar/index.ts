// Google Calendar by its API: reads events, says when one is busy, books and changes one event an approval.
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import { defineProvider, type ProviderContext } from '../define.ts';
import { googleAuth, googleHttp, googleNotes } from '../google.ts';
import { calendarsOf } from './client.ts';
import { eventFeed } from './feed.ts';
import { calendars, events, freeBusy, get } from './reads.ts';
import { cancel, create, update } from './writes.ts';

export const provider = defineProvider({
  id: 'google-calendar',
  title: 'Google Calendar',
  fields: z.object({}),
  secrets: [],
  auth: googleAuth('Google Calendar API', ['calendar.calendarlist.readonly']),
  http: googleHttp('https://www.googleapis.com'),
  identity,
  operations: { calendars, events, get, 'free-busy': freeBusy, create, update, cancel },
  capabilities: { 'calendar.create': 'create', 'calendar.free-busy': 'free-busy' },
  feeds: { events: eventFeed },
  // Google's own: 600 a minute, account and app; 10,000 a minute and app (its console shows both).
  limit: { perSecond: 8, burst: 40, concurrent: 5, windows: [{ calls: 600, ms: 60_000 }] },
  appLimit: { perSecond: 160, burst: 500, concurrent: 100 },
  notes: [
    ...googleNotes,
    'The limits are those that Google’s console shows for a new app (known, not verified).',
    'A sync token that is too old is answered with 410 (known, not verified): then that calendar is read again.',
    'A sync asks for all calendars of an account in batches of 25, each part counted against the limits; a part that is not answered well is asked by itself. Google documents 50; not verified on a live account.',
    'How long a window Google answers free-busy for is not documented: it is asked in pieces of 30 days.',
    'Where one works from, birthdays of contacts, and calendars that Google publishes (holidays) are not synced.',
  ],
  verified:
    'Emulator: sandbox/google/calendar.ts. Every request and answer held against Google’s own discovery document (calendar v3, 2026).',
});

/** The main calendar's id is the account's address. */
async function identity(context: ProviderContext): Promise<{ id: string; label: string }> {
  const main = (await calendarsOf(context)).find(({ primary }) => primary);
  if (main === undefined)
    throw new DrawbridgeError('malformed_response', 'The account has no main calendar.');
  return { id: main.id.toLowerCase(), label: main.id };
}
