// `search` and `ime-search` over mail and calendar: how old an answer is, whom it was asked of, and what of
// it was written by others.
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Connection } from '../../src/connections/connections.ts';
import { type Office, openOffice, outside, textOf } from './office.ts';

let office: Office;
let mail: Connection;
let calendar: Connection;
let emptySaid = '';
let unsyncedSaid = '';
const minute = 60_000;

beforeAll(async () => {
  office = await openOffice();
  emptySaid = textOf(await office.call('search', { question: 'anything' }));
  mail = await office.mailbox();
  calendar = await office.calendar();
  unsyncedSaid = textOf(await office.call('ime-search', { question: 'anything' }));
  await office.rooms.refresh(office.rooms.org, mail.id);
  await office.rooms.refresh(office.rooms.org, calendar.id);
});
afterAll(() => office.close());

interface Hit {
  kind: string;
  account: string;
  freshness: string;
  age: string;
  uri: string;
}

async function ask(input: object) {
  const result = await office.call('search', { question: 'Elena stairs one level', ...input });
  expect(result.isError, textOf(result)).toBeUndefined();
  const { hits, notes = [] } = result.structuredContent as { hits: Hit[]; notes?: string[] };
  return { hits, notes, result };
}

test('an empty memory says what to do, and not that nothing was found', () => {
  expect(emptySaid).toMatch(/connect-provider gives the page .*drawbridge connect, or drawbridge import/);
  expect(unsyncedSaid).toMatch(/drawbridge sync/);
});

test('a sync that ended verifies every record of its account, and maxAge 0 is answered live', async () => {
  office.pass(9 * minute);
  const before = await ask({ kinds: ['mail'] });
  expect(before.hits.length).toBeGreaterThan(0);
  expect(before.hits.every((hit) => hit.age === '9 minutes' && hit.freshness === 'fresh')).toBe(true);
  const live = await ask({ kinds: ['mail'], maxAge: 0 });
  expect(live.notes).toEqual([]);
  expect(live.hits.every((hit) => hit.freshness === 'live' && hit.age === 'less than a minute')).toBe(true);
  const memory = await office.call('ime-search', { question: 'Elena stairs', kinds: ['mail'] });
  const { passages } = memory.structuredContent as { passages: Hit[] };
  expect(passages[0]).toMatchObject({ freshness: 'fresh', age: 'less than a minute' });
});

test('a sync that does not end, or fails, verifies nothing', async () => {
  office.pass(20 * minute);
  const failing = await office.callWith({ refresh: () => Promise.reject(new Error('down')) }, 'search', {
    question: 'Elena stairs',
    kinds: ['mail'],
    maxAge: 0,
  });
  const { hits } = failing.structuredContent as { hits: Hit[] };
  expect(hits.length).toBeGreaterThan(0);
  expect(hits.every((hit) => hit.freshness === 'stale')).toBe(true);
  const slow = await office.callWith(
    {
      refresh: () => new Promise(() => undefined),
      clock: { ...office.rooms.clock, sleep: async () => undefined },
    },
    'search',
    {
      question: 'Elena stairs',
      kinds: ['mail'],
      maxAge: 0,
    },
  );
  expect(slow.structuredContent).toMatchObject({
    hits: expect.arrayContaining([expect.objectContaining({ freshness: 'stale' })]),
    notes: [expect.stringContaining('still being asked')],
  });
});

test('accounts beyond the two that are asked are named', async () => {
  office.pass(minute);
  const third = {
    ...mail,
    id: 'con_third',
    label: 'third@sandbox.test',
    lastSyncAt: office.rooms.clock.now() - minute,
  };
  const asked: string[] = [];
  const { connections } = office.rooms;
  const result = await office.callWith(
    {
      connections: { ...connections, list: async (org) => [...(await connections.list(org)), third] },
      refresh: async (_org, id) => void asked.push(id),
    },
    'search',
    { question: 'stairs', maxAge: 0 },
  );
  expect(asked).toHaveLength(2);
  expect(asked).not.toContain(third.id);
  const { notes } = result.structuredContent as { notes: string[] };
  expect(notes).toEqual([
    'third@sandbox.test (con_third) was last asked 1 minute ago and was not asked now; ask again, or name it with account.',
  ]);
});

test('a label that a mailbox and a calendar share means both; an id means one', async () => {
  expect(calendar.label).toBe(mail.label);
  const both = await ask({ account: mail.label, question: 'viewing', limit: 25 });
  expect(new Set(both.hits.map((hit) => hit.kind))).toEqual(new Set(['mail', 'event']));
  const one = await ask({ account: calendar.id, question: 'viewing', limit: 25 });
  expect(one.hits.every((hit) => hit.kind === 'event')).toBe(true);
  const unknown = await office.call('search', { question: 'x', account: 'nobody' });
  expect(textOf(unknown)).toMatch(/^account: "nobody" names no account.*CalDAV/);
});

test('an event says when it is, and the first hits are linked by names of ours', async () => {
  const { result, hits } = await ask({ question: 'viewing', kinds: ['event'] });
  expect(textOf(result)).toMatch(/\[event\].*, on \d{4}-\d{2}-\d{2} \d{2}:\d{2} UTC/);
  const links = result.content.filter((part) => part.type === 'resource_link');
  expect(links.map((link) => link.uri)).toEqual(hits.slice(0, 5).map((hit) => hit.uri));
  expect(links[0]?.name).toBe('Hit 1 (event)');
});

test('attack: the names of clients stand in the frame, or nowhere', async () => {
  const meant = await office.call('ime-search', { question: 'What does Elena Vasquez want?' });
  expect(textOf(meant)).toContain('Client: Elena Vasquez');
  expect(outside(meant)).not.toContain('Elena');
  const several = await ask({ client: 'Sarah Lindholm', question: 'house' });
  expect(several.notes.join()).toMatch(/Several clients could be meant: ime:\/\/clients\/\S+ <\S+@\S+>;/);
  expect(outside(several.result)).not.toContain('Sarah');
});

test('filters that cannot hold are refused by their own names', async () => {
  const span = await office.call('search', { question: 'x', since: '2026-05-01', until: '2026-04-01' });
  expect(textOf(span)).toMatch(/^since: 2026-05-01 is not before until/);
  const client = await office.call('search', { question: 'x', client: 'Nobody Atall' });
  expect(textOf(client)).toMatch(/^client: no client is called/);
});
