import { expect, test } from 'vitest';
import type { Feed } from '../../../src/providers/define.ts';
import { provider } from '../../../src/providers/quickbooks/index.ts';
import type { Structured } from '../../../src/providers/record.ts';
import { Shelf } from '../mailbox/context.ts';
import { openScene, type Scene } from './scene.ts';

const feed = (name: string): Feed => {
  const found = Object.entries<Feed>(provider.feeds).find(([key]) => key === name)?.[1];
  if (found === undefined) throw new Error(`QuickBooks has no feed ${name}`);
  return found;
};
const ids = (shelf: Shelf) => [...shelf.records.keys()].sort();
const live = ({ quickbooks }: Scene, entity: 'Customer' | 'Invoice' | 'Payment' | 'Estimate') =>
  quickbooks.books
    .all(entity)
    .map(({ Id }) => `${entity.toLowerCase()}/${Id}`)
    .sort();
const read = (shelf: Shelf, id: string) => JSON.parse(shelf.records.get(id) ?? '{}') as Structured;

test.each([
  ['customers', 'Customer'],
  ['invoices', 'Invoice'],
  ['payments', 'Payment'],
  ['estimates', 'Estimate'],
] as const)('the first run takes all %s of the story, and says what they are', async (name, entity) => {
  const scene = await openScene({ story: true });
  const shelf = new Shelf();
  await shelf.run(feed(name), scene.context);
  expect(ids(shelf)).toEqual(live(scene, entity));
  expect(read(shelf, ids(shelf)[0] ?? '')).toMatchSnapshot();
  expect(scene.asked()).toMatchSnapshot();
});

/** Invoices, each changed `stepMs` after the one before. */
function many(scene: Scene, count: number, stepMs: number, start = Date.UTC(2025, 0, 1)): string[] {
  const { books } = scene.quickbooks;
  return Array.from({ length: count }, (_, n) => {
    const body = { DocNumber: String(n), TotalAmt: n, CustomerRef: { value: '1', name: 'Ada' }, Line: [] };
    return books.add('Invoice', body, start + n * stepMs).Id;
  });
}

test('the next run asks for changes alone, and brings changed ones, new ones and deletions', async () => {
  const scene = await openScene();
  const [one = '', two = ''] = many(scene, 20, 60_000);
  const shelf = new Shelf();
  await shelf.run(feed('invoices'), scene.context);
  expect(ids(shelf)).toEqual(live(scene, 'Invoice'));
  scene.asked();
  scene.clock.advance(3_600_000);
  const { books } = scene.quickbooks;
  books.change('Invoice', one, { PrivateNote: 'changed' });
  books.delete('Invoice', two);
  many(scene, 1, 0, scene.clock.now());
  await shelf.run(feed('invoices'), scene.context);
  expect(ids(shelf)).toEqual(live(scene, 'Invoice'));
  expect(read(shelf, `invoice/${one}`).text).toContain('note: changed');
  expect(shelf.pages.flatMap(({ records }) => records)).toHaveLength(2);
  expect(shelf.pages.flatMap(({ deleted }) => deleted)).toEqual([`invoice/${two}`]);
  expect(scene.asked()).toMatchSnapshot();
});

test('customers that were made inactive stay, and say so', async () => {
  const scene = await openScene({ story: true });
  const id = scene.quickbooks.books.all('Customer')[0]?.Id ?? '';
  scene.quickbooks.books.change('Customer', id, { Active: false });
  const shelf = new Shelf();
  await shelf.run(feed('customers'), scene.context);
  expect(read(shelf, `customer/${id}`).text).toContain('inactive');
});

test('a customer that is a company is kept as one', async () => {
  const scene = await openScene();
  const { books } = scene.quickbooks;
  books.add('Customer', { DisplayName: 'Solberg Boats', CompanyName: 'Solberg Boats', Active: true });
  books.add('Customer', {
    DisplayName: 'Henrik',
    GivenName: 'Henrik',
    CompanyName: 'Solberg Boats',
    Active: true,
  });
  books.add('Customer', { DisplayName: 'Anybody', Active: true });
  const shelf = new Shelf();
  await shelf.run(feed('customers'), scene.context);
  const kinds = shelf.pages.flatMap(({ records }) => records.map(({ kind }) => kind));
  expect(kinds).toEqual(['company', 'contact', 'contact']);
});

// The walk of 2,500 and 1,200 of one second: three pages and more.
function crowd(scene: Scene): void {
  many(scene, 600, 1_000);
  many(scene, 2_300, 0, Date.UTC(2025, 5, 1));
  many(scene, 450, 1_000, Date.UTC(2025, 5, 2));
}

test('more than fit a page are all read once, though many are of one second', async () => {
  const scene = await openScene();
  crowd(scene);
  const shelf = new Shelf();
  await shelf.run(feed('invoices'), scene.context);
  expect(ids(shelf)).toEqual(live(scene, 'Invoice'));
  expect(shelf.pages.flatMap(({ records }) => records)).toHaveLength(3_350);
});

test.each([1, 2, 3, 4, 5])('killed after page %i, it goes on from there and loses nothing', async (page) => {
  const scene = await openScene();
  crowd(scene);
  const shelf = new Shelf();
  await shelf.run(feed('invoices'), scene.context, page);
  const queries = () => scene.asked().filter((line) => line.includes('/query')).length;
  const before = queries();
  await shelf.run(feed('invoices'), scene.context);
  expect(ids(shelf)).toEqual(live(scene, 'Invoice'));
  // It does not begin again.
  expect(before + queries()).toBeLessThanOrEqual(6);
});

test('a record that is deleted or changed while pages are read makes no other one missing', async () => {
  const scene = await openScene();
  const all = many(scene, 2_500, 1_000);
  const shelf = new Shelf();
  for await (const page of feed('invoices').pages(scene.context, undefined)) {
    for (const { externalId } of page.records) shelf.records.set(externalId, '');
    for (const id of page.deleted) shelf.records.delete(id);
    if (page.records.length < 1_000) continue;
    // Of those already read: pages by number would shift.
    for (const id of all.splice(0, 5)) scene.quickbooks.books.delete('Invoice', id);
    for (const id of all.splice(0, 5)) scene.quickbooks.books.change('Invoice', id, { PrivateNote: 'x' });
  }
  expect(ids(shelf)).toEqual(live(scene, 'Invoice'));
});

test('after more than 30 days everything is read again, and what is gone meanwhile is told', async () => {
  const scene = await openScene();
  const [one = ''] = many(scene, 30, 1_000);
  const shelf = new Shelf();
  await shelf.run(feed('invoices'), scene.context);
  scene.quickbooks.books.delete('Invoice', one);
  scene.clock.advance(31 * 86_400_000);
  many(scene, 1, 0, scene.clock.now());
  await shelf.run(feed('invoices'), scene.context);
  expect(ids(shelf)).toEqual(live(scene, 'Invoice'));
});

test('more changes than change data capture gives: everything is read again, deletions included', async () => {
  const scene = await openScene();
  const all = many(scene, 1_300, 1_000);
  const shelf = new Shelf();
  await shelf.run(feed('invoices'), scene.context);
  scene.clock.advance(3_600_000);
  for (const [index, id] of all.slice(0, 1_100).entries()) {
    if (index < 50) scene.quickbooks.books.delete('Invoice', id);
    else scene.quickbooks.books.change('Invoice', id, { PrivateNote: 'x' });
  }
  scene.clock.advance(600_000);
  await shelf.run(feed('invoices'), scene.context);
  expect(ids(shelf)).toEqual(live(scene, 'Invoice'));
  expect(read(shelf, `invoice/${all[1_050]}`).text).toContain('note: x');
  scene.asked();
  scene.clock.advance(3_600_000);
  await shelf.run(feed('invoices'), scene.context);
  expect(scene.asked()).toHaveLength(1);
});

test.each([1, 2, 3])(
  'killed after page %i of reading again, what is gone is told in the end',
  async (page) => {
    const scene = await openScene();
    const all = many(scene, 2_500, 1_000);
    const shelf = new Shelf();
    await shelf.run(feed('invoices'), scene.context);
    for (const id of all.slice(10, 20)) scene.quickbooks.books.delete('Invoice', id);
    scene.clock.advance(31 * 86_400_000);
    await shelf.run(feed('invoices'), scene.context, page);
    await shelf.run(feed('invoices'), scene.context);
    expect(ids(shelf)).toEqual(live(scene, 'Invoice'));
  },
);

test('a change shortly before the last run ended is not lost', async () => {
  const scene = await openScene();
  const [one = ''] = many(scene, 3, 1_000);
  const shelf = new Shelf();
  await shelf.run(feed('invoices'), scene.context);
  // Told late: its time lies before that of the run that did not see it.
  scene.quickbooks.books.change('Invoice', one, { PrivateNote: 'late' }, scene.clock.now() - 60_000);
  scene.clock.advance(600_000);
  await shelf.run(feed('invoices'), scene.context);
  expect(read(shelf, `invoice/${one}`).text).toContain('note: late');
});

test('a cursor of another kind means reading everything again, and what is not found is gone', async () => {
  const scene = await openScene();
  many(scene, 3, 1_000);
  const shelf = new Shelf();
  shelf.cursor = { version: 9, page: 'x' };
  shelf.records.set('invoice/999', 'of long ago');
  shelf.records.set('payment/999', 'of another feed');
  await shelf.run(feed('invoices'), scene.context);
  expect(ids(shelf)).toEqual([...live(scene, 'Invoice'), 'payment/999']);
});

test('a run that is called off stops', async () => {
  const stop = new AbortController();
  const scene = await openScene({ signal: stop.signal });
  many(scene, 2_500, 1_000);
  const run = async () => {
    for await (const _page of feed('invoices').pages(scene.context, undefined))
      stop.abort(new Error('enough'));
  };
  await expect(run()).rejects.toThrow('enough');
  expect(scene.asked()).toHaveLength(1);
});

test('records of another shape are no records', async () => {
  const scene = await openScene();
  for (const body of ['{"QueryResponse":{"Invoice":[{"Id":7}]}}', '{"QueryResponse":[]}', '{}', '[]']) {
    scene.hosts.faults.failNext({ kind: 'garble', body }, '/query');
    await expect(new Shelf().run(feed('invoices'), scene.context)).rejects.toMatchObject({
      code: 'malformed_response',
    });
  }
  scene.hosts.faults.failNext(
    { kind: 'garble', body: '{"CDCResponse":[{"QueryResponse":[{"Invoice":[{}]}]}]}' },
    '/cdc',
  );
  await expect(new Shelf().run(feed('invoices'), scene.context)).rejects.toMatchObject({
    code: 'malformed_response',
  });
});
