// The caldav provider against a scripted server: what is said of an event when the answer is missing, odd or no.
import { afterEach, describe, expect, test } from 'vitest';
import { provider } from '../../../src/providers/caldav/index.ts';
import type { CalendarCreate } from '../../../src/providers/capabilities.ts';
import { EffectRefused } from '../../../src/providers/define.ts';
import {
  type DavScript,
  type DavServer,
  multistatus,
  responseFor,
  startDav,
} from '../../servers/dav-script.ts';
import { contextFor, lookUp, Shelf, type TestContext } from '../mailbox/context.ts';

const { create, 'free-busy': freeBusy } = provider.operations;
const { events } = provider.feeds;
const servers: DavServer[] = [];

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

async function scene(
  script: Partial<DavScript> = {},
  options: Partial<Parameters<typeof contextFor>[0]> = {},
): Promise<{ server: DavServer; context: TestContext; objects: DavScript['objects'] }> {
  const objects: DavScript['objects'] = script.objects ?? new Map();
  const server = await startDav({ ...script, objects });
  servers.push(server);
  const context = contextFor({
    fields: { url: server.url, user: 'ann' },
    secrets: { password: 'correct-horse' },
    effectKey: 'eff_wire',
    ...options,
  });
  return { server, context, objects };
}

const viewing: CalendarCreate = {
  title: 'Viewing',
  start: '2026-03-02T15:00:00',
  end: '2026-03-02T16:00:00',
  timeZone: 'Europe/Berlin',
  attendees: [],
  reminders: [],
};

function object(tag: string, summary = tag): { tag: string; text: string } {
  return {
    tag: `"${tag}"`,
    text: `BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:${summary}\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:20260302T100000Z\r\nSUMMARY:${summary}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n`,
  };
}

describe('busy times', () => {
  const wholeDay = {
    tag: '"w"',
    text: 'BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:w\r\nDTSTAMP:20260101T000000Z\r\nDTSTART;VALUE=DATE:20260302\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n',
  };
  const march = { from: Date.parse('2026-03-01T00:00Z'), to: Date.parse('2026-03-05T00:00Z') };

  test.each([
    ['Asia/Tokyo', '2026-03-01T15:00Z'],
    ['America/New_York', '2026-03-02T05:00Z'],
  ])(
    'a whole day in a calendar that names no zone is a day of the zone that is asked in: %s',
    async (timeZone, start) => {
      const { context } = await scene({ objects: new Map([['w.ics', wholeDay]]) });
      const { busy } = await freeBusy.run(context, { ...march, timeZone });
      expect(busy).toEqual([{ start: Date.parse(start), end: Date.parse(start) + 86_400_000 }]);
    },
  );
});

describe('booking', () => {
  test('the event is put under our own name, only if nothing is there', async () => {
    const { server, context } = await scene();
    expect(await create.run(context, viewing)).toMatchObject({ reference: 'eff_wire@drawbridge' });
    expect(server.puts).toHaveLength(1);
    expect(server.puts[0]).toMatchObject({ path: '/cal/eff_wire.ics', headers: { 'if-none-match': '*' } });
    expect(server.puts[0]?.body).toContain('UID:eff_wire@drawbridge\r\n');
  });

  test.each([401, 403, 409, 415, 423, 429, 302])(
    'the answer %i is a refusal: nothing happened, nothing is followed',
    async (status) => {
      const { server, context } = await scene({
        put: (response) => response.writeHead(status, { location: '/elsewhere.ics' }).end(),
      });
      await expect(create.run(context, viewing)).rejects.toBeInstanceOf(EffectRefused);
      expect(server.puts).toHaveLength(1);
    },
  );

  test('too many calls at once are a reason to wait as long as the server says, and to book then', async () => {
    const { context } = await scene({
      put: (response) => response.writeHead(429, { 'retry-after': '90' }).end(),
    });
    const failure = await create.run(context, viewing).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(EffectRefused);
    expect(failure).toMatchObject({ cause: { code: 'rate_limited', retry: 'later', retryAfterMs: 90_000 } });
  });

  test.each<[string, DavScript['put']]>([
    ['a connection that goes', (_response, request) => request.socket.destroy()],
    ['a 500', (response) => response.writeHead(500).end()],
    ['a 503', (response) => response.writeHead(503).end()],
  ])(
    '%s after the event was sent leaves the outcome unclear, and it is not sent again',
    async (_what, put) => {
      const { server, context } = await scene({ ...(put === undefined ? {} : { put }) });
      const failure = await create.run(context, viewing).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(Error);
      expect(failure).not.toBeInstanceOf(EffectRefused);
      expect(context.announced()).toBe(1);
      expect(server.puts).toHaveLength(1);
      expect(await lookUp(create, context, viewing)).toMatchObject({ found: false, conclusive: true });
    },
  );

  test('when aboutToSend refuses, nothing is put', async () => {
    const { server, context } = await scene(
      {},
      { aboutToSend: () => Promise.reject(new Error('the lease is lost')) },
    );
    await expect(create.run(context, viewing)).rejects.toThrow('the lease is lost');
    expect(server.puts).toEqual([]);
  });

  test('an answer of 412 for our own event is a success, and a look-up finds it', async () => {
    const own = {
      tag: '"1"',
      text: 'BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:eff_wire@draw\r\n bridge\r\nEND:VEVENT\r\nEND:VCALENDAR',
    };
    const { context } = await scene({
      objects: new Map([['eff_wire.ics', own]]),
      put: (response) => response.writeHead(412).end(),
    });
    expect(await create.run(context, viewing)).toMatchObject({ reference: 'eff_wire@drawbridge' });
    expect(await lookUp(create, context, viewing)).toMatchObject({ found: true });
  });

  test('a look-up that the server cannot answer proves nothing', async () => {
    const { context } = await scene();
    const failing = { ...context, fetch: async () => new Response('', { status: 503 }) };
    await expect(lookUp(create, failing, viewing)).rejects.toMatchObject({ code: 'provider_unavailable' });
  });

  test('a server that invites by itself gets the organiser and the attendees, and nothing is warned of', async () => {
    const { server, context } = await scene({ dav: '1, 2, calendar-access, calendar-auto-schedule' });
    const outcome = await create.run(context, {
      ...viewing,
      attendees: [{ email: 'bob@example.org', name: 'Bob' }],
    });
    expect(outcome.warning).toBeUndefined();
    const text = server.puts[0]?.body.replace(/\r\n /g, '') ?? '';
    expect(text).toContain('ORGANIZER:mailto:ann@example.com\r\n');
    expect(text).toMatch(/ATTENDEE;CN=Bob;.*:mailto:bob@example\.org\r\n/);
  });

  test('of several calendars the server’s default is booked in', async () => {
    const { server, context } = await scene({ calendars: ['/other/', '/cal/'], defaultCalendar: '/cal' });
    await create.run(context, viewing);
    expect(server.puts[0]?.path).toBe('/cal/eff_wire.ics');
  });

  test('a calendar of somebody else, shared to be read alone, is not booked in', async () => {
    // As DAViCal says it; the shared one comes first by its name.
    const may: Record<string, string> = {
      '/bob/': '<d:read/></d:privilege><d:privilege><d:read-current-user-privilege-set/>',
      '/cal/': '<d:read/></d:privilege><d:privilege><d:write/></d:privilege><d:privilege><d:bind/>',
    };
    const { server, context } = await scene({
      calendars: ['/bob/', '/cal/'],
      marks: (href) =>
        `<d:current-user-privilege-set><d:privilege>${may[href]}</d:privilege></d:current-user-privilege-set>`,
    });
    await create.run(context, viewing);
    expect(server.puts[0]?.path).toBe('/cal/eff_wire.ics');
  });
});

describe('sync', () => {
  test('without sync-collection, entity tags tell what is new, changed and gone', async () => {
    const objects = new Map([
      ['a.ics', object('1', 'a')],
      ['b.ics', object('1', 'b')],
    ]);
    const { context } = await scene({ objects });
    const shelf = new Shelf();
    await shelf.run(events, context);
    expect([...shelf.records.keys()].sort()).toEqual(['/cal/a.ics', '/cal/b.ics']);
    objects.set('a.ics', object('2', 'a later'));
    objects.delete('b.ics');
    objects.set('c.ics', object('1', 'c'));
    await shelf.run(events, context);
    expect(
      shelf.pages
        .flatMap((page) => page.records)
        .map(({ externalId }) => externalId)
        .sort(),
    ).toEqual(['/cal/a.ics', '/cal/c.ics']);
    expect([...shelf.records.keys()].sort()).toEqual(['/cal/a.ics', '/cal/c.ics']);
    expect(shelf.records.get('/cal/a.ics')).toContain('SUMMARY:a later');
  });

  test.each([403, 409, 410, 412, 500])('a token refused with %i leads to a full run', async (status) => {
    const objects = new Map([
      ['a.ics', object('1', 'a')],
      ['b.ics', object('1', 'b')],
    ]);
    const list = () =>
      [...objects]
        .map(([name, { tag }]) => responseFor(`/cal/${name}`, `<d:getetag>${tag}</d:getetag>`))
        .join('');
    const { context } = await scene({
      objects,
      sync: (token) =>
        token === ''
          ? { status: 207, body: multistatus(`${list()}<d:sync-token>t1</d:sync-token>`) }
          : { status, body: '<d:error xmlns:d="DAV:"><d:valid-sync-token/></d:error>' },
    });
    const shelf = new Shelf();
    await shelf.run(events, context);
    objects.delete('a.ics');
    await shelf.run(events, context);
    expect([...shelf.records.keys()]).toEqual(['/cal/b.ics']);
  });

  test('a server that fails over everything is an error, and nothing is taken for gone', async () => {
    let isWell = true;
    const { context } = await scene({
      objects: new Map([['a.ics', object('1', 'a')]]),
      sync: () =>
        isWell
          ? {
              status: 207,
              body: multistatus(
                `${responseFor('/cal/a.ics', '<d:getetag>"1"</d:getetag>')}<d:sync-token>t1</d:sync-token>`,
              ),
            }
          : { status: 500 },
    });
    const shelf = new Shelf();
    await shelf.run(events, context);
    isWell = false;
    await expect(shelf.run(events, context)).rejects.toMatchObject({ code: 'provider_unavailable' });
    expect([...shelf.records.keys()]).toEqual(['/cal/a.ics']);
  });

  test('a list of changes in parts is followed to its end', async () => {
    const objects = new Map([
      ['a.ics', object('1', 'a')],
      ['b.ics', object('1', 'b')],
    ]);
    const part = (name: string, more: boolean, token: string) =>
      multistatus(
        responseFor(`/cal/${name}`, '<d:getetag>"1"</d:getetag>') +
          (more
            ? '<d:response><d:href>/cal/</d:href><d:status>HTTP/1.1 507 Insufficient Storage</d:status></d:response>'
            : '') +
          `<d:sync-token>${token}</d:sync-token>`,
      );
    const { context } = await scene({
      objects,
      sync: (token) => ({
        status: 207,
        body: token === '' ? part('a.ics', true, 't1') : part('b.ics', false, 't2'),
      }),
    });
    const shelf = new Shelf();
    await shelf.run(events, context);
    expect([...shelf.records.keys()].sort()).toEqual(['/cal/a.ics', '/cal/b.ics']);
    expect(shelf.cursor).toMatchObject({ calendars: { '/cal/': { token: 't2' } } });
  });

  test('a server that takes a token it has forgotten and tells only what is left: what went meanwhile is gone', async () => {
    const objects = new Map([
      ['a.ics', object('1', 'a')],
      ['b.ics', object('1', 'b')],
    ]);
    const asked: string[] = [];
    // DAViCal, to a token of more than a week ago: 207, all that there is, and the newest token.
    const { context } = await scene({
      objects,
      sync: (token) => {
        asked.push(token);
        const all = [...objects].map(([name, { tag }]) =>
          responseFor(`/cal/${name}`, `<d:getetag>${tag}</d:getetag>`),
        );
        return { status: 207, body: multistatus(`${all.join('')}<d:sync-token>data:,8</d:sync-token>`) };
      },
    });
    let now = context.clock.now();
    const later = { ...context, clock: { ...context.clock, now: () => now } };
    const shelf = new Shelf();
    await shelf.run(events, later);
    await shelf.run(events, later);
    expect(asked).toEqual(['', 'data:,8']);
    objects.delete('a.ics');
    now += 8 * 86_400_000;
    await shelf.run(events, later);
    expect(asked.slice(2)).toEqual(['data:,8', '']);
    expect([...shelf.records.keys()]).toEqual(['/cal/b.ics']);
    await shelf.run(events, later);
    expect(asked.slice(4)).toEqual(['data:,8']);
  });

  describe('a calendar is asked only when its mark has moved', () => {
    const tag = (text: string) => `<cs:getctag>${text}</cs:getctag>`;
    const token = (text: string) => `<d:sync-token>${text}</d:sync-token>`;

    async function marked(more: Partial<DavScript> = {}) {
      const marks = { now: tag('one') };
      const objects = new Map([['a.ics', object('1', 'a')]]);
      const { server, context } = await scene({ objects, marks: () => marks.now, ...more });
      const shelf = new Shelf();
      const run = async () => {
        const from = server.requests.length;
        await shelf.run(events, context);
        return server.requests.slice(from);
      };
      return { marks, objects, server, context, shelf, run };
    }

    test('where the server has entity tags alone, the getctag tells', async () => {
      const { marks, objects, shelf, run } = await marked();
      await run();
      expect(await run()).toEqual(['PROPFIND /home/']);
      objects.set('b.ics', object('1', 'b'));
      objects.delete('a.ics');
      marks.now = tag('two');
      expect(await run()).toContain('PROPFIND /cal/');
      expect([...shelf.records.keys()]).toEqual(['/cal/b.ics']);
      expect(await run()).toEqual(['PROPFIND /home/']);
    });

    test.each([
      ['no mark', '', ''],
      ['one that is empty', tag(''), tag('')],
      [
        'numbers that are one to a reader of numbers',
        tag('1732200000.1234567891'),
        tag('1732200000.1234567892'),
      ],
      ['a sync-token that stays and a getctag that moves', token('t') + tag('1'), token('t') + tag('2')],
      ['a getctag that stays and a sync-token that moves', token('t') + tag('1'), token('u') + tag('1')],
    ])('%s: asked as ever', async (_what, first, then) => {
      const { marks, objects, shelf, run } = await marked();
      marks.now = first;
      await run();
      marks.now = then;
      objects.set('a.ics', object('2', 'a later'));
      await run();
      expect(shelf.records.get('/cal/a.ics')).toContain('SUMMARY:a later');
    });

    test('what changes while a calendar is read is found by the next run', async () => {
      const { marks, objects, shelf, run } = await marked({
        sync: (from) => {
          if (from === '') {
            // Just after the list of changes was made.
            queueMicrotask(() => {
              objects.set('b.ics', object('1', 'b'));
              marks.now = token('t2');
            });
          }
          const [name, next] = from === '' ? ['a.ics', 't1'] : ['b.ics', 't2'];
          const item = responseFor(`/cal/${name}`, '<d:getetag>"1"</d:getetag>');
          return { status: 207, body: multistatus(`${item}<d:sync-token>${next}</d:sync-token>`) };
        },
      });
      marks.now = token('t1');
      await run();
      await run();
      expect([...shelf.records.keys()]).toEqual(['/cal/a.ics', '/cal/b.ics']);
      expect(await run()).toEqual(['PROPFIND /home/']);
    });

    test('a calendar that was cut off in the middle is read again', async () => {
      const { objects, shelf, run, context } = await marked();
      for (let n = 0; n < 60; n += 1) objects.set(`n${n}.ics`, object('1', `n${n}`));
      await shelf.run(events, context, 1);
      expect(shelf.records.size).toBe(50);
      await run();
      expect(shelf.records.size).toBe(61);
    });

    test('the same mark at another server is another', async () => {
      const { shelf, run } = await marked();
      await run();
      const other = await scene({ objects: new Map([['z.ics', object('1', 'z')]]), marks: () => tag('one') });
      await shelf.run(events, other.context);
      expect([...shelf.records.keys()]).toEqual(['/cal/z.ics']);
      expect(other.server.requests).toContain('PROPFIND /me/');
    });

    test('calendars that are somewhere else now are found there', async () => {
      let home = '/home/';
      const { run } = await marked({
        homeAt: () => home,
        home: (path) => (path === '/home/' && home !== path ? { status: 404 } : undefined),
      });
      await run();
      home = '/moved/';
      expect(await run()).toEqual(
        expect.arrayContaining(['PROPFIND /home/', 'PROPFIND /me/', 'PROPFIND /moved/']),
      );
      expect(await run()).toEqual(['PROPFIND /moved/']);
    });

    test.each([403, 404, 500])(
      'a list of calendars refused with %i is an error, and no list of deletions',
      async (status) => {
        let refused = false;
        const { shelf, context } = await marked({ home: () => (refused ? { status } : undefined) });
        const impatient = {
          ...context,
          fetch: (input: string | URL | Request, init?: RequestInit) =>
            context.fetch(input, { ...init, idempotent: false }),
        };
        await shelf.run(events, context);
        refused = true;
        await expect(shelf.run(events, impatient)).rejects.toMatchObject({ code: 'provider_unavailable' });
        expect([...shelf.records.keys()]).toEqual(['/cal/a.ics']);
      },
    );

    test('a log-in that is refused is tried once', async () => {
      let refused = false;
      const { server, shelf, context } = await marked({
        home: () => (refused ? { status: 401 } : undefined),
      });
      await shelf.run(events, context);
      refused = true;
      const from = server.requests.length;
      await expect(shelf.run(events, context)).rejects.toMatchObject({ code: 'auth_expired' });
      expect(server.requests.slice(from)).toEqual(['PROPFIND /home/']);
    });
  });

  test('an object that goes between the list and the fetch does not stop the others', async () => {
    const { context } = await scene({
      objects: new Map([['a.ics', object('1', 'a')]]),
      sync: () => ({
        status: 207,
        body: multistatus(
          `${responseFor('/cal/a.ics', '<d:getetag>"1"</d:getetag>')}${responseFor('/cal/gone.ics', '<d:getetag>"1"</d:getetag>')}<d:sync-token>t1</d:sync-token>`,
        ),
      }),
    });
    const shelf = new Shelf();
    await shelf.run(events, context);
    expect([...shelf.records.keys()]).toEqual(['/cal/a.ics']);
  });

  test('a server that fails in the middle is an error, and never a list of deletions', async () => {
    const objects = new Map([['a.ics', object('1', 'a')]]);
    let failing = false;
    const { context } = await scene({
      objects,
      sync: () =>
        failing
          ? { status: 503 }
          : {
              status: 207,
              body: multistatus(
                `${responseFor('/cal/a.ics', '<d:getetag>"1"</d:getetag>')}<d:sync-token>t1</d:sync-token>`,
              ),
            },
    });
    const shelf = new Shelf();
    await shelf.run(events, context);
    failing = true;
    const impatient = {
      ...context,
      fetch: (input: string | URL | Request, init?: RequestInit) =>
        context.fetch(input, { ...init, idempotent: false }),
    };
    await expect(shelf.run(events, impatient)).rejects.toMatchObject({ code: 'provider_unavailable' });
    expect([...shelf.records.keys()]).toEqual(['/cal/a.ics']);
  });
});
