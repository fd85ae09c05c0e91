// Connecting a shop: only a shop of Shopify’s can be a host, the way back must bear Shopify’s own signature, and
// tokens are kept alive, or have no end.
import { createHmac } from 'node:crypto';
import { describe, expect, onTestFinished, test } from 'vitest';
import { consent } from '../../../sandbox/person.ts';
import { startProviderHosts } from '../../../sandbox/providers.ts';
import {
  createShopify,
  customToken,
  type ShopifyOptions,
  shopDomain,
  shopifyApp,
} from '../../../sandbox/shopify/index.ts';
import type { Clock } from '../../../src/clock.ts';
import { newBrowserToken } from '../../../src/connections/connect/state.ts';
import { provider } from '../../../src/providers/shopify/index.ts';
import { Secret } from '../../../src/secret.ts';
import { entryOf } from '../../connections/agency.ts';
import { newPerson } from '../../connections/guild.ts';
import { openOffice } from '../../connections/office.ts';

async function openShop(given: Partial<ShopifyOptions> = {}) {
  let clock: Clock | undefined;
  const late: Clock = {
    now: () => (clock as Clock).now(),
    elapsed: () => (clock as Clock | undefined)?.elapsed() ?? 0,
    sleep: async () => undefined,
  };
  const shopify = createShopify({ ...given, clock: late });
  const hosts = await startProviderHosts([shopify]);
  onTestFinished(() => hosts.close());
  const clientSecret = new Secret(shopifyApp.clientSecret);
  const app = { clientId: shopifyApp.clientId, clientSecret, webhookSecret: undefined };
  const office = await openOffice([{ ...entryOf(provider), app: 'shopify' }], {
    sandboxUrl: hosts.url,
    options: { apps: new Map([['shopify', app]]) },
  });
  clock = office.clock;
  const person = await newPerson(office.store, office.org, 'Maria');
  const start = async (shop = shopDomain) => {
    const browser = newBrowserToken();
    const { url } = await office.connections.authorize(office.org, person, {
      provider: 'shopify',
      fields: { shop },
      access: 'write',
      via: 'api',
      redirectUri: 'http://localhost:7331/api/v1/integrations/shopify/callback',
      browser,
    });
    return { url, browser };
  };
  const back = (callback: URL, browser: Secret) =>
    office.connections.authorized(office.org, person, { provider: 'shopify', callback, browser });
  return {
    ...office,
    shopify,
    hosts,
    start,
    back,
    async connect() {
      const { url, browser } = await start();
      return back(await consent(url, hosts.url), browser);
    },
  };
}

describe('the shop', () => {
  test.each([
    'evil.example',
    'shop.myshopify.com.evil.example',
    'evil.example/.myshopify.com',
    'user@shop.myshopify.com',
    'shop.myshopify.com:8443',
    'a.b.myshopify.com',
    '-shop.myshopify.com',
    'shop.myshopify.com/admin',
    'https://shop.myshopify.com',
    '127.0.0.1:9999',
    'localhost',
    'myshopify.com',
  ])('attack: %s is no shop, and nobody is sent there', async (shop) => {
    const { start, hosts } = await openShop();
    await expect(start(shop)).rejects.toMatchObject({ code: 'invalid_request', field: 'shop' });
    expect(hosts.calls()).toEqual([]);
  });

  test('typed with capitals is the same one; the person is sent to its own page, with commas between scopes', async () => {
    const { start } = await openShop();
    const { url } = await start(' Tidewell-Homes.MyShopify.com ');
    const asked = new URL(url);
    expect([asked.host, asked.pathname]).toEqual([shopDomain, '/admin/oauth/authorize']);
    expect(asked.searchParams.get('scope')).toBe(
      'read_orders,read_customers,read_products,read_draft_orders,write_draft_orders',
    );
    expect([...asked.searchParams.keys()].sort()).toEqual(['client_id', 'redirect_uri', 'scope', 'state']);
  });
});

describe('the way back', () => {
  test('with Shopify’s signature ends in an account, whose calls carry the token where Shopify wants it', async () => {
    const { connect, hosts } = await openShop();
    const connection = await connect();
    expect(connection).toMatchObject({ state: 'ACTIVE', account: 'gid://shopify/Shop/61234567' });
    const api = hosts.calls().filter(({ path }) => path.startsWith('/admin/api/'));
    expect(api.length).toBeGreaterThan(0);
    for (const { headers } of api) {
      expect(headers['x-shopify-access-token']).toMatch(/^sandbox-access-/);
      expect(headers).not.toHaveProperty('authorization');
    }
  });

  const signed = (url: URL, secret: string) => {
    const other = new URL(url);
    other.searchParams.delete('hmac');
    const told = new URLSearchParams(other.search);
    told.sort();
    other.searchParams.set('hmac', createHmac('sha256', secret).update(told.toString()).digest('hex'));
    return other;
  };
  const set = (url: URL, name: string, value: string) => {
    const other = new URL(url);
    other.searchParams.set(name, value);
    return other;
  };
  const right = shopifyApp.clientSecret;

  test.each<[string, (back: URL) => URL]>([
    ['without a signature', (back) => set(back, 'hmac', '')],
    ['signed by somebody else', (back) => signed(back, 'another-secret')],
    ['with another code than was signed', (back) => set(back, 'code', 'sandbox-code-of-another')],
    ['of another shop, well signed', (back) => signed(set(back, 'shop', 'other.myshopify.com'), right)],
    ['of an hour ago, well signed', (back) => signed(set(back, 'timestamp', '1767610800'), right)],
    ['with a time that is none', (back) => signed(set(back, 'timestamp', 'now'), right)],
    ['without a time', (back) => signed(set(back, 'timestamp', ''), right)],
  ])('attack: %s connects nothing, and the code is shown to nobody', async (_what, change) => {
    const { start, back, hosts, connections, org } = await openShop();
    const { url, browser } = await start();
    const callback = change(await consent(url, hosts.url));
    await expect(back(callback, browser)).rejects.toMatchObject({ code: 'permission_denied' });
    expect(hosts.calls().filter(({ path }) => path === '/admin/oauth/access_token')).toEqual([]);
    expect((await connections.list(org)).filter(({ state }) => state === 'ACTIVE')).toEqual([]);
  });
});

describe('tokens', () => {
  test('that end after an hour are asked for, and renewed with the newest refresh token', async () => {
    const { connect, connections, org, hosts, clock, shopify } = await openShop();
    const { id } = await connect();
    const [exchange] = hosts.calls().filter(({ path }) => path === '/admin/oauth/access_token');
    expect(new URLSearchParams(exchange?.body).get('expiring')).toBe('1');
    for (let hours = 1; hours < 4; hours += 1) {
      clock.advance(3_600_000);
      await connections.check(org, id);
    }
    expect(shopify.auth.tokenCalls().map(({ grant, ok }) => [grant, ok])).toEqual([
      ['authorization_code', true],
      ['refresh_token', true],
      ['refresh_token', true],
      ['refresh_token', true],
    ]);
  });

  test('whose answer got lost are asked for again with the one before, which holds until the new pair is used', async () => {
    const { connect, connections, org, hosts, clock, shopify } = await openShop();
    const { id } = await connect();
    clock.advance(3_600_000);
    hosts.faults.failNext({ kind: 'drop', after: 'effect' }, '/admin/oauth/access_token', 1);
    await connections.check(org, id).catch(() => undefined);
    clock.advance(60_000);
    await connections.check(org, id);
    expect((await connections.get(org, id)).state).toBe('ACTIVE');
    const renewals = shopify.auth.tokenCalls().filter(({ grant }) => grant === 'refresh_token');
    expect(renewals.map(({ ok }) => ok)).toEqual([true, true]);
  });

  test('without an end, as an app for one shop may have them, are used as they are and never renewed', async () => {
    const { connect, connections, org, clock, shopify } = await openShop({ endless: true });
    const { id } = await connect();
    clock.advance(300 * 86_400_000);
    await connections.check(org, id);
    expect(shopify.auth.tokenCalls()).toHaveLength(1);
    expect((await connections.get(org, id)).state).toBe('ACTIVE');
  });

  test('of a custom app are pasted, need no sign-in, stand where Shopify wants them, and a wrong one connects nothing', async () => {
    const { connections, org, hosts } = await openShop();
    const given = { fields: { shop: shopDomain }, secrets: { token: customToken } };
    const wrong = { ...given, secrets: { token: 'shpat_of-another' } };
    await expect(connections.connect(org, 'shopify', wrong)).rejects.toMatchObject({ retry: 'reconnect' });
    expect(await connections.list(org)).toEqual([]);
    const { id } = await connections.connect(org, 'shopify', given);
    await connections.check(org, id);
    expect(await connections.get(org, id)).toMatchObject({
      state: 'ACTIVE',
      account: 'gid://shopify/Shop/61234567',
    });
    const last = hosts.calls().at(-1);
    expect(last?.headers['x-shopify-access-token']).toBe(customToken);
    expect(last?.headers).not.toHaveProperty('authorization');
    expect(hosts.calls().filter(({ path }) => path.startsWith('/admin/oauth/'))).toEqual([]);
  });

  test('whose scopes to read are not named beside those to write let both read and write', async () => {
    const { connect, connections, org } = await openShop();
    const connection = await connect();
    const names = (await connections.feeds(org, connection)).map(({ name }) => name);
    expect(names).toEqual(['orders', 'customers', 'products', 'draft-orders']);
  });
});
