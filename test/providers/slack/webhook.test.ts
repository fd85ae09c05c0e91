import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { webhook } from '../../../src/providers/slack/webhook.ts';
import { Secret } from '../../../src/secret.ts';

const now = Date.UTC(2026, 0, 5, 12);
const key = 'signing-secret-of-the-test';
const body = '{"type":"event_callback","event":{"type":"message"}}';
const time = String(now / 1000);
const signed = (text = body, at = time, by = key) =>
  `v0=${createHmac('sha256', by).update(`v0:${at}:${text}`).digest('hex')}`;

function verify(given: {
  signature?: string | undefined;
  time?: string;
  body?: string;
  now?: number;
}): boolean {
  const headers = new Headers({ 'x-slack-request-timestamp': given.time ?? time });
  const signature = 'signature' in given ? given.signature : signed();
  if (signature !== undefined) headers.set('x-slack-signature', signature);
  const url = 'https://drawbridge.example/webhooks/slack';
  const delivery = { method: 'POST', url, headers, body: Buffer.from(given.body ?? body) };
  return webhook.verify(delivery, new Secret(key), given.now ?? now);
}

test('a delivery under the signing secret is Slack’s, for five minutes on both sides', () => {
  expect(webhook.signedWith).toBe('webhook-secret');
  for (const ms of [0, 300_000, -300_000]) expect(verify({ now: now + ms })).toBe(true);
  for (const ms of [301_000, -301_000]) expect(verify({ now: now + ms })).toBe(false);
});

test.each([
  ['another body', { signature: signed(`${body} `) }],
  ['another time', { signature: signed(body, String(now / 1000 - 1)) }],
  ['another key', { signature: signed(body, time, 'client-secret') }],
  ['no version', { signature: signed().slice(3) }],
  ['another version', { signature: signed().replace('v0', 'v1') }],
  ['capital letters', { signature: signed().toUpperCase() }],
  ['something after it', { signature: `${signed()}0` }],
  ['half of it', { signature: signed().slice(0, 40) }],
  ['nothing', { signature: '' }],
  ['no header', { signature: undefined }],
  ['a time that is none', { time: 'NaN', signature: signed(body, 'NaN') }],
  ['no time', { time: '', signature: signed(body, '') }],
  ['a time in ms', { time: String(now), signature: signed(body, String(now)) }],
])('attack: a signature of %s is refused', (_what, given) => {
  expect(verify(given)).toBe(false);
});
