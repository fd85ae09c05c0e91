// What a query costs is waited for exactly, and never for minutes; what Shopify refuses is said in our words.
import { describe, expect, test } from 'vitest';
import type { DrawbridgeError } from '../../../src/errors.ts';
import { http } from '../../../src/providers/shopify/http.ts';
import { openScene } from './scene.ts';

const json = { headers: { 'content-type': 'application/json' } };
const failure = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error) => error as DrawbridgeError,
  );

describe('points', () => {
  test('the next query of a run waits exactly until the bucket holds what it costs, and is never throttled', async () => {
    const scene = await openScene({ maximum: 300 });
    await scene.read('search-orders', { limit: 10 });
    expect(scene.slept).toEqual([]);
    for (let round = 1; round < 4; round += 1) {
      // 280 points are asked for ten orders, of which a few come and the rest is given back.
      const lacking = 280 - Math.floor(scene.shopify.points());
      await scene.read('search-orders', { limit: 10 });
      expect(scene.slept).toHaveLength(round);
      expect(Math.abs((scene.slept.at(-1) ?? 0) - lacking * 10)).toBeLessThan(11);
    }
    expect(scene.asked()).toHaveLength(4);
  });

  test('a THROTTLED answer is waited for as long as it says, and asked once more', async () => {
    const scene = await openScene({ restoreRate: 50 });
    scene.shopify.points(0);
    expect(await scene.read('search-products', { limit: 10 })).toMatchObject({ results: expect.any(Array) });
    // 240 points at 50 a second.
    expect(scene.slept).toEqual([4_800]);
    expect(scene.asked()).toHaveLength(2);
  });

  test('a longer wait is told, with its length, and nobody sleeps', async () => {
    const scene = await openScene({ restoreRate: 1 });
    scene.shopify.points(0);
    const error = await failure(scene.read('search-products', { limit: 10 }));
    expect(error).toMatchObject({ code: 'rate_limited', retry: 'later', retryAfterMs: 240_000 });
    expect(scene.slept).toEqual([]);
    expect(scene.asked()).toHaveLength(1);
  });

  test('every query of the provider stays below the points that one may cost', async () => {
    const scene = await openScene();
    for (const what of ['orders', 'customers', 'products', 'draft-orders']) {
      await scene.read(`search-${what}`, { limit: 25 });
    }
  });
});

describe('refusals', () => {
  const refused = (status: number, body: unknown) => http.refusal({ status, headers: new Headers(), body });

  test.each([
    ['ACCESS_DENIED', 'permission_denied'],
    ['SHOP_INACTIVE', 'permission_denied'],
    ['INTERNAL_SERVER_ERROR', 'provider_unavailable'],
    ['MAX_COST_EXCEEDED', 'invalid_request'],
    ['SOMETHING_NEW', 'invalid_request'],
  ])('%s in an answer with status 200 is %s', (code, expected) => {
    const body = { data: null, errors: [{ message: 'No.', extensions: { code } }] };
    expect(refused(200, body)).toMatchObject({ code: expected, message: 'No.' });
  });

  test.each([
    [401, 'auth_expired'],
    [402, 'permission_denied'],
    [403, 'permission_denied'],
    [404, 'not_found'],
    [423, 'permission_denied'],
    [503, 'provider_unavailable'],
  ])('status %s with a text in its body is %s', (status, code) => {
    expect(refused(status, { errors: 'Said in words' })).toMatchObject({ code, message: 'Said in words' });
  });

  test('half an answer beside an error is none: what the app may not see is said', async () => {
    const scene = await openScene({ withheld: ['customers'] });
    const error = await failure(scene.read('search-customers'));
    expect(error).toMatchObject({ code: 'permission_denied' });
    expect(error?.message).toContain('protected customer data');
  });

  test('a user error names its field, and what is wrong with it', () => {
    const body = {
      data: {
        done: { draftOrder: null, userErrors: [{ field: ['input', 'email'], message: 'Email is invalid' }] },
      },
    };
    expect(refused(200, body)).toMatchObject({
      code: 'invalid_request',
      message: 'input.email: Email is invalid',
    });
  });

  test('a plain 429 with its Retry-After is told, not waited for', async () => {
    const scene = await openScene();
    const headers = { ...json.headers, 'retry-after': '120' };
    scene.hosts.faults.failNext({ kind: 'refuse', status: 429, text: '{}', headers }, '', 5);
    expect(await failure(scene.read('get-shop'))).toMatchObject({
      code: 'rate_limited',
      retryAfterMs: 120_000,
    });
  });
});
