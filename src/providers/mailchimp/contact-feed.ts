// The feed `contacts`: of each audience whoever changed since the last run, oldest change first; also those who
// left, bounced or were archived, as they are. What was deleted for good shows when all ids are counted over. An
// audience that a look shows as it was is not read.
//
// No page is asked for by its number alone: each begins at the second of the newest change that is known, so that
// what moves while it is read comes later, and not past it. External id: audience/hash.
// https://mailchimp.com/developer/marketing/api/list-members/list-members-info/
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import type { Feed, FeedPage, ProviderContext } from '../define.ts';
import type { SourceRecord, Structured } from '../record.ts';
import { send } from '../request.ts';
import { look, lookAt } from './contact-look.ts';
import { http } from './http.ts';
import {
  changedAt,
  filled,
  memberFields,
  memberNames,
  memberPage,
  type RawMember,
  rawList,
  rawLists,
  rawMember,
  rawMembers,
} from './shapes.ts';
import { wholeList } from './whole.ts';

const pageSize = 500;
/** Many who changed in one second are read by offset: so many again, as some may have moved away meanwhile. */
const slack = 20;
/** A change is seen late, or by another clock: each run begins so much before the newest that it knows. */
const overlapMs = 5 * 60_000;
const listsPage = 100;
const idsPage = 1000;
/** An audience of so many contacts is counted over whenever it changed, a larger one at times. */
const fewContacts = 5_000;
const countEveryMs = 24 * 3_600_000;

const place = z.object({
  /** Integer ms, to the second: changes from then on are still to be read. */
  since: z.number().int().min(0),
  /** Of those, so many are read. */
  offset: z.number().int().min(0),
});
const state = z.object({
  /** Of those that are there, and of the archived ones, which are listed apart. */
  present: place,
  archived: place,
  /** A run came to its end. */
  done: z.boolean(),
  countedAt: z.number().int().min(0).optional(),
  /** How it looked before it was last read to its end. */
  looked: look.optional(),
});
type State = z.infer<typeof state>;
type Place = z.infer<typeof place>;
const idsForm = z.object({ members: z.array(rawMember.pick({ id: true })), total_items: z.number().int() });
const cursorForm = z.object({ version: z.literal(1), lists: z.record(z.string(), state) });
type Cursor = z.infer<typeof cursorForm>;

const idForm = /^([A-Za-z0-9]{1,40})\/([0-9a-f]{32})$/;

export const contactFeed: Feed = {
  kinds: ['contact'],
  pages: contactPages,
  record: {
    owns: (id) => idForm.test(id),
    read: async (context, id) => {
      const [, list = '', hash = ''] = idForm.exec(id) ?? [];
      return oneRecord(context, list, hash);
    },
  },
};

type Audience = z.infer<typeof rawLists>['lists'][number];

async function* contactPages(context: ProviderContext, stored: unknown): AsyncGenerator<FeedPage> {
  const known = cursorForm.safeParse(stored).data;
  const cursor: Cursor = { version: 1, lists: { ...known?.lists } };
  const { all, isWhole } = await audiencesOf(context);
  for (const audience of all.values()) yield* oneAudience(context, audience, cursor);
  for (const id of Object.keys(cursor.lists)) {
    if (all.has(id) || !isWhole) continue;
    delete cursor.lists[id];
    yield { records: [], deleted: [], cursor: copy(cursor), complete: { ids: [], prefix: `${id}/` } };
  }
}

function audiencesOf(context: ProviderContext): Promise<{ all: Map<string, Audience>; isWhole: boolean }> {
  return wholeList(async (offset) => {
    const { lists, total_items = 0 } = await send(context, http, {
      method: 'GET',
      path: '/lists',
      query: {
        count: listsPage,
        offset,
        sort_field: 'date_created',
        sort_dir: 'ASC',
        fields: 'lists.id,lists.name,total_items',
      },
      output: rawLists,
    });
    return { some: lists, total: total_items };
  });
}

async function* oneAudience(
  context: ProviderContext,
  audience: Audience,
  cursor: Cursor,
): AsyncGenerator<FeedPage> {
  const { lists } = cursor;
  const before = lists[audience.id];
  const again = ({ since }: Place): Place => ({ since: Math.max(0, since - overlapMs), offset: 0 });
  const first = { since: 0, offset: 0 };
  const { countedAt, looked } = before ?? {};
  const isOver = countedAt === undefined || context.clock.now() - countedAt >= countEveryMs;
  const seen = await lookAt(context, audience.id, overlapMs);
  const isLarge = seen.total > fewContacts;
  const isSame = seen.mark !== undefined && seen.mark === looked?.mark;
  if (before?.done === true && isSame && !(isLarge && isOver)) return;
  const { present = first, archived = first } = before ?? {};
  const now: State = before?.done
    ? { ...before, present: again(present), archived: again(archived), done: false }
    : { ...before, present, archived, done: false };
  for (const part of ['present', 'archived'] as const) {
    for (let more = true; more; ) {
      const step = await changed(context, audience, part, now[part]);
      more = step.next !== undefined;
      now[part] = step.next ?? { since: step.newest, offset: 0 };
      lists[audience.id] = { ...now };
      const records = step.members.map((member) => recordOf(context, audience, member));
      yield { records, deleted: [], cursor: copy(cursor), ...(more ? { remaining: step.remaining } : {}) };
    }
  }
  const fewer = looked !== undefined && seen.total < looked.total;
  const isDue = !isLarge || isOver || fewer;
  // A run that went on with another's places may have passed by what came to light in between: no mark of it.
  const told = before?.done === false ? { total: seen.total } : seen;
  const at = context.clock.now();
  const ids = isDue ? await allIds(context, audience.id) : undefined;
  lists[audience.id] = {
    present: now.present,
    archived: now.archived,
    done: true,
    // What was to be counted and could not be is looked at, and counted, as if for the first time.
    ...(ids !== undefined ? { countedAt: at } : isDue || countedAt === undefined ? {} : { countedAt }),
    ...(ids === undefined && isDue ? {} : { looked: told }),
  };
  yield {
    records: [],
    deleted: [],
    cursor: copy(cursor),
    ...(ids === undefined ? {} : { complete: { ids, prefix: `${audience.id}/` } }),
  };
}

/** One page of those who changed at `from.since` or later, and where the next begins. */
async function changed(
  context: ProviderContext,
  audience: Audience,
  part: 'present' | 'archived',
  from: Place,
) {
  const { members, total_items: total = 0 } = await send(context, http, {
    method: 'GET',
    path: '/lists/{list}/members',
    params: { list: audience.id },
    query: {
      count: pageSize,
      offset: from.offset,
      sort_field: 'last_changed',
      sort_dir: 'ASC',
      // Whether that second itself counts is not documented: one earlier, it surely does.
      since_last_changed: from.since === 0 ? undefined : iso(from.since - 1000),
      status: part === 'archived' ? 'archived' : undefined,
      fields: memberFields,
    },
    output: rawMembers,
  });
  const newest = Math.max(from.since, ...members.map(changedAt));
  const end = from.offset + members.length;
  const isLast = members.length === 0 || end >= total;
  const next = isLast
    ? undefined
    : newest > from.since
      ? { since: newest, offset: 0 }
      : { since: from.since, offset: Math.max(from.offset + 1, end - slack) };
  return { members, newest, next, remaining: Math.max(0, total - end) };
}

/** Every external id of the audience; undefined where one may have been passed by while they were counted. */
async function allIds(context: ProviderContext, list: string): Promise<string[] | undefined> {
  const ids: string[] = [];
  for (const status of [undefined, 'archived']) {
    const { all, isWhole } = await wholeList(async (offset) => {
      const { members, total_items } = await send(context, http, {
        method: 'GET',
        path: '/lists/{list}/members',
        params: { list },
        query: {
          count: idsPage,
          offset,
          status,
          sort_field: 'timestamp_signup',
          sort_dir: 'ASC',
          fields: 'members.id,total_items',
        },
        output: idsForm,
      });
      return { some: members, total: total_items };
    });
    if (!isWhole) return undefined;
    ids.push(...[...all.keys()].map((id) => `${list}/${id}`));
  }
  return ids;
}

/** Undefined: deleted for good, or never there. */
async function oneRecord(
  context: ProviderContext,
  list: string,
  hash: string,
): Promise<SourceRecord | undefined> {
  try {
    const [audience, found] = await Promise.all([
      send(context, http, {
        method: 'GET',
        path: '/lists/{list}',
        params: { list },
        query: { fields: 'id,name' },
        output: rawList,
      }),
      send(context, http, {
        method: 'GET',
        path: '/lists/{list}/members/{hash}',
        params: { list, hash },
        query: { fields: memberNames.join(',') },
        output: rawMember,
      }),
    ]);
    return recordOf(context, audience, found);
  } catch (thrown) {
    if (thrown instanceof DrawbridgeError && thrown.code === 'not_found') return undefined;
    throw thrown;
  }
}

function recordOf(context: ProviderContext, audience: Audience, raw: RawMember): SourceRecord {
  const { FNAME, LNAME, ...more } = filled(raw.merge_fields);
  const own = [FNAME, LNAME].filter((part) => typeof part === 'string').join(' ');
  const name = raw.full_name !== undefined && raw.full_name !== '' ? raw.full_name : own;
  const tags = (raw.tags ?? []).map((tag) => tag.name);
  const at = changedAt(raw);
  const person = {
    role: 'contact',
    address: raw.email_address.toLowerCase(),
    ...(name === '' ? {} : { name }),
  } as const;
  const body: Structured = {
    title: name === '' ? raw.email_address : name,
    people: [person],
    ...(raw.status === 'subscribed' ? {} : { notes: standingOf(raw, audience.name) }),
    facts: {
      audience: audience.name,
      status: raw.status,
      ...(tags.length === 0 ? {} : { tags }),
      ...(raw.vip === true ? { vip: true } : {}),
      ...(raw.timestamp_opt === undefined ? {} : { joined: raw.timestamp_opt }),
      ...more,
    },
  };
  return {
    externalId: `${raw.list_id}/${raw.id}`,
    kind: 'contact',
    mediaType: 'application/json',
    raw: Buffer.from(JSON.stringify(body)),
    people: [person],
    ...(at === 0 ? {} : { writtenAt: at }),
    // Also of what is no record of ours: a rating, a number of opens.
    volatile: ['writtenAt'],
    ...memberPage(context, raw),
  };
}

/** In words by which it is found: who left which newsletter, and why. */
function standingOf({ status, unsubscribe_reason = '' }: RawMember, audience: string): string {
  const words: Partial<Record<RawMember['status'], string>> = {
    unsubscribed: `Has unsubscribed from the newsletter audience ${audience}`,
    cleaned: `Mail to this address bounced: cleaned from the audience ${audience}`,
    pending: `Was asked to join the audience ${audience}, and has not confirmed it yet`,
    archived: `Is archived in the audience ${audience}`,
  };
  const said = words[status] ?? `Is ${status} in the audience ${audience}`;
  return unsubscribe_reason === '' ? `${said}.` : `${said}: ${unsubscribe_reason}`;
}

const iso = (ms: number): string => new Date(ms).toISOString();
const copy = (cursor: Cursor): Cursor => ({ version: 1, lists: { ...cursor.lists } });
