// Whether a delivery is Intuit's: an HMAC over the body, under the verifier token of the app's webhooks. The
// body is an array of CloudEvents, maybe of several companies; it carries no time outside of itself.
// https://developer.intuit.com/app/developer/qbo/docs/develop/webhooks
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Webhook } from '../define.ts';

export const webhook: Webhook = {
  signedWith: 'webhook-secret',
  verify({ headers, body }, secret) {
    const given = headers.get('intuit-signature') ?? '';
    const right = createHmac('sha256', secret.reveal()).update(body).digest();
    const told = Buffer.from(given, 'base64');
    return told.length === right.length && timingSafeEqual(told, right);
  },
};
