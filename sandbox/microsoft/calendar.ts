// Graph's main calendar over a store of events. https://learn.microsoft.com/en-us/graph/api/resources/calendar
import type { Clock } from '../../src/clock.ts';
import { instantOf } from '../../src/time.ts';
import { objectIn } from '../google/answers.ts';
import { type GoogleCalendarStore, type GoogleEvent, msOf, timeAt } from '../google/event-store.ts';
import type { Answer } from '../http.ts';
import type { Call } from '../providers.ts';
import {
  delta,
  forbidden,
  invalid,
  json,
  listed,
  markAsked,
  notFound,
  type Property,
  propertiesIn,
  refusal,
  selected,
} from './answers.ts';

const write = ['Calendars.ReadWrite'];
const read = ['Calendars.Read', ...write];

interface Beside {
  transactionId?: string;
  properties: Property[];
}

export interface CalendarOptions {
  /** Events are kept in the form that the story's other calendar keeps them in. */
  store: GoogleCalendarStore;
  clock: Clock;
  owner: string;
  /** What Outlook mails to the attendees. */
  invite(event: GoogleEvent, occasion: 'invited' | 'cancelled'): void;
}

/** Answers calls below /me that are about events; undefined where a path is none of them. */
export function createOutlookCalendar({ store, clock, owner, invite }: CalendarOptions) {
  const besides = new Map<string, Beside>();
  let made = 0;

  const utc = (ms: number) => ({
    dateTime: `${new Date(ms).toISOString().slice(0, 19)}.0000000`,
    timeZone: 'UTC',
  });

  /** A whole day is one of no zone: midnight of its date, called UTC. */
  const when = (event: GoogleEvent, name: 'start' | 'end') =>
    event[name].date === undefined
      ? utc(msOf(event[name], store.timeZone))
      : utc(Date.parse(`${event[name].date}T00:00:00Z`));

  const typeOf = (event: GoogleEvent) => {
    if (event.recurrence !== undefined) return 'seriesMaster';
    if (event.recurringEventId === undefined) return 'singleInstance';
    return store.get(event.id) === undefined ? 'occurrence' : 'exception';
  };

  function shown(event: GoogleEvent): Record<string, unknown> {
    const people = (event.attendees ?? []).map(({ email, displayName, responseStatus }) => ({
      type: 'required',
      status: { response: responses[responseStatus] ?? 'none', time: '0001-01-01T00:00:00Z' },
      emailAddress: { name: displayName ?? email, address: email },
    }));
    const rule = event.recurrence?.find((line) => line.startsWith('RRULE:'));
    const organiser = event.organizer?.email ?? owner;
    return {
      '@odata.etag': `W/"${event.id}.${event.sequence}"`,
      id: event.id,
      type: typeOf(event),
      seriesMasterId: event.recurringEventId ?? null,
      iCalUId: event.iCalUID,
      transactionId: besides.get(event.id)?.transactionId ?? null,
      subject: event.summary ?? '',
      bodyPreview: (event.description ?? '').slice(0, 255),
      start: when(event, 'start'),
      end: when(event, 'end'),
      originalStartTimeZone: event.start.timeZone ?? 'Pacific Standard Time',
      isAllDay: event.start.date !== undefined,
      isCancelled: false,
      isOrganizer: organiser === owner,
      showAs: event.transparency === 'transparent' ? 'free' : 'busy',
      location: { displayName: event.location ?? '' },
      organizer: { emailAddress: { name: event.organizer?.displayName ?? organiser, address: organiser } },
      attendees: people,
      recurrence:
        rule === undefined ? null : recurrenceOf(rule, event.start.date ?? event.start.dateTime ?? ''),
      isReminderOn: event.reminders?.overrides !== undefined,
      reminderMinutesBeforeStart: event.reminders?.overrides?.[0]?.minutes ?? 15,
      webLink: `https://outlook.office365.com/owa/?itemid=${event.id}&path=/calendar/item`,
    };
  }

  const standing = () => store.events().filter(({ status }) => status !== 'cancelled');
  const present = (id: string) => {
    const event = store.get(id);
    return event === undefined || event.status === 'cancelled' ? undefined : event;
  };

  function windowOf(query: URLSearchParams): [number, number] | undefined {
    const [from, to] = ['startDateTime', 'endDateTime'].map((name) => Date.parse(query.get(name) ?? ''));
    return from !== undefined && to !== undefined && to > from ? [from, to] : undefined;
  }

  function view(call: Call): Answer {
    const window = windowOf(call.query);
    if (window === undefined)
      return invalid('This request requires a time window: startDateTime and endDateTime.');
    const events = store.occurrences(...window).filter(({ status }) => status !== 'cancelled');
    return listed(events.map(shown), call);
  }

  function viewDelta(call: Call): Answer {
    const { query } = call;
    const begins = !query.has('$skiptoken') && !query.has('$deltatoken');
    if (begins && windowOf(query) === undefined) return invalid('startDateTime and endDateTime are needed.');
    return delta<GoogleEvent>(
      {
        version: store.version,
        all() {
          const kept = store.events().map((item, at) => ({ at, item }));
          // Of a series also its dates come, each as a stub.
          const [from, to] = [clock.now(), clock.now() + 14 * 86_400_000];
          const dates = store.occurrences(from, to).filter((one) => typeOf(one) === 'occurrence');
          return [
            ...kept.filter(({ item }) => item.status !== 'cancelled'),
            ...dates.map((item, n) => ({ at: 1_000_000 + n, item })),
          ];
        },
        changedSince: (version) => store.changedSince(version),
        item: present,
        shown: (event) =>
          typeOf(event) === 'occurrence'
            ? {
                id: event.id,
                type: 'occurrence',
                start: when(event, 'start'),
                end: when(event, 'end'),
                seriesMasterId: event.recurringEventId,
              }
            : shown(event),
      },
      call,
    );
  }

  function insert(call: Call): Answer {
    const given = objectIn(call.body);
    const [start, end] = [timeIn(given?.['start']), timeIn(given?.['end'])];
    if (given === undefined || start === undefined || end === undefined) {
      return refusal(
        400,
        'ErrorPropertyValidationFailure',
        'start and end are needed, each with its time zone.',
      );
    }
    const { transactionId } = given;
    if (typeof transactionId === 'string') {
      const known = [...besides.values()].some((one) => one.transactionId === transactionId);
      if (known) return refusal(409, 'ErrorDuplicateTransactionId', 'The transaction id was used before.');
    }
    made += 1;
    const id = `AAMkAGI2E${String(made).padStart(12, '0')}AAA=`;
    const stamp = new Date(clock.now()).toISOString();
    const attendees = (Array.isArray(given['attendees']) ? given['attendees'] : []) as {
      emailAddress: { address: string; name?: string };
    }[];
    const location = (given['location'] as { displayName?: string } | undefined)?.displayName;
    const description = (given['body'] as { content?: string } | undefined)?.content;
    const minutes = given['reminderMinutesBeforeStart'];
    const rule = given['recurrence'] == null ? undefined : ruleIn(given['recurrence'] as Recurrence);
    const event = store.put({
      id,
      status: 'confirmed',
      iCalUID: `${id}@outlook.example`,
      summary: String(given['subject'] ?? ''),
      ...(location === undefined ? {} : { location }),
      ...(description === undefined ? {} : { description }),
      start,
      end,
      ...(rule === undefined ? {} : { recurrence: [rule] }),
      organizer: { email: owner, self: true },
      attendees: attendees.map(({ emailAddress }) => ({
        email: emailAddress.address,
        ...(emailAddress.name === undefined ? {} : { displayName: emailAddress.name }),
        responseStatus: 'needsAction',
      })),
      ...(typeof minutes === 'number'
        ? { reminders: { useDefault: false, overrides: [{ method: 'popup', minutes }] } }
        : {}),
      created: stamp,
      updated: stamp,
      sequence: 0,
    });
    besides.set(id, {
      properties: propertiesIn(given),
      ...(typeof transactionId === 'string' ? { transactionId } : {}),
    });
    if (attendees.length > 0) invite(event, 'invited');
    return json(shown(event), 201);
  }

  function listEvents(call: Call): Answer {
    const mark = markAsked(call.query);
    if (call.query.has('$filter') && mark === undefined) return invalid('The filter is not understood.');
    const hits = standing().filter(
      ({ id }) =>
        mark === undefined ||
        besides.get(id)?.properties.some((one) => one.id === mark.id && one.value === mark.value) === true,
    );
    return listed(hits.map(shown), call);
  }

  function ofEvent(call: Call, id: string): Answer | undefined {
    const at = Date.parse(id.replace(/^.*_(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
    const date = Number.isNaN(at) ? undefined : store.occurrences(at, at + 1).find((one) => one.id === id);
    const event = present(id) ?? date;
    if (event === undefined) return notFound();
    if (call.method === 'GET') return json(selected(shown(event), call.query));
    if (call.method !== 'DELETE') return undefined;
    const wanted = call.headers['if-match'];
    if (wanted !== undefined && wanted !== '*' && wanted !== shown(event)['@odata.etag']) {
      return refusal(412, 'ErrorIrresolvableConflict', 'The change key does not match the one of the event.');
    }
    if (store.get(id) === undefined) store.put(event);
    store.cancel(id);
    if ((event.attendees ?? []).length > 0) invite(event, 'cancelled');
    return { status: 204 };
  }

  function schedule(call: Call): Answer {
    const given = objectIn(call.body);
    const [start, end] = [timeIn(given?.['startTime']), timeIn(given?.['endTime'])];
    const names = given?.['schedules'];
    if (start === undefined || end === undefined || !Array.isArray(names))
      return invalid('A window is needed.');
    const [from, to] = [msOf(start, 'UTC'), msOf(end, 'UTC')];
    if (to - from > 62 * 86_400_000) return invalid('The requested time duration is too long.');
    const items = store
      .occurrences(from, to)
      .filter(({ status }) => status !== 'cancelled')
      .map((event) => ({
        status: event.transparency === 'transparent' ? 'free' : 'busy',
        subject: event.summary ?? '',
        isPrivate: false,
        start: when(event, 'start'),
        end: when(event, 'end'),
      }));
    return json({
      value: names.map((scheduleId) =>
        scheduleId === owner
          ? { scheduleId, availabilityView: '', scheduleItems: items }
          : {
              scheduleId,
              error: { message: 'The mailbox was not found.', responseCode: 'ErrorMailRecipientNotFound' },
            },
      ),
    });
  }

  return (call: Call, path: string, granted: readonly string[] | undefined): Answer | undefined => {
    const { method } = call;
    const may = (scopes: readonly string[]) => forbidden(granted, scopes);
    if (method === 'GET' && path === 'calendarView') return may(read) ?? view(call);
    if (method === 'GET' && path === 'calendarView/delta') return may(read) ?? viewDelta(call);
    if (method === 'POST' && path === 'calendar/getSchedule') return may(read) ?? schedule(call);
    if (path === 'events') {
      if (method === 'POST') return may(write) ?? insert(call);
      return may(read) ?? listEvents(call);
    }
    const [, id] = /^events\/([^/]+)$/.exec(path) ?? [];
    if (id === undefined) return undefined;
    return may(method === 'GET' ? read : write) ?? ofEvent(call, decodeURIComponent(id));
  };
}

const responses: Readonly<Record<string, string>> = {
  accepted: 'accepted',
  declined: 'declined',
  tentative: 'tentativelyAccepted',
  needsAction: 'notResponded',
};

/** A wall time with its zone, as the story's calendar keeps it. */
function timeIn(given: unknown) {
  const { dateTime, timeZone } = (given ?? {}) as { dateTime?: unknown; timeZone?: unknown };
  if (typeof dateTime !== 'string' || typeof timeZone !== 'string') return undefined;
  const wall = dateTime.replace(/\.\d+$/, '');
  return timeAt(instantOf(wall, timeZone), timeZone);
}

const days = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];
const short = (day: string) => day.slice(0, 2).toUpperCase();
const indexes: Readonly<Record<string, string>> = {
  1: 'first',
  2: 'second',
  3: 'third',
  4: 'fourth',
  '-1': 'last',
};

interface Recurrence {
  pattern: { type: string; interval?: number; daysOfWeek?: string[]; dayOfMonth?: number; month?: number };
  range: { type: string; startDate?: string; endDate?: string; numberOfOccurrences?: number };
}

/** The story's rules as Graph keeps them. */
function recurrenceOf(rule: string, start: string) {
  const parts = new Map(
    rule
      .slice('RRULE:'.length)
      .split(';')
      .map((part) => part.split('=', 2) as [string, string]),
  );
  const startDate = start.slice(0, 10);
  const [, month = 1, day = 1] = startDate.split('-').map(Number);
  const weekday = days[new Date(`${startDate}T00:00:00Z`).getUTCDay()] ?? 'monday';
  const interval = Number(parts.get('INTERVAL') ?? 1);
  const nth = /^(-?\d)([A-Z]{2})$/.exec(parts.get('BYDAY') ?? '');
  const named = parts
    .get('BYDAY')
    ?.split(',')
    .flatMap((one) => days.find((day) => short(day) === one) ?? []);
  const pattern =
    parts.get('FREQ') === 'DAILY'
      ? { type: 'daily', interval }
      : parts.get('FREQ') === 'WEEKLY'
        ? { type: 'weekly', interval, daysOfWeek: named ?? [weekday], firstDayOfWeek: 'monday' }
        : parts.get('FREQ') === 'YEARLY'
          ? { type: 'absoluteYearly', interval, dayOfMonth: day, month }
          : nth === null
            ? { type: 'absoluteMonthly', interval, dayOfMonth: day }
            : {
                type: 'relativeMonthly',
                interval,
                index: indexes[nth[1] ?? '1'],
                daysOfWeek: days.filter((one) => short(one) === nth[2]),
              };
  const count = parts.get('COUNT');
  const range =
    count === undefined
      ? { type: 'noEnd', startDate }
      : { type: 'numbered', startDate, numberOfOccurrences: Number(count) };
  return { pattern, range };
}

/** What was asked for, as the story's calendar keeps it. */
function ruleIn({ pattern, range }: Recurrence): string {
  const frequency = {
    daily: 'DAILY',
    weekly: 'WEEKLY',
    absoluteMonthly: 'MONTHLY',
    absoluteYearly: 'YEARLY',
  };
  const parts = [
    `FREQ=${frequency[pattern.type as keyof typeof frequency] ?? 'DAILY'}`,
    `INTERVAL=${pattern.interval ?? 1}`,
    ...(pattern.daysOfWeek === undefined ? [] : [`BYDAY=${pattern.daysOfWeek.map(short).join(',')}`]),
    ...(range.type === 'numbered' ? [`COUNT=${range.numberOfOccurrences}`] : []),
    ...(range.type === 'endDate' ? [`UNTIL=${(range.endDate ?? '').replaceAll('-', '')}T235959Z`] : []),
  ];
  return `RRULE:${parts.join(';')}`;
}
