// Erasing on the page: offered for what has ended, confirmed with a reason, by a person in their own session.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Browser, type House, mail, openHouse } from '../http/house.ts';

let house: House;
let browser: Browser;

beforeAll(async () => {
  house = await openHouse();
  browser = await house.browser();
});
afterAll(() => house.close());

async function rejected(subject: string) {
  const action = await house.propose('send', { ...mail, subject });
  await house.queue.decide(house.org, house.owner, {
    actionId: action.id,
    verdict: 'reject',
    hash: action.payloadHash,
    reason: `not ${subject}`,
    channel: 'page',
  });
  return action;
}

const sure = () => ({ csrf: browser.csrf, sure: 'yes', reason: 'Maya asked for it' });

test('what has ended is erased after a question, and its page says so with the hash and not a word of it', async () => {
  const action = await rejected('Petunias');
  expect((await browser.get(`/actions/${action.id}`)).body).toContain(`/actions/${action.id}/erase`);
  const asked = await browser.get(`/actions/${action.id}/erase`);
  expect(asked.body).toContain('cannot be taken back');
  expect(asked.body).toContain('Petunias');
  const done = await browser.post(`/actions/${action.id}/erase`, sure());
  expect([done.status, done.headers.location]).toEqual([303, `/actions/${action.id}`]);
  const { body } = await browser.get(`/actions/${action.id}`);
  expect(body).toContain(action.payloadHash);
  expect(body).toContain('was erased');
  for (const word of ['Petunias', 'maya.ortiz', `/actions/${action.id}/erase`]) {
    expect(body).not.toContain(word);
  }
});

test('what may still run is not offered, not asked about, and not erased', async () => {
  const action = await house.propose('send', { ...mail, subject: 'Asters' });
  expect((await browser.get(`/actions/${action.id}`)).body).not.toContain(`/actions/${action.id}/erase`);
  expect((await browser.get(`/actions/${action.id}/erase`)).status).toBe(409);
  const refused = await browser.post(`/actions/${action.id}/erase`, sure());
  expect([refused.status, refused.body]).toEqual([409, expect.stringContaining('reject it first')]);
  expect((await house.queue.get(house.org, action.id)).payload).toEqual(action.payload);
});

test('attack: a GET, another site, another session’s token and a form without an answer erase nothing', async () => {
  const action = await rejected('Dahlias');
  const path = `/actions/${action.id}/erase`;
  const other = await house.browser();
  expect((await browser.get(`${path}?${new URLSearchParams(sure())}`)).status).toBe(200);
  expect((await browser.post(path, sure(), { origin: 'https://evil.example' })).status).toBe(403);
  expect((await browser.post(path, { ...sure(), csrf: other.csrf })).status).toBe(403);
  expect((await browser.post(path, { ...sure(), sure: '' })).status).toBe(400);
  expect((await browser.post(path, { ...sure(), reason: ' ' })).status).toBe(400);
  expect((await house.queue.get(house.org, action.id)).erasedAt).toBeUndefined();
});
