// One calendar collection: objects by name, an ETag each, and a log of changes that sync tokens point
// into (RFC 6578).
import { createHash } from 'node:crypto';
import ICAL from 'ical.js';

export interface CalendarObject {
  name: string;
  ics: string;
  /** With its quotes. */
  etag: string;
  uid: string;
}

export class CalendarStore {
  readonly #objects = new Map<string, CalendarObject>();
  /** Names in order of change; a name may stand there several times. */
  readonly #log: string[] = [];
  /** Tokens below this one were forgotten by the server. */
  #oldest = 0;

  get version(): number {
    return this.#log.length;
  }

  objects(): CalendarObject[] {
    return [...this.#objects.values()];
  }

  get(name: string): CalendarObject | undefined {
    return this.#objects.get(name);
  }

  byUid(uid: string): CalendarObject | undefined {
    return this.objects().find((object) => object.uid === uid);
  }

  /** @throws Error when `ics` is no calendar with one UID. */
  put(name: string, ics: string): CalendarObject {
    const calendar = new ICAL.Component(ICAL.parse(ics));
    const parts = [...calendar.getAllSubcomponents('vevent'), ...calendar.getAllSubcomponents('vtodo')];
    const uids = new Set(parts.map((part) => String(part.getFirstPropertyValue('uid') ?? '')));
    const [uid] = uids;
    if (uids.size !== 1 || uid === undefined || uid === '') throw new Error('one object, one UID');
    const etag = `"${createHash('sha256').update(`${this.version}\n${ics}`).digest('hex').slice(0, 20)}"`;
    const object = { name, ics, etag, uid };
    this.#objects.set(name, object);
    this.#log.push(name);
    return object;
  }

  delete(name: string): boolean {
    if (!this.#objects.delete(name)) return false;
    this.#log.push(name);
    return true;
  }

  /** Names changed since `version`, each once; undefined when that version is unknown or forgotten. */
  changedSince(version: number): string[] | undefined {
    if (version < this.#oldest || version > this.version) return undefined;
    return [...new Set(this.#log.slice(version))];
  }

  /** What a server does that keeps its log for some days only: older tokens are refused from now on. */
  forgetTokens(): void {
    this.#oldest = this.version + 1;
    this.#log.push('');
  }
}

/** Whether an object has an occurrence in the half-open range; times are integer ms. */
export function occursIn(ics: string, from: number, to: number): boolean {
  const calendar = new ICAL.Component(ICAL.parse(ics));
  for (const zone of calendar.getAllSubcomponents('vtimezone')) ICAL.TimezoneService.register(zone);
  const components = calendar.getAllSubcomponents('vevent');
  const overlaps = (start: ICAL.Time, end: ICAL.Time) =>
    start.toJSDate().getTime() < to && end.toJSDate().getTime() > from;
  for (const component of components) {
    const event = new ICAL.Event(component);
    if (!event.isRecurring()) {
      if (overlaps(event.startDate, event.endDate)) return true;
      continue;
    }
    const occurrences = event.iterator();
    for (let next = occurrences.next(); next; next = occurrences.next()) {
      if (next.toJSDate().getTime() >= to) break;
      const { startDate, endDate } = event.getOccurrenceDetails(next);
      if (overlaps(startDate, endDate)) return true;
    }
  }
  return false;
}
