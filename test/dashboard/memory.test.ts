// The pages of memory: what the org says of itself, written by people in their own session alone; and what an
// output was informed by.
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Agent } from '../../src/auth/principal.ts';
import { type Browser, type House, openHouse } from '../http/house.ts';

let house: House;
let browser: Browser;

beforeAll(async () => {
  house = await openHouse();
  browser = await house.browser();
});
afterAll(() => house.close());

const post = (path: string, fields: Record<string, string> = {}) =>
  browser.post(path, { csrf: browser.csrf, ...fields });
const entry = { kind: 'price', title: 'Commission', text: 'We take 2.5 %.' };
const entryId = (location: unknown) => /brn_[a-z0-9]+/u.exec(String(location))?.[0] ?? '';

test('with nothing entered the page says what to begin with', async () => {
  const { body, status } = await browser.get('/about');
  expect(status).toBe(200);
  expect(body).toContain('Nothing yet');
  expect(body).toContain('aria-current="page"');
});

test('an entry is added, changed, removed and brought back; nothing of it is markup', async () => {
  const added = await post('/about', { ...entry, title: 'Fee <b>now</b>' });
  expect(added.status).toBe(303);
  const id = entryId(added.headers['location']);
  expect((await browser.get('/about')).body).toContain('Fee &lt;b&gt;now&lt;/b&gt;');
  expect((await post(`/about/${id}`, { ...entry, version: '1', text: 'We take 2 %.' })).status).toBe(303);
  const changed = (await browser.get(`/about/${id}`)).body;
  expect(changed).toContain('We take 2 %.');
  expect(changed).toContain('We take 2.5 %.');
  expect((await post(`/about/${id}/remove`)).status).toBe(303);
  expect((await browser.get('/about')).body).not.toContain('Commission');
  expect((await post(`/about/${id}/restore`, { version: '1' })).status).toBe(303);
  expect((await browser.get('/about')).body).toContain('Fee &lt;b&gt;now&lt;/b&gt;');
});

test('what cannot be kept is said above the form, with all that was filled in', async () => {
  const refused = await post('/about', { ...entry, kind: 'rumour', text: 'Keep me' });
  expect(refused.status).toBe(400);
  expect(refused.body).toContain('kind: must be one of');
  expect(refused.body).toContain('Keep me');
  const id = entryId((await post('/about', entry)).headers['location']);
  await post(`/about/${id}`, { ...entry, version: '1', text: 'First.' });
  const late = await post(`/about/${id}`, { ...entry, version: '1', text: 'Second.' });
  expect([late.status, late.body]).toEqual([400, expect.stringContaining('changed this entry meanwhile')]);
  expect(late.body).toContain('Second.');
});

test('without the session’s token, and for an agent’s key, nothing is written', async () => {
  const id = entryId((await post('/about', { ...entry, title: 'Stays' })).headers['location']);
  for (const path of ['/about', `/about/${id}`, `/about/${id}/remove`, `/about/${id}/restore`]) {
    expect((await browser.post(path, { ...entry, csrf: 'x' })).status).toBe(403);
    const asked = await house.ask(path, {
      method: 'POST',
      headers: { authorization: `Bearer ${await house.key()}` },
    });
    expect([302, 303, 401, 403]).toContain(asked.status);
  }
  expect((await browser.get(`/about/${id}`)).body).toContain('Stays');
  expect((await browser.get('/about/brn_none')).status).toBe(404);
});

test('an output shows its sources by section, flagged where they are gone; another org’s is not there', async () => {
  expect((await browser.get('/outputs')).body).toContain('None yet');
  const agent: Agent = {
    kind: 'agent',
    orgId: house.org.orgId,
    agentId: 'key_1',
    name: 'Researcher',
    scopes: ['read'],
  };
  const item = {
    target: { chunkId: 'chk_1' },
    documentId: 'doc_1',
    contentHash: 'a'.repeat(64),
    verifiedAt: 0,
    scores: { score: 1 },
  };
  const receiptId = house.receipts.issue(house.org, agent, { tool: 'search', question: 'x', items: [item] });
  await house.receipts.record(house.org, agent, {
    receiptId,
    outputId: 'brief-1',
    title: 'Brief <i>Ada</i>',
    section: 'Offers',
    role: 'agent',
    hits: [1],
  });
  expect((await browser.get('/outputs')).body).toContain('/outputs/brief-1');
  const { body } = await browser.get('/outputs/brief-1');
  expect(body).toContain('Brief &lt;i&gt;Ada&lt;/i&gt;');
  expect(body).toContain('Offers');
  expect(body).toContain('One source has changed or gone since');
  const stranger = await house.stranger();
  const elsewhere = await house.browser(stranger.person);
  expect((await elsewhere.get('/outputs/brief-1')).status).toBe(404);
  expect((await elsewhere.get('/outputs')).body).toContain('None yet');
});
