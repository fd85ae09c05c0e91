// Whether a delivery is Intuit's: an HMAC over the body, under the verifier token of the app's webhooks. The
// body is an array of CloudEvents, maybe of several companies; it carries no time outside of itself.
// https://developer.intuit.com/app/developer/qbo/docs/develop/webhooks
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Webhook } from '../define.ts';

export const webhook: Webhook = {
  signedWith: 'webhook-secret',
  verify({ headers, body }, secret) {
    const right = createHmac('sha256', secret.reveal()).update(body).digest('base64');
    // As texts: base64 is decoded leniently, and would take more than what was signed.
    const [told, wanted] = [Buffer.from(headers.get('intuit-signature') ?? ''), Buffer.from(right)];
    return told.length === wanted.length && timingSafeEqual(told, wanted);
  },
};
