import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { webhook } from '../../../src/providers/quickbooks/webhook.ts';
import { Secret } from '../../../src/secret.ts';

const verifier = 'verifier-token-of-the-test';
// An array of CloudEvents, of two companies.
const body = JSON.stringify(
  ['310687', '4620816365179422850'].map((intuitaccountid, index) => ({
    specversion: '1.0',
    id: `88cd52aa-33b6-4351-9aa4-47572edbd06${index}`,
    source: 'intuit.dsnBgbseACLLRZNxo2dfc4evmEJdxde58xeeYcZliOU=',
    type: 'qbo.invoice.updated.v1',
    time: '2026-01-05T12:00:00.000Z',
    intuitentityid: '95',
    intuitaccountid,
    data: {},
  })),
);
const signed = (text: string, key = verifier) => createHmac('sha256', key).update(text).digest('base64');

function verify(signature: string | undefined, given = body): boolean {
  return webhook.verify(
    {
      method: 'POST',
      url: 'https://drawbridge.example/webhooks/quickbooks',
      headers: new Headers(signature === undefined ? {} : { 'intuit-signature': signature }),
      body: Buffer.from(given),
    },
    new Secret(verifier),
    Date.UTC(2026, 0, 5, 12),
  );
}

test('a delivery under the verifier token is Intuit’s', () => {
  expect(webhook.signedWith).toBe('webhook-secret');
  expect(verify(signed(body))).toBe(true);
});

test.each([
  ['another body', signed(`${body} `)],
  ['another key', signed(body, 'client-secret')],
  ['no key', signed(body, '')],
  ['hex for base64', createHmac('sha256', verifier).update(body).digest('hex')],
  ['something after it', `${signed(body)}A`],
  ['white space inside', signed(body).replace(/^(.{5})/, '$1 ')],
  ['the URL alphabet', signed(body).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')],
  ['half of it', signed(body).slice(0, 22)],
  ['nothing', ''],
  ['no header', undefined],
])('attack: a signature of %s is refused', (_what, signature) => {
  expect(verify(signature)).toBe(false);
});
