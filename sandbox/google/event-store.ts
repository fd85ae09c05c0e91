// What Google Calendar holds of one account: calendars, events in Google's own form, and a log of changes that
// sync tokens point into.
import { createHash } from 'node:crypto';
import ICAL from 'ical.js';
import { instantOf, wallTime } from '../../src/time.ts';

export interface GoogleTime {
  dateTime?: string;
  date?: string;
  timeZone?: string;
}

/** As in the contract, as far as the sandbox uses it. */
export interface GoogleEvent {
  id: string;
  status: 'confirmed' | 'tentative' | 'cancelled';
  iCalUID: string;
  summary?: string;
  location?: string;
  description?: string;
  start: GoogleTime;
  end: GoogleTime;
  recurrence?: string[];
  recurringEventId?: string;
  originalStartTime?: GoogleTime;
  organizer?: { email: string; displayName?: string; self?: boolean };
  attendees?: { email: string; displayName?: string; responseStatus: string; self?: boolean }[];
  reminders?: { useDefault: boolean; overrides?: { method: string; minutes: number }[] };
  transparency?: string;
  eventType?: string;
  hangoutLink?: string;
  created: string;
  updated: string;
  sequence: number;
}

export class GoogleCalendarStore {
  readonly id: string;
  readonly name: string;
  readonly timeZone: string;
  readonly access: string;
  readonly #events = new Map<string, GoogleEvent>();
  /** Ids in order of change; an id may stand there several times. */
  readonly #log: string[] = [];
  /** Tokens below this one were forgotten. */
  #oldest = 0;

  constructor(given: { id: string; name: string; timeZone: string; access?: string }) {
    this.id = given.id;
    this.name = given.name;
    this.timeZone = given.timeZone;
    this.access = given.access ?? 'owner';
  }

  get version(): number {
    return this.#log.length;
  }

  events(): GoogleEvent[] {
    return [...this.#events.values()];
  }

  get(id: string): GoogleEvent | undefined {
    return this.#events.get(id);
  }

  put(event: GoogleEvent): GoogleEvent {
    this.#events.set(event.id, event);
    this.#log.push(event.id);
    return event;
  }

  /** Google keeps a cancelled event as a shadow; of a series its changed occurrences go with it, unsaid. */
  cancel(id: string): boolean {
    const event = this.#events.get(id);
    if (event === undefined || event.status === 'cancelled') return false;
    this.put({ ...event, status: 'cancelled' });
    for (const one of this.events()) if (one.recurringEventId === id) this.#events.delete(one.id);
    return true;
  }

  /** Ids changed since, each once; undefined when that version is unknown or forgotten. */
  changedSince(version: number): string[] | undefined {
    if (!(version >= this.#oldest && version <= this.version)) return undefined;
    return [...new Set(this.#log.slice(version))].filter((id) => this.#events.has(id));
  }

  /** Older sync tokens are refused from now on. */
  forgetTokens(): void {
    this.#log.push('');
    this.#oldest = this.version;
  }

  /** Occurrences that touch the half-open window, each as an event of its own. Times: integer ms. */
  occurrences(from: number, to: number): GoogleEvent[] {
    const changed = this.events().filter(({ recurringEventId }) => recurringEventId !== undefined);
    const found: GoogleEvent[] = [];
    for (const event of this.events()) {
      const length = msOf(event.end, this.timeZone) - msOf(event.start, this.timeZone);
      const touches = (start: number) => start < to && start + length > from;
      if (event.recurrence === undefined) {
        if (touches(msOf(event.start, this.timeZone))) found.push(event);
        continue;
      }
      for (const start of starts(event, this.timeZone, to)) {
        const own = changed.some(
          (one) =>
            one.recurringEventId === event.id &&
            one.originalStartTime !== undefined &&
            msOf(one.originalStartTime, this.timeZone) === start,
        );
        if (!own && touches(start)) found.push(occurrence(event, start, length, this.timeZone));
      }
    }
    return found.sort((a, b) => msOf(a.start, this.timeZone) - msOf(b.start, this.timeZone));
  }
}

export function msOf(time: GoogleTime, zone: string): number {
  return time.date === undefined
    ? Date.parse(time.dateTime ?? '')
    : instantOf(`${time.date}T00:00:00`, time.timeZone ?? zone);
}

function starts(event: GoogleEvent, zone: string, until: number): number[] {
  const own = event.start.timeZone ?? zone;
  const line = event.recurrence?.find((one) => one.startsWith('RRULE:'));
  if (line === undefined) return [msOf(event.start, zone)];
  const wall = event.start.date ?? wallTime(msOf(event.start, zone), own);
  const first =
    event.start.date === undefined ? ICAL.Time.fromDateTimeString(wall) : ICAL.Time.fromDateString(wall);
  const iterator = ICAL.Recur.fromString(line.slice('RRULE:'.length)).iterator(first);
  const found: number[] = [];
  for (let next = iterator.next(); next !== null && found.length < 2000; next = iterator.next()) {
    const text = next.isDate ? `${next.toString()}T00:00:00` : next.toString();
    const at = instantOf(text, own);
    if (at >= until) break;
    found.push(at);
  }
  return found;
}

function occurrence(event: GoogleEvent, start: number, length: number, zone: string): GoogleEvent {
  const { recurrence: _rule, ...rest } = event;
  const stamp = new Date(start).toISOString().replace(/[-:]|\.\d+/g, '');
  const time = (ms: number) => timeAt(ms, event.start.timeZone ?? zone, event.start.date !== undefined);
  return {
    ...rest,
    id: `${event.id}_${stamp}`,
    recurringEventId: event.id,
    originalStartTime: time(start),
    start: time(start),
    end: time(start + length),
  };
}

/** A time as Google writes it: with the offset that holds in its zone. */
export function timeAt(ms: number, timeZone: string, allDay = false): GoogleTime {
  const wall = wallTime(ms, timeZone);
  if (allDay) return { date: wall.slice(0, 10) };
  const minutes = (Date.parse(`${wall}Z`) - ms) / 60_000;
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
  const size = Math.abs(minutes);
  return { dateTime: `${wall}${minutes < 0 ? '-' : '+'}${two(size / 60)}:${two(size % 60)}`, timeZone };
}

/** One event of an iCalendar text, as Google would hold it. @throws Error where it has none */
export function eventFrom(ics: string, given: { owner: string; zone: string; now: number }): GoogleEvent {
  const calendar = new ICAL.Component(ICAL.parse(ics));
  const vevent = calendar.getFirstSubcomponent('vevent');
  if (vevent === null) throw new Error('no event in it');
  const text = (name: string): string => String(vevent.getFirstPropertyValue(name) ?? '');
  const time = (name: string): GoogleTime => {
    const property = vevent.getFirstProperty(name);
    const value = property?.getFirstValue() as ICAL.Time;
    if (value.isDate) return { date: value.toString() };
    const tzid = property?.getFirstParameter('tzid');
    const zone = typeof tzid === 'string' ? tzid : 'UTC';
    return timeAt(instantOf(value.toString().replace(/Z$/, ''), zone), zone);
  };
  const personOf = (property: ICAL.Property) => {
    const email = String(property.getFirstValue()).replace(/^mailto:/i, '');
    const name = property.getFirstParameter('cn');
    const self = email === given.owner ? { self: true } : {};
    return { email, ...(typeof name === 'string' ? { displayName: name } : {}), ...self };
  };
  const answers: Record<string, string> = {
    ACCEPTED: 'accepted',
    DECLINED: 'declined',
    TENTATIVE: 'tentative',
  };
  const attendees = vevent.getAllProperties('attendee').map((property) => ({
    ...personOf(property),
    responseStatus: answers[String(property.getFirstParameter('partstat'))] ?? 'needsAction',
  }));
  const organizer = vevent.getFirstProperty('organizer');
  const rule = vevent.getFirstPropertyValue('rrule');
  const uid = text('uid');
  const stamp = new Date(given.now).toISOString();
  return {
    id: createHash('sha256').update(uid).digest('hex').slice(0, 26),
    status: 'confirmed',
    iCalUID: uid,
    ...(text('summary') === '' ? {} : { summary: text('summary') }),
    ...(text('location') === '' ? {} : { location: text('location') }),
    ...(text('description') === '' ? {} : { description: text('description') }),
    start: time('dtstart'),
    end: time('dtend'),
    ...(rule === null ? {} : { recurrence: [`RRULE:${String(rule)}`] }),
    ...(organizer === null ? {} : { organizer: personOf(organizer) }),
    ...(attendees.length === 0 ? {} : { attendees }),
    reminders: { useDefault: true },
    eventType: 'default',
    created: stamp,
    updated: stamp,
    sequence: 0,
  };
}
