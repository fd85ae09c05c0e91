import { describe, expect, test } from 'vitest';
import { factsOf, openScene, type Scene } from './scene.ts';

const minute = 60_000;
const day = 86_400_000;
const heron = 'ACM20010014';
const pathsOf = (scene: Scene) => scene.asked().map(({ path }) => path.split('/').at(-1));

describe('by time of change', () => {
  test('brings everything, with what its MLS wants shown, and then only what changed', async () => {
    const scene = await openScene();
    const first = await scene.run();
    expect(first.records.size).toBeGreaterThan(30);
    expect(first.complete?.length).toBeGreaterThanOrEqual(first.records.size);
    expect(factsOf(first.records.get(heron))).toMatchObject({
      price: 629_000,
      attribution: expect.arrayContaining(['Listed by Celeste Odum, Breakwater Realty (541-555-0181)']),
    });
    scene.clock.advance(20 * minute);
    scene.mls.market.change(heron, { ListPrice: 615_000 });
    scene.clock.advance(20 * minute);
    scene.asked();
    const second = await scene.run(first.cursor);
    expect(factsOf(second.records.get(heron))['price']).toBe(615_000);
    expect(second.records.size).toBeLessThan(5);
    expect(second.complete).toBeUndefined();
    const [, changes] = scene.asked();
    expect(changes?.query.get('$filter')).toMatch(/^ModificationTimestamp ge \d{4}-/);
    expect(changes?.query.get('$orderby')).toBe('ModificationTimestamp,ListingKey');
  });

  test('a run begins before the newest change that the last one saw: one that shows late is not passed by', async () => {
    const scene = await openScene();
    const { cursor } = await scene.run();
    scene.clock.advance(day);
    scene.mls.market.change(heron, { ListPrice: 600_000 });
    const seen = await scene.run(cursor);
    const late = scene.mls.market.add({
      ModificationTimestamp: new Date(scene.clock.now() - 5 * minute).toISOString(),
    });
    const next = await scene.run(seen.cursor);
    expect([...next.records.keys()]).toContain(late);
  });

  test('more rows of one moment than a page holds are all read, and none behind them is passed by', async () => {
    const scene = await openScene('plain', { empty: true, listings: [] });
    const moment = new Date(scene.clock.now() - day).toISOString();
    const later = new Date(scene.clock.now() - day + 1).toISOString();
    const keys = Array.from({ length: 450 }, () => scene.mls.market.add({ ModificationTimestamp: moment }));
    keys.push(scene.mls.market.add({ ModificationTimestamp: later }));
    const whole = await scene.run();
    expect(whole.records.size).toBe(451);
    const tied = scene.asked().map(({ query }) => query.get('$filter') ?? '');
    expect(
      tied.some((filter) => filter.includes('ModificationTimestamp eq') && filter.includes('ListingKey gt')),
    ).toBe(true);
    for (const pages of [1, 2, 3]) {
      const killed = await scene.run(undefined, pages);
      const rest = await scene.run(killed.cursor);
      expect(new Set([...killed.records.keys(), ...rest.records.keys()]).size, `after page ${pages}`).toBe(
        451,
      );
    }
  });

  test('a listing that is deleted is told, also where another one came at the same time', async () => {
    const scene = await openScene();
    const { cursor, records } = await scene.run();
    scene.clock.advance(day / 2);
    scene.mls.market.remove(heron);
    const fresh = scene.mls.market.add();
    const { complete, records: later } = await scene.run(cursor);
    expect([...later.keys()]).toContain(fresh);
    expect(complete).toBeDefined();
    expect(complete).not.toContain(heron);
    expect([...records.keys()].filter((key) => !complete?.includes(key))).toEqual([heron]);
  });

  test('keys are not read over where the count is as expected, and are once a day', async () => {
    const scene = await openScene();
    const { cursor } = await scene.run();
    scene.asked();
    scene.clock.advance(30 * minute);
    scene.mls.market.add();
    const second = await scene.run(cursor);
    expect(second.complete).toBeUndefined();
    expect(pathsOf(scene)).toHaveLength(2);
    scene.clock.advance(2 * day);
    expect((await scene.run(second.cursor)).complete).toBeDefined();
  });

  describe('looked at first', () => {
    /** Read twice, so that a look is known; then nothing was asked. */
    async function known(scene: Scene) {
      const first = await scene.run();
      scene.clock.advance(30 * minute);
      const { cursor } = await scene.run(first.cursor);
      expect(cursor).toHaveProperty('looked');
      scene.clock.advance(30 * minute);
      scene.asked();
      return cursor;
    }

    test('nothing new is one question, for the count and for those that changed last', async () => {
      const scene = await openScene();
      const next = await scene.run(await known(scene));
      expect([next.records.size, next.complete]).toEqual([0, undefined]);
      const [look, ...others] = scene.asked();
      expect(others).toEqual([]);
      expect(look?.query.get('$count')).toBe('true');
      expect(look?.query.get('$orderby')).toBe('ModificationTimestamp desc');
      expect(look?.query.get('$select')).toBe('ListingKey,ModificationTimestamp');
    });

    test('a listing that is gone is told by the count', async () => {
      const scene = await openScene();
      const cursor = await known(scene);
      const gone = scene.mls.market.keyAt('3 Ferry Stairs');
      scene.mls.market.remove(gone);
      const { complete } = await scene.run(cursor);
      expect(complete).toBeDefined();
      expect(complete).not.toContain(gone);
    });

    test('more changes at one time than a look shows: nothing is taken for granted', async () => {
      const scene = await openScene('plain', { empty: true, listings: [] });
      const ModificationTimestamp = new Date(scene.clock.now() - day).toISOString();
      const [first = ''] = Array.from({ length: 150 }, () => scene.mls.market.add({ ModificationTimestamp }));
      const { cursor } = await scene.run((await scene.run()).cursor);
      scene.mls.market.change(first, { ListPrice: 1, ModificationTimestamp });
      scene.asked();
      expect((await scene.run(cursor)).records.has(first)).toBe(true);
      const late = scene.mls.market.add({ ModificationTimestamp });
      scene.mls.market.remove(first);
      expect((await scene.run(cursor)).records.has(late)).toBe(true);
    });

    test('a change that shows late, behind newer ones, is seen', async () => {
      const scene = await openScene();
      const cursor = await known(scene);
      const { since } = cursor as { since: string };
      scene.mls.market.remove(scene.mls.market.keyAt('3 Ferry Stairs'));
      const late = scene.mls.market.add({
        ModificationTimestamp: new Date(Date.parse(since) - 5 * minute).toISOString(),
      });
      expect([...(await scene.run(cursor)).records.keys()]).toContain(late);
    });

    test('what changed just now is read once more by the next run', async () => {
      const scene = await openScene();
      const cursor = await known(scene);
      scene.mls.market.change(heron, { ListPrice: 600_000 });
      const moment = new Date(scene.clock.now()).toISOString();
      const seen = await scene.run(cursor);
      // Within the same moment, behind our back.
      scene.mls.market.change(heron, { ListPrice: 590_000, ModificationTimestamp: moment });
      scene.clock.advance(30 * minute);
      const next = await scene.run(seen.cursor);
      expect(factsOf(next.records.get(heron))['price']).toBe(590_000);
    });

    test('what is found changed costs no more than before: the look counts', async () => {
      const scene = await openScene();
      const cursor = await known(scene);
      scene.mls.market.change(heron, { ListPrice: 600_000 });
      const next = await scene.run(cursor);
      expect(next.records.has(heron)).toBe(true);
      expect(scene.asked()).toHaveLength(2);
    });

    test('an MLS that does not give the newest first is read each time', async () => {
      const scene = await openScene();
      const cursor = await known(scene);
      const oldest = [2020, 2021].map((year) => ({
        ListingKey: `X${year}`,
        ModificationTimestamp: `${year}-01-01T00:00:00Z`,
      }));
      const total = (cursor as { counted: { total: number } }).counted.total;
      const body = JSON.stringify({ '@odata.count': total, value: oldest });
      scene.fail.failNext({ kind: 'garble', body }, 'ModificationTimestamp%20desc', 2);
      const next = await scene.run(cursor);
      scene.asked();
      await scene.run(next.cursor);
      expect(scene.asked()).toHaveLength(2);
    });

    test('all keys are read over once a day, whatever the look says', async () => {
      const scene = await openScene();
      const cursor = await known(scene);
      scene.clock.advance(day);
      expect((await scene.run(cursor)).complete?.length).toBeGreaterThan(30);
    });
  });

  test('a server that lists fewer keys than it counts has nothing taken for gone', async () => {
    const scene = await openScene();
    scene.fail.failNext({ kind: 'garble', body: '{"@odata.count": 9999, "value": []}' }, '$count', 2);
    expect((await scene.run()).complete).toBeUndefined();
  });

  test('a listing that may not be shown any more goes; one that hides its address loses it', async () => {
    const scene = await openScene();
    const { cursor } = await scene.run();
    scene.clock.advance(day / 2);
    scene.mls.market.change(heron, { InternetEntireListingDisplayYN: false });
    const other = scene.mls.market.keyAt('3 Ferry Stairs');
    scene.mls.market.change(other, { InternetAddressDisplayYN: false });
    const { records, deleted } = await scene.run(cursor);
    expect(deleted).toContain(heron);
    expect(records.has(heron)).toBe(false);
    const text = new TextDecoder().decode(records.get(other)?.raw);
    expect(text).toContain('Undisclosed');
    expect(text).not.toContain('Ferry Stairs,');
  });

  test('what was not touched for longer than was asked for is not copied', async () => {
    const scene = await openScene('plain', { fields: { days: '30' } });
    const { records, complete } = await scene.run();
    expect(records.size).toBeLessThan(complete?.length ?? 0);
    expect(records.size).toBeGreaterThan(0);
  });

  test('one record live: as it stands, and undefined where it is gone', async () => {
    const scene = await openScene();
    const { provider } = await import('../../../src/providers/reso/index.ts');
    const { record } = provider.feeds['listings'] ?? {};
    expect(factsOf(await record?.read(scene.context, heron))['id']).toBe(heron);
    scene.mls.market.remove(heron);
    expect(await record?.read(scene.context, heron)).toBeUndefined();
  });
});

describe('by the log of events', () => {
  const resources = ['Media', 'HistoryTransactional', 'Lookup', 'EntityEvent'];

  test('what happened since is read by its keys, and what shows no more is gone', async () => {
    const scene = await openScene('plain', { resources });
    const first = await scene.run();
    expect(first.cursor).toMatchObject({ sequence: 40, done: true });
    scene.clock.advance(30 * minute);
    scene.mls.market.change(heron, { ListPrice: 611_000 });
    scene.mls.market.change(heron, { ListPrice: 610_000 });
    const gone = scene.mls.market.keyAt('3 Ferry Stairs');
    scene.mls.market.remove(gone);
    const fresh = scene.mls.market.add();
    scene.asked();
    const second = await scene.run(first.cursor);
    expect(factsOf(second.records.get(heron))['price']).toBe(610_000);
    expect([...second.records.keys()].sort()).toEqual([heron, fresh].sort());
    expect(second.deleted).toEqual([gone]);
    expect(second.cursor).toMatchObject({ sequence: 44 });
    const [log, rows] = scene.asked();
    expect(log?.query.get('$filter')).toBe("(ResourceName eq 'Property' and EntityEventSequence gt 40)");
    expect(rows?.query.get('$filter')).toContain(`ListingKey eq '${heron}'`);
  });

  test('killed between the pages of the log, it loses nothing', async () => {
    const scene = await openScene('plain', { resources });
    const first = await scene.run();
    scene.clock.advance(30 * minute);
    const keys = Array.from({ length: 90 }, () => scene.mls.market.add());
    const killed = await scene.run(first.cursor, 1);
    const rest = await scene.run(killed.cursor);
    const seen = new Set([...killed.records.keys(), ...rest.records.keys()]);
    expect(keys.filter((key) => !seen.has(key))).toEqual([]);
  });

  test('nothing new is one question; all keys are read over once a day', async () => {
    const scene = await openScene('plain', { resources });
    const { cursor } = await scene.run();
    scene.asked();
    scene.clock.advance(30 * minute);
    const next = await scene.run(cursor);
    expect(pathsOf(scene)).toEqual(['EntityEvent']);
    scene.clock.advance(day);
    expect((await scene.run(next.cursor)).complete).toBeDefined();
  });

  test('a log that the token may not read is done without', async () => {
    const scene = await openScene('plain', { resources });
    scene.fail.failNext({ kind: 'refuse', status: 403, text: '{}' }, 'EntityEvent', 5);
    const { cursor, records } = await scene.run();
    expect(records.size).toBeGreaterThan(30);
    expect(cursor).not.toHaveProperty('sequence');
  });
});
