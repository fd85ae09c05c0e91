// The account behind a URL, and what its server is asked: every request leaves through the connection's own
// fetch, and an answer that is about the account and not the question becomes an error at once.
import { createAccount, davRequest, propfind } from 'tsdav';
import { codeOfStatus, DrawbridgeError } from '../../errors.ts';
import type { Secret } from '../../secret.ts';
import { isZone } from '../calendar/check.ts';
import type { ProviderContext } from '../define.ts';
import { answerTo, type Challenge, challengeIn } from './digest.ts';
import { type CaldavFields, caldavFields } from './fields.ts';

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

/** Where the calendars are. */
export interface Reached {
  fields: CaldavFields;
  homeUrl: string;
  dav: Dav;
}

export interface Account extends Reached {
  principalUrl: string;
}

type DavResponse = Awaited<ReturnType<typeof davRequest>>[number];
type Fetch = typeof globalThis.fetch;

interface Dav {
  headers: Record<string, string>;
  /** For questions: a status that is about the account is an error. */
  fetch: Fetch;
  /** For what has an effect: the caller reads the status. */
  send: Fetch;
  /** A REPORT or PROPFIND with its XML body in tsdav's compact form. */
  report(url: string, body: Record<string, unknown>, depth: '0' | '1'): Promise<DavResponse[]>;
}

const namespaces = { 'xmlns:d': 'DAV:', 'xmlns:c': 'urn:ietf:params:xml:ns:caldav' };
// RFC 4918, RFC 3253: neither changes anything, so a repeat is harmless.
const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS', 'PROPFIND', 'REPORT']);

interface LogIn {
  headers: Record<string, string>;
  /** Undefined where a token logs in. */
  password: Secret | undefined;
}

function logIn(context: ProviderContext, fields: CaldavFields): LogIn {
  try {
    const headers = { authorization: `Bearer ${context.secret('access_token').reveal()}` };
    return { headers, password: undefined };
  } catch (error) {
    if (!(error instanceof DrawbridgeError)) throw error;
  }
  const password = context.secret('password');
  const pair = Buffer.from(`${fields.user}:${password.reveal()}`, 'utf8').toString('base64');
  return { headers: { authorization: `Basic ${pair}` }, password };
}

/** Requests with the log-in that the server takes: the password as it is, or the digest that it asks for instead. */
function loggedIn(context: ProviderContext, { user }: CaldavFields, password: Secret | undefined): Fetch {
  let challenge: Challenge | undefined;
  let count = 0;
  const send = (input: Parameters<Fetch>[0], init: RequestInit) => {
    const headers = new Headers(init.headers);
    if (challenge !== undefined && password !== undefined) {
      count += 1;
      const url = input instanceof Request ? input.url : String(input);
      const asked = { method: init.method ?? 'GET', url, user, password: password.reveal(), count };
      headers.set('authorization', answerTo(challenge, asked));
    }
    return context.fetch(input, {
      ...init,
      headers,
      idempotent: safeMethods.has(init.method ?? 'GET'),
      ...(context.signal === undefined ? {} : { signal: context.signal }),
    });
  };
  return async (input, init = {}) => {
    const response = await send(input, init);
    if (response.status !== 401 || password === undefined) return response;
    const asked = challengeIn(response.headers.get('www-authenticate'));
    if (asked === undefined || (challenge !== undefined && !asked.stale)) return response;
    await response.body?.cancel();
    challenge = asked;
    count = 0;
    return send(input, init);
  };
}

function openDav(context: ProviderContext, fields: CaldavFields): Dav {
  const { headers, password } = logIn(context, fields);
  const send = loggedIn(context, fields, password);
  const fetch: Fetch = async (input, init = {}) => {
    const response = await send(input, init);
    const trouble = troubleOf(response, fields.url);
    if (trouble !== undefined) throw trouble;
    return response;
  };
  return {
    headers,
    fetch,
    send,
    report: (url, body, depth) =>
      davRequest({
        url,
        init: {
          method: 'REPORT',
          namespace: 'd',
          headers: { ...headers, depth },
          body: Object.fromEntries(
            Object.entries(body).map(([name, content]) => [
              name,
              { _attributes: namespaces, ...(content as Record<string, unknown>) },
            ]),
          ),
        },
        fetch,
      }),
  };
}

function troubleOf(response: Response, server: string): DrawbridgeError | undefined {
  const { status } = response;
  if (status === 401) {
    return new DrawbridgeError('auth_expired', `The calendar server ${server} refused the log-in.`);
  }
  if (status === 429)
    return new DrawbridgeError('rate_limited', `The calendar server ${server} asks to slow down.`);
  if (status >= 500 && status !== 501 && status !== 507) {
    return new DrawbridgeError('provider_unavailable', `The calendar server ${server} answered ${status}.`);
  }
  return undefined;
}

/**
 * Finds the account: .well-known/caldav, current-user-principal, calendar-home-set (RFC 6764, RFC 5397,
 * RFC 4791 6.2.1). @throws DrawbridgeError
 */
export async function openAccount(context: ProviderContext): Promise<Account> {
  const fields = caldavFields.parse(context.fields);
  const dav = openDav(context, fields);
  // The library tries one address after the other and keeps only its own last word; ours says more.
  let trouble: unknown;
  let silent = false;
  let status = 0;
  const fetch: Fetch = async (input, init) => {
    // Who does not answer at one address does not at the next either, and each would be waited for.
    if (silent) throw trouble;
    try {
      const response = await dav.fetch(input, init);
      status = response.status;
      return response;
    } catch (error) {
      trouble = error;
      silent = error instanceof DrawbridgeError && (error.code === 'timeout' || error.code === 'network');
      throw error;
    }
  };
  try {
    const { principalUrl, homeUrl } = await createAccount({
      account: { accountType: 'caldav', serverUrl: fields.url },
      headers: dav.headers,
      fetch,
    });
    if (principalUrl === undefined || homeUrl === undefined) throw new Error('nothing found');
    return { fields, principalUrl, homeUrl: slashed(homeUrl), dav };
  } catch (error) {
    if (trouble !== undefined) throw trouble;
    // 207 is an answer in the protocol: the account is not there. Any other success is none.
    const said = status === 207 ? 'not_found' : status < 300 ? 'malformed_response' : codeOfStatus(status);
    if (said !== 'not_found') {
      throw new DrawbridgeError(
        said,
        `${fields.url} does not answer as a CalDAV server: it said ${status} to the search for the account of ${fields.user}.`,
        { field: 'url', cause: error },
      );
    }
    throw new DrawbridgeError(
      'not_found',
      `url: there is no CalDAV account for ${fields.user} at ${fields.url}.`,
      {
        field: 'url',
        cause: error,
      },
    );
  }
}

/** An account whose home was found before: nobody is asked for it. @param homeUrl as `openAccount` gave it */
export function accountAt(context: ProviderContext, homeUrl: string): Reached {
  const fields = caldavFields.parse(context.fields);
  return { fields, homeUrl, dav: openDav(context, fields) };
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

/** The text of a property, whatever the XML reader made of it (it turns numerals into numbers). */
export function textOf(value: unknown): string | undefined {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return String(value);
  if (typeof value === 'object' && value !== null && '_cdata' in value) return textOf(value._cdata);
  return undefined;
}

/** The path of an href in a multistatus: what identifies a record of the account. */
export function pathOf(href: string, base: string): string {
  return new URL(href, base).pathname;
}

function slashed(url: string): string {
  return url.endsWith('/') ? url : `${url}/`;
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
