// A recurrence rule (RFC 5545, 3.3.10) said in words, so that "every Monday" finds it.
import type ICAL from 'ical.js';

const units: Readonly<Record<string, string>> = {
  SECONDLY: 'second',
  MINUTELY: 'minute',
  HOURLY: 'hour',
  DAILY: 'day',
  WEEKLY: 'week',
  MONTHLY: 'month',
  YEARLY: 'year',
};
const days: Readonly<Record<string, string>> = {
  MO: 'Monday',
  TU: 'Tuesday',
  WE: 'Wednesday',
  TH: 'Thursday',
  FR: 'Friday',
  SA: 'Saturday',
  SU: 'Sunday',
};
const ordinals: Readonly<Record<string, string>> = {
  '1': 'first',
  '2': 'second',
  '3': 'third',
  '4': 'fourth',
  '5': 'fifth',
  '-1': 'last',
};

function dayInWords(code: string): string {
  const match = /^([+-]?\d+)?([A-Z]{2})$/u.exec(code);
  if (match === null) return code;
  const place = match[1]?.replace('+', '');
  const day = days[match[2] ?? ''] ?? code;
  return place === undefined ? day : `the ${ordinals[place] ?? `${place}th`} ${day}`;
}

/** "every 2 weeks on Monday, Friday until 2026-06-30". */
export function recurrenceInWords(rule: ICAL.Recur): string {
  const unit = units[rule.freq] ?? 'time';
  const every = rule.interval > 1 ? `every ${rule.interval} ${unit}s` : `every ${unit}`;
  const on = (rule.getComponent('BYDAY') as string[]).map(dayInWords).join(', ');
  const monthDays = (rule.getComponent('BYMONTHDAY') as number[]).join(', ');
  const parts = [
    every,
    on === '' ? '' : `on ${on}`,
    monthDays === '' ? '' : `on day ${monthDays}`,
    rule.count === null || rule.count === undefined ? '' : `${rule.count} times`,
    rule.until === null || rule.until === undefined ? '' : `until ${rule.until.toString().slice(0, 10)}`,
  ];
  return parts.filter((part) => part !== '').join(' ');
}
