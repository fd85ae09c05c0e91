// The caldav provider on Debian's Radicale: discovery, sync, booking, look-up, busy times.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { provider } from '../../../src/providers/caldav/index.ts';
import type { CalendarCreate } from '../../../src/providers/capabilities.ts';
import { EffectRefused } from '../../../src/providers/define.ts';
import { type Radicale, radicaleMissing, startRadicale } from '../../servers/radicale.ts';
import { contextFor, lookUp, Shelf, type TestContext } from '../mailbox/context.ts';

const { create } = provider.operations;
const busyTimes = provider.operations['free-busy'];

function viewing(more: Partial<CalendarCreate> = {}): CalendarCreate {
  return {
    title: 'Besichtigung, Haus 7; Grüße',
    start: '2026-03-02T15:00:00',
    end: '2026-03-02T16:00:00',
    timeZone: 'Europe/Berlin',
    attendees: [],
    reminders: [],
    ...more,
  };
}

function vevent(uid: string, lines: string): string {
  return `BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\nBEGIN:VEVENT\r\nUID:${uid}\r\nDTSTAMP:20260101T000000Z\r\n${lines.trim().replaceAll(/\r?\n/g, '\r\n')}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n`;
}

describe.skipIf(radicaleMissing !== undefined)(`caldav on Radicale ${radicaleMissing ?? ''}`, () => {
  const servers: Radicale[] = [];
  let effects = 0;

  let radicale: Radicale;
  let count = 0;
  beforeAll(async () => {
    radicale = await startRadicale();
  });
  afterAll(async () => {
    await Promise.all([radicale, ...servers].map((server) => server.stop()));
  });

  /** An account with a calendar of its own. */
  async function account(
    more: Record<string, unknown> = {},
    on = radicale,
  ): Promise<{ url: string; context: TestContext }> {
    count += 1;
    const name = `Calendar ${count}`;
    const url = await on.makeCalendar(`cal${count}`, name);
    return { url, context: contextOf({ calendar: name, ...more }, on) };
  }

  function contextOf(more: Record<string, unknown> = {}, on = radicale): TestContext {
    effects += 1;
    return contextFor({
      fields: { url: on.url, user: on.user, ...more },
      secrets: { password: on.password },
      effectKey: `eff_cal${effects}`,
    });
  }

  async function put(url: string, name: string, body: string): Promise<void> {
    const response = await radicale.request(`${url}${name}.ics`, { method: 'PUT', body });
    if (!response.ok) throw new Error(`PUT answered ${response.status}`);
  }

  test('the account is found from the server address alone', async () => {
    expect(await provider.identity(contextOf())).toEqual({
      id: `${radicale.url}alice/`,
      label: `alice@${new URL(radicale.url).host}`,
    });
  });

  test('a wrong password asks to connect again, a wrong address names the field', async () => {
    const wrong = contextFor({
      fields: { url: radicale.url, user: 'alice' },
      secrets: { password: 'wrong-password' },
    });
    await expect(provider.identity(wrong)).rejects.toMatchObject({ code: 'auth_expired' });
    const { context } = await account({ calendar: 'No such' });
    await expect(new Shelf().run(provider.feeds.events, context)).rejects.toMatchObject({
      code: 'not_found',
      field: 'calendar',
    });
  });

  test('events arrive, change and go with the sync-token, and nothing unchanged is fetched again', async () => {
    const { url, context } = await account();
    await put(url, 'one', vevent('one', 'SUMMARY:One\nDTSTART:20260302T100000Z'));
    await put(url, 'two', vevent('two', 'SUMMARY:Zwölf & <mehr>\nDTSTART:20260303T100000Z'));
    const shelf = new Shelf();
    await shelf.run(provider.feeds.events, context);
    const base = new URL(url).pathname;
    expect([...shelf.records.keys()].sort()).toEqual([`${base}one.ics`, `${base}two.ics`]);
    expect(shelf.records.get(`${base}two.ics`)).toContain('SUMMARY:Zwölf & <mehr>');

    await put(url, 'one', vevent('one', 'SUMMARY:One, later\nDTSTART:20260302T110000Z'));
    await put(url, 'three', vevent('three', 'SUMMARY:Three\nDTSTART:20260304T100000Z'));
    await radicale.request(`${url}two.ics`, { method: 'DELETE' });
    await shelf.run(provider.feeds.events, context);
    expect(
      shelf.pages
        .flatMap((page) => page.records)
        .map(({ externalId }) => externalId)
        .sort(),
    ).toEqual([`${base}one.ics`, `${base}three.ics`]);
    expect(shelf.pages.flatMap((page) => page.deleted)).toEqual([`${base}two.ics`]);
    expect([...shelf.records.keys()].sort()).toEqual([`${base}one.ics`, `${base}three.ics`]);

    await shelf.run(provider.feeds.events, context);
    expect(shelf.pages.flatMap((page) => [...page.records, ...page.deleted])).toEqual([]);
  });

  test('a run that finds nothing new costs one call; a new, a changed and a removed calendar are seen by it', async () => {
    const own = await startRadicale('cleo');
    servers.push(own);
    const [first, second] = [await own.makeCalendar('first'), await own.makeCalendar('second')];
    const write = (url: string, name: string, summary: string) =>
      own.request(`${url}${name}.ics`, {
        method: 'PUT',
        body: vevent(name, `SUMMARY:${summary}\nDTSTART:20260302T100000Z`),
      });
    await write(first, 'a', 'A');
    await write(first, 'b', 'B');
    await write(second, 'c', 'C');
    const asked: string[] = [];
    const base = contextOf({}, own);
    const context: TestContext = {
      ...base,
      fetch: (input, init) => {
        asked.push(`${init?.method} ${new URL(String(input)).pathname}`);
        return base.fetch(input, init);
      },
    };
    const shelf = new Shelf();
    const run = async () => {
      asked.length = 0;
      await shelf.run(provider.feeds.events, context);
      return [...asked];
    };
    const look = 'PROPFIND /cleo/';
    const report = (url: string) => `REPORT ${new URL(url).pathname}`;
    const path = (url: string, name: string) => `${new URL(url).pathname}${name}.ics`;
    await run();
    expect([...shelf.records.keys()].sort()).toEqual([path(first, 'a'), path(first, 'b'), path(second, 'c')]);
    expect(await run()).toEqual([look]);

    await write(second, 'c', 'C later');
    expect(await run()).toEqual([look, report(second), report(second)]);
    expect(shelf.records.get(path(second, 'c'))).toContain('SUMMARY:C later');
    expect(await run()).toEqual([look]);

    await own.request(`${first}a.ics`, { method: 'DELETE' });
    expect(await run()).toEqual([look, report(first)]);
    expect(shelf.records.has(path(first, 'a'))).toBe(false);
    expect(await run()).toEqual([look]);

    const third = await own.makeCalendar('third');
    await write(third, 'd', 'D');
    expect(await run()).toEqual([look, report(third), report(third)]);
    await own.request(first, { method: 'DELETE' });
    expect(await run()).toEqual([look]);
    expect([...shelf.records.keys()].sort()).toEqual([path(second, 'c'), path(third, 'd')]);
    expect(await run()).toEqual([look]);
  });

  test('a token that the server has forgotten means a full run, and what went meanwhile is gone', async () => {
    const { url, context } = await account();
    await put(url, 'one', vevent('one', 'SUMMARY:One\nDTSTART:20260302T100000Z'));
    await put(url, 'two', vevent('two', 'SUMMARY:Two\nDTSTART:20260303T100000Z'));
    const shelf = new Shelf();
    await shelf.run(provider.feeds.events, context);
    const cursor = shelf.cursor as { calendars: Record<string, { token: string }> };
    for (const state of Object.values(cursor.calendars))
      state.token = `http://radicale.org/ns/sync/${'0'.repeat(64)}`;
    await radicale.request(`${url}one.ics`, { method: 'DELETE' });
    await shelf.run(provider.feeds.events, context);
    expect([...shelf.records.keys()]).toEqual([`${new URL(url).pathname}two.ics`]);
  });

  test('a calendar that was removed takes its events with it, and a cut-off run loses nothing', async () => {
    const own = await startRadicale('bea');
    servers.push(own);
    const [first, second] = [await own.makeCalendar('first'), await own.makeCalendar('second')];
    for (let index = 0; index < 52; index += 1) {
      await own.request(`${first}n${index}.ics`, {
        method: 'PUT',
        body: vevent(`n${index}`, 'SUMMARY:N\nDTSTART:20260302T100000Z'),
      });
    }
    await own.request(`${second}m.ics`, {
      method: 'PUT',
      body: vevent('m', 'SUMMARY:M\nDTSTART:20260302T100000Z'),
    });
    const context = contextOf({}, own);
    const shelf = new Shelf();
    await shelf.run(provider.feeds.events, context, 1);
    expect(shelf.pages[0]?.records).toHaveLength(50);
    expect(shelf.pages[0]?.remaining).toBe(2);
    await shelf.run(provider.feeds.events, context);
    expect(shelf.records.size).toBe(53);
    await own.request(first, { method: 'DELETE' });
    await shelf.run(provider.feeds.events, context);
    expect([...shelf.records.keys()]).toEqual([`${new URL(second).pathname}m.ics`]);
  });

  test('a booked event stands on the server as it was approved', async () => {
    const { url, context } = await account();
    const outcome = await create.run(
      context,
      viewing({
        location: 'Hauptstraße 7, Köln',
        description: 'Bring:\n- keys\n- plans; all',
        reminders: [15, 1440],
        recurrence: 'FREQ=WEEKLY;BYDAY=MO;COUNT=3',
        attendees: [{ email: 'bob@example.org', name: 'Bob "the Builder"; Sr, Jr' }],
      }),
    );
    expect(outcome).toMatchObject({
      reference: `${context.effectKey}@drawbridge`,
      details: { href: `${url}${context.effectKey}.ics` },
      warning: expect.stringContaining('have not been told'),
    });
    expect(context.announced()).toBe(1);
    const text = await (await radicale.request(`${url}${context.effectKey}.ics`)).text();
    const unfolded = text.replace(/\r?\n[ \t]/g, '');
    expect(unfolded).toContain('SUMMARY:Besichtigung\\, Haus 7\\; Grüße');
    expect(unfolded).toContain('DTSTART;TZID=Europe/Berlin:20260302T150000');
    expect(unfolded).toContain('BEGIN:VTIMEZONE');
    expect(unfolded).toMatch(/TRIGGER:-PT15M[\s\S]*TRIGGER:-P1D/);
    expect(unfolded).toContain('RRULE:FREQ=WEEKLY');
    expect(unfolded).toContain('mailto:bob@example.org');
    expect(await lookUp(create, context, viewing())).toMatchObject({ found: true });
  });

  test('booking twice under the same key makes one event', async () => {
    const { url, context } = await account();
    const first = await create.run(context, viewing());
    expect(await create.run(context, viewing())).toEqual(first);
    const shelf = new Shelf();
    await shelf.run(provider.feeds.events, context);
    expect([...shelf.records.keys()]).toEqual([`${new URL(url).pathname}${context.effectKey}.ics`]);
  });

  test('when something else is under our name the booking is refused', async () => {
    const { url, context } = await account();
    await put(url, context.effectKey, vevent('somebody-else', 'SUMMARY:Other\nDTSTART:20260302T100000Z'));
    await expect(create.run(context, viewing())).rejects.toBeInstanceOf(EffectRefused);
  });

  test('what was never booked is known not to be there', async () => {
    const { context } = await account();
    expect(await lookUp(create, context, viewing())).toMatchObject({ found: false, conclusive: true });
  });

  test('a look-up searches every calendar, wherever the default is by now', async () => {
    const { context } = await account();
    await create.run(context, viewing());
    const { calendar: _named, ...fields } = context.fields;
    const anywhere = contextFor({
      fields,
      secrets: { password: radicale.password },
      effectKey: context.effectKey,
    });
    expect(await lookUp(create, anywhere, viewing())).toMatchObject({ found: true });
  });

  test('busy times: recurrences, exceptions, overrides, free and cancelled ones, merged and sorted', async () => {
    const { url, context } = await account();
    const at = (text: string) => Date.parse(text);
    await put(
      url,
      'weekly',
      `BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//t//EN\r\nBEGIN:VEVENT\r\nUID:w\r\nDTSTAMP:20260101T000000Z\r\nSUMMARY:Weekly\r\nDTSTART;TZID=Europe/Berlin:20260316T090000\r\nDTEND;TZID=Europe/Berlin:20260316T100000\r\nRRULE:FREQ=WEEKLY;COUNT=6\r\nEXDATE;TZID=Europe/Berlin:20260323T090000\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:w\r\nDTSTAMP:20260101T000000Z\r\nSUMMARY:Weekly moved\r\nRECURRENCE-ID;TZID=Europe/Berlin:20260406T090000\r\nDTSTART;TZID=Europe/Berlin:20260407T140000\r\nDTEND;TZID=Europe/Berlin:20260407T150000\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n`,
    );
    await put(
      url,
      'free',
      vevent('free', 'SUMMARY:Free\nTRANSP:TRANSPARENT\nDTSTART:20260317T090000Z\nDTEND:20260317T100000Z'),
    );
    await put(
      url,
      'off',
      vevent('off', 'SUMMARY:Off\nSTATUS:CANCELLED\nDTSTART:20260317T090000Z\nDTEND:20260317T100000Z'),
    );
    await put(url, 'a', vevent('a', 'SUMMARY:A\nDTSTART:20260318T090000Z\nDTEND:20260318T100000Z'));
    await put(url, 'b', vevent('b', 'SUMMARY:B\nDTSTART:20260318T093000Z\nDURATION:PT1H'));
    const answer = await busyTimes.run(context, {
      from: at('2026-03-16T00:00Z'),
      to: at('2026-04-10T00:00Z'),
    });
    expect(answer.busy).toEqual([
      // Winter time, then summer time: nine in Berlin is another hour in UTC.
      { start: at('2026-03-16T08:00Z'), end: at('2026-03-16T09:00Z'), title: 'Weekly' },
      { start: at('2026-03-18T09:00Z'), end: at('2026-03-18T10:30Z'), title: 'A; B' },
      { start: at('2026-03-30T07:00Z'), end: at('2026-03-30T08:00Z'), title: 'Weekly' },
      { start: at('2026-04-07T12:00Z'), end: at('2026-04-07T13:00Z'), title: 'Weekly moved' },
    ]);
  });
});
