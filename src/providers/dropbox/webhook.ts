// Whether a delivery is Dropbox's: an HMAC over the body, under the app's secret. The body names the accounts in
// which something changed, and nothing more; it carries no time.
// https://www.dropbox.com/developers/reference/webhooks
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Webhook } from '../define.ts';

export const webhook: Webhook = {
  signedWith: 'client-secret',
  verify({ headers, body }, secret) {
    const right = createHmac('sha256', secret.reveal()).update(body).digest('hex');
    const [told, wanted] = [Buffer.from(headers.get('x-dropbox-signature') ?? ''), Buffer.from(right)];
    return told.length === wanted.length && timingSafeEqual(told, wanted);
  },
};
