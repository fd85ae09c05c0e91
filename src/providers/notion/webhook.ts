// Whether a delivery is Notion's: an HMAC over its body, keyed by the verification token that Notion showed when the
// webhook was made. It bears no time: a repeat is told by the id of its event.
// https://developers.notion.com/reference/webhooks
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Secret } from '../../secret.ts';
import type { Delivery, Webhook } from '../define.ts';

export const webhook: Webhook = { signedWith: 'webhook-secret', verify };

function verify({ headers, body }: Delivery, secret: Secret): boolean {
  const told = /^sha256=([0-9a-f]{64})$/.exec(headers.get('x-notion-signature') ?? '')?.[1];
  if (told === undefined) return false;
  const right = createHmac('sha256', secret.reveal()).update(body).digest();
  return timingSafeEqual(Buffer.from(told, 'hex'), right);
}
