// An action's page shows what a decision needs: new and look-alike recipients, the record beside the change,
// the amount, the cited passages, policy's words; and what can still be done with it.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { changeOwnAddresses } from '../../src/memory/clients/own-addresses.ts';
import type { Action } from '../../src/queue/queue.ts';
import { type ManualClock, manualClock } from '../egress/manual-clock.ts';
import { type Browser, connection, type House, mail, openHouse } from '../http/house.ts';

let clock: ManualClock;
let house: House;
let browser: Browser;

beforeAll(async () => {
  clock = manualClock();
  house = await openHouse({ clock, holdMs: 10_000 });
  browser = await house.browser();
});
afterAll(() => house.close());

const page = async (action: Action) => (await browser.get(`/actions/${action.id}`)).body;
const post = (action: Action, verb: string, fields: Record<string, string> = {}) =>
  browser.post(`/actions/${action.id}/${verb}`, { csrf: browser.csrf, ...fields });
const send = (subject: string, email = 'maya.ortiz@lakeside.example', more = {}) =>
  house.propose('send', { ...mail, subject, to: [{ email }] }, more);
const approve = (action: Action) =>
  post(action, 'decision', { hash: action.payloadHash, verdict: 'approve' });

test('an approved send can be stopped until it leaves, and then it does not leave', async () => {
  const action = await send('Hold on');
  await approve(action);
  const body = await page(action);
  expect(body).toContain(`data-until="${new Date(clock.now() + 10_000).toISOString()}"`);
  expect((await browser.post(`/actions/${action.id}/cancel`, { csrf: 'x' })).status).toBe(403);
  expect((await post(action, 'cancel')).status).toBe(303);
  clock.advance(11_000);
  await house.queue.runDue(house.org);
  expect((await house.queue.get(house.org, action.id)).status).toBe('cancelled');
  expect((await post(action, 'cancel')).status).toBe(409);
});

test('a recipient to whom nothing was ever sent is told as new, and no longer once something was', async () => {
  const first = await send('First');
  expect(await page(first)).toContain('Never written to before');
  await approve(first);
  clock.advance(11_000);
  await house.queue.runDue(house.org);
  expect((await house.queue.get(house.org, first.id)).status).toBe('completed');
  expect(await page(await send('Second', 'Maya.Ortiz@lakeside.example'))).not.toContain('Never written to');
});

test('look-alike domain: one that reads like a domain that was written to is told from it', async () => {
  const body = await page(await send('Invoice', 'accounts@lakes1de.example'));
  expect(body).toContain('accounts@lakes1de.example: Looks like lakeside.example, and is not.');
  expect(await page(await send('Other', 'sam@river.example'))).not.toContain('Looks like');
});

test('an address that a person said is ours is not told as new', async () => {
  expect(await page(await send('Note', 'me@own.example'))).toContain('Never written to before');
  const own = { add: ['me@own.example'], field: 'address', channel: 'test' };
  await changeOwnAddresses({ audit: { append: async () => undefined } }, house.org, house.owner, own);
  expect(await page(await send('Note again', 'me@own.example'))).not.toContain('Never written to before');
});

test('look-alike domain: who wrote to the org first gains no trust by it', async () => {
  const org_id = house.org.orgId;
  await house.org.write(async (tx) => {
    await tx
      .insertInto('client_intelligence')
      .values({
        org_id,
        id: 'cli_1',
        kind: 'person',
        name: 'Eve',
        emails: '["eve@lakeslde.example"]',
        phones: '[]',
        company: null,
        first_contact_at: 0,
        last_contact_at: 0,
        document_count: 1,
        facts: '{}',
        updated_at: 0,
      })
      .execute();
    await tx
      .insertInto('client_keys')
      .values({ org_id, key: 'eve@lakeslde.example', client_id: 'cli_1' })
      .execute();
  });
  const body = await page(await send('Reply', 'eve@lakeslde.example'));
  expect(body).toContain('Looks like lakeside.example, and is not');
  expect(body).toContain('Never written to before');
});

test('a change of a record is shown field by field, as it stands and as it will be', async () => {
  const action = await house.propose('amend', { stage: 'Accepted <b>', amount: 512000 });
  const body = await page(action);
  expect(body).toContain('Alder Court 118');
  expect(body).toMatch(/<del><bdi>Offer made<\/bdi><\/del>.*<ins><bdi>Accepted &lt;b&gt;<\/bdi><\/ins>/s);
  expect(body).toContain('1 field changes');
});

test('an approved change that found another record says who approved it and what was changed, and asks again', async () => {
  const action = await house.propose('amend', { stage: 'Under contract' });
  expect(await page(action)).not.toContain('it asks again');
  await approve(action);
  const { deal } = house;
  house.deal = { ...deal, amount: 498000, seen: '2026-12-03T15:00:00Z' };
  await house.queue.runDue(house.org);
  const body = await page(action);
  expect(body).toContain('Nothing was done: it asks again');
  expect(body).toMatch(/Approved by <bdi>.*<\/bdi>/);
  expect(body).toContain('Meanwhile amount and seen were changed at the provider.');
  expect(body).toMatch(/<th scope="row"><bdi>Amount<\/bdi> <span class="meanwhile">changed meanwhile</);
  expect(body).not.toMatch(/<th scope="row"><bdi>Stage<\/bdi> <span class="meanwhile">/);
  // A moment stands there as one, for the script to put into the reader's own time.
  expect(body).toContain('<time datetime="2026-12-03T15:00:00.000Z" data-local>3 Dec 2026, 15:00 UTC</time>');
  const anew = await house.queue.get(house.org, action.id);
  await approve(anew);
  house.deal = deal;
  await house.queue.runDue(house.org);
  expect((await house.queue.get(house.org, action.id)).status).toBe('pending');
  await post(anew, 'decision', {
    hash: (await house.queue.get(house.org, action.id)).payloadHash,
    verdict: 'reject',
  });
});

test('an amount stands large, in its currency', async () => {
  const action = await house.propose('invoice', { customer: 'Lakeside', amount: 1250, currency: 'EUR' });
  expect(await page(action)).toMatch(/class="amount">EUR.1,250\.00</);
});

test('what can be taken back offers that, as an action of its own that points at the first', async () => {
  const action = await house.propose('invoice', { customer: 'Harbor', amount: 10, currency: 'EUR' });
  expect(await page(action)).not.toContain('Void the invoice');
  await approve(action);
  await house.queue.runDue(house.org);
  expect(await page(action)).toContain('Void the invoice');
  const answer = await post(action, 'undo');
  expect(answer.status).toBe(303);
  const next = String(answer.headers.location).split('/').at(-1) ?? '';
  expect(await house.queue.get(house.org, next)).toMatchObject({ status: 'pending', undoOf: action.id });
  expect((await browser.get(`/actions/${next}`)).body).toContain(`href="/actions/${action.id}"`);
});

test('what the agent cites is shown as text, and as missing where memory has it no longer', async () => {
  house.documents.set('doc_1', {
    id: 'doc_1',
    kind: 'mail',
    title: 'Another time?',
    text: '<script>alert(1)</script> Thursday at 15:00?\u200B',
    raw: new Uint8Array(),
    mediaType: 'message/rfc822',
    externalId: 'x',
    people: [],
    threadId: undefined,
    url: undefined,
    connectionId: 'con_1',
    provider: 'post',
    source: 'ana@northgate.example',
    writtenAt: undefined,
    fetchedAt: 0,
    verifiedAt: 0,
    contentHash: '',
    facts: {},
  });
  const citations = ['ime://documents/doc_1', 'ime://documents/doc_2'];
  const body = await page(await send('Cited', 'sam@river.example', { citations, conversation: 'Viewings' }));
  expect(body).toContain('Thursday at 15:00?');
  expect(body).not.toContain('<script>alert');
  expect(body).toContain('U+200B zero width space');
  expect(body).toMatch(/ime:\/\/documents\/doc_2.*is not in memory/s);
  expect(body).toContain('Viewings');
});

test('what policy said stands on the page', async () => {
  expect(await page(await send('Judged'))).toContain('Policy: A person decides.');
});

test('an action can be put off for an hour, to nine in the reader’s morning, or to a moment', async () => {
  const action = await send('Later');
  const until = async () => (await house.queue.get(house.org, action.id)).snoozedUntil;
  const now = clock.now();
  await post(action, 'snooze', { for: 'hour' });
  expect(Math.abs(((await until()) ?? 0) - now - 3_600_000)).toBeLessThan(60_000);
  await post(action, 'snooze', { for: 'morning', zone: 'Asia/Tokyo' });
  const morning = new Date((await until()) ?? 0);
  expect(morning.toISOString()).toMatch(/T00:00:00\.000Z$/);
  const moment = new Date(now + 2 * 3_600_000).toISOString().slice(0, 16);
  await post(action, 'snooze', { for: 'until', until: moment, zone: 'UTC' });
  expect(new Date((await until()) ?? 0).toISOString().slice(0, 16)).toBe(moment);
  for (const wrong of [
    { for: 'ever' },
    { for: 'until', until: 'soon' },
    { for: 'hour', zone: 'Mars/Base' },
  ]) {
    expect((await post(action, 'snooze', wrong as Record<string, string>)).status).toBe(400);
  }
  expect((await house.queue.get(house.org, action.id)).status).toBe('pending');
});

test('an action can be handed to another member, and to nobody else', async () => {
  await house.store.control.write((tx) =>
    tx
      .insertInto('members')
      .values({
        org_id: house.org.orgId,
        id: 'mbr_jonas',
        email: null,
        name: 'Jonas',
        role: 'member',
        created_at: clock.now(),
      })
      .execute(),
  );
  const action = await send('Yours');
  expect(await page(action)).toContain('<option value="mbr_jonas">Jonas</option>');
  expect((await post(action, 'hand-over', { to: 'mbr_other' })).status).toBe(404);
  expect((await post(action, 'hand-over', { to: 'mbr_jonas' })).status).toBe(303);
  expect((await house.queue.get(house.org, action.id)).assignedTo).toBe('mbr_jonas');
  expect(await page(action)).toMatch(/Handed to.*Jonas/s);
});

const event = {
  title: 'Viewing',
  start: '2026-12-03T15:00:00',
  end: '2026-12-03T16:00:00',
  timeZone: 'Europe/Berlin',
  attendees: [],
  reminders: [],
};

test('an event is shown on its day in the calendars, with what clashes in words', async () => {
  house.connections.push(
    connection({ id: 'con_2', label: 'Calendar', capabilities: ['calendar.free-busy'] }),
  );
  const at = (time: string) => Date.parse(`2026-12-03T${time}:00+01:00`);
  house.busy = async () => ({
    busy: [
      { start: at('09:00'), end: at('10:00'), title: 'Breakfast' },
      { start: at('15:30'), end: at('17:00'), title: 'Closing <i>call' },
    ],
  });
  const action = await house.propose('book', event);
  expect(await page(action)).toContain(`src="/actions/${action.id}/day"`);
  const day = await browser.get(`/actions/${action.id}/day`);
  expect(day.body).toContain('Clashes with one entry');
  expect(day.body).toContain('15:30 to 17:00: <bdi>Closing &lt;i&gt;call</bdi>');
  expect(day.body).not.toContain('<i>call');
  expect(day.headers['content-security-policy']).toContain("frame-ancestors 'self'");
});

test('a calendar that does not answer is told as unknown, not as free', async () => {
  const { DrawbridgeError } = await import('../../src/errors.ts');
  house.busy = async () => {
    throw new DrawbridgeError('timeout', 'The calendar did not answer.');
  };
  const action = await house.propose('book', { ...event, title: 'Unanswered' });
  expect((await browser.get(`/actions/${action.id}/day`)).body).toContain('their time is unknown');
  expect((await browser.get(`/actions/${(await send('No event')).id}/day`)).status).toBe(404);
});

test('whom the org’s own mail went to is not new; whom it only came from is', async () => {
  const org_id = house.org.orgId;
  await house.org.write(async (tx) => {
    for (const [id, from, to] of [
      ['doc_out', 'ana@northgate.example', 'lee@harbor.example'],
      ['doc_in', 'kim@quarry.example', 'ana@northgate.example'],
    ] as const) {
      await tx
        .insertInto('source_documents')
        .values({
          org_id,
          id,
          connection_id: 'con_1',
          provider: 'post',
          kind: 'mail',
          external_id: id,
          title: '',
          text: '',
          raw: new Uint8Array(),
          media_type: 'message/rfc822',
          people: '[]',
          thread_id: null,
          url: null,
          language: null,
          trust: 'untrusted',
          readers: null,
          written_at: 0,
          fetched_at: 0,
          verified_at: 0,
          content_hash: '',
          facts: '{}',
          deleted_at: null,
        })
        .execute();
      for (const [role, address] of [
        ['from', from],
        ['to', to],
      ] as const) {
        await tx
          .insertInto('document_people')
          .values({ document_id: id, address, name: null, role })
          .execute();
      }
    }
  });
  expect(await page(await send('To Lee', 'lee@harbor.example'))).not.toContain('Never written to');
  expect(await page(await send('To Kim', 'kim@quarry.example'))).toContain('Never written to before');
});

test('attack: a recipient whose domain is written in another alphabet is pointed out, with its name in full', async () => {
  const to = [{ email: 'pay@xn--80ak6aa92e.example' }, { email: 'info@xn--bcher-kva.example' }];
  const action = await house.propose('send', { ...mail, to, subject: 'Letters' });
  const { body } = await browser.get(`/actions/${action.id}`);
  expect(body).toContain('Reads like apple in Cyrillic letters; in full xn--80ak6aa92e.example');
  expect(body).toContain('In full xn--bcher-kva.example');
});

test('what is to be deleted is shown as it stands, and never as what would not change', async () => {
  const body = await page(await house.propose('remove', {}));
  expect(body).toContain('<span class="soft">as it stands</span>');
  expect(body).not.toMatch(/nothing would change|unchanged|As it will be/u);
  const same = await page(await house.propose('amend', { ...house.deal }));
  expect(same).toContain('nothing would change');
});
