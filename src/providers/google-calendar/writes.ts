// Booking, changing and cancelling: at most one effect for one approval. A new event's id is ours, so a second
// try meets the first; the others can be read from the event itself.
// https://developers.google.com/workspace/calendar/api/v3/reference/events
import type { calendar_v3 } from '@googleapis/calendar';
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import { eventInWords, spanInWords } from '../calendar/words.ts';
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
import { ask, cause, scope } from '../google.ts';
import { ifThere } from '../request.ts';
import {
  bodyOf,
  type Change,
  change,
  changeBack,
  checkBooking,
  checkChange,
  idOf,
  isAsChanged,
  patchOf,
} from './body.ts';
import { calendarOf, needed } from './client.ts';
import { calendarId, eventId, untitled } from './reads.ts';

type Event = calendar_v3.Schema$Event;

const writesEvents = [scope('calendar.events')];
const booked = 'primary';

export const create = writeOperation<CalendarCreate>({
  effect: 'create',
  version: 1,
  title: 'Book an event',
  description: 'Books one event in the account’s main calendar; Google mails the invitations.',
  scopes: writesEvents,
  idempotency: 'own-id',
  input: calendarCreateInput,
  summary: (event, account) =>
    eventInWords(`Book in ${account}`, event) + (event.attendees.length === 0 ? '' : ' by mail from Google'),
  validate: checkBooking,
  concerns: ({ attendees }) => ({ recipients: attendees.map(({ email }) => email) }),
  compensation: {
    title: 'Cancel the event',
    operation: 'cancel',
    payload: (event, { reference }) => ({
      calendarId: booked,
      eventId: reference,
      title: event.title,
      start: bodyOf(event).start?.dateTime,
      notify: event.attendees.length > 0,
    }),
  },
  async run(context, event) {
    const client = await calendarOf(context);
    const id = idOf(context.effectKey);
    const requestBody = { ...bodyOf(event), id };
    const sendUpdates = event.attendees.length === 0 ? 'none' : 'all';
    try {
      const made = await cause(context, () =>
        client.events.insert({ calendarId: booked, sendUpdates, requestBody }),
      );
      return outcomeOf(made);
    } catch (error) {
      const taken = error instanceof EffectRefused && codeOf(error) === 'conflict';
      // Something is there already under our own unguessable id: an earlier try of this very action.
      const earlier = taken ? await lookUp(context, id, () => true) : undefined;
      if (earlier?.found === true) return earlier.outcome;
      throw error;
    }
  },
  lookUp: (context) => lookUp(context, idOf(context.effectKey), () => true),
});

const target = {
  calendarId,
  eventId,
  // What the person reads who decides; an event with another title or start is not touched.
  title: z.string().max(1000).describe('Its title, as `events` or `get` gives it'),
  start: z.string().max(40).describe('Its start, as `events` or `get` gives it'),
  notify: z.boolean().default(true).describe('Whether Google mails the attendees'),
};

const changing = z.object({ ...target, change });
type Changing = z.infer<typeof changing>;

export const update = writeOperation<Changing>({
  effect: 'update',
  version: 1,
  title: 'Change an event',
  description: 'Moves an event, or changes its title, place or description.',
  scopes: writesEvents,
  idempotency: 'look-up',
  input: changing,
  summary: (payload, account) =>
    `In ${account}: change “${payload.title}” of ${payload.start}: ${changeInWords(payload.change)}${toldInWords(payload.notify)}`,
  validate: (payload) => checkChange(payload.change),
  async before(context, payload) {
    const event = await standing(context, payload);
    const patch = patchOf(payload.change);
    const touched = { ...fieldsOf(event), ...detailsOf(event, patch) };
    return live(event, touched, {
      ...touched,
      ...fieldsOf({ ...event, ...patch }),
      ...detailsOf(patch, patch),
    });
  },
  checkMeant: checkNames,
  compensation: {
    title: 'Change it back',
    operation: 'update',
    payload: (payload, { details }) => {
      const was = change.safeParse(details['was']);
      if (!was.success) return undefined;
      const { summary = payload.title, start } = patchOf(payload.change);
      return { ...payload, title: summary, start: start?.dateTime ?? payload.start, change: was.data };
    },
  },
  async run(context, payload) {
    const client = await calendarOf(context);
    const requestBody = patchOf(payload.change);
    const { event, asApproved } = await unchanged(context, payload);
    const where = { calendarId: payload.calendarId, eventId: payload.eventId };
    const sendUpdates = payload.notify ? 'all' : 'none';
    const outcome = outcomeOf(
      await cause(context, () => client.events.patch({ ...where, sendUpdates, requestBody }, asApproved)),
    );
    const was = changeBack(event, payload.change);
    return was === undefined ? outcome : { ...outcome, details: { ...outcome.details, was } };
  },
  lookUp: (context, payload) =>
    lookUp(
      context,
      payload.eventId,
      (event) => isAsChanged(event, patchOf(payload.change)),
      payload.calendarId,
    ),
});

const cancelling = z.object(target);
type Cancelling = z.infer<typeof cancelling>;

export const cancel = writeOperation<Cancelling>({
  effect: 'delete',
  version: 1,
  title: 'Cancel an event',
  description: 'Takes an event out of the calendar; of a series the whole of it, of an occurrence that one.',
  scopes: writesEvents,
  idempotency: 'look-up',
  input: cancelling,
  summary: (payload, account) =>
    `In ${account}: cancel “${payload.title}” of ${payload.start}${toldInWords(payload.notify)}`,
  async before(context, payload) {
    const event = await standing(context, payload);
    return live(event, fieldsOf(event), {});
  },
  checkMeant: checkNames,
  async run(context, payload) {
    const client = await calendarOf(context);
    const { asApproved } = await unchanged(context, payload);
    const where = { calendarId: payload.calendarId, eventId: payload.eventId };
    const sendUpdates = payload.notify ? 'all' : 'none';
    await cause(context, () => client.events.delete({ ...where, sendUpdates }, asApproved));
    return cancelled(payload);
  },
  async lookUp(context, payload) {
    const event = await existing(context, payload.calendarId, payload.eventId);
    if (event === undefined || event.status === 'cancelled')
      return { found: true, outcome: cancelled(payload) };
    return { found: false, conclusive: true, evidence: 'The event is still in the calendar.' };
  },
});

function cancelled(payload: Cancelling): WriteOutcome {
  return { reference: payload.eventId, details: { id: payload.eventId, calendar: payload.calendarId } };
}

const toldInWords = (notify: boolean): string =>
  notify ? '; Google mails the attendees' : '; nobody is told by mail';

function changeInWords(given: Change): string {
  const { start, end, timeZone } = given;
  return [
    given.title === undefined ? '' : `title “${given.title}”`,
    start === undefined || end === undefined ? '' : `${spanInWords({ start, end })} (${timeZone ?? '?'})`,
    given.location === undefined ? '' : `place “${given.location}”`,
    given.description === undefined ? '' : 'new description',
  ]
    .filter((part) => part !== '')
    .join(', ');
}

function outcomeOf(event: Event): WriteOutcome {
  const id = needed(event.id, 'id');
  return {
    reference: id,
    ...(typeof event.htmlLink === 'string' ? { url: event.htmlLink } : {}),
    details: { id, ...(typeof event.iCalUID === 'string' ? { uid: event.iCalUID } : {}) },
  };
}

/** The event by its id: that it is not there proves that nothing was done. */
async function lookUp(
  context: WriteContext,
  id: string,
  done: (event: Event) => boolean,
  calendar = booked,
): Promise<LookUp> {
  const event = await existing(context, calendar, id);
  if (event === undefined || !done(event)) {
    const evidence = event === undefined ? `No event has the id ${id}.` : 'The event is not as it should be.';
    return { found: false, conclusive: true, evidence };
  }
  const outcome = outcomeOf(event);
  if (event.status !== 'cancelled') return { found: true, outcome };
  return { found: true, outcome: { ...outcome, warning: 'The event was booked, and cancelled since.' } };
}

async function existing(context: ProviderContext, calendar: string, id: string): Promise<Event | undefined> {
  const client = await calendarOf(context);
  return ifThere(ask(() => client.events.get({ calendarId: calendar, eventId: id })));
}

/**
 * The condition under which Google writes: the event is still as it was approved, or, where nothing was approved
 * of it, as the payload names it. https://developers.google.com/workspace/calendar/api/guides/version-resources
 * @throws DrawbridgeError `not_found`, `conflict`, `invalid_request`
 */
async function unchanged(
  context: WriteContext,
  payload: Cancelling,
): Promise<{ event: Event; asApproved: { headers: { 'If-Match': string } } }> {
  const event = await standing(context, payload);
  const approved = context.before?.fields;
  if (approved === undefined) checkNames(payload, live(event, fieldsOf(event), {}));
  const now = { ...fieldsOf(event), ...detailsOf(event, { location: '', description: '' }) };
  for (const [name, value] of Object.entries(approved ?? {})) {
    if (now[name] === value) continue;
    throw new DrawbridgeError('conflict', `The ${name} of the event was changed since it was approved.`);
  }
  return { event, asApproved: { headers: { 'If-Match': needed(event.etag, 'etag') } } };
}

/** @throws DrawbridgeError `invalid_request`: the event is another than the payload calls it */
function checkNames(payload: Cancelling, { fields }: LiveRecord): void {
  const differs = (field: string) => {
    const message = `${field}: the event with this id has another ${field}.`;
    return new DrawbridgeError('invalid_request', message, { field });
  };
  if (String(fields['title']).trim() !== payload.title.trim()) throw differs('title');
  if (Date.parse(String(fields['start'])) !== Date.parse(payload.start)) throw differs('start');
}

/** The event that is to change, whatever the payload calls it: a person is shown how it stands. */
async function standing(context: ProviderContext, { calendarId: calendar, eventId: id }: Cancelling) {
  const event = await existing(context, calendar, id);
  if (event !== undefined && event.status !== 'cancelled') return event;
  throw new DrawbridgeError('not_found', 'The calendar has no such event (any more).');
}

function fieldsOf({ summary, start, end }: Event): Record<string, unknown> {
  return { title: summary ?? untitled, start: instantIn(start), end: instantIn(end) };
}

/** In one form: Google writes a time that we gave it in its own way. */
function instantIn(time: calendar_v3.Schema$EventDateTime | undefined): string | null {
  const { dateTime, date } = time ?? {};
  return typeof dateTime === 'string' ? new Date(dateTime).toISOString() : (date ?? null);
}

/** Of place and description, those that `patch` touches. */
function detailsOf(event: Event, patch: Event): Record<string, unknown> {
  const { location, description } = patch;
  return {
    ...(location === undefined ? {} : { location: event.location ?? null }),
    ...(description === undefined ? {} : { description: event.description ?? null }),
  };
}

function live(event: Event, fields: Record<string, unknown>, after: Record<string, unknown>): LiveRecord {
  const { htmlLink } = event;
  return {
    title: event.summary ?? untitled,
    ...(typeof htmlLink === 'string' ? { url: htmlLink } : {}),
    fields,
    after,
  };
}

function codeOf(error: EffectRefused): string | undefined {
  return error.cause instanceof DrawbridgeError ? error.cause.code : undefined;
}
