// calendar.free-busy: when the account is taken, computed from its events and not from the server's word: few
// servers expand recurrences alike.
import ICAL from 'ical.js';
import { instantOf } from '../../time.ts';
import { dropEndlessDurations, runBounded } from '../calendar/bounded.ts';
import { type Busy, merged } from '../calendar/busy.ts';
import { isZone } from '../calendar/check.ts';
import { ruleDates, wallMsOf } from '../calendar/recurrence.ts';
import { vtimezone } from '../calendar/timezone.ts';
import { zoneNamed } from '../calendar/zones.ts';
import { type FreeBusyAnswer, type FreeBusyQuery, freeBusyQuery } from '../capabilities.ts';
import { type ProviderContext, readOperation } from '../define.ts';
import { type Account, openAccount } from './account.ts';
import { type Calendar, calendarsOf } from './calendars.ts';
import { ownAddress } from './create.ts';
import { checkMultistatus, objectsIn } from './feed.ts';

const expandMs = 250;
const mostOccurrences = 20_000;
const day = 86_400_000;

export const freeBusy = readOperation<FreeBusyQuery, FreeBusyAnswer>({
  effect: 'read',
  title: 'Free and busy times',
  input: freeBusyQuery,
  async run(context, query) {
    const account = await openAccount(context);
    const calendars = await calendarsOf(account);
    const own = await ownAddress(account);
    const busy: Busy[] = [];
    for (const calendar of calendars) {
      const zone = calendar.timeZone ?? query.timeZone ?? localZone();
      for (const text of await eventsBetween(account, calendar, query)) {
        busy.push(...busyIn(text, query, { zone, own, context }));
      }
    }
    return { busy: merged(busy) };
  },
});

/** Objects with an event that touches the window, a day wider on both sides for what has no zone. */
async function eventsBetween(
  account: Account,
  calendar: Calendar,
  { from, to }: FreeBusyQuery,
): Promise<string[]> {
  const stamp = (ms: number) => new Date(ms).toISOString().replace(/\.\d+/, '').replace(/[-:]/g, '');
  const range = { _attributes: { start: stamp(from - day), end: stamp(to + day) } };
  const answer = await account.dav.report(
    calendar.url,
    {
      'c:calendar-query': {
        'd:prop': { 'c:calendar-data': {} },
        'c:filter': {
          'c:comp-filter': {
            _attributes: { name: 'VCALENDAR' },
            'c:comp-filter': { _attributes: { name: 'VEVENT' }, 'c:time-range': range },
          },
        },
      },
    },
    '1',
  );
  checkMultistatus(answer, calendar);
  return objectsIn(answer, calendar.url).map(({ text }) => text);
}

interface Reading {
  /** For all-day events and times without a zone. */
  zone: string;
  /** The account's own address: what it has declined does not keep it busy. */
  own: string | undefined;
  context: Pick<ProviderContext, 'log'>;
}

// Rules that ran out of time once: each costs this process that time a single time.
const endless = new Set<string>();
const mostEndless = 1000;

/** The busy times of one calendar object inside the window, neither merged nor sorted. */
export function busyIn(text: string, { from, to }: FreeBusyQuery, reading: Reading): Busy[] {
  const busy: Busy[] = [];
  try {
    const calendar = ICAL.Component.fromString(text);
    dropEndlessDurations(calendar);
    const zone = zoneOf(calendar, reading.zone);
    addZones(calendar, new Date(from).getUTCFullYear(), new Date(to).getUTCFullYear());
    const add = (event: ICAL.Event, start: ICAL.Time, end: ICAL.Time) => {
      if (!keepsBusy(event.component, reading.own)) return;
      const span = { start: Math.max(from, instant(start, zone)), end: Math.min(to, instant(end, zone)) };
      if (span.end > span.start) busy.push({ ...span, ...(event.summary ? { title: event.summary } : {}) });
    };
    readSeries(calendar, { from: from - 2 * day, to: to + 2 * day }, add, { ...reading, zone });
  } catch (error) {
    // What one object holds is somebody else's text; the others still count.
    reading.context.log.warn({ err: error }, 'a calendar object could not be read');
  }
  return busy;
}

type Add = (event: ICAL.Event, start: ICAL.Time, end: ICAL.Time) => void;

/** `around`: wall times, wider than the window by more than any zone's offset. */
function readSeries(calendar: ICAL.Component, around: FreeBusyQuery, add: Add, reading: Reading): void {
  const events = calendar.getAllSubcomponents('vevent');
  const masters = events.filter((event) => !event.hasProperty('recurrence-id'));
  const overrides = events.filter((event) => event.hasProperty('recurrence-id'));
  for (const master of masters) {
    const uid = master.getFirstPropertyValue('uid');
    const exceptions = overrides.filter((event) => event.getFirstPropertyValue('uid') === uid);
    const event = new ICAL.Event(master, { exceptions, strictExceptions: false });
    if (!event.isRecurring()) {
      add(event, event.startDate, event.endDate);
      continue;
    }
    const key = `${master.getFirstPropertyValue('dtstart')} ${master.getFirstPropertyValue('rrule')}`;
    if (endless.has(key)) continue;
    let found: Occurrence[] = [];
    const work = () => {
      found = [];
      expand(event, exceptions, { around, zone: reading.zone }, found);
    };
    if (runBounded(work, expandMs) === undefined) {
      if (endless.size < mostEndless) endless.add(key);
      reading.context.log.warn({ uid }, 'a recurrence took too long to follow and was left');
    }
    for (const { item, startDate, endDate } of found) add(item, startDate, endDate);
  }
  // An override stands where it now stands, wherever its date was; one to a series that we do not hold too.
  for (const override of overrides) {
    const event = new ICAL.Event(override);
    add(event, event.startDate, event.endDate);
  }
}

type Occurrence = Pick<ReturnType<ICAL.Event['getOccurrenceDetails']>, 'item' | 'startDate' | 'endDate'>;

/** Into `found`: what was found in time counts, also where the rest was not. */
function expand(
  event: ICAL.Event,
  exceptions: ICAL.Component[],
  { around, zone }: { around: FreeBusyQuery; zone: string },
  found: Occurrence[],
): void {
  const { component, startDate } = event;
  const shifts = exceptions.some(isForTheRest);
  const lasting = Math.max(0, wallMsOf(event.endDate) - wallMsOf(startDate));
  const gone = skipped(component, exceptions, zone);
  const dates = new Set<number>([wallMsOf(startDate)]);
  const from = shifts ? wallMsOf(startDate) : around.from - lasting;
  for (const rule of recursOf(component, 'rrule')) {
    for (const date of ruleDates(rule, wallMsOf(startDate), from, around.to)) {
      if (isPastUntil(rule, timeAt(date, startDate), zone)) break;
      dates.add(date);
      if (dates.size >= mostOccurrences) break;
    }
  }
  for (const rule of recursOf(component, 'exrule')) {
    for (const date of ruleDates(rule, wallMsOf(startDate), from, around.to)) dates.delete(date);
  }
  for (const added of valuesOf(component, 'rdate')) {
    const time = added instanceof ICAL.Period ? added.start : added;
    if (time instanceof ICAL.Time)
      dates.add(wallMsOf(time.zone === startDate.zone ? time : inZoneOf(time, startDate)));
  }
  for (const date of [...dates].sort((a, b) => a - b)) {
    if (date > around.to || (!shifts && date + lasting < around.from)) continue;
    const time = timeAt(date, startDate);
    if (gone.days.has(date - (date % day)) || gone.instants.has(instant(time, zone))) continue;
    const occurrence = event.getOccurrenceDetails(time);
    const { component: of } = occurrence.item;
    if (!exceptions.includes(of) || isForTheRest(of)) found.push(occurrence);
  }
}

/** What of a series takes place elsewhere or not at all: by its instant; by its day, where only that is named. */
function skipped(
  component: ICAL.Component,
  exceptions: ICAL.Component[],
  zone: string,
): { instants: Set<number>; days: Set<number> } {
  const gone = { instants: new Set<number>(), days: new Set<number>() };
  const moved = exceptions
    .filter((one) => !isForTheRest(one))
    .map((one) => one.getFirstPropertyValue('recurrence-id'));
  for (const time of [...valuesOf(component, 'exdate'), ...moved]) {
    if (!(time instanceof ICAL.Time)) continue;
    if (time.isDate) gone.days.add(wallMsOf(time));
    else gone.instants.add(instant(time, zone));
  }
  return gone;
}

function recursOf(component: ICAL.Component, name: string): ICAL.Recur[] {
  return valuesOf(component, name).filter((value) => value instanceof ICAL.Recur);
}

function valuesOf(component: ICAL.Component, name: string): unknown[] {
  return component.getAllProperties(name).flatMap((property) => property.getValues() as unknown[]);
}

/** UNTIL is an instant, or a wall time where it has no zone; a day counts to its end. */
function isPastUntil({ until }: ICAL.Recur, time: ICAL.Time, zone: string): boolean {
  if (until === null || until === undefined) return false;
  if (until.isDate || time.isDate) return wallMsOf(time) >= wallMsOf(until) - (wallMsOf(until) % day) + day;
  if (until.zone === ICAL.Timezone.utcTimezone) return instant(time, zone) > instant(until, zone);
  return wallMsOf(time) > wallMsOf(until);
}

/** A wall time in the zone, and of the kind, of another. */
function timeAt(wall: number, like: ICAL.Time): ICAL.Time {
  const at = new Date(wall);
  const [year, month, date] = [at.getUTCFullYear(), at.getUTCMonth() + 1, at.getUTCDate()];
  const [hour, minute, second] = [at.getUTCHours(), at.getUTCMinutes(), at.getUTCSeconds()];
  return new ICAL.Time({ year, month, day: date, hour, minute, second, isDate: like.isDate }, like.zone);
}

function inZoneOf(time: ICAL.Time, like: ICAL.Time): ICAL.Time {
  return time.isDate || like.isDate ? time : time.convertToZone(like.zone);
}

function isForTheRest(override: ICAL.Component): boolean {
  return override.getFirstProperty('recurrence-id')?.getFirstParameter('range') === 'THISANDFUTURE';
}

function keepsBusy(event: ICAL.Component, own: string | undefined): boolean {
  const said = (name: string) => String(event.getFirstPropertyValue(name) ?? '').toUpperCase();
  if (said('status') === 'CANCELLED' || said('transp') === 'TRANSPARENT') return false;
  const mine = event
    .getAllProperties('attendee')
    .find((attendee) => String(attendee.getFirstValue()).toLowerCase() === `mailto:${own?.toLowerCase()}`);
  return String(mine?.getFirstParameter('partstat') ?? '').toUpperCase() !== 'DECLINED';
}

/** Integer ms of a time; one without a zone, or of a whole day, means the calendar's zone. */
function instant(time: ICAL.Time, fallback: string): number {
  const zone = time.zone;
  if (zone === ICAL.Timezone.utcTimezone) return time.toUnixTime() * 1000;
  const wall = new Date(wallMsOf(time)).toISOString().slice(0, 19);
  const name = time.isDate ? undefined : zone?.tzid;
  const known = name === undefined || name === 'floating' ? undefined : zoneNamed(name);
  if (known !== undefined) return instantOf(wall, known);
  if (name !== undefined && name !== 'floating' && zone?.component) return time.toUnixTime() * 1000;
  return instantOf(wall, fallback);
}

/** Gives the object the zones that it names and does not define, where they are known. */
function addZones(calendar: ICAL.Component, firstYear: number, lastYear: number): void {
  const named = new Set<string>();
  for (const event of calendar.getAllSubcomponents('vevent')) {
    for (const property of event.getAllProperties()) {
      const tzid = property.getFirstParameter('tzid');
      if (typeof tzid === 'string') named.add(tzid);
    }
  }
  const defined = new Set(
    calendar.getAllSubcomponents('vtimezone').map((zone) => zone.getFirstPropertyValue('tzid')),
  );
  for (const name of named) {
    const zone = defined.has(name) ? undefined : zoneNamed(name);
    if (zone === undefined) continue;
    const definition = ICAL.Component.fromString(vtimezone(zone, firstYear, lastYear));
    definition.updatePropertyWithValue('tzid', name);
    calendar.addSubcomponent(definition);
  }
}

function zoneOf(calendar: ICAL.Component, fallback: string): string {
  const named = calendar.getFirstPropertyValue('x-wr-timezone');
  return typeof named === 'string' && isZone(named) ? named : fallback;
}

function localZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}
