// The dates of a recurrence rule (RFC 5545, 3.3.10), period by period and no further than asked: of the iCalendar
// library's own, one in ten of random rules came out wrong (BYSETPOS, BYWEEKNO, BYDAY beside BYHOUR), and a rule that
// matches nothing never ended.
import type ICAL from 'ical.js';

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;
const week = 7 * day;
/** No calendar holds more periods of one series. */
const mostPeriods = 200_000;
const mostTimes = 1440;

/** Sunday is 0. */
const weekdays = ['SU', 'MO', 'TU', 'WE', 'TH', 'FR', 'SA'];
const units = { SECONDLY: second, MINUTELY: minute, HOURLY: hour, DAILY: day, WEEKLY: week } as const;

interface Parts {
  freq: string;
  interval: number;
  count: number | undefined;
  /** 0 is Sunday. */
  weekStart: number;
  months: readonly number[];
  weeks: readonly number[];
  yearDays: readonly number[];
  monthDays: readonly number[];
  /** `nth` 0: each of them. */
  days: readonly { weekday: number; nth: number }[];
  hours: readonly number[];
  minutes: readonly number[];
  seconds: readonly number[];
  positions: readonly number[];
}

/** A wall time as if it were UTC, integer ms. */
export function wallMsOf({ year, month, day: date, hour: h, minute: m, second: s }: ICAL.Time): number {
  return Date.UTC(year, month - 1, date, h, m, s);
}

function partsOf(rule: ICAL.Recur, start: Date): Parts {
  const numbers = (name: string) => (rule.getComponent(name) as (number | string)[]).map(Number);
  let months = numbers('BYMONTH');
  let monthDays = numbers('BYMONTHDAY');
  const weeks = numbers('BYWEEKNO');
  const yearDays = numbers('BYYEARDAY');
  let days = (rule.getComponent('BYDAY') as string[]).flatMap((code) => {
    const found = /^([+-]?\d{1,2})?(SU|MO|TU|WE|TH|FR|SA)$/iu.exec(code);
    if (found === null) return [];
    return [{ weekday: weekdays.indexOf((found[2] ?? '').toUpperCase()), nth: Number(found[1] ?? 0) }];
  });
  if (weeks.length + yearDays.length + monthDays.length + days.length === 0) {
    // What the rule does not say, its start does.
    if (rule.freq === 'YEARLY' && months.length === 0) months = [start.getUTCMonth() + 1];
    if (rule.freq === 'YEARLY' || rule.freq === 'MONTHLY') monthDays = [start.getUTCDate()];
    if (rule.freq === 'WEEKLY') days = [{ weekday: start.getUTCDay(), nth: 0 }];
  }
  return {
    freq: rule.freq,
    interval: Math.max(1, rule.interval),
    count: rule.count ?? undefined,
    weekStart: (rule.wkst ?? 2) - 1,
    months,
    weeks,
    yearDays,
    monthDays,
    days,
    hours: numbers('BYHOUR'),
    minutes: numbers('BYMINUTE'),
    seconds: numbers('BYSECOND'),
    positions: numbers('BYSETPOS'),
  };
}

/** Whether a value, or its count from the end of `length`, is among those asked for; none asked for admits all. */
function admits(asked: readonly number[], value: number, length: number): boolean {
  return asked.length === 0 || asked.includes(value) || asked.includes(value - length - 1);
}

const firstOfWeek = (at: number, weekStart: number) =>
  at - ((new Date(at).getUTCDay() - weekStart + 7) % 7) * day;

/** First day of week 1, which has at least four days in the year. */
const firstWeek = (year: number, weekStart: number) => firstOfWeek(Date.UTC(year, 0, 4), weekStart);

function inWeeks(at: number, { weeks, weekStart }: Parts): boolean {
  if (weeks.length === 0) return true;
  const year = new Date(firstOfWeek(at, weekStart) + 3 * day).getUTCFullYear();
  const first = firstWeek(year, weekStart);
  const all = Math.round((firstWeek(year + 1, weekStart) - first) / week);
  return admits(weeks, Math.floor((at - first) / week) + 1, all);
}

/** Whether a day fits the parts that speak of days. */
function fits(at: number, parts: Parts): boolean {
  const date = new Date(at);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
  if (parts.months.length > 0 && !parts.months.includes(month + 1)) return false;
  const monthLength = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
  if (!admits(parts.monthDays, date.getUTCDate(), monthLength)) return false;
  const newYear = Date.UTC(year, 0, 1);
  const yearLength = (Date.UTC(year + 1, 0, 1) - newYear) / day;
  const yearDay = (at - newYear) / day + 1;
  if (!admits(parts.yearDays, yearDay, yearLength) || !inWeeks(at, parts)) return false;
  if (parts.days.length === 0) return true;
  // "The second Tuesday" is one of the month, or of the year where the rule names no month.
  const ofYear = parts.freq === 'YEARLY' && parts.months.length === 0;
  const [place, length] = ofYear ? [yearDay, yearLength] : [date.getUTCDate(), monthLength];
  return parts.days.some(({ weekday, nth }) => {
    if (weekday !== date.getUTCDay()) return false;
    if (nth === 0 || !(parts.freq === 'YEARLY' || parts.freq === 'MONTHLY')) return true;
    return nth === Math.ceil(place / 7) || nth === -Math.ceil((length - place + 1) / 7);
  });
}

/** Days and times of one period. `k`: its number; `start`: the series' own. */
function periodOf(k: number, start: Date, parts: Parts): { from: number; to: number } {
  const { freq, interval } = parts;
  const [year, month] = [start.getUTCFullYear(), start.getUTCMonth()];
  if (freq === 'YEARLY') {
    return { from: Date.UTC(year + k * interval, 0, 1), to: Date.UTC(year + k * interval + 1, 0, 1) };
  }
  if (freq === 'MONTHLY') {
    return { from: Date.UTC(year, month + k * interval, 1), to: Date.UTC(year, month + k * interval + 1, 1) };
  }
  const unit = units[freq as keyof typeof units] ?? day;
  const base =
    freq === 'WEEKLY'
      ? firstOfWeek(Math.floor(start.getTime() / day) * day, parts.weekStart)
      : Math.floor(start.getTime() / unit) * unit;
  return { from: base + k * interval * unit, to: base + (k * interval + 1) * unit };
}

/** The last period that surely lies before `at`. */
function periodBefore(at: number, start: Date, { freq, interval }: Parts): number {
  const until = new Date(Math.max(at, start.getTime()));
  const years = until.getUTCFullYear() - start.getUTCFullYear();
  const passed =
    freq === 'YEARLY'
      ? years
      : freq === 'MONTHLY'
        ? years * 12 + until.getUTCMonth() - start.getUTCMonth()
        : (until.getTime() - start.getTime()) / (units[freq as keyof typeof units] ?? day);
  return Math.max(0, Math.floor(passed / interval) - 2);
}

/** The units of time that a frequency counts by itself: of an hourly rule's period the hour is given. */
const given: Readonly<Record<string, number>> = { HOURLY: 1, MINUTELY: 2, SECONDLY: 3 };

/** Times of day in a period as ms since midnight, ascending. */
function timesOf(period: number, start: Date, { freq, hours, minutes, seconds }: Parts): number[] {
  const now = new Date(period);
  const level = given[freq] ?? 0;
  const pick = (nth: number, asked: readonly number[], current: number, own: number): readonly number[] => {
    if (level < nth) return asked.length === 0 ? [own] : asked;
    return asked.length === 0 || asked.includes(current) ? [current] : [];
  };
  const times = new Set<number>();
  for (const h of pick(1, hours, now.getUTCHours(), start.getUTCHours())) {
    for (const m of pick(2, minutes, now.getUTCMinutes(), start.getUTCMinutes())) {
      for (const s of pick(3, seconds, now.getUTCSeconds(), start.getUTCSeconds())) {
        if (times.size < mostTimes) times.add(h * hour + m * minute + s * second);
      }
    }
  }
  return [...times].sort((x, y) => x - y);
}

/** The dates of one period, ascending. */
function datesIn(period: { from: number; to: number }, start: Date, parts: Parts): number[] {
  const times = timesOf(period.from, start, parts);
  const dates: number[] = [];
  for (let at = Math.floor(period.from / day) * day; at < period.to && times.length > 0; at += day) {
    if (fits(at, parts)) for (const time of times) dates.push(at + time);
  }
  if (parts.positions.length === 0) return dates;
  return dates.filter(
    (_, i) => parts.positions.includes(i + 1) || parts.positions.includes(i - dates.length),
  );
}

/**
 * Wall times of a rule from its start on, ascending, up to `to`; those before `from` may be left out. The start is one
 * only where the rule matches it. UNTIL is the caller's: it is an instant.
 * @param start @param from @param to wall times as if they were UTC, integer ms
 */
export function* ruleDates(rule: ICAL.Recur, start: number, from: number, to: number): Generator<number> {
  const begin = new Date(start);
  const parts = partsOf(rule, begin);
  let left = parts.count ?? Number.POSITIVE_INFINITY;
  const first = parts.count === undefined ? periodBefore(from, begin, parts) : 0;
  for (let k = first; k < first + mostPeriods; k += 1) {
    const period = periodOf(k, begin, parts);
    if (period.from > to || !Number.isFinite(period.to)) return;
    for (const date of datesIn(period, begin, parts)) {
      if (date < start) continue;
      if (date > to || left <= 0) return;
      left -= 1;
      yield date;
    }
  }
}
