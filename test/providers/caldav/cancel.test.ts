// What was booked here is taken back: that event alone, as it was approved, at most once; on the sandbox's server
// and on Debian's Radicale.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CaldavServer, startCaldav } from '../../../sandbox/caldav.ts';
import { provider } from '../../../src/providers/caldav/index.ts';
import type { CalendarCreate } from '../../../src/providers/capabilities.ts';
import { EffectRefused } from '../../../src/providers/define.ts';
import { radicaleMissing, startRadicale } from '../../servers/radicale.ts';
import { contextFor, lookUp, type TestContext } from '../mailbox/context.ts';

const { create, cancel } = provider.operations;

const viewing: CalendarCreate = {
  title: 'Besichtigung, Haus 7; Grüße',
  start: '2026-03-02T15:00:00',
  end: '2026-03-02T16:00:00',
  timeZone: 'Europe/Berlin',
  location: 'Kai 3',
  attendees: [],
  reminders: [],
};

let made = 0;
function contextOf(fields: Record<string, unknown>, password: string): TestContext {
  made += 1;
  return contextFor({ fields, secrets: { password }, effectKey: `eff_back${made}` });
}

/** Books, and gives what takes it back, with the record that a person would approve. */
async function booked(context: TestContext, event = viewing) {
  const outcome = await create.run(context, event);
  const payload = cancel.input.parse(create.compensation?.payload(event, outcome));
  return { payload, before: await cancel.before?.(context, payload) };
}

describe('on the sandbox', () => {
  let server: CaldavServer;
  beforeAll(async () => {
    server = await startCaldav({ user: 'ann', password: 'sandbox-only' });
  });
  afterAll(() => server.close());
  const open = () => contextOf({ url: server.url, user: 'ann' }, 'sandbox-only');
  const standing = ({ uid }: { uid: string }) => server.events().filter((ics) => ics.includes(uid));

  test('the event is shown as it stands, cancelled in that version, and found to be gone', async () => {
    const context = open();
    const { payload, before } = await booked(context);
    expect(before).toMatchObject({
      title: viewing.title,
      fields: {
        title: viewing.title,
        start: viewing.start,
        end: viewing.end,
        timeZone: 'Europe/Berlin',
        location: 'Kai 3',
        version: expect.stringMatching(/^".+"$/),
      },
      after: {},
    });
    expect(cancel.summary(payload, 'Ann')).toBe(
      'In Ann: cancel “Besichtigung, Haus 7; Grüße” of 2026-03-02T15:00:00',
    );
    expect(await lookUp(cancel, context, payload)).toMatchObject({ found: false, conclusive: true });
    const outcome = await cancel.run({ ...context, before }, payload);
    expect(outcome).toEqual({ reference: payload.uid, details: { uid: payload.uid } });
    expect(standing(payload)).toEqual([]);
    expect(await lookUp(cancel, context, payload)).toEqual({ found: true, outcome });
    await expect(cancel.run({ ...context, before }, payload)).rejects.toMatchObject({ code: 'not_found' });
  });

  test('an event that somebody changed since is not cancelled on the old approval, and is on the new one', async () => {
    const context = open();
    const { payload, before } = await booked(context);
    const name = `${context.effectKey}.ics`;
    const [ics = ''] = standing(payload);
    server.store.put(name, ics.replace('Kai 3', 'Kai 4'));
    await expect(cancel.run({ ...context, before }, payload)).rejects.toMatchObject({ code: 'conflict' });
    expect(standing(payload)).toHaveLength(1);
    const anew = await cancel.before?.(context, payload);
    expect(anew?.fields['location']).toBe('Kai 4');
    await cancel.run({ ...context, before: anew }, payload);
    expect(standing(payload)).toEqual([]);
  });

  test('an event that somebody changes in that very moment is refused by its ETag', async () => {
    const context = open();
    const { payload, before } = await booked(context);
    const aboutToSend = async () => {
      const [ics = ''] = standing(payload);
      server.store.put(`${payload.uid.split('@')[0]}.ics`, ics.replace('Kai 3', 'Kai 5'));
    };
    const refused = cancel.run({ ...context, before, aboutToSend }, payload);
    await expect(refused).rejects.toBeInstanceOf(EffectRefused);
    await expect(refused).rejects.toMatchObject({ cause: { code: 'conflict' } });
    expect(standing(payload)).toHaveLength(1);
  });

  test('an answer that is lost leaves it unclear, and the look-up finds the event gone', async () => {
    const context = open();
    const { payload, before } = await booked(context);
    server.faults.failNext({ kind: 'drop', after: 'effect' }, 'DELETE');
    const failure = await cancel.run({ ...context, before }, payload).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Error);
    expect(failure).not.toBeInstanceOf(EffectRefused);
    expect(await lookUp(cancel, context, payload)).toMatchObject({ found: true });
  });

  test('attendees of a server that tells nobody have not been told, and the outcome says so', async () => {
    const context = open();
    const invited = { ...viewing, attendees: [{ email: 'bo@x.example' }] };
    const { payload, before } = await booked(context, invited);
    expect(before?.fields['attendees']).toEqual(['bo@x.example']);
    expect(await cancel.run({ ...context, before }, payload)).toMatchObject({
      warning: expect.stringContaining('have not been told'),
    });
  });

  test.each([
    ['title', { title: 'Dentist' }],
    ['start', { start: '2026-03-09T15:00:00' }],
  ])('attack: an event of ours under another %s is neither proposed nor cancelled', async (field, wrong) => {
    const context = open();
    const { payload, before } = await booked(context);
    const told = { ...payload, ...wrong };
    if (before === undefined) throw new Error('nothing is shown');
    const failure = expect.objectContaining({ code: 'invalid_request', field });
    expect(() => cancel.checkMeant?.(told, before)).toThrowError(failure);
    await expect(cancel.run(context, told)).rejects.toEqual(failure);
    expect(standing(payload)).toHaveLength(1);
  });

  test.each([
    'a@b.example',
    '../x@drawbridge',
    'a/b@drawbridge',
    'https://evil.example/@drawbridge',
    '@drawbridge',
  ])('attack: the UID %j, which is none of ours, is refused before anyone is asked', (uid) => {
    expect(cancel.input.safeParse({ uid, title: 'x', start: 'y' }).success).toBe(false);
  });

  test('when aboutToSend refuses, nothing is deleted', async () => {
    const context = open();
    const { payload, before } = await booked(context);
    const aboutToSend = () => Promise.reject(new Error('the lease is lost'));
    await expect(cancel.run({ ...context, before, aboutToSend }, payload)).rejects.toThrow(
      'the lease is lost',
    );
    expect(standing(payload)).toHaveLength(1);
  });
});

describe.skipIf(radicaleMissing !== undefined)(`on Radicale ${radicaleMissing ?? ''}`, () => {
  test('a booked series is shown, cancelled whole, and found to be gone; another’s event stays', async () => {
    const radicale = await startRadicale();
    try {
      const url = await radicale.makeCalendar('back', 'Back');
      const context = contextOf({ url: radicale.url, user: radicale.user }, radicale.password);
      const series = { ...viewing, recurrence: 'FREQ=WEEKLY;BYDAY=MO;COUNT=4' };
      const { payload, before } = await booked(context, series);
      expect(before?.fields).toMatchObject({
        title: viewing.title,
        recurrence: expect.stringContaining('WEEKLY'),
      });
      const other = contextOf({ url: radicale.url, user: radicale.user }, radicale.password);
      await create.run(other, { ...viewing, title: 'Stays' });
      await cancel.run({ ...context, before }, payload);
      expect(await lookUp(cancel, context, payload)).toMatchObject({ found: true });
      expect(await (await radicale.request(url, { method: 'GET' })).text()).toContain('Stays');
    } finally {
      await radicale.stop();
    }
  });
});
