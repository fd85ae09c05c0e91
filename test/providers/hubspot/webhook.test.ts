// The vectors were computed apart from the code under test, with `openssl dgst -sha256 -hmac`.
import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import type { Delivery } from '../../../src/providers/define.ts';
import { provider } from '../../../src/providers/hubspot/index.ts';
import { Secret } from '../../../src/secret.ts';

const secret = new Secret('secret-of-the-app');
const at = 1_767_614_400_000;
const body = '[{"eventId":1,"subscriptionType":"contact.creation","objectId":51001,"note":"é"}]';
const url = 'https://drawbridge.example/api/v1/webhooks/hubspot?org=a%20b';
const signature = 'eVgw3H24+R9WMp6+DK4YE6c74X1lmNvhhylY7axe9YM=';

function delivery(
  given: { method?: string; url?: string; body?: string; headers?: Record<string, string> } = {},
): Delivery {
  return {
    method: given.method ?? 'POST',
    url: given.url ?? url,
    headers: new Headers({
      'x-hubspot-signature-v3': signature,
      'x-hubspot-request-timestamp': String(at),
      ...given.headers,
    }),
    body: Buffer.from(given.body ?? body, 'utf8'),
  };
}

const verify = (given: Delivery, now = at, by = secret) => provider.webhook?.verify(given, by, now);

test('a delivery as HubSpot signs it is believed', () => {
  expect(verify(delivery())).toBe(true);
});

test('it is signed over the address with `/`, `:` and their like written out', () => {
  const encoded = 'https://drawbridge.example/hook?to=https%3A%2F%2Fx.example%2Fa&b=%40%28c%29';
  const other = 'b4haXF5duWdB+W7j/MMTtmvqWHBEg2b5PJfR3nPo1cA=';
  expect(verify(delivery({ url: encoded, headers: { 'x-hubspot-signature-v3': other } }))).toBe(true);
});

test('an address that was signed as it stands is believed, too', () => {
  const encoded = 'https://drawbridge.example/hook?to=https%3A%2F%2Fx.example';
  const other = 'Gr9iMERQRV3x2zSKRatkzNZvF/Rl2eO4t1H5ccIeM6M=';
  expect(verify(delivery({ url: encoded, headers: { 'x-hubspot-signature-v3': other } }))).toBe(true);
});

test.each([
  ['another body', { body: body.replace('51001', '51002') }],
  ['another address', { url: url.replace('hubspot', 'hubspot2') }],
  ['another query', { url: url.replace('a%20b', 'a%20c') }],
  ['another method', { method: 'PUT' }],
  ['another time within the bound', { headers: { 'x-hubspot-request-timestamp': String(at + 1) } }],
  ['no signature', { headers: { 'x-hubspot-signature-v3': '' } }],
  ['a cut signature', { headers: { 'x-hubspot-signature-v3': signature.slice(0, 20) } }],
  ['a longer signature', { headers: { 'x-hubspot-signature-v3': `${signature}AAAA` } }],
  ['no time', { headers: { 'x-hubspot-request-timestamp': '' } }],
  ['a time that is no number', { headers: { 'x-hubspot-request-timestamp': 'NaN' } }],
  ['a time beyond numbers', { headers: { 'x-hubspot-request-timestamp': '9'.repeat(400) } }],
])('%s is not believed', (_what, given) => {
  expect(verify(delivery(given))).toBe(false);
});

test('the secret of another app is not believed', () => {
  expect(verify(delivery(), at, new Secret('secret-of-another'))).toBe(false);
});

test.each([
  ['4:59 later', 299_000, true],
  ['5 minutes later', 300_000, true],
  ['more than 5 minutes later', 300_001, false],
  ['4:59 before', -299_000, true],
  ['from more than 5 minutes in the future', -300_001, false],
])('replay: a delivery that arrives %s', (_what, ms, believed) => {
  expect(verify(delivery(), at + ms)).toBe(believed);
});

test('a time of tomorrow is refused though its signature is right', () => {
  const future = String(at + 86_400_000);
  const signed = createHmac('sha256', secret.reveal()).update(`POST${url}${body}${future}`).digest('base64');
  const headers = { 'x-hubspot-signature-v3': signed, 'x-hubspot-request-timestamp': future };
  expect(verify(delivery({ headers }), at + 86_400_000)).toBe(true);
  expect(verify(delivery({ headers }), at)).toBe(false);
});
