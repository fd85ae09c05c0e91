// Days, weeks, months, quarters and years as spans of instants in a time zone. Weeks begin on Monday (ISO 8601).
import { instantOf, wallTime } from '../../time.ts';

/** From `since` until before `until`, integer ms. */
export interface Span {
  since: number;
  until: number;
}
export type Unit = 'day' | 'week' | 'month' | 'quarter' | 'year';

export interface Day {
  year: number;
  /** 1 to 12. */
  month: number;
  day: number;
}

const pad = (n: number, length = 2) => String(n).padStart(length, '0');

/** Takes months and days beyond their bounds, as `Date.UTC` does. */
function tidy({ year, month, day }: Day): Day {
  const at = new Date(Date.UTC(year, month - 1, day));
  return { year: at.getUTCFullYear(), month: at.getUTCMonth() + 1, day: at.getUTCDate() };
}

export function dayOf(ms: number, zone: string): Day {
  const [year = 0, month = 1, day = 1] = wallTime(ms, zone).slice(0, 10).split('-').map(Number);
  return { year, month, day };
}

/** Whether there is such a day: 30 February is none. */
export function isDay(day: Day): boolean {
  const { month, day: number } = tidy(day);
  return day.year >= 1000 && day.year <= 9999 && month === day.month && number === day.day;
}

function begins(day: Day, zone: string): number {
  const { year, month, day: number } = tidy(day);
  return instantOf(`${pad(year, 4)}-${pad(month)}-${pad(number)}T00:00:00`, zone);
}

/** 0 for Monday. */
export function weekday({ year, month, day }: Day): number {
  return (new Date(Date.UTC(year, month - 1, day)).getUTCDay() + 6) % 7;
}

/** The unit that holds `day`, `by` units on. */
export function spanOf(unit: Unit, day: Day, by: number, zone: string, count = 1): Span {
  const { year, month, day: number } = day;
  const from = (steps: number): Day => {
    if (unit === 'day') return { year, month, day: number + steps };
    if (unit === 'week') return { year, month, day: number - weekday(day) + 7 * steps };
    if (unit === 'month') return { year, month: month + steps, day: 1 };
    if (unit === 'quarter') return { year, month: month - ((month - 1) % 3) + 3 * steps, day: 1 };
    return { year: year + steps, month: 1, day: 1 };
  };
  return { since: begins(from(by), zone), until: begins(from(by + count), zone) };
}
