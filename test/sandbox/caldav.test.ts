// The sandbox's calendar is met by a real client (tsdav) and by plain requests.
import { createDAVClient } from 'tsdav';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Sandbox, startSandbox } from '../../sandbox/start.ts';

let sandbox: Sandbox;

beforeEach(async () => {
  sandbox = await startSandbox({ empty: true });
});

afterEach(async () => {
  await sandbox.close();
});

const ics = (uid: string, title: string, start = '20260302T150000Z', more = '') =>
  `BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//t//EN\r\nBEGIN:VEVENT\r\nUID:${uid}\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:${start}\r\nDURATION:PT1H\r\nSUMMARY:${title}\r\n${more}END:VEVENT\r\nEND:VCALENDAR\r\n`;

const login = (password = sandbox.caldav.password) =>
  createDAVClient({
    serverUrl: sandbox.caldav.url,
    credentials: { username: sandbox.caldav.user, password },
    authMethod: 'Basic',
    defaultAccountType: 'caldav',
  });

async function open() {
  const client = await login();
  const [calendar] = await client.fetchCalendars();
  if (calendar === undefined) throw new Error('no calendar');
  return { client, calendar };
}

test('discovery finds the collection from the root', async () => {
  const { calendar } = await open();
  expect(calendar.displayName).toBe('Work');
  expect(calendar.components).toEqual(['VEVENT']);
  expect(calendar.syncToken).toBeTruthy();
});

test('a wrong password finds nothing', async () => {
  await expect(login('wrong')).rejects.toThrow();
});

test('an event is created once: the same name again is refused, and so is the same UID elsewhere', async () => {
  const { client, calendar } = await open();
  const create = (filename: string) =>
    client.createCalendarObject({ calendar, filename, iCalString: ics('a@x', 'Viewing') });
  expect((await create('a.ics')).status).toBe(201);
  expect((await create('a.ics')).status).toBe(412);
  expect((await create('b.ics')).status).toBe(403);
  expect(sandbox.caldav.events()).toHaveLength(1);
});

test('a change goes through under the current ETag only', async () => {
  const { client, calendar } = await open();
  await client.createCalendarObject({ calendar, filename: 'a.ics', iCalString: ics('a@x', 'Viewing') });
  const [object] = await client.fetchCalendarObjects({ calendar });
  if (object === undefined) throw new Error('no object');
  const change = (title: string) =>
    client.updateCalendarObject({ calendarObject: { ...object, data: ics('a@x', title) } });
  expect((await change('Later')).status).toBe(204);
  expect((await change('Later still')).status).toBe(412);
  expect(sandbox.caldav.events()[0]).toContain('SUMMARY:Later\r\n');
});

test('a time range finds what occurs in it, recurrences too', async () => {
  const { client, calendar } = await open();
  sandbox.caldav.store.put('a.ics', ics('a@x', 'Once'));
  sandbox.caldav.store.put('w.ics', ics('w@x', 'Weekly', '20260105T150000Z', 'RRULE:FREQ=WEEKLY\r\n'));
  const within = async (start: string, end: string) => {
    const found = await client.fetchCalendarObjects({ calendar, timeRange: { start, end } });
    return found.map((object) => /SUMMARY:(\w+)/.exec(String(object.data))?.[1]).sort();
  };
  expect(await within('2026-03-02T00:00:00Z', '2026-03-03T00:00:00Z')).toEqual(['Once', 'Weekly']);
  expect(await within('2026-03-09T00:00:00Z', '2026-03-10T00:00:00Z')).toEqual(['Weekly']);
  expect(await within('2026-03-10T00:00:00Z', '2026-03-11T00:00:00Z')).toEqual([]);
});

test('a sync token brings what changed since, and what is gone', async () => {
  const { client, calendar } = await open();
  sandbox.caldav.store.put('a.ics', ics('a@x', 'First'));
  sandbox.caldav.store.put('b.ics', ics('b@x', 'Second'));
  const sync = (token: string | undefined) =>
    client.syncCollection({
      url: calendar.url,
      props: { 'd:getetag': {} },
      ...(token === undefined ? {} : { syncToken: token }),
    });
  const first = await sync(undefined);
  expect(first.map((response) => response.href?.split('/').at(-1)).sort()).toEqual(['a.ics', 'b.ics']);
  const raw = first[0]?.raw as { multistatus: { syncToken: string } } | undefined;
  const token = String(raw?.multistatus.syncToken);
  sandbox.caldav.store.put('c.ics', ics('c@x', 'Third'));
  sandbox.caldav.store.delete('a.ics');
  const second = await sync(token);
  expect(
    Object.fromEntries(second.map((response) => [response.href?.split('/').at(-1), response.status])),
  ).toEqual({
    'c.ics': 207,
    'a.ics': 404,
  });
  sandbox.caldav.store.forgetTokens();
  const [refused] = await sync(token);
  expect(refused?.status).toBe(403);
});

test('a dropped answer after the PUT leaves the event standing', async () => {
  const { client, calendar } = await open();
  sandbox.caldav.faults.failNext({ kind: 'drop', after: 'effect' }, 'PUT');
  await expect(
    client.createCalendarObject({ calendar, filename: 'a.ics', iCalString: ics('a@x', 'Viewing') }),
  ).rejects.toThrow();
  expect(sandbox.caldav.store.byUid('a@x')).toBeDefined();
});
