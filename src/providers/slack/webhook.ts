// Whether a delivery is Slack's: version 0 of its signature, an HMAC over time and body under the app's signing
// secret. https://docs.slack.dev/authentication/verifying-requests-from-slack
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Webhook } from '../define.ts';

/** Slack says to refuse what is older; what comes from the future is refused by the same bound. */
const oldestMs = 5 * 60_000;

export const webhook: Webhook = {
  signedWith: 'webhook-secret',
  verify({ headers, body }, secret, now) {
    const time = headers.get('x-slack-request-timestamp') ?? '';
    const given = headers.get('x-slack-signature') ?? '';
    if (!/^\d{1,12}$/.test(time) || Math.abs(now - Number(time) * 1000) > oldestMs) return false;
    const right = `v0=${createHmac('sha256', secret.reveal()).update(`v0:${time}:`).update(body).digest('hex')}`;
    const [told, wanted] = [Buffer.from(given), Buffer.from(right)];
    return told.length === wanted.length && timingSafeEqual(told, wanted);
  },
};
