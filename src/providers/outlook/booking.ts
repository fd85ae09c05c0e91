// Booking and cancelling in Outlook's main calendar: at most one event for one approval, by Graph's own
// transaction id. https://learn.microsoft.com/en-us/graph/api/user-post-events
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import { instantOf, iso } from '../../time.ts';
import { checkEvent } from '../calendar/check.ts';
import { eventInWords } from '../calendar/words.ts';
import { type CalendarCreate, calendarCreateInput } from '../capabilities.ts';
import {
  EffectRefused,
  type LiveRecord,
  type LookUp,
  type ProviderContext,
  type WriteContext,
  type WriteOutcome,
  writeOperation,
} from '../define.ts';
import { microsoftHttp as http, steadyIds } from '../microsoft.ts';
import { ifThere, send, sendWrite } from '../request.ts';
import { instantIn, inUtc, type RawEvent, rawEvent, untitled } from './event.ts';
import { asRecipient, graphId, markFilter, markOf } from './message.ts';
import { patternOf } from './series.ts';

const writesEvents = ['Calendars.ReadWrite'];

/** @throws DrawbridgeError `invalid_request` */
function checkBooking(event: CalendarCreate): void {
  checkEvent(event);
  if (event.reminders.length > 1) {
    throw new DrawbridgeError('invalid_request', 'reminders: Outlook keeps one an event.', {
      field: 'reminders',
    });
  }
  if (event.recurrence !== undefined) patternOf(event.recurrence, event);
}

export const create = writeOperation<CalendarCreate>({
  effect: 'create',
  version: 1,
  title: 'Book an event',
  description: 'Books one event in the account’s main calendar; Outlook mails the invitations.',
  scopes: writesEvents,
  idempotency: 'provider-key',
  input: calendarCreateInput,
  summary: (event, account) =>
    eventInWords(`Book in ${account}`, event) + (event.attendees.length === 0 ? '' : ' by mail from Outlook'),
  validate: checkBooking,
  concerns: ({ attendees }) => ({ recipients: attendees.map(({ email }) => email) }),
  compensation: {
    title: 'Cancel the event',
    operation: 'cancel',
    payload: (event, { reference }) => ({
      eventId: reference,
      title: event.title,
      start: iso(instantOf(event.start, event.timeZone)),
    }),
  },
  async run(context, event) {
    try {
      const body = bookingOf(context, event);
      return outcomeOf(
        await sendWrite(context, http, { method: 'POST', path: '/me/events', body, output: rawEvent }),
      );
    } catch (error) {
      const taken =
        error instanceof EffectRefused &&
        error.cause instanceof DrawbridgeError &&
        error.cause.code === 'conflict';
      // Graph knows our unguessable transaction: an earlier try of this very action.
      const earlier = taken ? await lookUpBooked(context) : undefined;
      if (earlier?.found === true) return earlier.outcome;
      throw error;
    }
  },
  lookUp: lookUpBooked,
});

function bookingOf(context: WriteContext, event: CalendarCreate) {
  const { timeZone, location, description, recurrence } = event;
  const [reminder] = event.reminders;
  return {
    transactionId: context.effectKey,
    singleValueExtendedProperties: [markOf(context)],
    subject: event.title,
    start: { dateTime: event.start, timeZone },
    end: { dateTime: event.end, timeZone },
    ...(location === undefined ? {} : { location: { displayName: location } }),
    ...(description === undefined ? {} : { body: { contentType: 'text', content: description } }),
    ...(event.attendees.length === 0
      ? {}
      : { attendees: event.attendees.map((one) => ({ ...asRecipient(one), type: 'required' })) }),
    // Else the account's own would ring.
    isReminderOn: reminder !== undefined,
    ...(reminder === undefined ? {} : { reminderMinutesBeforeStart: reminder }),
    ...(recurrence === undefined ? {} : { recurrence: patternOf(recurrence, event) }),
  };
}

function outcomeOf({ id, webLink, iCalUId }: RawEvent): WriteOutcome {
  return {
    reference: id,
    ...(webLink == null ? {} : { url: webLink }),
    details: { id, ...(iCalUId == null ? {} : { uid: iCalUId }) },
  };
}

/** An event with our mark proves it; that there is none proves nothing, as a person may have deleted it. */
async function lookUpBooked(context: WriteContext): Promise<LookUp> {
  const { value } = await send(context, http, {
    method: 'GET',
    path: '/me/events',
    query: { $filter: markFilter(context), $top: 1 },
    headers: inUtc,
    output: z.object({ value: z.array(rawEvent) }),
  });
  const [event] = value;
  if (event !== undefined) return { found: true, outcome: outcomeOf(event) };
  return { found: false, conclusive: false, evidence: 'No event of the calendar bears our mark.' };
}

const cancelling = z.object({
  eventId: graphId,
  // What the person reads who decides; an event with another title or start is not touched.
  title: z.string().max(1000).describe('Its title, as `get-event` gives it'),
  start: z.string().max(40).describe('Its start, as `get-event` gives it'),
});
type Cancelling = z.infer<typeof cancelling>;

export const cancel = writeOperation<Cancelling>({
  effect: 'delete',
  version: 1,
  title: 'Cancel an event',
  description: 'Takes an event out of the calendar; of a series the whole of it, of an occurrence that one.',
  scopes: writesEvents,
  idempotency: 'look-up',
  input: cancelling,
  summary: ({ title, start }, account) =>
    `In ${account}: cancel “${title}” of ${start}; Outlook tells the attendees of an own meeting`,
  async before(context, { eventId }) {
    const event = await standing(context, eventId);
    return {
      title: event.subject || untitled,
      ...(event.webLink == null ? {} : { url: event.webLink }),
      fields: fieldsOf(event),
      after: {},
    };
  },
  checkMeant: checkNames,
  async run(context, payload) {
    const { eventId: id } = payload;
    const event = await standing(context, id);
    const fields = fieldsOf(event);
    const approved = context.before?.fields;
    if (approved === undefined) checkNames(payload, { fields });
    for (const [name, value] of Object.entries(approved ?? {})) {
      if (fields[name] === value) continue;
      throw new DrawbridgeError('conflict', `The ${name} of the event was changed since it was approved.`);
    }
    const etag = event['@odata.etag'];
    await sendWrite(context, http, {
      method: 'DELETE',
      path: '/me/events/{id}',
      params: { id },
      headers: { prefer: steadyIds, ...(etag == null ? {} : { 'if-match': etag }) },
      output: z.unknown(),
    });
    return cancelled(id);
  },
  async lookUp(context, { eventId }) {
    const event = await existing(context, eventId);
    if (event === undefined || event.isCancelled === true) {
      return { found: true, outcome: cancelled(eventId) };
    }
    return { found: false, conclusive: true, evidence: 'The event is still in the calendar.' };
  },
});

const cancelled = (id: string): WriteOutcome => ({ reference: id, details: { id } });

async function existing(context: ProviderContext, id: string): Promise<RawEvent | undefined> {
  return ifThere(
    send(context, http, {
      method: 'GET',
      path: '/me/events/{id}',
      params: { id },
      headers: inUtc,
      output: rawEvent,
    }),
  );
}

/** @throws DrawbridgeError `not_found` */
async function standing(context: ProviderContext, id: string): Promise<RawEvent> {
  const event = await existing(context, id);
  if (event !== undefined && event.isCancelled !== true) return event;
  throw new DrawbridgeError('not_found', 'The calendar has no such event (any more).');
}

function fieldsOf(event: RawEvent): Record<string, unknown> {
  return {
    title: event.subject || untitled,
    start: instantIn(event.start) ?? null,
    end: instantIn(event.end) ?? null,
  };
}

/** @throws DrawbridgeError `invalid_request`: the event is another than the payload calls it */
function checkNames(payload: Cancelling, { fields }: Pick<LiveRecord, 'fields'>): void {
  const differs = (field: string) => {
    const message = `${field}: the event with this id has another ${field}.`;
    return new DrawbridgeError('invalid_request', message, { field });
  };
  if (String(fields['title']).trim() !== payload.title.trim()) throw differs('title');
  if (Date.parse(String(fields['start'])) !== Date.parse(payload.start)) throw differs('start');
}
