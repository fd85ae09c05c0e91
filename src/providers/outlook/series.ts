// Rules of series: Graph's patterns as RFC 5545 writes them, and the rules that Graph can keep as patterns.
// https://learn.microsoft.com/en-us/graph/api/resources/recurrencepattern
import { DrawbridgeError } from '../../errors.ts';
import { instantOf } from '../../time.ts';
import type { CalendarCreate } from '../capabilities.ts';
import type { Recurrence } from './event.ts';

const days: Readonly<Record<string, string>> = {
  sunday: 'SU',
  monday: 'MO',
  tuesday: 'TU',
  wednesday: 'WE',
  thursday: 'TH',
  friday: 'FR',
  saturday: 'SA',
};
const names: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(days).map(([name, short]) => [short, name]),
);
const places: Readonly<Record<string, number>> = { first: 1, second: 2, third: 3, fourth: 4, last: -1 };

/** `RRULE:…`; undefined for a pattern that is none of the six. `zone`: IANA, of the series. */
export function ruleOf({ pattern, range }: Recurrence, zone: string): string | undefined {
  const parts = partsOf(pattern);
  if (parts === undefined) return undefined;
  const rule = [...parts, `INTERVAL=${pattern.interval ?? 1}`];
  if (range.type === 'numbered' && range.numberOfOccurrences != null) {
    rule.push(`COUNT=${range.numberOfOccurrences}`);
  }
  if (range.type === 'endDate' && range.endDate != null) {
    const end = instantOf(`${range.endDate.slice(0, 10)}T23:59:59`, zone);
    if (!Number.isNaN(end)) rule.push(`UNTIL=${new Date(end).toISOString().replace(/[-:]|\.\d+/g, '')}`);
  }
  return `RRULE:${rule.join(';')}`;
}

function partsOf(pattern: Recurrence['pattern']): string[] | undefined {
  const { dayOfMonth, month } = pattern;
  const on = (pattern.daysOfWeek ?? []).flatMap((name) => days[name.toLowerCase()] ?? []);
  const first = days[pattern.firstDayOfWeek?.toLowerCase() ?? ''];
  const nth = places[pattern.index?.toLowerCase() ?? 'first'] ?? 1;
  switch (pattern.type) {
    case 'daily':
      return ['FREQ=DAILY'];
    case 'weekly':
      return ['FREQ=WEEKLY', `BYDAY=${on.join(',')}`, ...(first === undefined ? [] : [`WKST=${first}`])];
    case 'absoluteMonthly':
      return ['FREQ=MONTHLY', `BYMONTHDAY=${dayOfMonth ?? 1}`];
    case 'relativeMonthly':
      return ['FREQ=MONTHLY', `BYDAY=${on.join(',')}`, `BYSETPOS=${nth}`];
    case 'absoluteYearly':
      return ['FREQ=YEARLY', `BYMONTH=${month ?? 1}`, `BYMONTHDAY=${dayOfMonth ?? 1}`];
    case 'relativeYearly':
      return ['FREQ=YEARLY', `BYMONTH=${month ?? 1}`, `BYDAY=${on.join(',')}`, `BYSETPOS=${nth}`];
    default:
      return undefined;
  }
}

const known = new Set(['FREQ', 'INTERVAL', 'COUNT', 'UNTIL', 'BYDAY', 'BYMONTHDAY', 'BYMONTH', 'WKST']);

/**
 * The rule of an event as Graph keeps it. `event` has passed `checkEvent`.
 * @throws DrawbridgeError `invalid_request` for a rule that none of its patterns can say
 */
export function patternOf(rule: string, event: Pick<CalendarCreate, 'start' | 'timeZone'>) {
  const refuse = (why: string): never => {
    throw new DrawbridgeError('invalid_request', `recurrence: Outlook keeps no such series (${why}).`, {
      field: 'recurrence',
    });
  };
  const parts = new Map(rule.split(';').map((part) => part.split('=', 2) as [string, string]));
  for (const name of parts.keys()) if (!known.has(name)) refuse(name);
  const [year = 0, month = 1, day = 1] = event.start.slice(0, 10).split('-').map(Number);
  const interval = Number(parts.get('INTERVAL') ?? 1);
  const named = parts.get('BYDAY')?.split(',') ?? [];
  const daysOfWeek = named.map((one) => names[one] ?? refuse(`BYDAY=${one}`));
  const only = (...allowed: string[]) => {
    const other = ['BYDAY', 'BYMONTHDAY', 'BYMONTH'].find(
      (name) => parts.has(name) && !allowed.includes(name),
    );
    if (other !== undefined) refuse(`${other} beside ${parts.get('FREQ')}`);
  };
  const same = (name: string, value: number) => {
    const given = parts.get(name);
    if (given !== undefined && Number(given) !== value) refuse(`${name}=${given}`);
  };
  const weekday = Object.keys(days)[new Date(Date.UTC(year, month - 1, day)).getUTCDay()] ?? 'monday';
  const firstDayOfWeek = names[parts.get('WKST') ?? 'MO'];
  const patterns: Record<string, () => object> = {
    DAILY() {
      only();
      return { type: 'daily', interval };
    },
    WEEKLY() {
      only('BYDAY');
      const on = daysOfWeek.length === 0 ? [weekday] : daysOfWeek;
      return { type: 'weekly', interval, daysOfWeek: on, firstDayOfWeek };
    },
    MONTHLY() {
      only('BYMONTHDAY');
      same('BYMONTHDAY', day);
      return { type: 'absoluteMonthly', interval, dayOfMonth: day };
    },
    YEARLY() {
      only('BYMONTHDAY', 'BYMONTH');
      same('BYMONTHDAY', day);
      same('BYMONTH', month);
      return { type: 'absoluteYearly', interval, dayOfMonth: day, month };
    },
  };
  const make = patterns[parts.get('FREQ') ?? ''] ?? (() => refuse('FREQ'));
  return { pattern: make(), range: rangeOf(parts, event) };
}

function rangeOf(parts: ReadonlyMap<string, string>, event: Pick<CalendarCreate, 'start' | 'timeZone'>) {
  const common = { startDate: event.start.slice(0, 10), recurrenceTimeZone: event.timeZone };
  const [count, until] = [parts.get('COUNT'), parts.get('UNTIL')];
  if (count !== undefined) return { ...common, type: 'numbered', numberOfOccurrences: Number(count) };
  if (until === undefined) return { ...common, type: 'noEnd' };
  const end = until.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z');
  const local = new Intl.DateTimeFormat('en-CA', { timeZone: event.timeZone }).format(Date.parse(end));
  return { ...common, type: 'endDate', endDate: local };
}
