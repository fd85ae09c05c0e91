// A delivery is Notion's by the HMAC over its bytes, and by nothing else.
import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { provider } from '../../../src/providers/notion/index.ts';
import { Secret } from '../../../src/secret.ts';

const token = 'secret_tMrlL1qK5vuQAh1b6cZGhFChZTSYJlce98V0pYn7yBl';
const body = '{"id":"367cba44-b6f3-4c92-81e7-6a2e9659efd4","type":"page.created"}';
const signed = (text: string) => `sha256=${createHmac('sha256', token).update(text).digest('hex')}`;
const verify = (signature: string | undefined, text = body) =>
  provider.webhook?.verify(
    {
      method: 'POST',
      url: 'https://drawbridge.example/hook',
      headers: new Headers(signature === undefined ? {} : { 'X-Notion-Signature': signature }),
      body: Buffer.from(text),
    },
    new Secret(token),
    0,
  );

test('a delivery with its own signature is believed, however old it is', () => {
  expect(verify(signed(body))).toBe(true);
});

test.each([
  ['none', undefined],
  ['an empty one', ''],
  ['one without its kind', signed(body).slice(7)],
  ['one of another kind', signed(body).replace('sha256', 'sha1')],
  ['one that is cut', signed(body).slice(0, -2)],
  ['one of another body', signed(`${body} `)],
])('a delivery with %s is not', (_, signature) => {
  expect(verify(signature)).toBe(false);
});

test('a body that was parsed and written again is another one', () => {
  expect(verify(signed(body), JSON.stringify(JSON.parse(body), null, 1))).toBe(false);
});
