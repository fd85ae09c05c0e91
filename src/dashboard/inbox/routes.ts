// The addresses of the lists: the inbox, the history, and the history as a table.
import { type Context, Hono } from 'hono';
import { stream } from 'hono/streaming';
import { DrawbridgeError } from '../../errors.ts';
import { isOwn } from '../../providers/own.ts';
import { askers, countLines, findLines, type LineFilter } from '../../queue/find.ts';
import type { OrgStore } from '../../store/store.ts';
import { type ActionStatus, actionStatuses } from '../../store/tables.ts';
import { day } from '../../time.ts';
import type { PageEnv, PageRooms } from '../environment.ts';
import type { Pulse } from '../page/live.ts';
import { type HistoryFilters, historyColumns, historyPage, historyRow } from './history.ts';
import { type Choices, type Filters, inboxPage, type View, views } from './inbox.ts';

const pageLength = 30;
/** Lines of an export; the filters narrow it down where there are more. */
const longestExport = 100_000;
const exportAtOnce = 500;
const finals: ActionStatus[] = ['completed', 'failed', 'rejected', 'expired', 'cancelled'];
const idShape = /^[a-z0-9_]{1,64}$/;
const dayShape = /^\d{4}-\d{2}-\d{2}$/;

function wanted(c: Context<PageEnv>, name: string): string | undefined {
  const value = c.req.query(name)?.trim().slice(0, 200);
  return value === '' ? undefined : value;
}

function filtersOf(c: Context<PageEnv>): Filters {
  return { provider: wanted(c, 'provider'), askedBy: wanted(c, 'by'), words: wanted(c, 'q') };
}

function beforeOf(c: Context<PageEnv>): string | undefined {
  const before = c.req.query('before');
  if (before !== undefined && !idShape.test(before)) {
    throw new DrawbridgeError('not_found', 'There is no such page of this list.');
  }
  return before;
}

/** The start of a day in UTC, integer ms; undefined for what is none. */
function dayStart(text: string | undefined): number | undefined {
  if (text === undefined || !dayShape.test(text)) return undefined;
  const at = Date.parse(`${text}T00:00:00Z`);
  return Number.isNaN(at) ? undefined : at;
}

function historyFiltersOf(c: Context<PageEnv>): HistoryFilters {
  const status = wanted(c, 'status');
  const [from, to] = [wanted(c, 'from'), wanted(c, 'to')];
  return {
    ...filtersOf(c),
    status: actionStatuses.find((one) => one === status),
    from: dayStart(from) === undefined ? undefined : from,
    to: dayStart(to) === undefined ? undefined : to,
  };
}

function historyFilter(filters: HistoryFilters, before: string | undefined): LineFilter {
  const { status, from, to, provider, askedBy, words } = filters;
  const last = dayStart(to);
  return {
    statuses: status === undefined ? undefined : [status],
    provider,
    askedBy,
    words,
    since: dayStart(from),
    until: last === undefined ? undefined : last + day,
    before,
  };
}

function viewFilter(view: View, memberId: string, now: number): LineFilter {
  switch (view) {
    case 'waiting':
      return { statuses: ['pending'], snoozed: { now, show: 'none' } };
    case 'mine':
      return { statuses: ['pending'], assignedTo: memberId };
    case 'snoozed':
      return { statuses: ['pending'], snoozed: { now, show: 'only' } };
    case 'moving':
      return { statuses: ['approved', 'executing'] };
    case 'unclear':
      return { statuses: ['unknown'] };
    case 'done':
      return { statuses: finals };
  }
}

export function listRoutes(rooms: PageRooms, pulse: Pulse): Hono<PageEnv> {
  const pages = new Hono<PageEnv>();
  const { clock, connections } = rooms;
  const orgOf = (c: Context<PageEnv>): Promise<OrgStore> => rooms.orgFor(c.get('session').person.orgId);

  async function choicesOf(org: OrgStore): Promise<Choices & { connected: boolean }> {
    const [all, who] = await Promise.all([connections.list(org), askers(org)]);
    const providers = new Map(all.map(({ provider, providerTitle }) => [provider, providerTitle]));
    return {
      providers: [...providers].map(([id, title]) => ({ id, title })),
      askers: who,
      connected: all.some((one) => !isOwn(one.provider)),
    };
  }

  pages.get('/', async (c) => {
    const org = await orgOf(c);
    const { memberId } = c.get('session').person;
    const now = clock.now();
    const asked = c.req.query('show') ?? 'waiting';
    const view: View = Object.hasOwn(views, asked) ? (asked as View) : 'waiting';
    const filters = filtersOf(c);
    const before = beforeOf(c);
    // Before the lists are read: a move in between is told as one.
    const seen = await pulse(org);
    const of = (one: View) => viewFilter(one, memberId, now);
    const plain = before === undefined && Object.values(filters).every((value) => value === undefined);
    const [found, choices, unclear, ...counts] = await Promise.all([
      findLines(org, { ...of(view), ...filters, before }, pageLength + 1),
      choicesOf(org),
      plain && view === 'waiting' ? findLines(org, of('unclear'), 5) : [],
      ...(['waiting', 'mine', 'snoozed', 'moving', 'unclear'] as const).map((one) =>
        countLines(org, of(one)),
      ),
    ]);
    const lines = found.slice(0, pageLength);
    const [waiting = 0, mine = 0, snoozed = 0, moving = 0, unclearCount = 0] = counts;
    return c.html(
      inboxPage({
        session: c.get('session'),
        view,
        filters,
        choices,
        lines,
        next: found.length > pageLength ? lines.at(-1)?.id : undefined,
        first: before === undefined,
        counts: { waiting, mine, snoozed, moving, unclear: unclearCount },
        unclear,
        connected: choices.connected,
        live: `/events?seen=${seen}`,
        now,
      }),
    );
  });

  pages.get('/history', async (c) => {
    const org = await orgOf(c);
    const filters = historyFiltersOf(c);
    const before = beforeOf(c);
    const [found, choices] = await Promise.all([
      findLines(org, historyFilter(filters, before), pageLength + 1),
      choicesOf(org),
    ]);
    const lines = found.slice(0, pageLength);
    return c.html(
      historyPage({
        session: c.get('session'),
        filters,
        choices,
        lines,
        next: found.length > pageLength ? lines.at(-1)?.id : undefined,
        first: before === undefined,
        now: clock.now(),
      }),
    );
  });

  pages.get('/history.csv', async (c) => {
    const org = await orgOf(c);
    const filters = historyFiltersOf(c);
    c.header('Content-Type', 'text/csv; charset=utf-8; header=present');
    c.header('Content-Disposition', 'attachment; filename="drawbridge-history.csv"');
    return stream(c, async (out) => {
      // The mark by which spreadsheets know UTF-8.
      await out.write(`\uFEFF${historyColumns}`);
      let before: string | undefined;
      for (let written = 0; written < longestExport && !out.aborted; ) {
        const lines = await findLines(org, historyFilter(filters, before), exportAtOnce);
        await out.write(lines.map(historyRow).join(''));
        written += lines.length;
        before = lines.at(-1)?.id;
        if (lines.length < exportAtOnce) return;
      }
    });
  });

  return pages;
}
