// The pages of clients: each fact leads to the words that say so, a person decides who is one, and nothing that others
// wrote is markup.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { createLog } from '../../src/log.ts';
import { changeOwnAddresses } from '../../src/memory/clients/own-addresses.ts';
import { createMemory } from '../../src/memory/create.ts';
import type { Memory, Source } from '../../src/memory/memory.ts';
import { receiptItems } from '../../src/memory/receipts/receipt-items.ts';
import { type Browser, type House, openHouse } from '../http/house.ts';
import { connectAccount, json, mail } from '../memory/ground.ts';

let house: House;
let browser: Browser;
let memory: Memory;
let source: Source;

beforeAll(async () => {
  house = await openHouse();
  browser = await house.browser();
  memory = createMemory({ clock: systemClock, log: createLog({ level: 'silent' }) });
});
afterAll(async () => {
  await memory.close();
  await house.close();
});

const post = (path: string, fields: Record<string, string> = {}) =>
  browser.post(path, { csrf: browser.csrf, ...fields });
const idOf = async (words: string) => (await memory.clientsCalled(house.org, words))[0]?.id ?? '';
const pageOf = async (words: string) => (await browser.get(`/clients/${await idOf(words)}`)).body;

test('with nobody known the page says where clients come from', async () => {
  const { status, body } = await browser.get('/clients');
  expect([status, body]).toEqual([200, expect.stringContaining('No clients yet')]);
  expect(body).toContain('aria-current="page"');
});

test('a fact stands with its source and age, and leads to its words, marked; nothing is markup', async () => {
  source = await connectAccount(house.org, 'con_m', 'me@agency.test', systemClock.now());
  const body = 'We need three bedrooms. <b>Really</b>. Is the house <i>free</i> in May?';
  await memory.ingest(house.org, source, {
    records: [
      mail({ id: 'a', from: '"Ann <u>Lee</u>" <ann@acme.test>', subject: 'Our <b>search</b>', body }),
      json('contacts/1', 'contact', {
        title: 'Ann Lee',
        text: 'phone: +44 20 7946 0018',
        people: [{ name: 'Ann <u>Lee</u>', address: 'ann@acme.test', role: 'contact' }],
        facts: { properties: { phone: '+44 20 7946 0018' } },
      }),
    ],
  });
  const page = await pageOf('ann@acme.test');
  expect(page).toContain('3 bedrooms');
  expect(page).toContain('+442079460018');
  expect(page).toContain('Our &lt;b&gt;search&lt;/b&gt;');
  expect(page).not.toMatch(/<[ubi]>/u);
  const link = /href="(\/clients\/documents\/doc_[a-z0-9]+\?from=\d+&amp;to=\d+)"/gu;
  const words = [];
  for (const [, path = ''] of page.matchAll(link)) {
    const { body: record } = await browser.get(path.replace('&amp;', '&'));
    words.push(/<mark id="here">(.*?)<\/mark>/su.exec(record)?.[1] ?? '');
  }
  expect(words.join('\n')).toContain('We need three bedrooms.');
  expect(words.join('\n')).toContain('phone: +44 20 7946 0018');
  expect((await browser.get('/clients?q=ann')).body).toContain('Ann &lt;u&gt;Lee&lt;/u&gt;');
  expect((await browser.get('/clients?q=zzz')).body).toContain('Nobody is called so');
});

test('a wish that is called as it reads is said once', async () => {
  await memory.ingest(house.org, source, {
    records: [
      mail({
        id: 'w',
        from: 'Ida Moss <ida@acme.test>',
        subject: 'Wishes',
        body: 'We need a garden. We need two bedrooms in that house.',
      }),
    ],
  });
  const page = await pageOf('ida@acme.test');
  expect(page).toContain('<strong><bdi>garden</bdi></strong>');
  expect(page).not.toContain('<span class="name"><bdi>garden</bdi></span>');
  expect(page).toContain('<span class="name"><bdi>bedrooms</bdi></span>');
});

test('an output leads to each of its sources that is there', async () => {
  const { passages } = await memory.search(house.org, { question: 'three bedrooms in May', limit: 1 });
  const [passage] = passages;
  if (passage === undefined) throw new Error('nothing found');
  const agent = {
    kind: 'agent',
    orgId: house.org.orgId,
    agentId: 'key_1',
    name: 'R',
    scopes: ['read'],
  } as const;
  const receiptId = house.receipts.issue(house.org, agent, {
    tool: 'search',
    question: 'x',
    items: receiptItems([passage]),
  });
  const made = { outputId: 'brief-ann', section: 'Wishes', role: 'agent', hits: [1] };
  await house.receipts.record(house.org, agent, { receiptId, ...made });
  const { body } = await browser.get('/outputs/brief-ann');
  const [, path = ''] = /<h3 class="summary"><a href="([^"]+)">/u.exec(body) ?? [];
  expect(path).toBe(`/clients/documents/${passage.documentId}`);
  expect((await browser.get(path)).body).toContain('We need three bedrooms.');
});

test('a fact is corrected, its history shown, removed, and a new one added', async () => {
  const id = await idOf('ann@acme.test');
  const factOf = async (value: string) => {
    const { facts } = await memory.profile(house.org, id);
    return facts.find((fact) => fact.value === value && fact.stands)?.id ?? '';
  };
  const corrected = await post(`/clients/${id}/facts/${await factOf('3 bedrooms')}`, {
    change: 'correct',
    value: '4 bedrooms',
  });
  expect([corrected.status, corrected.headers['location']]).toEqual([303, `/clients/${id}`]);
  const page = await pageOf('ann@acme.test');
  expect(page).toContain('4 bedrooms');
  expect(page).toMatch(/Before: 1[\s\S]*3 bedrooms/u);
  expect(
    (await post(`/clients/${id}/facts/${await factOf('4 bedrooms')}`, { change: 'remove' })).status,
  ).toBe(303);
  expect(await factOf('3 bedrooms')).toMatch(/^fct_/u);
  expect((await post(`/clients/${id}/facts`, { name: 'likes', value: 'tulips' })).status).toBe(303);
  expect(await pageOf('ann@acme.test')).toMatch(/likes<\/[a-z]+>[\s\S]*tulips/u);
  const refused = await post(`/clients/${id}/facts`, { name: 'likes', value: '' });
  expect([refused.status, refused.body]).toEqual([400, expect.stringContaining('value')]);
});

test('a proposal is decided and taken back; two are joined and parted', async () => {
  await memory.ingest(house.org, source, {
    records: [
      mail({ id: 'b', from: 'Tom Roe <tom@acme.test>', body: 'Hi.' }),
      mail({ id: 'c', from: 'Tom Roe <t.roe@acme.test>', body: 'Hi.' }),
    ],
  });
  const listed = (await browser.get('/clients')).body;
  expect(listed).toContain('Could be the same');
  const id = /\/clients\/merges\/(mrg_[a-z0-9]+)/u.exec(listed)?.[1] ?? '';
  expect((await post(`/clients/merges/${id}`, { decision: 'maybe' })).status).toBe(400);
  expect((await post(`/clients/merges/${id}`, { decision: 'accept' })).status).toBe(303);
  expect(await idOf('tom@acme.test')).toBe(await idOf('t.roe@acme.test'));
  expect((await browser.get('/clients')).body).not.toContain('Could be the same');
  expect((await post(`/clients/merges/${id}`, { decision: 'undo' })).status).toBe(303);
  expect(await idOf('tom@acme.test')).not.toBe(await idOf('t.roe@acme.test'));
  const tom = await idOf('tom@acme.test');
  expect((await post(`/clients/${tom}/merge`, { other: 'Tom Roe' })).body).toContain('name one by address');
  expect((await post(`/clients/${tom}/merge`, { other: 't.roe@acme.test' })).status).toBe(303);
  expect((await post(`/clients/${tom}/split`, { 'key-1': 't.roe@acme.test' })).status).toBe(303);
  expect(await idOf('tom@acme.test')).not.toBe(await idOf('t.roe@acme.test'));
});

test('whoever is said to be us is on no page of clients, and others stay', async () => {
  await memory.ingest(house.org, source, {
    records: [mail({ id: 'own', from: 'Mia Own <mia@own.test>', to: 'ann@acme.test', body: 'See you.' })],
  });
  expect((await browser.get('/clients')).body).toContain('Mia Own');
  const own = { add: ['mia@own.test'], field: 'address', channel: 'test' };
  const person = { kind: 'person' as const, orgId: house.org.orgId, memberId: 'mem_1', name: 'Mia' };
  await changeOwnAddresses({ audit: { append: async () => undefined } }, house.org, person, own);
  expect((await browser.get('/clients')).body).not.toContain('Mia Own');
  expect((await browser.get('/clients?q=mia')).body).toContain('Nobody is called so');
  expect(await pageOf('ann@acme.test')).toContain('Ann &lt;u&gt;Lee');
});

test("attack: without the session's token, and with an agent's key, nothing is decided", async () => {
  const id = await idOf('ann@acme.test');
  const paths = [
    '/clients/merges/mrg_1',
    `/clients/${id}/merge`,
    `/clients/${id}/split`,
    `/clients/${id}/facts`,
    `/clients/${id}/facts/fct_1`,
  ];
  const before = await memory.profile(house.org, id);
  for (const path of paths) {
    expect((await browser.post(path, { csrf: 'x', name: 'a', value: 'b' })).status).toBe(403);
    const headers = { authorization: `Bearer ${await house.key()}` };
    expect([302, 303, 401, 403]).toContain((await house.ask(path, { method: 'POST', headers })).status);
  }
  expect((await memory.profile(house.org, id)).facts).toEqual(before.facts);
  for (const path of ['/clients/cli_none', '/clients/documents/doc_none'])
    expect((await browser.get(path)).status).toBe(404);
});
