// A shop's records come whole by a bulk operation that is begun once, then by what changed, and go when they are
// destroyed; a kill, a failure on the way or a file elsewhere loses nothing.
import { describe, expect, test } from 'vitest';
import { documents } from '../../../src/providers/shopify/documents.ts';
import { provider } from '../../../src/providers/shopify/index.ts';
import { contractChecker, faultsOf } from '../contract.ts';
import { openScene, run, type Scene } from './scene.ts';

const minute = 60_000;
const day = 24 * 60 * minute;
const external = (id: string, prefix = 'customer') => `${prefix}/${id.split('/').at(-1)}`;

/** Enough for several parts of a file, with letters of more bytes than one. */
function addMany({ shopify, clock }: Scene, count: number): string[] {
  const [pattern] = shopify.shop.all('Customer');
  return Array.from({ length: count }, (_, n) =>
    external(
      shopify.shop.add(
        'Customer',
        {
          ...pattern?.values,
          displayName: `Zoë Łukasiewicz ${n}`,
          note: `Größe ${n}, 東京 ${'ö'.repeat(700)}`,
        },
        [],
        clock.now() - day,
      ).id,
    ),
  );
}

describe('the first run', () => {
  test('begins one bulk operation, takes its file in parts without the credential, and tells what exists', async () => {
    const scene = await openScene({ empty: false });
    const added = addMany(scene, 1_200);
    const { records, pages, cursor, error } = await run(scene.context, 'customers');
    expect(error).toBeUndefined();
    for (const id of added) expect(records.has(id)).toBe(true);
    expect(scene.shopify.bulk.count()).toBe(1);
    const files = scene.hosts.calls().filter(({ host }) => host === 'storage.googleapis.com');
    expect(files.length).toBeGreaterThan(1);
    for (const { headers } of files) {
      expect(headers['range']).toMatch(/^bytes=\d+-\d+$/);
      expect(headers).not.toHaveProperty('x-shopify-access-token');
      expect(headers).not.toHaveProperty('authorization');
    }
    const told = pages.flatMap(({ complete }) => (complete === undefined ? [] : [complete]));
    expect(told).toHaveLength(1);
    expect(told[0]?.prefix).toBe('customer/');
    expect(new Set(told[0]?.ids)).toEqual(new Set(records.keys()));
    expect(cursor).toMatchObject({ phase: 'changes' });
    const some = records.get(added[7] ?? '');
    expect(JSON.parse(Buffer.from(some?.raw ?? []).toString())).toMatchObject({
      title: 'Zoë Łukasiewicz 7',
      text: expect.stringContaining('Größe 7, 東京'),
    });
  });

  test('killed anywhere it goes on from the same file, and begins no second operation', async () => {
    const scene = await openScene();
    addMany(scene, 1_200);
    const whole = await run(scene.context, 'customers');
    for (let most = 1; most < whole.pages.length; most += 1) {
      const killed = await run(scene.again(), 'customers', undefined, most);
      const { records } = await run(scene.again(), 'customers', killed.cursor);
      const both = new Set([...killed.records.keys(), ...records.keys()]);
      expect(both).toEqual(new Set(whole.records.keys()));
    }
    expect(scene.shopify.bulk.count()).toBe(1);
  });

  test('a kill before the operation was written down finds it again', async () => {
    const scene = await openScene();
    await run(scene.context, 'customers', undefined, 1);
    // Nothing was stored: the next run begins without a cursor.
    const { records } = await run(scene.again(), 'customers');
    expect(records.size).toBe(scene.shopify.shop.all('Customer').length);
    expect(scene.shopify.bulk.count()).toBe(1);
  });

  test('resumed in the middle of the file it reads the ids of all that is there, so that nothing is taken for gone', async () => {
    const scene = await openScene();
    addMany(scene, 1_200);
    const killed = await run(scene.context, 'customers', undefined, 2);
    expect(killed.cursor).toMatchObject({ phase: 'bulk', at: expect.any(Number) });
    const { pages } = await run(scene.again(), 'customers', killed.cursor);
    const [told] = pages.flatMap(({ complete }) => (complete === undefined ? [] : [complete]));
    expect(told?.ids).toHaveLength(scene.shopify.shop.all('Customer').length);
  });

  test('a record whose lines end in the next part of the file is told once, and whole', async () => {
    const scene = await openScene();
    const [pattern] = scene.shopify.shop.all('Product');
    const lines = Array.from({ length: 9 }, (_, n) => ({
      title: `Kind ${n}`,
      variantTitle: null,
      sku: 'S'.repeat(90),
      quantity: 1,
      price: n,
    }));
    for (let n = 0; n < 900; n += 1) {
      scene.shopify.shop.add(
        'Product',
        { ...pattern?.values, title: `Number ${n}` },
        lines,
        scene.clock.now() - day,
      );
    }
    const { pages, records } = await run(scene.context, 'products');
    expect(
      pages.filter(({ cursor }) => (cursor as { phase: string }).phase === 'bulk').length,
    ).toBeGreaterThan(2);
    const told = pages.flatMap((page) => page.records);
    expect(told).toHaveLength(records.size);
    const numbered = told.filter(({ raw }) => Buffer.from(raw).toString().includes('"title":"Number'));
    expect(numbered).toHaveLength(900);
    for (const { raw } of numbered) {
      expect(JSON.parse(Buffer.from(raw).toString()).facts.variants).toHaveLength(9);
    }
  });

  test('while the file takes longer than a run waits the run ends, says when to come back, and the next one goes on', async () => {
    const scene = await openScene();
    scene.shopify.bulk.next({ looks: 60 });
    const first = await run(scene.context, 'orders');
    expect(first.error).toMatchObject({ code: 'rate_limited', retry: 'later', retryAfterMs: minute });
    expect(scene.slept.reduce((sum, ms) => sum + ms, 0)).toBeLessThan(minute);
    expect(first.cursor).toMatchObject({ phase: 'bulk', at: 0 });
    let at = first;
    for (let runs = 0; runs < 5 && at.error !== undefined; runs += 1) {
      at = await run(scene.again(), 'orders', at.cursor);
    }
    expect([at.error, at.records.size]).toEqual([undefined, 3]);
    expect(scene.shopify.bulk.count()).toBe(1);
  });

  test('five operations of the app are under way: it comes back in a minute', async () => {
    const scene = await openScene();
    for (let n = 0; n < 5; n += 1) {
      scene.shopify.bulk.next({ looks: 90 });
      scene.shopify.bulk.run('{ products { edges { node { id } } } }');
    }
    const { error } = await run(scene.context, 'orders');
    expect(error).toMatchObject({ code: 'rate_limited', retryAfterMs: minute });
  });

  test.each(['partly', 'whole'] as const)(
    'an operation that fails %s is made up for page by page',
    async (fails) => {
      const scene = await openScene();
      scene.shopify.bulk.next({ fails });
      const { records, pages, error } = await run(scene.context, 'customers');
      expect(error).toBeUndefined();
      const all = scene.shopify.shop.all('Customer').map(({ id }) => external(id));
      expect(new Set(records.keys())).toEqual(new Set(all));
      const told = pages.flatMap(({ complete }) => complete?.ids ?? []);
      expect(new Set(told)).toEqual(new Set(all));
    },
  );

  test('attack: a file at another host is not fetched; what is there comes page by page', async () => {
    const scene = await openScene();
    scene.shopify.bulk.next({ host: 'files.evil.example' });
    const { records } = await run(scene.context, 'products');
    expect(records.size).toBe(3);
    expect(new Set(scene.hosts.calls().map(({ host }) => host))).toEqual(
      new Set(['tidewell-homes.myshopify.com']),
    );
  });

  test('a line that is no record is no record: the run ends, and its place stays', async () => {
    const scene = await openScene();
    scene.hosts.faults.failNext({ kind: 'garble', body: '{"id":1}\n<html>' }, 'storage.googleapis.com');
    const { error, cursor } = await run(scene.context, 'orders');
    expect(error).toMatchObject({ code: 'malformed_response' });
    expect(cursor).toMatchObject({ phase: 'bulk', at: 0 });
  });
});

describe('later runs', () => {
  test('bring what changed, also what the last one was not told in time, and nothing else', async () => {
    const scene = await openScene();
    const first = await run(scene.context, 'products');
    scene.clock.advance(day);
    const second = await run(scene.again(), 'products', first.cursor);
    expect(second.records.size).toBe(0);
    const [changed, other] = scene.shopify.shop.all('Product');
    if (changed === undefined || other === undefined) throw new Error('no products');
    scene.shopify.shop.change(changed, { title: 'Brass bell' });
    // Changed before the last run asked, and told by search only now.
    other.updatedAt = scene.clock.now() - 2 * minute;
    scene.clock.advance(minute);
    scene.asked();
    const third = await run(scene.again(), 'products', second.cursor);
    expect([...third.records.keys()].sort()).toEqual(
      [changed, other].map(({ id }) => external(id, 'product')).sort(),
    );
    expect(scene.asked().map(({ variables: { query, gone } }) => [query, gone])).toEqual([
      [
        "updated_at:>='2026-01-06T11:55:01Z'",
        "action:destroy subject_type:PRODUCT created_at:>='2026-01-06T11:55:01Z'",
      ],
    ]);
  });

  test('what was destroyed is told to the last, where one answer does not hold it', async () => {
    const scene = await openScene();
    const added = addMany(scene, 130);
    const first = await run(scene.context, 'customers');
    scene.clock.advance(minute);
    for (const id of added) scene.shopify.shop.destroy(`gid://shopify/Customer/${id.split('/').at(-1)}`);
    const { deleted } = await run(scene.again(), 'customers', first.cursor);
    expect(deleted).toEqual(new Set(added));
  });

  test('what changed is told to the last, and what was destroyed meanwhile, where one answer does not hold it', async () => {
    const scene = await openScene();
    const added = addMany(scene, 320);
    const first = await run(scene.context, 'customers');
    scene.clock.advance(day);
    for (const one of scene.shopify.shop.all('Customer'))
      scene.shopify.shop.change(one, { state: 'INVITED' });
    const [gone = ''] = added;
    const { handle } = scene.shopify;
    let asked = 0;
    scene.shopify.handle = (call) => {
      const answer = handle(call);
      asked += 1;
      if (asked === 1) scene.shopify.shop.destroy(`gid://shopify/Customer/${gone.split('/').at(-1)}`);
      return answer;
    };
    const { records, deleted } = await run(scene.again(), 'customers', first.cursor);
    expect(added.filter((id) => !records.has(id) && id !== gone)).toEqual([]);
    expect([...deleted]).toEqual([gone]);
    expect(asked).toBeGreaterThan(2);
  });

  test('an answer that says there is more and not where is none: the run ends, and its place stays', async () => {
    const scene = await openScene();
    const { cursor } = await run(scene.context, 'customers');
    const more = { nodes: [], pageInfo: { endCursor: null, hasNextPage: true } };
    const body = JSON.stringify({ data: { list: more, gone: more } });
    scene.hosts.faults.failNext({ kind: 'garble', body }, 'graphql.json');
    const next = await run(scene.again(), 'customers', cursor);
    expect(next.error).toMatchObject({ code: 'malformed_response' });
    expect(next.pages).toEqual([]);
  });

  test.each(['orders', 'customers', 'products', 'draft-orders'] as const)(
    'of %s what was destroyed is told by the events of the shop',
    async (name) => {
      const scene = await openScene();
      const first = await run(scene.context, name);
      const [gone] = [...first.records.keys()];
      const type = {
        orders: 'Order',
        customers: 'Customer',
        products: 'Product',
        'draft-orders': 'DraftOrder',
      }[name];
      scene.clock.advance(minute);
      scene.shopify.shop.destroy(`gid://shopify/${type}/${gone?.split('/').at(-1)}`);
      const { deleted } = await run(scene.again(), name, first.cursor);
      expect([...deleted]).toEqual([gone]);
    },
  );

  test('what no event told is found gone within a week; of orders age alone is no deletion', async () => {
    const scene = await openScene();
    for (const [name, type] of [
      ['customers', 'Customer'],
      ['orders', 'Order'],
    ] as const) {
      const first = await run(scene.again(), name);
      const [gone] = scene.shopify.shop.all(type);
      scene.shopify.shop.destroy(gone?.id ?? '');
      scene.shopify.shop.destroyed.length = 0;
      scene.clock.advance(8 * day);
      const { pages, deleted } = await run(scene.again(), name, first.cursor);
      expect(deleted.size).toBe(0);
      const told = pages.flatMap(({ complete }) => (complete === undefined ? [] : [complete]));
      if (name === 'orders') expect(told).toEqual([]);
      else expect(told[0]?.ids).not.toContain(external(gone?.id ?? ''));
      const again = await run(
        scene.again(),
        name,
        (await run(scene.again(), name, pages.at(-1)?.cursor)).cursor,
      );
      expect(again.pages.flatMap(({ complete }) => complete ?? [])).toEqual([]);
    }
  });

  test('a whole new run says of orders nothing is gone that it did not meet', async () => {
    const scene = await openScene();
    const { pages } = await run(scene.context, 'orders');
    const [told] = pages.flatMap(({ complete }) => complete ?? []);
    expect(told?.ids).toEqual([]);
    expect('order/1'.startsWith(told?.prefix ?? '')).toBe(false);
  });

  test('a whole new run tells of orders what was destroyed in all the time that events are kept', async () => {
    const scene = await openScene();
    const first = await run(scene.context, 'orders');
    const [gone] = scene.shopify.shop.all('Order');
    scene.shopify.shop.destroy(gone?.id ?? '');
    scene.clock.advance(100 * day);
    const { deleted, cursor } = await run(scene.again(), 'orders');
    expect([...deleted]).toEqual([external(gone?.id ?? '', 'order')]);
    expect(first.records.has(external(gone?.id ?? '', 'order'))).toBe(true);
    expect(cursor).not.toHaveProperty('gone');
  });

  test('a cursor older than the events are kept, or of another form, begins anew', async () => {
    const scene = await openScene();
    const first = await run(scene.context, 'customers');
    scene.clock.advance(400 * day);
    const again = await run(scene.again(), 'customers', first.cursor);
    expect(again.records.size).toBe(first.records.size);
    expect(scene.shopify.bulk.count()).toBe(2);
    const odd = await run(scene.again(), 'customers', { version: 7, phase: 'new' });
    expect(odd.records.size).toBe(first.records.size);
  });

  test('an operation that Shopify has forgotten is made up for page by page', async () => {
    const scene = await openScene();
    const killed = await run(scene.context, 'customers', undefined, 1);
    scene.clock.advance(8 * day);
    const { records, error } = await run(scene.again(), 'customers', killed.cursor);
    expect([error, records.size]).toEqual([undefined, scene.shopify.shop.all('Customer').length]);
  });
});

test('bulk operation and page tell the same record, byte for byte, however many lines it has', async () => {
  const scene = await openScene();
  const [product] = scene.shopify.shop.all('Product');
  const line = product?.lines[0];
  if (product === undefined || line === undefined) throw new Error('no product');
  const lines = Array.from({ length: 45 }, (_, n) => ({
    ...line,
    title: `Kind ${n}`,
    variantId: `${line.variantId}${n}`,
  }));
  product.lines.splice(0, product.lines.length, ...lines);
  for (const name of ['orders', 'products', 'customers', 'draft-orders'] as const) {
    const bulk = await run(scene.again(), name);
    const paged = await run(scene.again(), name, { version: 1, phase: 'changes', since: 0, swept: 0 });
    expect(paged.records).toEqual(bulk.records);
    for (const [id, record] of bulk.records) {
      expect(await provider.feeds[name].record?.read(scene.again(), id)).toEqual(record);
    }
  }
});

test('a record that is there no more is not read live', async () => {
  const scene = await openScene();
  const { record } = provider.feeds['draft-orders'];
  expect([record?.owns('draft-order/1'), record?.owns('order/1')]).toEqual([true, false]);
  expect(await record?.read(scene.context, 'draft-order/1')).toBeUndefined();
});

test('what is kept says who it is about, what it is, and what it amounts to', async () => {
  const scene = await openScene();
  for (const name of ['orders', 'customers', 'products', 'draft-orders'] as const) {
    const { records } = await run(scene.again(), name);
    const [first] = records.values();
    expect({ ...first, raw: JSON.parse(Buffer.from(first?.raw ?? []).toString()) }).toMatchSnapshot();
  }
});

test('what a bulk operation is given is a query of Shopify’s schema', async (context) => {
  const checker = await contractChecker();
  if ('missing' in checker) return context.skip(checker.missing);
  const exchanges = Object.values(documents).map(({ bulk }) => ({
    provider: 'shopify',
    method: 'POST',
    url: 'https://demo.myshopify.com/admin/api/2026-10/graphql.json',
    headers: { 'content-type': 'application/json', 'x-shopify-access-token': '[left out]' },
    body: { query: bulk },
  }));
  expect(faultsOf(checker, exchanges)).toEqual([]);
});
