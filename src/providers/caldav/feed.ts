// The feed `events`: every event object of the account's calendars, by sync-token (RFC 6578) where the server
// has one, by comparing entity tags where it has not; what was deleted is reported in the same run.
//
// External id: the object's path on the server. A full run (the first, or after the server has forgotten our
// token) ends by saying which objects exist. One question tells which calendars there are and which of them have
// changed; the others are asked nothing.
import { type davRequest, propfind, syncCollection } from 'tsdav';
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import type { Feed, FeedPage, ProviderContext } from '../define.ts';
import type { SourceRecord } from '../record.ts';
import { accountAt, openAccount, type Reached } from './account.ts';
import { type Calendar, calendarsOf, marks } from './calendars.ts';
import { pathOf, textOf } from './dav.ts';
import { caldavFields } from './fields.ts';

const pageSize = 50;
const mostRounds = 1000;
/** DAViCal forgets tokens after seven days. */
const tokenLastsMs = 5 * 86_400_000;

const calendarState = z.object({
  token: z.string().optional(),
  /** When the token was given, integer ms. */
  given: z.number().int().optional(),
  /** Path → entity tag, for a server without sync-token. */
  tags: z.record(z.string(), z.string()).optional(),
  /** The calendar's mark as it was before the last run read it. */
  mark: z.string().optional(),
});
type CalendarState = z.infer<typeof calendarState>;
/** Where the calendars were found; `of`: the settings that led there. */
const homeForm = z.object({ of: z.string(), url: z.string() });
const cursorForm = z.object({
  version: z.literal(1),
  calendars: z.record(z.string(), calendarState),
  home: homeForm.optional(),
});

type DavResponse = Awaited<ReturnType<typeof davRequest>>[number];

interface Changes {
  /** Paths with the tags they have now. */
  changed: Map<string, string>;
  deleted: string[];
  token: string | undefined;
  /** Paths of all that exists, where it is known. */
  existing: string[] | undefined;
}

export const eventFeed: Feed = { kinds: ['event'], pages };

async function* pages(context: ProviderContext, cursor: unknown): AsyncGenerator<FeedPage> {
  const known = cursorForm.safeParse(cursor);
  const states = new Map(Object.entries(known.data?.calendars ?? {}));
  const { account, ...found } = await look(context, known.data?.home);
  const page = (part: Omit<FeedPage, 'cursor'>): FeedPage => ({
    ...part,
    cursor: { version: 1, calendars: Object.fromEntries(states), home: found.home },
  });
  // Servers list them as their disk does: the same order each time.
  const calendars = found.calendars.toSorted((a, b) => (a.url < b.url ? -1 : 1));
  for (const calendar of calendars) {
    const prefix = pathOf(calendar.url, calendar.url);
    const before = states.get(prefix) ?? {};
    // A mark of another server may look the same.
    const same = found.home.of === known.data?.home?.of && calendar.mark === before.mark;
    if (same && calendar.mark !== undefined) continue;
    const now = context.clock.now();
    const changes =
      (await byToken(account, calendar, before, now)) ?? (await byTags(account, calendar, before));
    const paths = [...changes.changed.keys()];
    const tags = { ...before.tags };
    for (let start = 0; start < paths.length; start += pageSize) {
      const some = paths.slice(start, start + pageSize);
      const records = await fetchObjects(account, calendar, some);
      if (changes.token === undefined) {
        for (const path of some) tags[path] = changes.changed.get(path) ?? '';
        states.set(prefix, { tags: { ...tags } });
      }
      yield page({ records, deleted: [], remaining: paths.length - start - some.length });
    }
    for (const path of changes.deleted) delete tags[path];
    const mark = calendar.mark === undefined ? {} : { mark: calendar.mark };
    states.set(prefix, {
      ...(changes.token === undefined ? { tags } : { token: changes.token, given: now }),
      ...mark,
    });
    yield page({
      records: [],
      deleted: changes.deleted,
      ...(changes.existing === undefined ? {} : { complete: { ids: changes.existing, prefix } }),
    });
  }
  for (const prefix of [...states.keys()]) {
    if (calendars.some(({ url }) => pathOf(url, url) === prefix)) continue;
    states.delete(prefix);
    yield page({ records: [], deleted: [], complete: { ids: [], prefix } });
  }
  if (found.home !== known.data?.home) yield page({ records: [], deleted: [] });
}

/** The calendars, at the home that the last run found where it still answers. @throws DrawbridgeError */
async function look(
  context: ProviderContext,
  known: z.infer<typeof homeForm> | undefined,
): Promise<{ account: Reached; calendars: Calendar[]; home: z.infer<typeof homeForm> }> {
  const { url: server, user } = caldavFields.parse(context.fields);
  const of = JSON.stringify([server, user]);
  if (known?.of === of) {
    const account = accountAt(context, known.url);
    const elsewhere = new URL(known.url).origin !== new URL(server).origin;
    const calendars = await calendarsOf(account, marks).catch((error: unknown) => {
      const code = error instanceof DrawbridgeError ? error.code : undefined;
      if (code === 'not_found' || code === 'provider_unavailable') return [];
      // Whoever was moved to another machine is found anew; the server itself is not asked for its word twice.
      if (elsewhere && (code === 'auth_expired' || code === 'network' || code === 'timeout')) return [];
      throw error;
    });
    if (calendars.length > 0) return { account, calendars, home: known };
  }
  const account = await openAccount(context);
  return { account, calendars: await calendarsOf(account, marks), home: { of, url: account.homeUrl } };
}

/**
 * By sync-collection; a token that the server no longer takes means a full run. Undefined: not supported.
 *
 * DAViCal takes a token that it has forgotten, too, and tells all that there is without a word of what has gone
 * (RFC 6578 3.2 wants a refusal): with an old token what exists is asked for as well.
 */
async function byToken(
  account: Reached,
  calendar: Calendar,
  before: CalendarState,
  now: number,
): Promise<Changes | undefined> {
  if (before.token !== undefined) {
    // Xandikos fails over a token that it does not know: where the server is well, it tells all that there is.
    const changes = await collect(account, calendar, before.token).catch((error: unknown) => {
      if (error instanceof DrawbridgeError && error.code === 'provider_unavailable') return undefined;
      throw error;
    });
    if (changes !== undefined) {
      if (now - (before.given ?? 0) < tokenLastsMs) return changes;
      const all = await collect(account, calendar, '');
      return { ...changes, existing: all?.existing };
    }
  }
  return collect(account, calendar, '');
}

async function collect(account: Reached, calendar: Calendar, from: string): Promise<Changes | undefined> {
  const changed = new Map<string, string>();
  const deleted = new Set<string>();
  const own = pathOf(calendar.url, calendar.url);
  let token = from;
  for (let round = 0; round < mostRounds; round += 1) {
    const answer = await syncCollection({
      url: calendar.url,
      props: { 'd:getetag': {} },
      syncLevel: 1,
      syncToken: token,
      headers: account.dav.headers,
      fetch: account.dav.fetch,
    });
    const next = textOf(
      (answer[0]?.raw as { multistatus?: { syncToken?: unknown } })?.multistatus?.syncToken,
    );
    // Not a multistatus, or one without a token: this server does not sync so, or not from this token.
    if (next === undefined) return undefined;
    let truncated = false;
    for (const response of answer) {
      if (response.href === undefined) continue;
      const path = pathOf(response.href, calendar.url);
      if (path === own || path === own.slice(0, -1)) {
        // RFC 6578 3.6: 507 on the collection itself means that there is more.
        truncated ||= response.status === 507;
      } else if (response.status === 404) {
        changed.delete(path);
        deleted.add(path);
      } else if (response.ok) {
        deleted.delete(path);
        changed.set(path, textOf(response.props?.['getetag']) ?? '');
      }
    }
    if (!truncated || next === token) {
      const existing = from === '' ? [...changed.keys()] : undefined;
      return { changed, deleted: [...deleted], token: next, existing };
    }
    token = next;
  }
  throw new DrawbridgeError(
    'malformed_response',
    `The calendar ${calendar.name} never ends its list of changes.`,
  );
}

/** By comparing the tags of everything in the calendar with those of the last run. */
async function byTags(account: Reached, calendar: Calendar, before: CalendarState): Promise<Changes> {
  const answer = await propfind({
    url: calendar.url,
    props: { 'd:getetag': {}, 'd:resourcetype': {} },
    depth: '1',
    headers: account.dav.headers,
    fetch: account.dav.fetch,
  });
  if (!answer.some(({ ok }) => ok)) {
    throw new DrawbridgeError(
      'provider_unavailable',
      `The calendar ${calendar.name} could not be listed (status ${answer[0]?.status ?? 'unknown'}).`,
    );
  }
  const own = pathOf(calendar.url, calendar.url);
  const now = new Map<string, string>();
  for (const { href, ok, props } of answer) {
    const tag = textOf(props?.['getetag']);
    if (!ok || href === undefined || tag === undefined) continue;
    const path = pathOf(href, calendar.url);
    if (path !== own && path !== own.slice(0, -1)) now.set(path, tag);
  }
  const tags = before.tags;
  if (tags === undefined) return { changed: now, deleted: [], token: undefined, existing: [...now.keys()] };
  return {
    changed: new Map([...now].filter(([path, tag]) => tags[path] !== tag)),
    deleted: Object.keys(tags).filter((path) => !now.has(path)),
    token: undefined,
    existing: undefined,
  };
}

async function fetchObjects(account: Reached, calendar: Calendar, paths: string[]): Promise<SourceRecord[]> {
  const answer = await account.dav.report(
    calendar.url,
    { 'c:calendar-multiget': { 'd:prop': { 'd:getetag': {}, 'c:calendar-data': {} }, 'd:href': paths } },
    '1',
  );
  checkMultistatus(answer, calendar);
  return objectsIn(answer, calendar.url)
    .filter(({ text }) => /^BEGIN:VEVENT\r?$/m.test(text))
    .map(({ path, text }) => ({
      externalId: path,
      kind: 'event',
      mediaType: 'text/calendar',
      raw: Buffer.from(text, 'utf8'),
    }));
}

/** @throws DrawbridgeError when the answer is not a list of objects; one object that has gone is no error. */
export function checkMultistatus(answer: DavResponse[], calendar: Calendar): void {
  const [first] = answer;
  const list = (first?.raw as { multistatus?: unknown } | undefined)?.multistatus;
  if (list === undefined) {
    throw new DrawbridgeError(
      'provider_unavailable',
      `The calendar ${calendar.name} could not be read (status ${first?.status ?? 'unknown'}).`,
    );
  }
}

/** Calendar objects of a multistatus. */
export function objectsIn(answer: DavResponse[], base: string): { path: string; text: string }[] {
  return answer.flatMap(({ href, ok, props }) => {
    const text = textOf(props?.['calendarData']);
    return ok && href !== undefined && text !== undefined ? [{ path: pathOf(href, base), text }] : [];
  });
}
