// What is asked of a shop, and how what comes is shown. What a person types can only be a value.
import { expect, test } from 'vitest';
import { provider } from '../../../src/providers/shopify/index.ts';
import { openScene } from './scene.ts';

test('an order is found by words and shown with its lines, its buyer and what is still to pay', async () => {
  const scene = await openScene();
  const found = (await scene.read('search-orders', { payment: 'pending' })) as { results: object[] };
  expect(found.results).toHaveLength(1);
  expect(found.results[0]).toMatchSnapshot();
  expect(scene.asked()).toMatchSnapshot();
  const { id } = found.results[0] as { id: string };
  expect(await scene.read('get-order', { id: id.split('/').at(-1) })).toEqual(found.results[0]);
});

test('a page goes on where the last one ended', async () => {
  const scene = await openScene();
  const names = async (after?: string) => {
    const input = { limit: 5, ...(after === undefined ? {} : { after }) };
    return (await scene.read('search-customers', input)) as { results: { name: string }[]; next?: string };
  };
  const all = scene.shopify.shop.all('Customer').length;
  const met = new Set<string>();
  let page = await names();
  for (;;) {
    for (const { name } of page.results) met.add(name);
    if (page.next === undefined) break;
    page = await names(page.next);
  }
  expect(met.size).toBeGreaterThan(5);
  expect(met.size).toBeLessThanOrEqual(all);
});

test('products are shown with prices as numbers and the ids of their variants', async () => {
  const scene = await openScene();
  const { results } = (await scene.read('search-products', { text: 'hamper' })) as { results: object[] };
  expect(results).toMatchSnapshot();
});

test.each([
  ['quotes and an operator', '" OR status:"paid'],
  ['a backslash at the end', 'x\\'],
  ['GraphQL', '") { shop { email } } #'],
])('attack: %s in a search stays one phrase, and the document stays what it is', async (_what, text) => {
  const scene = await openScene();
  expect(await scene.read('search-orders', { text })).toEqual({ results: [] });
  const [hostile] = scene.asked();
  await scene.read('search-orders', { text: 'x' });
  const [plain] = scene.asked();
  expect(hostile?.query).toBe(plain?.query);
  const escaped = String(hostile?.variables['query']);
  expect(JSON.parse(escaped)).toBe(text);
});

test('attack: an id of another kind, of another form or with something behind it is refused before anything is asked', async () => {
  const scene = await openScene();
  const { input } = provider.operations['get-order'];
  for (const id of ['gid://shopify/Customer/1', '1" }', '', '1/2', 'gid://shopify/Order/1?x=1']) {
    expect(input.safeParse({ id }).success, id).toBe(false);
  }
  expect(scene.asked()).toEqual([]);
});

test('what is not there is said by its name', async () => {
  const scene = await openScene();
  await expect(scene.read('get-product', { id: '1' })).rejects.toMatchObject({
    code: 'not_found',
    field: 'id',
  });
});
