// Taking back what was booked here: an event of our own making alone, in the version that was approved.
import { createHash } from 'node:crypto';
import ICAL from 'ical.js';
import { deleteObject } from 'tsdav';
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import { isZone } from '../calendar/check.ts';
import {
  EffectRefused,
  type LiveRecord,
  type ProviderContext,
  type WriteOutcome,
  writeOperation,
} from '../define.ts';
import { type Account, openAccount } from './account.ts';
import { type Calendar, calendarsOf, sendsInvitations } from './calendars.ts';
import { refusedBy } from './create.ts';

const cancelling = z.object({
  // The name of its file is made of this: nothing that leads elsewhere.
  uid: z
    .string()
    .regex(/^[a-z0-9_]{1,100}@drawbridge$/)
    .describe('UID of an event that was booked here, as its outcome gives it'),
  // What the person reads who decides; an event with another title is not proposed.
  title: z.string().max(1000),
  start: z.string().max(40).describe('Wall time, 2026-03-02T15:00:00, as it was booked'),
});
type Cancelling = z.infer<typeof cancelling>;

export const cancel = writeOperation<Cancelling>({
  effect: 'delete',
  version: 1,
  title: 'Cancel an event',
  description: 'Takes an event that was booked here out of the calendar, the whole series where it repeats.',
  idempotency: 'look-up',
  input: cancelling,
  summary: ({ title, start }, account) => `In ${account}: cancel “${title}” of ${start}`,
  async before(context, { uid }) {
    const { object } = await standing(context, uid);
    const { title, ...fields } = fieldsOf(object);
    return { title: String(title), fields: { title, ...fields }, after: {} };
  },
  checkMeant: checkNames,
  async run(context, payload) {
    const { account, object } = await standing(context, payload.uid);
    const fields = fieldsOf(object);
    const approved = context.before?.fields;
    if (approved === undefined) checkNames(payload, { fields });
    else if (approved['version'] !== fields['version']) {
      throw new DrawbridgeError('conflict', 'The event was changed since its cancellation was approved.');
    }
    const told = fields['attendees'] === undefined || (await sendsInvitations(account, object.calendar));
    await context.aboutToSend();
    const response = await deleteObject({
      url: object.href,
      ...(object.tag === undefined ? {} : { etag: object.tag }),
      headers: account.dav.headers,
      // Not the fetch of the questions: what a status means is different once there is an effect.
      fetch: (input, init) => account.dav.send(input, { ...init, redirect: 'manual' }),
    });
    if (response.ok) {
      const warning =
        'The event is out of the calendar. This server sends no word of it, so the attendees have not been told.';
      return { ...cancelled(payload), ...(told ? {} : { warning }) };
    }
    if (response.status === 412) {
      const cause = new DrawbridgeError('conflict', 'The event was changed meanwhile; it was not cancelled.');
      throw new EffectRefused(cause.message, { cause });
    }
    if (response.status >= 300 && response.status < 500 && response.status !== 408) {
      throw refusedBy(response, 'The calendar server refused to cancel it', context.clock.now());
    }
    throw new Error(`the calendar server answered ${response.status}`);
  },
  async lookUp(context, payload) {
    const account = await openAccount(context);
    if ((await found(context, account, payload.uid)) === undefined) {
      return { found: true, outcome: cancelled(payload) };
    }
    return { found: false, conclusive: true, evidence: 'The event is still in the calendar.' };
  },
});

function cancelled({ uid }: Cancelling): WriteOutcome {
  return { reference: uid, details: { uid } };
}

/** A calendar object as the server gives it. */
interface Stored {
  href: string;
  calendar: Calendar;
  text: string;
  /** Strong, so that it can be a condition; undefined where the server gives none. */
  tag: string | undefined;
}

/** @throws DrawbridgeError `not_found`: it was taken out already, or never stood there */
async function standing(
  context: ProviderContext,
  uid: string,
): Promise<{ account: Account; object: Stored }> {
  const account = await openAccount(context);
  const object = await found(context, account, uid);
  if (object !== undefined) return { account, object };
  throw new DrawbridgeError('not_found', 'No calendar of the account has this event (any more).');
}

/** Under the name that booking gave it, in any calendar: the default may have changed since. */
async function found(context: ProviderContext, account: Account, uid: string): Promise<Stored | undefined> {
  for (const calendar of await calendarsOf(account)) {
    const href = new URL(`${uid.slice(0, -'@drawbridge'.length)}.ics`, calendar.url).href;
    const response = await account.dav.fetch(href, { method: 'GET', headers: account.dav.headers });
    if (response.status === 404 || response.status === 410) continue;
    if (!response.ok) {
      const message = `The calendar server answered ${response.status} to the question for an event.`;
      throw new DrawbridgeError('provider_unavailable', message);
    }
    const text = await response.text();
    if (
      !text
        .replace(/\r?\n[ \t]/g, '')
        .split(/\r?\n/)
        .includes(`UID:${uid}`)
    ) {
      context.log.warn({ calendar: calendar.name }, 'something else lies under the name of our event');
      continue;
    }
    const tag = response.headers.get('etag') ?? undefined;
    return { href, calendar, text, tag: tag?.startsWith('"') === true ? tag : undefined };
  }
  return undefined;
}

/** What a person reads of it, and a word that changes when anything of it does. */
function fieldsOf({ text, tag, calendar }: Stored): Record<string, unknown> {
  const vevent = parsed(text).getFirstSubcomponent('vevent');
  const said = (name: string) => vevent?.getFirstPropertyValue(name);
  const time = (name: string) => {
    const value = said(name);
    return value instanceof ICAL.Time ? value.toString().replace(/Z$/, '') : null;
  };
  const zone = vevent?.getFirstProperty('dtstart')?.getFirstParameter('tzid');
  const attendees = (vevent?.getAllProperties('attendee') ?? []).map((one) =>
    String(one.getFirstValue()).replace(/^mailto:/i, ''),
  );
  const location = said('location');
  const rule = said('rrule');
  return {
    title: String(said('summary') ?? ''),
    start: time('dtstart'),
    end: time('dtend'),
    timeZone: typeof zone === 'string' && isZone(zone) ? zone : 'UTC',
    calendar: calendar.name,
    ...(location == null ? {} : { location: String(location) }),
    ...(rule == null ? {} : { recurrence: String(rule) }),
    ...(attendees.length === 0 ? {} : { attendees }),
    version: tag ?? createHash('sha256').update(text).digest('hex'),
  };
}

function parsed(text: string): ICAL.Component {
  try {
    return ICAL.Component.fromString(text);
  } catch (cause) {
    throw new DrawbridgeError(
      'malformed_response',
      'The calendar server gave an event that cannot be read.',
      {
        cause,
      },
    );
  }
}

/** @throws DrawbridgeError `invalid_request`: the event is another than the person is told */
function checkNames(payload: Cancelling, { fields }: Pick<LiveRecord, 'fields'>): void {
  for (const field of ['title', 'start'] as const) {
    if (String(fields[field]).trim() === payload[field].trim()) continue;
    const message = `${field}: the event with this UID has another ${field}.`;
    throw new DrawbridgeError('invalid_request', message, { field });
  }
}
