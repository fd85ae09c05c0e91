// The calendar by Microsoft Graph: one event for one approval, rules that it keeps, and a feed by delta.
import { describe, expect, test } from 'vitest';
import { type CalendarCreate, calendarCreate } from '../../../src/providers/capabilities.ts';
import type { FeedPage } from '../../../src/providers/define.ts';
import { EffectRefused } from '../../../src/providers/define.ts';
import { provider } from '../../../src/providers/outlook/index.ts';
import { patternOf, ruleOf } from '../../../src/providers/outlook/series.ts';
import { parseInstant } from '../../../src/time.ts';
import { lookUp } from '../mailbox/context.ts';
import { openScene, type Scene } from './scene.ts';

const { create, cancel, events } = provider.operations;
const freeBusy = provider.operations['free-busy'];
const failure = (work: Promise<unknown>) => work.catch((error: unknown) => error);

const viewing: CalendarCreate = calendarCreate.parse({
  title: 'Viewing',
  start: '2026-03-02T15:00:00',
  end: '2026-03-02T16:00:00',
  timeZone: 'America/Los_Angeles',
  attendees: [{ email: 'bob@example.org', name: 'Bob' }],
  location: '5 Quay Street',
  reminders: [30],
});
const booked = ({ microsoft }: Scene) =>
  microsoft.calendar
    .events()
    .filter(({ summary, status }) => summary === 'Viewing' && status === 'confirmed');

describe('booking', () => {
  test('one event is made once, by our transaction, with what was approved', async () => {
    const scene = await openScene({ empty: true });
    const outcome = await create.run(scene.context, viewing);
    expect(outcome.reference).toBe(booked(scene)[0]?.id);
    expect(scene.microsoft.invitations()).toMatchObject([{ occasion: 'invited', to: ['bob@example.org'] }]);
    const [call, ...more] = scene.asked();
    expect(more).toEqual([]);
    expect([call?.method, call?.path]).toEqual(['POST', '/v1.0/me/events']);
    expect(JSON.parse(call?.body ?? '{}')).toMatchSnapshot();
  });

  test('whose answer was lost is found by its mark; tried again it meets itself and makes no second one', async () => {
    const scene = await openScene({ empty: true });
    scene.hosts.faults.failNext(
      { kind: 'drop', after: 'effect' },
      'POST /graph.microsoft.com/v1.0/me/events',
    );
    const lost = await failure(create.run(scene.context, viewing));
    expect(lost).not.toBeInstanceOf(EffectRefused);
    expect(lost).toMatchObject({ code: 'network' });
    const found = await lookUp(create, scene.context, viewing);
    expect(found).toMatchObject({ found: true, outcome: { reference: booked(scene)[0]?.id } });
    expect(await create.run(scene.context, viewing)).toMatchObject({ reference: booked(scene)[0]?.id });
    expect(booked(scene)).toHaveLength(1);
  });

  test('what was booked is cancelled by what its outcome proposes', async () => {
    const scene = await openScene({ empty: true });
    const outcome = await create.run(scene.context, viewing);
    const payload = cancel.input.parse(create.compensation?.payload(viewing, outcome));
    const live = await cancel.before?.(scene.context, payload);
    expect(live).toMatchObject({ title: 'Viewing', fields: { start: '2026-03-02T23:00:00.000Z' } });
    if (live !== undefined) cancel.checkMeant?.(payload, live);
    await cancel.run({ ...scene.context, before: live }, payload);
    expect(booked(scene)).toEqual([]);
    expect(scene.asked().at(-1)?.headers['if-match']).toMatch(/^W\//);
    expect(await lookUp(cancel, scene.context, payload)).toMatchObject({ found: true });
  });

  test('an event that is another than was approved is not cancelled', async () => {
    const scene = await openScene({ empty: true });
    const outcome = await create.run(scene.context, viewing);
    const payload = cancel.input.parse(create.compensation?.payload(viewing, outcome));
    const other = { ...payload, title: 'Dentist' };
    await expect(cancel.run(scene.context, other)).rejects.toMatchObject({ code: 'invalid_request' });
    const before = { title: 'x', fields: { title: 'Viewing', start: 'earlier' }, after: {} };
    await expect(cancel.run({ ...scene.context, before }, payload)).rejects.toMatchObject({
      code: 'conflict',
    });
    expect(booked(scene)).toHaveLength(1);
  });

  test('two reminders, and a rule that Outlook cannot keep, are refused with the field', () => {
    expect(() => create.validate?.({ ...viewing, reminders: [5, 30] })).toThrow(
      expect.objectContaining({ code: 'invalid_request', field: 'reminders' }),
    );
    for (const rule of ['FREQ=MONTHLY;BYDAY=1MO', 'FREQ=DAILY;BYDAY=MO']) {
      expect(() => create.validate?.({ ...viewing, recurrence: rule }), rule).toThrow(
        expect.objectContaining({ code: 'invalid_request', field: 'recurrence' }),
      );
    }
  });
});

describe('rules of series', () => {
  const at = { start: '2026-03-02T15:00:00', timeZone: 'America/Los_Angeles' };
  test.each([
    ['FREQ=DAILY;COUNT=3', 'RRULE:FREQ=DAILY;INTERVAL=1;COUNT=3'],
    ['FREQ=WEEKLY;INTERVAL=2', 'RRULE:FREQ=WEEKLY;BYDAY=MO;WKST=MO;INTERVAL=2'],
    ['FREQ=WEEKLY;BYDAY=MO,TH', 'RRULE:FREQ=WEEKLY;BYDAY=MO,TH;WKST=MO;INTERVAL=1'],
    ['FREQ=MONTHLY', 'RRULE:FREQ=MONTHLY;BYMONTHDAY=2;INTERVAL=1'],
    ['FREQ=YEARLY', 'RRULE:FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=2;INTERVAL=1'],
    ['FREQ=DAILY;UNTIL=20260401T065959Z', 'RRULE:FREQ=DAILY;INTERVAL=1;UNTIL=20260401T065959Z'],
  ])('%s is kept, and read back with the same dates', (rule, back) => {
    const kept = JSON.parse(JSON.stringify(patternOf(rule, at)));
    expect(ruleOf(kept, at.timeZone)).toBe(back);
  });

  test('the first Wednesday of a month is read', () => {
    const pattern = { type: 'relativeMonthly', interval: 1, daysOfWeek: ['wednesday'], index: 'first' };
    expect(ruleOf({ pattern, range: { type: 'noEnd' } }, 'UTC')).toBe(
      'RRULE:FREQ=MONTHLY;BYDAY=WE;BYSETPOS=1;INTERVAL=1',
    );
  });
});

describe('reading', () => {
  test('a window shows each date of a series by itself', async () => {
    const scene = await openScene({ empty: true });
    await create.run(scene.context, { ...viewing, recurrence: 'FREQ=WEEKLY;BYDAY=MO;COUNT=3' });
    const answer = await events.run(scene.context, {
      from: '2026-03-01T00:00:00Z',
      to: '2026-03-31T00:00:00Z',
      limit: 50,
      skip: 0,
    });
    // The clocks change on 8 March: the wall time stays.
    expect(answer.events.map(({ start }) => start)).toEqual([
      '2026-03-02T23:00:00.000Z',
      '2026-03-09T22:00:00.000Z',
      '2026-03-16T22:00:00.000Z',
    ]);
  });

  test('a year is asked in windows, and what is free is not taken', async () => {
    const scene = await openScene({ empty: true });
    await create.run(scene.context, viewing);
    const [event] = booked(scene);
    if (event === undefined) throw new Error('nothing was booked');
    scene.microsoft.calendar.put({ ...event, id: 'free1', transparency: 'transparent', summary: 'Free' });
    const from = parseInstant('2026-01-05', 'from');
    const answer = await freeBusy.run(scene.context, { from, to: from + 90 * 86_400_000 });
    const start = Date.parse('2026-03-02T23:00:00Z');
    expect(answer.busy).toEqual([{ start, end: start + 3_600_000, title: 'Viewing' }]);
    expect(scene.asked().filter(({ path }) => path.endsWith('getSchedule'))).toHaveLength(3);
  });

  test('a calendar that could not be asked is not a free one', async () => {
    const scene = await openScene({ empty: true });
    const context = { ...scene.context, fields: { email: 'gone@tidewell.example' } };
    const from = scene.clock.now();
    await expect(freeBusy.run(context, { from, to: from + 1000 })).rejects.toMatchObject({
      code: 'provider_unavailable',
    });
  });
});

describe('the feed', () => {
  const { events: feed } = provider.feeds;
  async function read(scene: Scene, cursor?: unknown) {
    const pages: FeedPage[] = [];
    for await (const page of feed.pages(scene.context, cursor)) pages.push(page);
    const records = pages.flatMap((page) => page.records);
    return {
      records: records.map(({ externalId, raw }) => ({ externalId, ics: Buffer.from(raw).toString('utf8') })),
      deleted: pages.flatMap(({ deleted }) => deleted),
      complete: pages.flatMap(({ complete }) => complete ?? []),
      cursor: JSON.parse(JSON.stringify(pages.at(-1)?.cursor ?? null)) as unknown,
    };
  }

  test('a series is one record, with its rule in the zone in which it was made; its dates are none', async () => {
    const scene = await openScene({ empty: true });
    const { reference } = await create.run(scene.context, {
      ...viewing,
      start: '2026-01-05T15:00:00',
      end: '2026-01-05T16:00:00',
      recurrence: 'FREQ=WEEKLY;BYDAY=MO',
    });
    const { records } = await read(scene);
    expect(records.map(({ externalId }) => externalId)).toEqual([reference]);
    const [{ ics } = { ics: '' }] = records;
    expect(ics).toContain('DTSTART;TZID=America/Los_Angeles:20260105T150000');
    expect(ics).toMatch(/RRULE:FREQ=WEEKLY;.*BYDAY=MO/);
    expect(ics).toContain('mailto:bob@example.org');
  });

  test('410 begins anew and tells all that exists; so does a window that comes to its end', async () => {
    const scene = await openScene({ empty: true });
    const kept = await create.run(scene.context, viewing);
    const first = await read(scene);
    scene.microsoft.calendar.forgetTokens();
    const again = await read(scene, first.cursor);
    expect(again.complete).toEqual([{ ids: [kept.reference] }]);
    expect((await read(scene, again.cursor)).complete).toEqual([]);
    scene.clock.advance(400 * 86_400_000);
    expect((await read(scene, again.cursor)).complete).toHaveLength(1);
  });
});
