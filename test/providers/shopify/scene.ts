// A shop of the sandbox behind the real door: what the provider's code asks is seen as Shopify would have got it.
import type { ProviderHosts } from '../../../sandbox/providers.ts';
import {
  createShopify,
  type ShopifyEmulator,
  type ShopifyOptions,
  shopDomain,
  shopifyApp,
} from '../../../sandbox/shopify/index.ts';
import { fillShop } from '../../../sandbox/shopify/story.ts';
import { loadWorld } from '../../../sandbox/world.ts';
import { DrawbridgeError } from '../../../src/errors.ts';
import type {
  Feed,
  FeedPage,
  ReadOperation,
  WriteContext,
  WriteOperation,
} from '../../../src/providers/define.ts';
import { provider } from '../../../src/providers/shopify/index.ts';
import { Secret } from '../../../src/secret.ts';
import { type ManualClock, manualClock } from '../../egress/manual-clock.ts';
import { openStage } from '../stage.ts';

export interface Scene {
  shopify: ShopifyEmulator;
  hosts: ProviderHosts;
  clock: ManualClock;
  context: WriteContext;
  /** Sleeps so far, ms: each passes at once. */
  slept: number[];
  /** GraphQL requests since the last call of this. */
  asked(): { query: string; variables: Record<string, unknown> }[];
  read(name: string, input?: unknown): Promise<unknown>;
  /** A new context, as another run has it. */
  again(): WriteContext;
}

const scopes = ['read_orders', 'read_customers', 'read_products', 'write_draft_orders'];

/** A bearer of this shop, as a person's consent gives it. */
export function bearerOf({ auth }: ShopifyEmulator, granted: readonly string[] = scopes): string {
  const redirect = 'http://localhost:7331/callback';
  const call = (path: string, query: Record<string, string>, body: URLSearchParams) =>
    auth.handle({
      host: shopDomain,
      method: 'POST',
      path: `/admin/oauth/${path}`,
      query: new URLSearchParams(query),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: body.toString(),
    });
  const consented = new URLSearchParams({ decision: 'allow' });
  for (const scope of granted) consented.append('scope', scope);
  const asked = { client_id: shopifyApp.clientId, redirect_uri: redirect, response_type: 'code' };
  const back = call('authorize', { ...asked, scope: granted.join(','), state: 's' }, consented);
  const code = new URL(back?.headers?.['location'] ?? '').searchParams.get('code') ?? '';
  const { clientId, clientSecret } = shopifyApp;
  const form = { grant_type: 'authorization_code', code, client_id: clientId, client_secret: clientSecret };
  const token = call('access_token', {}, new URLSearchParams(form));
  return (JSON.parse(token?.body ?? '{}') as { access_token: string }).access_token;
}

export async function openScene(
  given: Partial<ShopifyOptions> & { empty?: boolean; scopes?: readonly string[] } = {},
): Promise<Scene> {
  const clock = manualClock();
  const slept: number[] = [];
  const passing = {
    ...clock,
    async sleep(ms: number, options?: { signal?: AbortSignal | undefined }) {
      options?.signal?.throwIfAborted();
      slept.push(ms);
      clock.advance(ms);
    },
  };
  const shopify = createShopify({ endless: true, ...given, clock });
  if (given.empty !== true) fillShop(shopify.shop, loadWorld(clock.now()));
  const stage = await openStage([shopify], clock);
  const { hosts } = stage;
  const token = new Secret(bearerOf(shopify, given.scopes));
  const again = (): WriteContext => ({
    ...stage.context({
      clock: passing,
      provider,
      fields: { shop: shopDomain },
      bearer: { fresh: async () => token },
    }),
    effectKey: 'eff_01test',
    attachment: () => Promise.reject(new DrawbridgeError('not_found', 'no attachment here')),
    aboutToSend: async () => undefined,
  });
  const context = again();
  return {
    shopify,
    hosts,
    clock,
    context,
    slept,
    again,
    asked() {
      return stage.calls().flatMap(({ host, body }) => (host === shopDomain ? [JSON.parse(body)] : []));
    },
    read(name, input = {}) {
      const operation = provider.operations[name as keyof typeof provider.operations] as ReadOperation;
      return operation.run(context, operation.input.parse(input));
    },
  };
}

export function writeOf(name: string): WriteOperation {
  return provider.operations[name as keyof typeof provider.operations] as WriteOperation;
}

/** A feed's run, as it is stored: a page's cursor only once the page is. */
export async function run(
  context: WriteContext,
  name: keyof typeof provider.feeds,
  cursor?: unknown,
  most = 1_000,
) {
  const found = { records: new Map<string, FeedPage['records'][number]>(), deleted: new Set<string>() };
  const pages: FeedPage[] = [];
  const feed: Feed | undefined = provider.feeds[name];
  if (feed === undefined) throw new Error(`no feed ${name}`);
  let at = cursor;
  let error: unknown;
  try {
    for await (const page of feed.pages(context, cursor)) {
      for (const record of page.records) found.records.set(record.externalId, record);
      for (const id of page.deleted) found.deleted.add(id);
      pages.push(page);
      at = JSON.parse(JSON.stringify(page.cursor));
      if (pages.length === most) break;
    }
  } catch (thrown) {
    error = thrown;
  }
  return { ...found, pages, cursor: at, error };
}
