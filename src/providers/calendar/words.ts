// When an event is and how often, in words: for the summary, and for the page on which a person approves it.
import { type CalendarCreate, fewOf } from '../capabilities.ts';

const wall = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}$/;
const long = new Intl.DateTimeFormat('en-GB', { timeZone: 'UTC', dateStyle: 'full', timeStyle: 'short' });
const timeOnly = new Intl.DateTimeFormat('en-GB', { timeZone: 'UTC', timeStyle: 'short' });

/** A wall time in words, without moving it; as written when it is none. */
function inWords(text: string, format: Intl.DateTimeFormat): string {
  const ms = wall.test(text) ? Date.parse(`${text}Z`) : Number.NaN;
  return Number.isNaN(ms) ? text : format.format(ms);
}

/** From when to when, in the event's own zone; the day is named once where it is one. */
export function spanInWords(event: Pick<CalendarCreate, 'start' | 'end'>): string {
  const sameDay = event.start.slice(0, 10) === event.end.slice(0, 10);
  return `${inWords(event.start, long)} to ${inWords(event.end, sameDay ? timeOnly : long)}`;
}

const days: Record<string, string> = {
  MO: 'Monday',
  TU: 'Tuesday',
  WE: 'Wednesday',
  TH: 'Thursday',
  FR: 'Friday',
  SA: 'Saturday',
  SU: 'Sunday',
};
const rhythms: Record<string, [string, string]> = {
  DAILY: ['day', 'days'],
  WEEKLY: ['week', 'weeks'],
  MONTHLY: ['month', 'months'],
  YEARLY: ['year', 'years'],
};

/** Common rules in words; undefined for others, which are shown as they stand (RFC 5545, 3.3.10). */
export function recurrenceInWords(rule: string): string | undefined {
  const parts = new Map(rule.split(';').map((part) => part.split('=', 2) as [string, string | undefined]));
  const rhythm = rhythms[parts.get('FREQ') ?? ''];
  if (rhythm === undefined) return undefined;
  const interval = Number(parts.get('INTERVAL') ?? 1);
  const words = [interval === 1 ? `every ${rhythm[0]}` : `every ${interval} ${rhythm[1]}`];
  for (const [name, value] of parts) {
    if (value === undefined) return undefined;
    if (name === 'FREQ' || name === 'INTERVAL' || name === 'WKST') continue;
    if (name === 'COUNT') words.push(`${value} times`);
    else if (name === 'UNTIL')
      words.push(`until ${value.slice(0, 8).replace(/(\d{4})(\d{2})(\d{2})/, '$1-$2-$3')}`);
    else if (name === 'BYDAY') {
      const named = value.split(',').map((day) => days[day]);
      if (named.includes(undefined)) return undefined;
      words.push(`on ${named.join(', ')}`);
    } else return undefined;
  }
  const tail = words.filter((word) => !word.startsWith('on '));
  return [tail[0], ...words.filter((word) => word.startsWith('on ')), ...tail.slice(1)].join(', ');
}

/** What a person reads of an event in a list, from the whole of it. */
export function eventInWords(deed: string, event: CalendarCreate): string {
  const { recurrence: rule } = event;
  return (
    `${deed}: “${event.title}”, ${spanInWords(event)} (${event.timeZone})` +
    (event.location === undefined ? '' : `, at ${event.location}`) +
    (rule === undefined ? '' : `, repeating ${recurrenceInWords(rule) ?? rule}`) +
    (event.attendees.length === 0 ? '' : `, inviting ${fewOf(event.attendees)}`)
  );
}
