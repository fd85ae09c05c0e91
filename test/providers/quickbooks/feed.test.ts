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
