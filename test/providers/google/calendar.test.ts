import { describe, expect, test } from 'vitest';
import { refusal } from '../../../sandbox/google/answers.ts';
import type { GoogleCalendarStore } from '../../../sandbox/google/event-store.ts';
import { type CalendarCreate, calendarCreate } from '../../../src/providers/capabilities.ts';
import { EffectRefused } from '../../../src/providers/define.ts';
import { provider } from '../../../src/providers/google-calendar/index.ts';
import { lookUp } from '../mailbox/context.ts';
import { openScene, type Scene, scopesOf } from './scene.ts';

const { operations } = provider;
const { create, update, cancel, calendars, events, get } = operations;
const freeBusy = operations['free-busy'];

const viewing: CalendarCreate = {
  title: 'Viewing',
  start: '2026-03-02T15:00:00',
  end: '2026-03-02T16:00:00',
  timeZone: 'Europe/Berlin',
  attendees: [],
  reminders: [],
};

async function office(
  given: Parameters<typeof openScene>[1] = {},
): Promise<Scene & { main: GoogleCalendarStore }> {
  const scene = await openScene(provider, { empty: true, ...given });
  const [main] = scene.google.calendars;
  if (main === undefined) throw new Error('no calendar');
  return { ...scene, main };
}

describe('booking', () => {
  test.each([
    ['the least', viewing],
    [
      'everything',
      {
        ...viewing,
        location: 'Kai 3',
        description: 'Bring keys.\nAnd “coffee”; \\ {x}',
        attendees: [{ email: 'bo@x.test', name: 'Bo Lind' }, { email: 'ann@x.test' }],
        reminders: [10, 1440],
        recurrence: 'FREQ=WEEKLY;BYDAY=MO;COUNT=4',
      },
    ],
    ['a time in UTC', { ...viewing, timeZone: 'UTC' }],
    [
      'a wall time that the clock change repeats',
      { ...viewing, start: '2026-10-25T02:30:00', end: '2026-10-25T04:00:00' },
    ],
    ['half an hour off', { ...viewing, timeZone: 'Asia/Kolkata' }],
  ] satisfies [string, CalendarCreate][])('%s is asked for as it was approved', async (_what, event) => {
    const scene = await office();
    const outcome = await create.run(scene.context, event);
    const [id] = scene.main.events().map((one) => one.id);
    expect(id).toMatch(/^[a-v0-9]+$/);
    expect(outcome).toEqual({
      reference: id,
      url: expect.stringContaining('https://www.google.com/calendar/'),
      details: { id, uid: `${id}@google.com` },
    });
    expect(scene.asked()).toMatchSnapshot();
    expect(scene.announced()).toBe(1);
    // Whether the weekday has a comma depends on the system's language data.
    expect(create.summary(event, 'Ann').replace('day,', 'day')).toMatchSnapshot();
  });

  test('invitations go out where there are attendees, and only then', async () => {
    const scene = await office();
    await create.run(scene.context, viewing);
    expect(scene.google.invitations()).toEqual([]);
    const invited = { ...viewing, attendees: [{ email: 'bo@x.test' }] };
    await create.run({ ...scene.context, effectKey: 'eff_02' }, invited);
    expect(scene.google.invitations()).toMatchObject([{ occasion: 'invited', to: ['bo@x.test'] }]);
  });

  test('the same action a second time meets the first: one event, the same outcome', async () => {
    const scene = await office();
    const first = await create.run(scene.context, viewing);
    expect(await create.run(scene.context, viewing)).toEqual(first);
    expect(scene.main.events()).toHaveLength(1);
  });

  test('an answer that is lost leaves it unclear, and the look-up finds it', async () => {
    const scene = await office();
    expect(await lookUp(create, scene.context, viewing)).toMatchObject({ found: false, conclusive: true });
    scene.hosts.faults.failNext({ kind: 'drop', after: 'effect' }, '/events');
    const failure = await create.run(scene.context, viewing).catch((error: unknown) => error);
    expect(failure).not.toBeInstanceOf(EffectRefused);
    scene.asked();
    expect(await lookUp(create, scene.context, viewing)).toMatchObject({
      found: true,
      outcome: { reference: scene.main.events()[0]?.id },
    });
    expect(scene.asked()).toMatchSnapshot();
  });

  test('an event that somebody has cancelled since was booked all the same', async () => {
    const scene = await office();
    const { reference } = await create.run(scene.context, viewing);
    scene.main.cancel(reference);
    const found = await lookUp(create, scene.context, viewing);
    expect(found).toMatchObject({
      found: true,
      outcome: { warning: expect.stringContaining('cancelled since') },
    });
  });

  test.each([
    [403, 'rateLimitExceeded'],
    [403, 'requiredAccessLevel'],
    [400, 'invalid'],
  ])('a refusal (%i %s) is a refusal: nothing happened', async (status, reason) => {
    const scene = await office();
    const { body = '', headers = {} } = refusal(status, reason, 'No.');
    scene.hosts.faults.failNext({ kind: 'refuse', status, text: body, headers }, '/events');
    await expect(create.run(scene.context, viewing)).rejects.toBeInstanceOf(EffectRefused);
    expect(scene.asked()).toHaveLength(1);
  });

  test('when aboutToSend refuses, nothing leaves', async () => {
    const scene = await office({ aboutToSend: () => Promise.reject(new Error('the lease is lost')) });
    await expect(create.run(scene.context, viewing)).rejects.toThrow('the lease is lost');
    expect(scene.asked()).toEqual([]);
  });

  test.each([
    ['reminders', { reminders: [1, 2, 3, 4, 5, 6] }],
    ['timeZone', { timeZone: 'Berlin' }],
    ['end', { end: viewing.start }],
    ['recurrence', { recurrence: 'FREQ=WEEKLY;BYDAY=FR' }],
    ['attendees.0.email', { attendees: [{ email: 'bo@x.test, eve@x.test' }] }],
  ])('an unusable %s is named before anything is queued', (field, wrong) => {
    expect(() => create.validate?.(calendarCreate.parse({ ...viewing, ...wrong }))).toThrowError(
      expect.objectContaining({ code: 'invalid_request', field }),
    );
  });
});

describe('changing and cancelling', () => {
  async function booked(more: Partial<CalendarCreate> = {}) {
    const scene = await office();
    const { reference } = await create.run(scene.context, { ...viewing, ...more });
    scene.asked();
    const event = await get.run(scene.context, { calendarId: 'primary', eventId: reference });
    const told = {
      calendarId: 'primary',
      eventId: reference,
      title: 'Viewing',
      start: event.start ?? '',
      notify: true,
    };
    scene.asked();
    return { ...scene, told };
  }

  test('an event is moved and renamed, and is found to have been', async () => {
    const scene = await booked({ attendees: [{ email: 'bo@x.test' }] });
    const payload = update.input.parse({
      ...scene.told,
      change: {
        title: 'Second viewing',
        start: '2026-03-03T09:00:00',
        end: '2026-03-03T10:00:00',
        timeZone: 'Europe/Berlin',
      },
    });
    expect(await lookUp(update, scene.context, payload)).toMatchObject({ found: false, conclusive: true });
    scene.asked();
    const outcome = await update.run(scene.context, payload);
    expect(scene.asked()).toMatchSnapshot();
    expect(scene.main.events()).toMatchObject([
      { summary: 'Second viewing', start: { dateTime: '2026-03-03T09:00:00+01:00' } },
    ]);
    const { reference } = outcome;
    expect(await lookUp(update, scene.context, payload)).toMatchObject({
      found: true,
      outcome: { reference },
    });
    expect(update.summary(payload, 'Ann').replace('day,', 'day')).toMatchSnapshot();
    expect(scene.google.invitations().at(-1)).toMatchObject({ occasion: 'changed', to: ['bo@x.test'] });
  });

  test('the event is shown as it stands and as it will stand, and another’s change shows too', async () => {
    const scene = await booked({ location: 'Kai 3' });
    const payload = update.input.parse({
      ...scene.told,
      change: {
        location: 'Kai 4',
        start: '2026-03-03T09:00:00',
        end: '2026-03-03T10:00:00',
        timeZone: 'Europe/Berlin',
      },
    });
    const shown = await update.before?.(scene.context, payload);
    expect(shown).toMatchObject({
      title: 'Viewing',
      fields: { title: 'Viewing', start: '2026-03-02T14:00:00.000Z', location: 'Kai 3' },
      after: {
        title: 'Viewing',
        start: '2026-03-03T08:00:00.000Z',
        end: '2026-03-03T09:00:00.000Z',
        location: 'Kai 4',
      },
    });
    await update.run(scene.context, { ...payload, change: { title: 'Moved by somebody' } });
    expect(await update.before?.(scene.context, payload)).toMatchObject({
      fields: { title: 'Moved by somebody' },
    });
    expect(await cancel.before?.(scene.context, scene.told)).toMatchObject({
      title: 'Moved by somebody',
      after: {},
    });
    await expect(cancel.before?.(scene.context, { ...scene.told, eventId: 'gone' })).rejects.toMatchObject({
      code: 'not_found',
    });
  });

  test('an event that was moved since it was proposed is changed as it was approved anew, and not over another’s change', async () => {
    const scene = await booked();
    const move = (day: number) => ({
      start: `2026-03-0${day}T09:00:00`,
      end: `2026-03-0${day}T10:00:00`,
      timeZone: 'Europe/Berlin',
    });
    const payload = update.input.parse({ ...scene.told, change: move(4) });
    await update.run(scene.context, { ...payload, change: move(3) });
    const anew = await update.before?.(scene.context, payload);
    if (anew === undefined) throw new Error('nothing is shown');
    expect(anew.fields['start']).toBe('2026-03-03T08:00:00.000Z');
    expect(() => update.checkMeant?.(payload, anew)).toThrowError(
      expect.objectContaining({ field: 'start' }),
    );
    await update.run({ ...scene.context, before: anew }, payload);
    expect(scene.main.events()).toMatchObject([{ start: { dateTime: '2026-03-04T09:00:00+01:00' } }]);
    // By now it stands elsewhere than was approved.
    for (const operation of [update, cancel]) {
      const again = operation.run({ ...scene.context, before: anew }, payload);
      await expect(again).rejects.toMatchObject({ code: 'conflict' });
    }
    expect(scene.main.events()).toMatchObject([{ status: 'confirmed' }]);
  });

  test.each([
    ['change', update],
    ['cancellation', cancel],
  ] as const)(
    'a %s is refused where somebody changes the event in that very moment',
    async (_what, operation) => {
      const scene = await booked();
      const payload = { ...scene.told, change: { location: 'Kai 4' } };
      const before = await operation.before?.(scene.context, payload);
      const [event] = scene.main.events();
      const aboutToSend = async () => {
        scene.main.put({ ...event, summary: 'Renamed meanwhile' } as Parameters<typeof scene.main.put>[0]);
      };
      const refused = operation.run({ ...scene.context, before, aboutToSend }, payload);
      await expect(refused).rejects.toBeInstanceOf(EffectRefused);
      await expect(refused).rejects.toMatchObject({ cause: { code: 'conflict' } });
      expect(scene.hosts.calls().at(-1)?.headers['if-match']).toMatch(/^".+"$/);
      expect(scene.main.events()).toMatchObject([{ status: 'confirmed', summary: 'Renamed meanwhile' }]);
      expect(scene.main.events()[0]).not.toHaveProperty('location');
    },
  );

  test('what was booked is taken back by the cancellation that the booking names', async () => {
    const scene = await office();
    const event = { ...viewing, attendees: [{ email: 'bo@x.test' }] };
    const outcome = await create.run(scene.context, event);
    expect(create.concerns?.(event)).toEqual({ recipients: ['bo@x.test'] });
    expect(create.compensation?.operation).toBe('cancel');
    const undoing = cancel.input.parse(create.compensation?.payload(event, outcome));
    await cancel.run(scene.context, undoing);
    expect(await lookUp(cancel, scene.context, undoing)).toMatchObject({ found: true });
    expect(scene.google.invitations().at(-1)).toMatchObject({ occasion: 'cancelled', to: ['bo@x.test'] });
  });

  test('nobody is told where the approval says so', async () => {
    const scene = await booked({ attendees: [{ email: 'bo@x.test' }] });
    const before = scene.google.invitations().length;
    const payload = cancel.input.parse({ ...scene.told, notify: false });
    expect(cancel.summary(payload, 'Ann')).toBe(
      'In Ann: cancel “Viewing” of 2026-03-02T15:00:00+01:00; nobody is told by mail',
    );
    await cancel.run(scene.context, payload);
    expect(scene.google.invitations()).toHaveLength(before);
  });

  test('an event is cancelled once, its attendees are told, and it is found to be gone', async () => {
    const scene = await booked({ attendees: [{ email: 'bo@x.test' }] });
    expect(await lookUp(cancel, scene.context, scene.told)).toMatchObject({ found: false, conclusive: true });
    scene.asked();
    const outcome = await cancel.run(scene.context, scene.told);
    expect(scene.asked()).toMatchSnapshot();
    expect(scene.google.invitations().at(-1)).toMatchObject({ occasion: 'cancelled' });
    expect(await lookUp(cancel, scene.context, scene.told)).toEqual({ found: true, outcome });
    await expect(cancel.run(scene.context, scene.told)).rejects.toMatchObject({ code: 'not_found' });
  });

  test('one occurrence of a series is cancelled alone', async () => {
    const scene = await booked({ recurrence: 'FREQ=DAILY;COUNT=3' });
    const listed = await events.run(scene.context, events.input.parse({}) as never);
    expect(listed.events).toHaveLength(3);
    const [, second] = listed.events;
    const told = { ...scene.told, eventId: second?.id ?? '', start: second?.start ?? '' };
    await cancel.run(scene.context, told);
    const left = await events.run(scene.context, events.input.parse({}) as never);
    expect(left.events.map(({ id }) => id)).toEqual([listed.events[0]?.id, listed.events[2]?.id]);
    expect(left.events[0]?.series).toBe(scene.told.eventId);
  });

  test.each([
    ['title', { title: 'Dentist' }],
    ['start', { start: '2026-03-09T15:00:00+01:00' }],
  ])('an event with another %s than the person was told is not touched', async (field, wrong) => {
    const scene = await booked();
    const told = { ...scene.told, ...wrong };
    const failure = { code: 'invalid_request', field };
    await expect(cancel.run(scene.context, told)).rejects.toMatchObject(failure);
    await expect(update.run(scene.context, { ...told, change: { title: 'x' } })).rejects.toMatchObject(
      failure,
    );
    expect(scene.main.events()).toMatchObject([{ status: 'confirmed', summary: 'Viewing' }]);
  });

  test.each([
    ['change.end', { start: '2026-03-03T09:00:00', timeZone: 'UTC' }],
    ['timeZone', { start: '2026-03-03T09:00:00', end: '2026-03-03T10:00:00', timeZone: 'x' }],
    ['title', { title: 'two\nlines' }],
  ])('an unusable %s of a change is named before anything is queued', (field, change) => {
    const payload = { calendarId: 'primary', eventId: 'abcde', title: '', start: '', notify: true, change };
    expect(() => update.validate?.(payload)).toThrowError(
      expect.objectContaining({ code: 'invalid_request', field }),
    );
  });

  test('a change of nothing is none', () => {
    const told = { eventId: 'abcde', title: '', start: '' };
    expect(update.input.safeParse({ ...told, change: {} }).success).toBe(false);
  });
});

describe('reading', () => {
  test('lists the calendars that hold appointments', async () => {
    const scene = await openScene(provider);
    expect(await calendars.run(scene.context, {})).toEqual({
      calendars: [
        {
          id: 'maren@tidewell.example',
          name: 'Maren Okafor',
          timeZone: 'America/Los_Angeles',
          primary: true,
          access: 'owner',
        },
      ],
    });
    expect(await provider.identity(scene.context)).toEqual({
      id: 'maren@tidewell.example',
      label: 'maren@tidewell.example',
    });
    expect(scene.asked()).toMatchSnapshot();
  });

  test('lists a window, a page at a time to the end', async () => {
    const scene = await openScene(provider);
    const window = { from: '2026-01-05T00:00:00Z', to: '2026-01-19T00:00:00+01:00' };
    const seen: (string | undefined)[] = [];
    let pageToken: string | undefined;
    do {
      const page = await events.run(
        scene.context,
        events.input.parse({ ...window, limit: 4, pageToken }) as never,
      );
      seen.push(...page.events.map(({ start }) => start));
      pageToken = page.nextPage;
    } while (pageToken !== undefined);
    expect(seen.length).toBeGreaterThan(4);
    expect(seen).toEqual([...seen].sort());
    expect(scene.asked()[0]).toMatchSnapshot();
  });

  test('finds events by words', async () => {
    const scene = await openScene(provider);
    const found = await events.run(
      scene.context,
      events.input.parse({ query: 'stand-up', from: '2026-01-01T00:00:00Z', limit: 1 }) as never,
    );
    expect(found.events).toMatchObject([{ title: 'Office stand-up', organiser: { name: 'Maren Okafor' } }]);
  });

  test.each(['../x', 'a/b', 'a?b', '..', ''])('the id %j is refused before anyone is asked', (id) => {
    for (const { input } of [get, cancel]) {
      expect(input.safeParse({ eventId: id, title: '', start: '' }).success).toBe(false);
      expect(input.safeParse({ calendarId: id, eventId: 'abcde', title: '', start: '' }).success).toBe(false);
    }
  });

  test('a calendar’s id stays one segment of the address', async () => {
    const scene = await office();
    const input = get.input.parse({ calendarId: 'a#b%2Fc@group.calendar.google.com', eventId: 'abcde' });
    await expect(get.run(scene.context, input as never)).rejects.toMatchObject({ code: 'not_found' });
    expect(scene.asked()).toEqual([
      'GET https://www.googleapis.com/calendar/v3/calendars/a%23b%252Fc%40group.calendar.google.com/events/abcde',
    ]);
  });
});

describe('free and busy', () => {
  const at = (text: string) => Date.parse(text);

  test('times of all calendars are joined and sorted', async () => {
    const scene = await office();
    const book = (key: string, start: string, end: string) =>
      create.run({ ...scene.context, effectKey: key }, { ...viewing, timeZone: 'UTC', start, end });
    await book('eff_1', '2026-03-02T15:00:00', '2026-03-02T16:00:00');
    await book('eff_2', '2026-03-02T15:30:00', '2026-03-02T17:00:00');
    await book('eff_3', '2026-03-01T09:00:00', '2026-03-01T10:00:00');
    scene.asked();
    const window = { from: at('2026-03-01T00:00:00Z'), to: at('2026-03-02T16:30:00Z') };
    expect(await freeBusy.run(scene.context, window)).toEqual({
      busy: [
        { start: at('2026-03-01T09:00:00Z'), end: at('2026-03-01T10:00:00Z') },
        { start: at('2026-03-02T15:00:00Z'), end: at('2026-03-02T16:30:00Z') },
      ],
    });
    expect(scene.asked()).toMatchSnapshot();
  });

  test('a long window is asked in pieces, and nothing is lost between them', async () => {
    const scene = await office();
    await create.run(scene.context, { ...viewing, timeZone: 'UTC', recurrence: 'FREQ=DAILY;COUNT=100' });
    const window = { from: at('2026-03-02T00:00:00Z'), to: at('2026-06-10T00:00:00Z') };
    expect((await freeBusy.run(scene.context, window)).busy).toHaveLength(100);
  });

  test.each([
    ['backwards', '2026-03-02T00:00:00Z', '2026-03-01T00:00:00Z'],
    ['two years', '2026-03-02T00:00:00Z', '2028-03-01T00:00:00Z'],
  ])('a window that is %s is refused before anyone is asked', async (_what, from, to) => {
    const scene = await office();
    const asked = freeBusy.run(scene.context, { from: at(from), to: at(to) });
    await expect(asked).rejects.toMatchObject({ code: 'invalid_request', field: 'to' });
    expect(scene.asked()).toEqual([]);
  });

  test('a calendar that could not be asked is not a free one', async () => {
    const scene = await office();
    const body = {
      calendars: { 'maren@tidewell.example': { errors: [{ reason: 'internalError' }], busy: [] } },
    };
    scene.hosts.faults.failNext({ kind: 'garble', body: JSON.stringify(body) }, '/freeBusy');
    const window = { from: at('2026-03-02T00:00:00Z'), to: at('2026-03-03T00:00:00Z') };
    await expect(freeBusy.run(scene.context, window)).rejects.toMatchObject({ code: 'provider_unavailable' });
  });
});

test('each operation names the least scope that it needs', () => {
  const short = (scopes: readonly string[] = []) => scopes.map((one) => one.split('/auth/').at(-1));
  expect(short(scopesOf(provider)).sort()).toEqual([
    'calendar.calendarlist.readonly',
    'calendar.events',
    'calendar.events.readonly',
    'calendar.freebusy',
  ]);
  const writes = Object.values(operations).filter(({ effect }) => effect !== 'read');
  expect(writes.map(({ scopes }) => short(scopes))).toEqual(writes.map(() => ['calendar.events']));
});
