// Until when an action is put off, as its forms say it: in an hour, tomorrow morning, or a moment.
import { DrawbridgeError } from '../../errors.ts';
import { checkTimeZone, day, hour, instantOf, parseWallTime, wallTime } from '../../time.ts';
import type { Field } from '../requests.ts';

/**
 * @param now integer ms; the answer, too. A wall time means what it says in the reader's `zone`, which the
 * page's script fills in; without it, in UTC.
 * @throws DrawbridgeError `invalid_request`
 */
export function snoozeUntil(field: Field, now: number): number {
  const zone = checkTimeZone(field('zone') || 'UTC', 'zone');
  switch (field('for')) {
    case 'hour':
      return now + hour;
    case 'morning':
      // By the calendar: the day after today, whatever the clock change in between.
      return instantOf(`${dayAfter(wallTime(now, zone))}T09:00:00`, zone);
    case 'until':
      return parseWallTime(field('until'), zone, 'until').ms;
    default:
      throw new DrawbridgeError('invalid_request', 'for: must be hour, morning or until.', { field: 'for' });
  }
}

function dayAfter(wall: string): string {
  return new Date(Date.parse(`${wall.slice(0, 10)}T00:00:00Z`) + day).toISOString().slice(0, 10);
}
