import { expect, test } from 'vitest';
import { startProviderHosts } from '../../sandbox/providers.ts';
import { contractChecker, type Exchange, exchangeOf, faultsOf } from './contract.ts';

const checker = await contractChecker();

const call = (path: string, response?: Exchange['response']): Exchange => ({
  provider: 'hubspot',
  method: 'GET',
  url: `https://api.hubapi.com/crm/v3/objects/contacts${path}`,
  headers: {},
  ...(response === undefined ? {} : { response }),
});

test.skipIf('missing' in checker)('a broken request and a broken answer are told, a right one is not', () => {
  if ('missing' in checker) return;
  const json = { 'content-type': 'application/json' };
  expect(
    faultsOf(checker, [call('?limit=5', { status: 200, headers: json, body: { results: [] } })]),
  ).toEqual([]);
  expect(faultsOf(checker, [call('?limitt=5')])).toEqual([
    expect.stringMatching(/contacts\?limitt=5: .*limitt/),
  ]);
  expect(faultsOf(checker, [call('', { status: 200, headers: json, body: { result: [] } })])).toHaveLength(1);
  expect(faultsOf(checker, [{ ...call(''), url: 'https://api.hubapi.example/crm' }])).toHaveLength(1);
});

test('what is recorded is the true address, without credentials', () => {
  const exchange = exchangeOf({
    provider: 'hubspot',
    call: {
      host: 'api.hubapi.com',
      method: 'POST',
      path: '/crm/v3/objects/contacts',
      query: new URLSearchParams('a=1&b=x y'),
      headers: {
        authorization: 'Bearer very-secret',
        'content-type': 'application/json',
        'x-key': 'very-secret',
      },
      body: '{}',
    },
    answer: undefined,
  });
  expect(exchange).toEqual({
    provider: 'hubspot',
    method: 'POST',
    url: 'https://api.hubapi.com/crm/v3/objects/contacts?a=1&b=x+y',
    headers: { authorization: '[left out]', 'content-type': 'application/json', 'x-key': '[left out]' },
    body: '{}',
  });
  expect(JSON.stringify(exchange)).not.toContain('very-secret');
});

test("sign-in and token calls are no part of a contract; Google's products are told apart", () => {
  const at = (host: string, path: string) =>
    exchangeOf({
      provider: 'google',
      call: { host, path, method: 'GET', query: new URLSearchParams(), headers: {}, body: '' },
      answer: undefined,
    })?.provider;
  expect(at('oauth2.googleapis.com', '/token')).toBeUndefined();
  expect(at('gmail.googleapis.com', '/gmail/v1/users/me/profile')).toBe('gmail');
  expect(at('www.googleapis.com', '/calendar/v3/users/me/calendarList')).toBe('google-calendar');
  expect(at('www.googleapis.com', '/drive/v3/about')).toBe('google-drive');
});

test('an order to fail is recorded without an answer, an effect before a cut with it', async () => {
  const seen: unknown[] = [];
  const { onExchange } = await import('../../sandbox/providers.ts');
  const hosts = await startProviderHosts([
    { provider: 'invented', hosts: ['api.example.com'], handle: () => ({ status: 201, body: 'done' }) },
  ]);
  const end = onExchange(({ provider, call: { host, path }, answer }) =>
    seen.push([provider, host, path, answer?.status]),
  );
  try {
    const ask = (path: string) =>
      fetch(`${hosts.url}/api.example.com${path}`).then(
        ({ status }) => status,
        () => 'cut',
      );
    hosts.faults.failNext({ kind: 'refuse', status: 503 }, '/refused');
    hosts.faults.failNext({ kind: 'drop', after: 'effect' }, '/dropped');
    expect([await ask('/fine'), await ask('/refused'), await ask('/dropped')]).toEqual([201, 503, 'cut']);
    expect(await fetch(`${hosts.url}/nobody.example/x`).then(({ status }) => status)).toBe(404);
  } finally {
    end();
    await hosts.close();
  }
  expect(seen).toEqual([
    ['invented', 'api.example.com', '/fine', 201],
    ['invented', 'api.example.com', '/refused', undefined],
    ['invented', 'api.example.com', '/dropped', 201],
  ]);
});
