// Editing before approving: what a person writes is held against the same rules, shown whole, and is what runs;
// nothing is decided on the way there.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { editFields, peopleText, readEdit, readPeople } from '../../src/dashboard/actions/edit-fields.ts';
import type { Action } from '../../src/queue/queue.ts';
import { type Browser, type House, mail, openHouse } from '../http/house.ts';

let house: House;
let browser: Browser;

beforeAll(async () => {
  house = await openHouse();
  browser = await house.browser();
});
afterAll(() => house.close());

const entities: Record<string, string> = {
  '&quot;': '"',
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&#39;': "'",
};
const plain = (text: string) => text.replace(/&(?:quot|amp|lt|gt|#39);/g, (one) => entities[one] ?? one);
const hiddenIn = (body: string, name: string) =>
  plain(new RegExp(`name="${name}" value="([^"]*)"`).exec(body)?.[1] ?? '');

/** The form as the page gives it, with some of it written anew. */
function formOf(action: Action, changed: Record<string, string>): Record<string, string> {
  return {
    csrf: browser.csrf,
    hash: action.payloadHash,
    ...Object.fromEntries(editFields(action.payload).map(({ path, value }) => [`p.${path}`, value])),
    ...Object.fromEntries(action.attachments.map(({ sha256 }) => [`keep.${sha256}`, 'yes'])),
    ...changed,
  };
}

const send = (changed: object) => house.propose('send', { ...mail, ...changed });
const edit = (action: Action, changed: Record<string, string>) =>
  browser.post(`/actions/${action.id}/edit`, formOf(action, changed));

test('what a person edits is shown whole, approved under its own hash, and is what runs', async () => {
  const action = await send({ subject: 'Edit me' });
  const review = await edit(action, {
    'p.to': 'Maya Ortiz <maya.ortiz@lakeside.example>\r\njonas@northgate.example',
    'p.text': 'Friday, then.\r\n\r\nAna',
    reason: 'Thursday is full',
  });
  expect(review.status).toBe(200);
  for (const words of ['Friday, then.', 'jonas@', 'What you changed']) expect(review.body).toContain(words);
  expect((await house.queue.get(house.org, action.id)).status).toBe('pending');

  const fields = ['hash', 'covered', 'edited', 'reason', 'verdict'].map((name) => [
    name,
    hiddenIn(review.body, name),
  ]);
  expect(fields[0]?.[1]).toBe(action.payloadHash);
  const answer = await browser.post(`/actions/${action.id}/decision`, {
    csrf: browser.csrf,
    ...Object.fromEntries(fields),
  });
  expect(answer.status).toBe(303);
  const decided = await house.queue.get(house.org, action.id);
  expect(decided).toMatchObject({
    status: 'approved',
    payloadHash: fields[1]?.[1],
    payload: {
      ...mail,
      subject: 'Edit me',
      to: [
        { email: 'maya.ortiz@lakeside.example', name: 'Maya Ortiz' },
        { email: 'jonas@northgate.example' },
      ],
      text: 'Friday, then.\n\nAna',
    },
    proposed: { payloadHash: action.payloadHash, reason: 'Thursday is full' },
  });
  expect((await browser.get(`/actions/${action.id}`)).body).toContain('Edited before it was approved');
});

test('a fault stands at its field, with all that was written, and nothing is decided', async () => {
  const action = await house.propose('invoice', { customer: 'Lakeside', amount: 1250, currency: 'EUR' });
  for (const [changed, field] of [
    [{ 'p.amount': 'many' }, 'p.amount'],
    [{ 'p.amount': '-3' }, 'p.amount'],
    [{ 'p.customer': '' }, 'p.customer'],
  ] as const) {
    const { status, body } = await edit(action, { 'p.currency': 'CHF', ...changed });
    expect(status).toBe(400);
    expect(body).toContain(`id="${field}-fault"`);
    expect(body).toContain('value="CHF"');
  }
  expect((await house.queue.get(house.org, action.id)).status).toBe('pending');
});

test('an edit on a page that is out of date is refused', async () => {
  const action = await send({ subject: 'Stale' });
  const fields = { ...formOf(action, { 'p.subject': 'New' }), hash: '0'.repeat(64) };
  expect((await browser.post(`/actions/${action.id}/edit`, fields)).status).toBe(409);
});

test('an edit needs the session’s own token', async () => {
  const action = await send({ subject: 'Not theirs' });
  const fields = { ...formOf(action, {}), csrf: 'another' };
  expect((await browser.post(`/actions/${action.id}/edit`, fields)).status).toBe(403);
});

test('edits that arrive as no JSON decide nothing', async () => {
  const action = await send({ subject: 'Garbled' });
  const answer = await browser.post(`/actions/${action.id}/decision`, {
    csrf: browser.csrf,
    hash: action.payloadHash,
    verdict: 'approve',
    edited: '{"to":',
  });
  expect(answer.status).toBe(400);
  expect((await house.queue.get(house.org, action.id)).status).toBe('pending');
});

test('a text that was changed does not leave beside a formatted version that was not', async () => {
  const html = '<p>Thursday at 15:00 works.</p>';
  const action = await send({ subject: 'Both', html });
  const refused = await edit(action, { 'p.text': 'Friday.' });
  expect(refused.status).toBe(400);
  expect(refused.body).toContain('id="p.html-fault"');
  const review = await edit(action, { 'p.text': 'Friday.', 'p.html': '' });
  expect(JSON.parse(hiddenIn(review.body, 'edited'))).not.toHaveProperty('html');
});

test('an attachment whose box is not ticked is left out, and none can be added', async () => {
  const bytes = Buffer.from('one');
  const { createHash } = await import('node:crypto');
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const action = await house.propose(
    'send',
    {
      ...mail,
      subject: 'Attached',
      attachments: [{ name: 'a.txt', mediaType: 'text/plain', size: 3, sha256 }],
    },
    { attachments: [{ name: 'a.txt', mediaType: 'text/plain', bytes }] },
  );
  const kept = await edit(action, {});
  expect(JSON.parse(hiddenIn(kept.body, 'edited')).attachments).toHaveLength(1);
  const without = await edit(action, { [`keep.${sha256}`]: '', [`keep.${'f'.repeat(64)}`]: 'yes' });
  expect(JSON.parse(hiddenIn(without.body, 'edited')).attachments).toEqual([]);
});

test('any payload comes back from its own form unchanged', () => {
  for (const payload of [
    mail,
    { ...mail, html: '<p>x</p>', bcc: [{ email: 'a@b.example' }] },
    { a: { b: [1, true, null, 'x\ny'] }, 'c.d': 'e', f: -0.5 },
    {
      title: 'T',
      start: '2026-03-02T15:00:00',
      end: '2026-03-02T16:00:00',
      timeZone: 'Europe/Berlin',
      attendees: [{ email: 'a@b.example', name: 'A' }],
      reminders: [30, 1440],
      recurrence: 'FREQ=DAILY',
    },
  ]) {
    const written = new Map(
      editFields(payload).map(({ path, value }) => [path, value.replaceAll('\n', '\r\n')]),
    );
    expect(readEdit(payload, (path) => written.get(path))).toEqual({ edited: payload, faults: [] });
  }
});

test('a form makes no new places in a payload', () => {
  const { edited } = readEdit(JSON.parse('{"a":{"__proto__":"x"},"b":1}'), (path) =>
    path === 'a.__proto__' ? 'polluted' : '1',
  );
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  expect(Object.keys(edited as object)).toEqual(['a', 'b']);
});

test('people are written a line each', () => {
  const people = [{ email: 'a@b.example', name: 'Ana, B.' }, { email: 'c@d.example' }];
  expect(readPeople(`\n${peopleText(people)}\r\n  `)).toEqual(people);
});
