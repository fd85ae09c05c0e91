// Google Calendar's official client inside the door, and the calendars of an account.
import type { calendar_v3 } from '@googleapis/calendar';
import { DrawbridgeError } from '../../errors.ts';
import type { ProviderContext } from '../define.ts';
import { ask, throughTheDoor } from '../google.ts';

/** Holidays, birthdays, phases of the moon: what Google itself publishes or makes up. */
const published = /#[^@]*@group\.v\.calendar\.google\.com$/;

export const listPage = 250;

export interface OwnCalendar {
  id: string;
  name: string;
  timeZone: string | undefined;
  primary: boolean;
  /** `owner`, `writer`, `reader`, `freeBusyReader`. */
  access: string;
}

/** The client is loaded with the first call: the catalog reads this provider, and needs none of it. */
export async function calendarOf(context: ProviderContext): Promise<calendar_v3.Calendar> {
  const { calendar } = (await import('@googleapis/calendar')).default;
  return calendar({ version: 'v3', ...throughTheDoor(context) });
}

/** The account's calendars whose events it may read, without those that Google publishes. */
export async function calendarsOf(context: ProviderContext): Promise<OwnCalendar[]> {
  const client = await calendarOf(context);
  const found: OwnCalendar[] = [];
  for (let pageToken: string | undefined; ; ) {
    const token = pageToken === undefined ? {} : { pageToken };
    const answer = await ask(() => client.calendarList.list({ maxResults: listPage, ...token }));
    for (const one of answer.items ?? []) {
      if (typeof one.id !== 'string' || one.deleted === true || published.test(one.id)) continue;
      found.push({
        id: one.id,
        name: one.summaryOverride ?? one.summary ?? one.id,
        timeZone: one.timeZone ?? undefined,
        primary: one.primary === true,
        access: one.accessRole ?? 'reader',
      });
    }
    if (typeof answer.nextPageToken !== 'string') return found;
    pageToken = answer.nextPageToken;
  }
}

/** A member that Google always sends. @throws DrawbridgeError `malformed_response` */
export function needed<T>(value: T | null | undefined, what: string): T {
  if (value !== null && value !== undefined && value !== '') return value;
  throw new DrawbridgeError('malformed_response', `Google Calendar answered without the ${what} of it.`);
}
