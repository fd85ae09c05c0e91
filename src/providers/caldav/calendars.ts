// The calendars of an account: which hold events, which may be written, and in which a new event goes.
import { propfind } from 'tsdav';
import { DrawbridgeError } from '../../errors.ts';
import { isZone } from '../calendar/check.ts';
import type { Account, Reached } from './account.ts';
import { type DavResponse, slashed, textOf } from './dav.ts';

export interface Calendar {
  /** Absolute, ending in a slash. */
  url: string;
  name: string;
  /** IANA name from the collection's `calendar-timezone`, where it has one. */
  timeZone: string | undefined;
  /** Another one whenever anything in the calendar changes; undefined where it is not asked for, or not told. */
  mark: string | undefined;
  /** The account may read it alone, as the server says where it is asked for. */
  readOnly: boolean;
}

type Properties = Readonly<Record<string, object>>;
/** By which a calendar tells its mark; some servers go through all of it for them. */
export const marks: Properties = { 'd:sync-token': {}, 'cs:getctag': {} };
const privileges: Properties = { 'd:current-user-privilege-set': {} };

/**
 * Calendars that hold events; the one of the field `calendar` alone where it is given.
 * @param also asked for beside what each needs: `marks`, `privileges`
 * @throws DrawbridgeError
 */
export async function calendarsOf(account: Reached, also: Properties = {}): Promise<Calendar[]> {
  const { dav, fields, homeUrl } = account;
  const found = await propfind({
    url: homeUrl,
    props: {
      'd:displayname': {},
      'd:resourcetype': {},
      'c:supported-calendar-component-set': {},
      'c:calendar-timezone': {},
      ...also,
    },
    depth: '1',
    headers: dav.headers,
    fetch: dav.fetch,
  });
  if (!found.some(({ ok }) => ok)) {
    throw new DrawbridgeError(
      'provider_unavailable',
      `The calendars of ${fields.user} could not be listed (status ${found[0]?.status ?? 'unknown'}).`,
    );
  }
  const calendars = found
    .filter((response) => response.ok && response.href !== undefined && holdsEvents(response))
    .map((response): Calendar => {
      const url = slashed(new URL(response.href ?? '', homeUrl).href);
      const name = textOf(response.props?.['displayname']) ?? decodeURIComponent(url.split('/').at(-2) ?? '');
      const timeZone = zoneIn(textOf(response.props?.['calendarTimezone']));
      return { url, name, timeZone, mark: markOf(response), readOnly: isReadOnly(response) };
    });
  if (fields.calendar === undefined) return calendars;
  const named = calendars.filter(({ name }) => name === fields.calendar);
  if (named.length !== 1) {
    const names = calendars.map(({ name }) => `“${name}”`).join(', ') || 'none';
    throw new DrawbridgeError(
      'not_found',
      `calendar: ${named.length === 0 ? 'no' : 'more than one'} calendar is named “${fields.calendar}”; there are: ${names}.`,
      { field: 'calendar' },
    );
  }
  return named;
}

/** Where a new event goes: the calendar named, the server's default (RFC 6638 9.2), else the first that may be written. */
export async function bookingCalendar(account: Account): Promise<Calendar> {
  const all = await calendarsOf(account, privileges);
  const writable = all.filter(({ readOnly }) => !readOnly);
  // Where none is, the server itself says so.
  const calendars = writable.length > 0 ? writable : all;
  const [first] = calendars;
  if (first === undefined) throw new DrawbridgeError('not_found', 'The account has no calendar to book in.');
  if (calendars.length === 1) return first;
  const { dav, principalUrl } = account;
  const ask = async (url: string, property: string) => {
    const [response] = await propfind({
      url,
      props: { [`c:${property}`]: {} },
      depth: '0',
      headers: dav.headers,
      fetch: dav.fetch,
    });
    const camel = property
      .replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())
      .replace('URL', 'URL');
    const value = response?.props?.[camel] as { href?: unknown } | undefined;
    const href = textOf(value?.href);
    return href === undefined ? undefined : new URL(href, url).href;
  };
  const inbox = await ask(principalUrl, 'schedule-inbox-URL');
  const chosen = inbox === undefined ? undefined : await ask(inbox, 'schedule-default-calendar-URL');
  return calendars.find(({ url }) => chosen !== undefined && url === slashed(chosen)) ?? first;
}

/** Whether the server tells attendees by itself (RFC 6638 2: the DAV header says so). */
export async function sendsInvitations(account: Account, calendar: Calendar): Promise<boolean> {
  const response = await account.dav.fetch(calendar.url, { method: 'OPTIONS', headers: account.dav.headers });
  return (response.headers.get('dav') ?? '').split(/\s*,\s*/).includes('calendar-auto-schedule');
}

function holdsEvents(response: DavResponse): boolean {
  const type: unknown = response.props?.['resourcetype'];
  if (typeof type !== 'object' || type === null || !('calendar' in type)) return false;
  const set = response.props?.['supportedCalendarComponentSet'] as { comp?: unknown } | undefined;
  if (set?.comp === undefined) return true;
  const comps = (Array.isArray(set.comp) ? set.comp : [set.comp]) as { _attributes?: { name?: string } }[];
  return comps.some((comp) => comp._attributes?.name === 'VEVENT');
}

/**
 * RFC 6578 4: the sync-token of a collection is what a sync-collection report would give now. The older getctag
 * (calendarserver.org, caldav-ctag) says the same; where a server has both, both must stay.
 */
function markOf({ props }: DavResponse): string | undefined {
  const told = [props?.['syncToken'], props?.['getctag']].map((value) => {
    // The XML reader makes numbers of numerals: two that are not told apart by it would be one mark.
    const exact = typeof value !== 'number' || Number.isSafeInteger(value);
    return exact ? textOf(value) : undefined;
  });
  return told.some((text) => text !== undefined && text !== '') ? JSON.stringify(told) : undefined;
}

/** RFC 3744 5.4: what one may do here; a new event wants `bind` (part of `write`, of `all`). */
function isReadOnly({ props }: DavResponse): boolean {
  const told = props?.['currentUserPrivilegeSet'] as { privilege?: unknown } | undefined;
  if (told?.privilege === undefined) return false;
  const names = (Array.isArray(told.privilege) ? told.privilege : [told.privilege]).flatMap(Object.keys);
  return !['all', 'write', 'writeContent', 'bind'].some((name) => names.includes(name));
}

/** The IANA zone that a VTIMEZONE names, where it names one. */
function zoneIn(text: string | undefined): string | undefined {
  const name = /^TZID(?:;[^:\r\n]*)?:(.+?)\r?$/m.exec(text ?? '')?.[1];
  return name !== undefined && isZone(name) ? name : undefined;
}
