// The search page: what a person is shown of an answer, and what of it may not become markup.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Browser, type House, openHouse } from '../http/house.ts';
import { json } from '../memory/ground.ts';

let house: House;
let browser: Browser;
let empty = '';

beforeAll(async () => {
  house = await openHouse();
  browser = await house.browser();
  empty = (await browser.get('/search')).body;
  const source = { connectionId: 'con_1', provider: 'post' };
  const note = (id: string, value: object, more: object = {}) => ({ ...json(id, 'note', value), ...more });
  await house.memory.ingest(house.org, source, {
    records: [
      note('roof', {
        title: 'Roof <i>bill</i>',
        text: 'The roof costs 12,000 <b>in all</b>.',
        at: '2026-03-01',
        url: 'https://crm.example/roof',
      }),
      note('script', { title: 'Trap', text: 'The roof again.', url: 'javascript:alert(1)' }),
      note(
        'secret',
        { title: 'Secret roof', text: 'The roof of another.' },
        { readers: ['someone@else.test'] },
      ),
      ...Array.from({ length: 14 }, (_, n) =>
        note(`n${n}`, { title: `Note ${n}`, text: `A boiler, number ${n}.` }),
      ),
    ],
  });
});
afterAll(() => house.close());

test('with nothing brought in yet the page says what to do', () => {
  expect(empty).toContain('Memory is empty');
  expect(empty).toContain('aria-current="page"');
  expect(empty).toMatch(/<input[^>]+name="q"[^>]+autofocus/);
});

test('a hit says what it is, where it is from and how old; the words asked for are marked, and nothing is markup', async () => {
  const { body, status } = await browser.get('/search?q=roof+since+January');
  expect(status).toBe(200);
  expect(body).toContain('The <mark>roof</mark> costs');
  expect(body).toContain('&lt;b&gt;in all&lt;/b&gt;');
  expect(body).toContain('Roof &lt;i&gt;bill&lt;/i&gt;');
  expect(body).toContain('Known to be so');
  expect(body).toContain('href="https://crm.example/roof"');
  expect(body).toMatch(/Understood: <bdi>since \d{4}-01-01<\/bdi>/);
  expect(body).toContain('value="roof since January"');
});

test('attack: the address of a record is no script', async () => {
  expect((await browser.get('/search?q=roof+again')).body).not.toContain('javascript:');
});

test('a filter narrows, stands in the form again, and one that cannot hold is said', async () => {
  const { body } = await browser.get('/search?q=roof&kind=mail');
  expect(body).toContain('Nothing answers that');
  expect(body).toMatch(/<option value="mail" selected/);
  const wrong = await browser.get('/search?q=roof&since=soon');
  expect(wrong.status).toBe(400);
  expect(wrong.body).toContain('since: &quot;soon&quot; is no date');
});

test('more leads on behind what was shown', async () => {
  const first = (await browser.get('/search?q=boiler+number')).body;
  const next = /<a href="(\/search\?[^"]+)" rel="next"/.exec(first)?.[1]?.replaceAll('&amp;', '&');
  const titles = (body: string) => [...body.matchAll(/>(Note \d+)</g)].map(([, title]) => title);
  const second = (await browser.get(next ?? '')).body;
  expect(titles(first).length).toBe(10);
  expect(titles(second).length).toBe(4);
  expect(new Set([...titles(first), ...titles(second)]).size).toBe(14);
});

test('a person of an org of several sees what names them', async () => {
  expect((await browser.get('/search?q=secret+roof')).body).toContain('Secret');
  await house.store.control.write((tx) =>
    tx
      .insertInto('members')
      .values({
        org_id: house.org.orgId,
        id: 'mem_other',
        email: 'someone@else.test',
        name: 'Other',
        role: 'member',
        created_at: 1,
      })
      .execute(),
  );
  expect((await browser.get('/search?q=secret+roof')).body).not.toContain('Secret roof</');
});
