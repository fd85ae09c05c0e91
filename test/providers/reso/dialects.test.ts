// Where Bridge and Spark differ from a plain server: addresses, page sizes, the first run, refusals.
import { describe, expect, test } from 'vitest';
import { provider as bridge } from '../../../src/providers/bridge/index.ts';
import { listingSearch } from '../../../src/providers/capabilities.ts';
import type { ReadOperation } from '../../../src/providers/define.ts';
import { refusalOf } from '../../../src/providers/request.ts';
import { provider as spark } from '../../../src/providers/spark/index.ts';
import { openScene, type Scene } from './scene.ts';

const minute = 60_000;
const pathOf = ({ path, host }: { path: string; host: string }) => `${host}${path}`;
const search = (scene: Scene, { operations }: { operations: Record<string, unknown> }) =>
  (operations['search'] as ReadOperation).run(
    scene.context,
    listingSearch.parse({ location: 'Port Ansel, OR' }),
  );
const pagesOf = (scene: Scene, count: number) => Array.from({ length: count }, () => scene.mls.market.add());

describe('Bridge', () => {
  test('the dataset stands in the path, and page sizes are asked for by preference and by $top alike', async () => {
    const scene = await openScene('bridge');
    await search(scene, bridge);
    const [call] = scene.asked();
    expect(pathOf(call ?? { path: '', host: '' })).toBe(
      'api.bridgedataoutput.com/api/v2/OData/test/Property',
    );
    expect(call?.headers['prefer']).toBe('maxpagesize=25');
    expect(call?.query.get('$top')).toBe('25');
  });

  test('a first run is led through /replication, then changes by their time; its own fields are known by name', async () => {
    const scene = await openScene('bridge');
    const added = pagesOf(scene, 2_100);
    scene.asked();
    const first = await scene.run();
    expect(added.filter((key) => !first.records.has(key))).toEqual([]);
    const calls = scene.asked();
    const [newest, ...bulk] = calls;
    expect(newest?.query.get('$orderby')).toBe('ModificationTimestamp desc');
    const led = bulk.filter(({ path }) => path.endsWith('/Property/replication'));
    expect(led).toHaveLength(4);
    for (const { query, headers } of led) {
      expect(headers['prefer']).toBe('maxpagesize=2000');
      for (const name of ['$top', '$orderby', '$skip']) expect(query.has(name), name).toBe(false);
    }
    expect(new TextDecoder().decode(first.records.get('ACM20010014')?.raw)).toContain(
      '"Harbor view":"Partial"',
    );
    scene.clock.advance(30 * minute);
    scene.mls.market.change('ACM20010014', { ListPrice: 600_000 });
    const second = await scene.run(first.cursor);
    expect([...second.records.keys()]).toContain('ACM20010014');
    expect(scene.asked().some(({ path }) => path.endsWith('replication'))).toBe(false);
  });

  test('killed in its first run it goes on where it was; a link that has ended begins it anew, once', async () => {
    const scene = await openScene('bridge');
    const added = pagesOf(scene, 2_100);
    const killed = await scene.run(undefined, 1);
    expect(killed.cursor).toMatchObject({ bulk: { at: expect.stringContaining('replication') } });
    scene.asked();
    const rest = await scene.run(killed.cursor);
    const seen = new Set([...killed.records.keys(), ...rest.records.keys()]);
    expect(added.filter((key) => !seen.has(key))).toEqual([]);
    expect(scene.asked()[0]?.query.has('$skiptoken')).toBe(true);
    scene.mls.forgetLinks();
    const anew = await scene.run(killed.cursor);
    expect(added.filter((key) => !anew.records.has(key))).toEqual([]);
  });

  test('a change during the first run is not passed by', async () => {
    const scene = await openScene('bridge');
    pagesOf(scene, 2_100);
    const killed = await scene.run(undefined, 1);
    scene.clock.advance(60 * minute);
    // Its page has gone by.
    scene.mls.market.change('ACM20010014', { ListPrice: 600_000 });
    const rest = await scene.run(killed.cursor);
    const next = await scene.run(rest.cursor);
    expect(new TextDecoder().decode(next.records.get('ACM20010014')?.raw)).toContain('600000');
  });
});

test.each([
  [401, { success: false, status: 401, error: 'Invalid token' }, 'auth_expired', 'Invalid token'],
  [429, { success: false, status: 429, message: 'Too many' }, 'rate_limited', 'Too many'],
  [404, { error: { code: '404', message: 'No resource' } }, 'not_found', 'No resource'],
])('a refusal with %i and %j is %s', (status, body, code, words) => {
  const error = refusalOf(bridge.http ?? {}, { status, headers: new Headers(), body }, 'host');
  expect(error).toMatchObject({ code, message: expect.stringContaining(words) });
});

describe('Spark', () => {
  test('25 rows a page for a usual key, 1,000 at the host of replication', async () => {
    const scene = await openScene('spark');
    pagesOf(scene, 30);
    const { records } = await scene.run();
    expect(records.size).toBeGreaterThan(60);
    const usual = scene.asked();
    expect(usual.every(({ host, query }) => host === 'sparkapi.com' && Number(query.get('$top')) <= 25)).toBe(
      true,
    );
    const replicating = await openScene('spark', {
      token: 'replication-token-of-the-test',
      fields: { role: 'replication', host: 'replication.sparkapi.com' },
    });
    await replicating.run();
    const calls = replicating.asked();
    expect(new Set(calls.map(({ host }) => host))).toEqual(new Set(['replication.sparkapi.com']));
    expect(calls.map(({ query }) => query.get('$top'))).toContain('1000');
  });

  test('a first run has no filter and follows skip tokens', async () => {
    const scene = await openScene('spark');
    const { cursor } = await scene.run();
    const [, first, second] = scene.asked();
    expect([first?.query.has('$filter'), first?.query.has('$orderby')]).toEqual([false, false]);
    expect(second?.query.get('$skiptoken')).toBeTruthy();
    scene.clock.advance(30 * minute);
    await scene.run(cursor);
    expect(scene.asked()[1]?.query.get('$filter')).toMatch(/^ModificationTimestamp ge/);
  });

  test.each([
    [429, 1550, 'Over rate limit', 'rate_limited'],
    [503, 1510, 'The API is temporarily unavailable.', 'provider_unavailable'],
    [503, 1516, 'Your request took too long to process', 'timeout'],
    [403, 1500, "not available at the current API key's service level", 'permission_denied'],
    [401, 1020, 'Session token has expired', 'auth_expired'],
    [400, 1040, 'The _filter syntax was invalid', 'invalid_request'],
  ])('%i with code %i in its own envelope is %s: %s', (status, Code, Message, code) => {
    const body = { D: { Success: false, Code, Message } };
    const http = spark.http ?? {};
    const error = refusalOf(http, { status, headers: new Headers(), body }, 'sparkapi.com');
    expect(error).toMatchObject({ code, message: expect.stringContaining(Message) });
  });

  test('a key for replication alone is told how to be connected', async () => {
    const scene = openScene('spark', { token: 'replication-token-of-the-test' });
    await expect(scene).rejects.toMatchObject({
      code: 'permission_denied',
      retry: 'ask',
      message: expect.stringContaining('role "replication"'),
    });
  });

  test('the host follows from the role', () => {
    expect(spark.complete?.({ role: 'replication' })).toMatchObject({ host: 'replication.sparkapi.com' });
    expect(spark.complete?.({ host: 'evil.example' })).toMatchObject({ host: 'sparkapi.com' });
  });
});

test('a next page on another server, or beside the service, is not followed with the token', async () => {
  for (const link of [
    'https://evil.example/reso/odata/Property?$skiptoken=1',
    'https://api.mls.example/other/Property',
  ]) {
    const scene = await openScene();
    const body = JSON.stringify({ value: [{ ListingKey: 'A' }], '@odata.nextLink': link });
    scene.fail.failNext({ kind: 'garble', body }, '/Property', 1);
    await expect(scene.run()).rejects.toMatchObject({ code: 'permission_denied' });
    expect(scene.asked().every(({ path }) => path.startsWith('/reso/odata/'))).toBe(true);
  }
});
