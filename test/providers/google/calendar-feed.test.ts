import { describe, expect, test } from 'vitest';
import { refusal } from '../../../sandbox/google/answers.ts';
import { GoogleCalendarStore, type GoogleEvent, timeAt } from '../../../sandbox/google/event-store.ts';
import { normalise } from '../../../src/memory/normalise/normalise.ts';
import { provider } from '../../../src/providers/google-calendar/index.ts';
import { Shelf } from '../mailbox/context.ts';
import { openScene, type Scene } from './scene.ts';

const feed = provider.feeds.events;
const zone = 'Europe/Berlin';
const hour = 3_600_000;
const start = Date.UTC(2026, 0, 12, 9);

let made = 0;
function event(title: string, more: Partial<GoogleEvent> = {}): GoogleEvent {
  made += 1;
  const id = more.id ?? `event${made.toString().padStart(4, '0')}`;
  return {
    id,
    status: 'confirmed',
    iCalUID: `${id}@google.com`,
    summary: title,
    start: timeAt(start, zone),
    end: timeAt(start + hour, zone),
    created: '2026-01-01T00:00:00.000Z',
    updated: '2026-01-01T00:00:00.000Z',
    sequence: 0,
    eventType: 'default',
    ...more,
  };
}

/** An account whose main calendar has `count` events. */
async function small(count: number): Promise<Scene & { main: GoogleCalendarStore }> {
  const scene = await openScene(provider, { empty: true });
  const [main] = scene.google.calendars;
  if (main === undefined) throw new Error('no calendar');
  for (let n = 0; n < count; n += 1) main.put(event(`e${n}`));
  return { ...scene, main };
}

const titles = (shelf: Shelf) =>
  [...shelf.records.values()].map((ics) => /^SUMMARY:(.*)\r$/m.exec(ics)?.[1]).sort();

test('the first run takes every event of the story, and none that Google publishes', async () => {
  const scene = await openScene(provider);
  scene.google.calendars[1]?.put(event('New Year'));
  const shelf = new Shelf();
  await shelf.run(feed, scene.context);
  const [main] = scene.google.calendars;
  expect(shelf.records.size).toBe(main?.events().length);
  expect([...shelf.records.keys()].every((id) => id.startsWith('maren%40tidewell.example/'))).toBe(true);
  expect(scene.asked()).toMatchSnapshot();
});

test('an event is read in memory as one of any other calendar: when, where, who, how often', async () => {
  const scene = await small(0);
  scene.main.put(
    event('Viewing; 3 Quay, "Mole"', {
      location: 'Kai 3, Hamburg',
      description: 'Bring keys.\nAnd coffee.',
      recurrence: [
        'RRULE:FREQ=WEEKLY;BYDAY=MO;COUNT=4',
        'EXDATE;TZID=Europe/Berlin:20260119T100000',
        'X-JUNK:1',
      ],
      organizer: { email: 'maren@tidewell.example', displayName: 'Maren "M" Okafor' },
      attendees: [{ email: 'bo@x.test', displayName: 'Bo', responseStatus: 'accepted' }],
      hangoutLink: 'https://meet.google.com/abc',
    }),
  );
  const shelf = new Shelf();
  await shelf.run(feed, scene.context);
  const [record] = shelf.pages.flatMap(({ records }) => records);
  if (record === undefined) throw new Error('no record');
  expect(Buffer.from(record.raw).toString()).toMatchSnapshot();
  const read = await normalise(record);
  expect(read).toMatchObject({
    title: 'Viewing; 3 Quay, "Mole"',
    writtenAt: start,
    people: [
      { address: 'maren@tidewell.example', name: "Maren 'M' Okafor", role: 'organiser' },
      { address: 'bo@x.test', name: 'Bo', role: 'attendee' },
    ],
    facts: { timeZone: zone, location: 'Kai 3, Hamburg', recurrence: 'FREQ=WEEKLY;COUNT=4;BYDAY=MO' },
  });
  expect(read.text).toContain('When: Monday 12 January 2026, 10:00–11:00 (Europe/Berlin)');
  expect(read.text).toContain('Bring keys.\nAnd coffee.');
});

test('a whole day, a time in no zone that is known, and one without any', async () => {
  const scene = await small(0);
  scene.main.put(event('Fair', { start: { date: '2026-03-01' }, end: { date: '2026-03-03' } }));
  scene.main.put(
    event('Odd', { start: { dateTime: '2026-03-01T10:00:00+01:00', timeZone: 'Nowhere/Land' } }),
  );
  scene.main.put(event('Not', { start: {} }));
  const shelf = new Shelf();
  await shelf.run(feed, scene.context);
  expect(titles(shelf)).toEqual(['Fair', 'Odd']);
  const [fair] = shelf.pages.flatMap(({ records }) => records);
  if (fair === undefined) throw new Error('no record');
  expect((await normalise(fair)).text).toContain('Sunday 1 March 2026 to Monday 2 March 2026, all day');
});

test('the next run asks with the sync token, and brings what came, changed and went', async () => {
  const scene = await small(3);
  const shelf = new Shelf();
  await shelf.run(feed, scene.context);
  scene.asked();
  const [one, two] = scene.main.events();
  if (one === undefined || two === undefined) throw new Error();
  scene.main.cancel(one.id);
  scene.main.put({ ...two, summary: 'moved' });
  scene.main.put(event('new'));
  await shelf.run(feed, scene.context);
  expect(titles(shelf)).toEqual(['e2', 'moved', 'new']);
  expect(scene.asked()).toMatchSnapshot();
});

test('with a series that is cancelled its changed occurrences go, and another series’ stay', async () => {
  const scene = await small(0);
  for (const id of ['series0001', 'series0002']) {
    scene.main.put(event(id, { id, recurrence: ['RRULE:FREQ=DAILY;COUNT=5'] }));
    const original = timeAt(start, zone);
    scene.main.put(
      event(`${id} moved`, {
        id: `${id}_20260112T090000Z`,
        recurringEventId: id,
        originalStartTime: original,
      }),
    );
  }
  const shelf = new Shelf();
  await shelf.run(feed, scene.context);
  expect(shelf.records.size).toBe(4);
  scene.main.cancel('series0001');
  await shelf.run(feed, scene.context);
  expect(titles(shelf)).toEqual(['series0002', 'series0002 moved']);
});

test('an occurrence that is cancelled alone goes alone', async () => {
  const scene = await small(0);
  scene.main.put(event('daily', { id: 'series0001', recurrence: ['RRULE:FREQ=DAILY;COUNT=5'] }));
  const gone = event('', {
    id: 'series0001_20260112T090000Z',
    status: 'cancelled',
    recurringEventId: 'series0001',
    originalStartTime: timeAt(start, zone),
  });
  const shelf = new Shelf();
  await shelf.run(feed, scene.context);
  scene.main.put(gone);
  await shelf.run(feed, scene.context);
  expect(titles(shelf)).toEqual(['daily']);
});

test('a sync token that is too old is a full run, and what has gone meanwhile goes', async () => {
  const scene = await small(5);
  const shelf = new Shelf();
  await shelf.run(feed, scene.context);
  scene.main.cancel(scene.main.events()[0]?.id ?? '');
  scene.main.put(event('new'));
  scene.main.forgetTokens();
  scene.asked();
  await shelf.run(feed, scene.context);
  expect(titles(shelf)).toEqual(['e1', 'e2', 'e3', 'e4', 'new']);
  expect(scene.asked()).toMatchSnapshot();
});

test.each([1, 2, 3])(
  'a run cut off after page %i is taken up where it stood, and nothing is missing',
  async (pages) => {
    const scene = await small(600);
    const shelf = new Shelf();
    await shelf.run(feed, scene.context, pages);
    scene.main.cancel(scene.main.events()[0]?.id ?? '');
    scene.main.put(event('meanwhile'));
    await shelf.run(feed, scene.context);
    await shelf.run(feed, scene.context);
    expect(titles(shelf)).toEqual(
      scene.main
        .events()
        .filter(({ status }) => status !== 'cancelled')
        .map(({ summary }) => summary)
        .sort(),
    );
  },
);

test('a sync of many pages that is cut off goes on inside', async () => {
  const scene = await small(1);
  const shelf = new Shelf();
  await shelf.run(feed, scene.context);
  for (let n = 0; n < 300; n += 1) scene.main.put(event(`n${n}`));
  await shelf.run(feed, scene.context, 1);
  expect(shelf.records.size).toBe(251);
  scene.asked();
  await shelf.run(feed, scene.context);
  expect(shelf.records.size).toBe(301);
  expect(scene.asked().filter((line) => line.includes('/events'))).toHaveLength(1);
});

test('a page token that Google no longer knows begins that calendar again', async () => {
  const scene = await small(300);
  const shelf = new Shelf();
  await shelf.run(feed, scene.context, 1);
  shelf.cursor = { version: 1, calendars: { 'maren@tidewell.example': { pageToken: '1.Zm9yZ290dGVu' } } };
  await shelf.run(feed, scene.context);
  expect(shelf.records.size).toBe(300);
});

test('page tokens that are refused again and again end the run, to be tried later', async () => {
  const scene = await small(300);
  const { body = '', headers = {} } = refusal(400, 'invalid', 'x');
  scene.hosts.faults.failNext({ kind: 'refuse', status: 400, text: body, headers }, 'pageToken=', 9);
  const failure = { code: 'conflict', retry: 'later' };
  await expect(new Shelf().run(feed, scene.context)).rejects.toMatchObject(failure);
});

test('a calendar that is added is taken, one that is left takes its events with it', async () => {
  const scene = await small(2);
  const shelf = new Shelf();
  await shelf.run(feed, scene.context);
  const team = new GoogleCalendarStore({
    id: 'team#1@group.calendar.google.com',
    name: 'Team',
    timeZone: zone,
  });
  team.put(event('stand-up'));
  scene.google.calendars.push(team);
  await shelf.run(feed, scene.context);
  expect(titles(shelf)).toEqual(['e0', 'e1', 'stand-up']);
  scene.google.calendars.pop();
  await shelf.run(feed, scene.context);
  expect(titles(shelf)).toEqual(['e0', 'e1']);
});

test('a calendar that goes while it is read takes its events with it, and the run goes on', async () => {
  const scene = await small(2);
  const { body = '', headers = {} } = refusal(404, 'notFound', 'Not Found');
  const shelf = new Shelf();
  await shelf.run(feed, scene.context);
  const gone = { kind: 'refuse', status: 404, text: body, headers } as const;
  scene.hosts.faults.failNext(gone, '/batch/');
  scene.hosts.faults.failNext(gone, '/events', 2);
  await shelf.run(feed, scene.context);
  expect(shelf.records.size).toBe(0);
  await shelf.run(feed, scene.context);
  expect(shelf.records.size).toBe(2);
});

describe('a run that finds nothing new', () => {
  async function synced(calendars: number) {
    const scene = await small(1);
    for (let n = 1; n < calendars; n += 1) {
      const id = `team${n}@group.calendar.google.com`;
      const team = new GoogleCalendarStore({ id, name: `Team ${n}`, timeZone: zone });
      team.put(event(`team ${n}`));
      scene.google.calendars.push(team);
    }
    const shelf = new Shelf();
    await shelf.run(feed, scene.context);
    scene.asked();
    const lines = () => scene.asked().map((line) => line.split('\n')[0]?.replace(/\?.*/, '') ?? '');
    return { scene, shelf, lines, records: shelf.records.size };
  }
  const batch = 'POST https://www.googleapis.com/batch/calendar/v3';
  const list = 'GET https://www.googleapis.com/calendar/v3/users/me/calendarList';
  const events = (id: string) => `GET https://www.googleapis.com/calendar/v3/calendars/${id}/events`;

  test('costs one call, whatever the calendars', async () => {
    const { scene, shelf, lines, records } = await synced(4);
    await shelf.run(feed, scene.context);
    expect(lines()).toEqual([batch]);
    expect(shelf.records.size).toBe(records);
    scene.google.calendars.at(-1)?.put(event('another'));
    await shelf.run(feed, scene.context);
    expect(lines()).toEqual([batch]);
    expect(titles(shelf)).toContain('another');
  });

  test('costs one call for every 25 questions', async () => {
    const { scene, shelf, lines } = await synced(25);
    await shelf.run(feed, scene.context);
    expect(lines()).toEqual([batch, batch]);
  });

  test('the bearer is that of the call, and stands in no part of it', async () => {
    const { scene, shelf } = await synced(2);
    await shelf.run(feed, scene.context);
    const call = scene.hosts.calls().at(-1);
    expect(call?.headers['authorization']).toMatch(/^Bearer /);
    expect(call?.body).not.toMatch(/bearer|authorization/i);
  });

  const part = (index: number, answer: string) =>
    `--b\r\nContent-Type: application/http\r\nContent-ID: <response-${index}>\r\n\r\n${answer}\r\n`;
  const answered = (status: string, body: string) =>
    `HTTP/1.1 ${status}\r\nContent-Type: application/json; charset=UTF-8\r\n\r\n${body}`;

  test.each(['400 Bad Request', '404 Not Found', '410 Gone', '500 Internal Server Error'])(
    'a part that is answered with %s is asked by itself: no calendar is begun anew for it',
    async (status) => {
      const { scene, shelf, lines } = await synced(2);
      const body = `${part(2, answered(status, '{"error":{"code":400}}'))}--b--`;
      scene.hosts.faults.failNext(
        { kind: 'garble', body, contentType: 'multipart/mixed; boundary=b' },
        '/batch/',
      );
      await shelf.run(feed, scene.context);
      expect(lines()).toEqual([
        batch,
        list,
        events('maren%40tidewell.example'),
        events('team1%40group.calendar.google.com'),
      ]);
      expect(shelf.pages.flatMap(({ complete }) => complete ?? [])).toEqual([]);
    },
  );

  test('parts are taken by their names, and what is no JSON is not', async () => {
    const { scene, shelf, lines } = await synced(2);
    const changed = { items: [event('of the batch')], nextSyncToken: 'sync-1' };
    const body = [
      part(1, answered('200 OK', JSON.stringify(changed))),
      part(0, answered('200 OK', '<html>')),
      '--b--',
    ].join('');
    scene.hosts.faults.failNext(
      { kind: 'garble', body, contentType: 'multipart/mixed; boundary=b' },
      '/batch/',
    );
    await shelf.run(feed, scene.context);
    expect(lines()).toEqual([batch, list, events('team1%40group.calendar.google.com')]);
    expect([...shelf.records.keys()].filter((id) => id.startsWith('maren'))).toHaveLength(2);
    expect(titles(shelf)).toContain('of the batch');
  });

  test('the door is told how many calls it holds, and which of them was refused for its rate', async () => {
    const { scene, shelf } = await synced(2);
    const told: NonNullable<NonNullable<Parameters<typeof scene.context.fetch>[1]>['batch']>[] = [];
    const context: typeof scene.context = {
      ...scene.context,
      fetch(input, init) {
        if (init?.batch !== undefined) told.push(init.batch);
        return scene.context.fetch(input, init);
      },
    };
    await shelf.run(feed, context);
    const refused = 'HTTP/1.1 429 Too Many Requests\r\nRetry-After: 5\r\n\r\n{"error":{"code":429}}';
    const [one, ...more] = told;
    expect([one?.calls, more]).toEqual([3, []]);
    const answers = one?.answers(`${part(1, answered('200 OK', '{}'))}${part(0, refused)}--b--`);
    expect(answers?.map(({ status, headers }) => [status, headers.get('retry-after')])).toEqual([
      [200, null],
      [429, '5'],
    ]);
  });

  test.each(['', 'So sorry.', '{"error":{}}', '--b--', '--b\r\n\r\nHTTP/1.1 200 OK\r\n\r\n{}\r\n--b--'])(
    'a batch that is answered with %j: each is asked by itself',
    async (body) => {
      const { scene, shelf, lines, records } = await synced(1);
      scene.hosts.faults.failNext({ kind: 'garble', body }, '/batch/');
      await shelf.run(feed, scene.context);
      expect(lines()).toEqual([batch, list, events('maren%40tidewell.example')]);
      expect(shelf.records.size).toBe(records);
    },
  );
});

test('where one works from and birthdays are no appointments', async () => {
  const scene = await small(1);
  scene.main.put(event('Home', { eventType: 'workingLocation' }));
  scene.main.put(event('Bo', { eventType: 'birthday' }));
  const shelf = new Shelf();
  await shelf.run(feed, scene.context);
  expect(titles(shelf)).toEqual(['e0']);
});

test('a refusal ends the run as what it is, and the next one goes on', async () => {
  const scene = await small(2);
  const { body = '', headers = {} } = refusal(403, 'rateLimitExceeded', 'Slow down');
  scene.hosts.faults.failNext({ kind: 'refuse', status: 403, text: body, headers }, '/events');
  const shelf = new Shelf();
  await expect(shelf.run(feed, scene.context)).rejects.toMatchObject({
    code: 'rate_limited',
    retry: 'later',
  });
  await shelf.run(feed, scene.context);
  expect(shelf.records.size).toBe(2);
});
