// The consent of a shop, which has its pages under its own name, and whether the way back from them is Shopify's.
// https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens/authorization-code-grant
import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import type { OAuth2 } from '../auth.ts';
import type { Webhook } from '../define.ts';

/** The way back is taken within so much of its time, on either side. */
const backMs = 5 * 60_000;

/** Nothing else can be a host: the app's secret goes there. */
export const shopField = z
  .string()
  .trim()
  .toLowerCase()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}\.myshopify\.com$/, 'write it as your-shop.myshopify.com')
  .describe('The shop’s own address at Shopify, as your-shop.myshopify.com (Settings, Domains)');

function same(told: string, right: string): boolean {
  const [one, other] = [Buffer.from(told), Buffer.from(right)];
  return one.length === other.length && timingSafeEqual(one, other);
}

export const auth = {
  kind: 'oauth2',
  app: 'shopify',
  authorizeUrl: 'https://{shop}/admin/oauth/authorize',
  tokenUrl: 'https://{shop}/admin/oauth/access_token',
  // Its documentation names no way to revoke but to uninstall the app.
  pkce: 'not-supported',
  clientAuthentication: 'body',
  scopeSeparator: ',',
  // Each read, feed and write asks for its own.
  scopes: [],
  implied: (granted) => granted.replace(/^write_/, 'read_'),
  rename: { response_type: null },
  bearerHeader: 'x-shopify-access-token',
  pasted: 'token',
  // An hour and a refresh token, where the app may have them; an app that gets one without end has no refresh token.
  tokenParameters: { expiring: '1' },
  accessToken: { readFrom: 'answer' },
  refreshToken: { rotation: 'always', lifetime: { readFrom: 'answer' } },
  checkCallback(callback, { app, fields, now }) {
    const told = new URLSearchParams(callback.searchParams);
    const signature = told.get('hmac') ?? '';
    told.delete('hmac');
    told.sort();
    const secret = app.clientSecret?.reveal() ?? '';
    const right = createHmac('sha256', secret).update(told.toString()).digest('hex');
    const at = Number(told.get('timestamp')) * 1_000;
    if (!same(signature, right) || !(Math.abs(now - at) <= backMs) || told.get('shop') !== fields['shop']) {
      const words = 'The way back is not signed by Shopify for this shop and this moment. Begin again.';
      throw new DrawbridgeError('permission_denied', words);
    }
  },
  registration: [
    'Sign in at https://dev.shopify.com (Dev Dashboard) as someone of the organisation that owns the shop, and create an app.',
    'In a version of the app: no embedding; scopes read_orders, read_customers, read_products, read_draft_orders, and write_draft_orders where draft orders are to be made; redirect URL {redirectUrl}, exactly so. Release the version.',
    'API access: request access to protected customer data (name, e-mail address, telephone number, address). Without it customers and orders cannot be read.',
    'Settings: copy Client ID and Client secret. Choose custom distribution for one shop, and install it there by connecting.',
  ],
} as const satisfies OAuth2;

/** https://shopify.dev/docs/apps/build/webhooks/verify-deliveries; the header with the time is not signed. */
export const webhook: Webhook = {
  signedWith: 'client-secret',
  verify({ headers, body }, secret) {
    const right = createHmac('sha256', secret.reveal()).update(body).digest('base64');
    return same(headers.get('x-shopify-hmac-sha256') ?? '', right);
  },
};
