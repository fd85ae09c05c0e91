// Whether a delivery is HubSpot's: signature version 3, an HMAC over method, address, body and time.
// https://developers.hubspot.com/docs/apps/legacy-apps/authentication/validating-requests
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Secret } from '../../secret.ts';
import type { Delivery, Webhook } from '../define.ts';

/** HubSpot says to refuse what is older; what comes from the future is refused by the same bound. */
const oldestMs = 5 * 60_000;

export const webhook: Webhook = { signedWith: 'client-secret', verify };

function verify({ method, url, headers, body }: Delivery, secret: Secret, now: number): boolean {
  const time = headers.get('x-hubspot-request-timestamp') ?? '';
  const given = headers.get('x-hubspot-signature-v3') ?? '';
  if (!/^\d{1,16}$/.test(time) || Math.abs(now - Number(time)) > oldestMs) return false;
  if (!/^[A-Za-z0-9+/]{43}=$/.test(given)) return false;
  const told = Buffer.from(given, 'base64');
  const signed = (address: string) =>
    createHmac('sha256', secret.reveal()).update(`${method}${address}`).update(body).update(time).digest();
  // Its documentation says to write these characters out, its own client does not: both are tried.
  const believed = [signed(decoded(url)), signed(url)].map((right) => timingSafeEqual(told, right));
  return believed.includes(true);
}

/** What stands written out in the address that is signed. */
const written: Record<string, string> = {
  '%3A': ':',
  '%2F': '/',
  '%3F': '?',
  '%40': '@',
  '%21': '!',
  '%24': '$',
  '%27': "'",
  '%28': '(',
  '%29': ')',
  '%2A': '*',
  '%2C': ',',
  '%3B': ';',
};

function decoded(url: string): string {
  return url.replace(/%[0-9A-F]{2}/gi, (code) => written[code.toUpperCase()] ?? code);
}
