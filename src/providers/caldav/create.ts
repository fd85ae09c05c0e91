// calendar.create: at most one event for one approval. The id is ours, so a second try meets the first.
import { createObject, fetchCalendarUserAddresses } from 'tsdav';
import { retryAfterMs } from '../../egress/retry.ts';
import { DrawbridgeError } from '../../errors.ts';
import { checkEvent } from '../calendar/check.ts';
import { eventInWords } from '../calendar/words.ts';
import { type CalendarCreate, calendarCreateInput } from '../capabilities.ts';
import {
  EffectRefused,
  type LookUp,
  type WriteContext,
  type WriteOutcome,
  writeOperation,
} from '../define.ts';
import { type Account, openAccount } from './account.ts';
import { bookingCalendar, type Calendar, calendarsOf, sendsInvitations } from './calendars.ts';
import { composeEvent } from './compose.ts';

export const create = writeOperation<CalendarCreate>({
  effect: 'create',
  version: 1,
  title: 'Book an event',
  idempotency: 'own-id',
  input: calendarCreateInput,
  summary: (event, account) => eventInWords(`Book in ${account}`, event),
  validate: checkEvent,
  concerns: ({ attendees }) => ({ recipients: attendees.map(({ email }) => email) }),
  compensation: {
    title: 'Cancel the event',
    operation: 'cancel',
    payload: ({ title, start }, { reference }) => ({ uid: reference, title, start }),
  },
  run,
  lookUp,
});

function uidOf(context: WriteContext): string {
  return `${context.effectKey}@drawbridge`;
}

function hrefOf(context: WriteContext, calendar: Calendar): string {
  return new URL(`${context.effectKey}.ics`, calendar.url).href;
}

async function run(context: WriteContext, event: CalendarCreate): Promise<WriteOutcome> {
  const account = await openAccount(context);
  const calendar = await bookingCalendar(account);
  const invites = event.attendees.length > 0;
  const organiser = invites ? await ownAddress(account) : undefined;
  const invited = invites && organiser !== undefined && (await sendsInvitations(account, calendar));
  const text = composeEvent(event, { uid: uidOf(context), organiser, stamp: context.clock.now() });
  const href = hrefOf(context, calendar);
  await context.aboutToSend();
  const response = await createObject({
    url: href,
    data: text,
    headers: {
      ...account.dav.headers,
      'content-type': 'text/calendar; charset=utf-8',
      'if-none-match': '*',
    },
    // Not the fetch of the questions: what a status means is different once there is an effect.
    fetch: (input, init) => account.dav.send(input, { ...init, redirect: 'manual' }),
  });
  const outcome = {
    ...outcomeOf(context, calendar),
    ...(invites && !invited
      ? {
          warning:
            'The event is booked. This server sends no invitations, so the attendees have not been told.',
        }
      : {}),
  };
  if (response.ok) return outcome;
  if (response.status === 412) {
    // Something is there already under our own unguessable name: an earlier try of this very action.
    if (await isThere(context, account, calendar)) return outcome;
    throw new EffectRefused(`The calendar server refused the event: ${href} is taken by something else.`);
  }
  if (response.status >= 300 && response.status < 500 && response.status !== 408) {
    throw refusedBy(response, 'The calendar server refused the event', context.clock.now());
  }
  throw new Error(`the calendar server answered ${response.status}`);
}

/** A write that the server clearly did not do; one that came too fast (429, RFC 6585 4) is worth another try. */
export function refusedBy({ status, headers }: Response, words: string, now: number): EffectRefused {
  const message = `${words} (status ${status}).`;
  if (status !== 429) return new EffectRefused(message);
  const wait = retryAfterMs(headers.get('retry-after'), now);
  const cause = new DrawbridgeError('rate_limited', message, {
    ...(wait === undefined ? {} : { retryAfterMs: wait }),
  });
  return new EffectRefused(message, { cause });
}

function outcomeOf(context: WriteContext, calendar: Calendar): WriteOutcome {
  const href = hrefOf(context, calendar);
  return { reference: uidOf(context), details: { uid: uidOf(context), calendar: calendar.name, href } };
}

/** GET of the href, in every calendar: the default may have changed since. None has it: it was not booked. */
async function lookUp(context: WriteContext): Promise<LookUp> {
  const account = await openAccount(context);
  for (const calendar of await calendarsOf(account)) {
    if (await isThere(context, account, calendar))
      return { found: true, outcome: outcomeOf(context, calendar) };
  }
  return {
    found: false,
    conclusive: true,
    evidence: `No calendar of the account holds ${context.effectKey}.ics.`,
  };
}

async function isThere(context: WriteContext, account: Account, calendar: Calendar): Promise<boolean> {
  const href = hrefOf(context, calendar);
  const response = await account.dav.fetch(href, { method: 'GET', headers: account.dav.headers });
  if (response.status === 404 || response.status === 410) return false;
  if (!response.ok) {
    throw new DrawbridgeError(
      'provider_unavailable',
      `The calendar server answered ${response.status} to a look-up.`,
    );
  }
  const unfolded = (await response.text()).replace(/\r?\n[ \t]/g, '');
  return unfolded.split(/\r?\n/).includes(`UID:${uidOf(context)}`);
}

/** The account's own address: the one given, the log-in name, or what the server says (RFC 6638 2.4.1). */
export async function ownAddress(account: Account): Promise<string | undefined> {
  const { fields, principalUrl, homeUrl, dav } = account;
  if (fields.email !== undefined) return fields.email;
  if (/^[^\s@]+@[^\s@]+$/.test(fields.user)) return fields.user;
  const addresses = await fetchCalendarUserAddresses({
    account: { accountType: 'caldav', serverUrl: fields.url, rootUrl: fields.url, principalUrl, homeUrl },
    headers: dav.headers,
    fetch: dav.fetch,
  });
  return addresses.find((address) => /^mailto:[^\s@]+@[^\s@]+$/i.test(address))?.slice('mailto:'.length);
}
