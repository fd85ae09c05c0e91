// A shop's Admin API on loopback: its sign-in with expiring offline tokens, GraphQL paid for in points, events,
// bulk operations with their files, draft orders, limits and refusals in Shopify's own bodies.
import { createHmac } from 'node:crypto';
import type { Clock } from '../../src/clock.ts';
import type { AuthorizationServer } from '../authorization.ts';
import { createAuthorizationServer } from '../authorization-server.ts';
import type { Answer } from '../http.ts';
import type { Call, Emulator } from '../providers.ts';
import { type Bulk, createBulk, storageHost } from './bulk.ts';
import { createDrafts, type Mail } from './drafts.ts';
import { costOf, type Document, type Node, parse, SyntaxFault, taken, type Variables } from './graphql.ts';
import { fits } from './search.ts';
import { BadCursor, byKey, connection, type Key, numberIn, Shop, type Type } from './state.ts';

export interface ShopifyEmulator extends Emulator {
  shop: Shop;
  auth: AuthorizationServer;
  bulk: Bulk;
  /** Invoices that were sent, in order. */
  mails(): Mail[];
  /** Points that are left. */
  points(left?: number): number;
}

export interface ShopifyOptions {
  clock: Clock;
  /** Points a second; 100 on the standard plan. */
  restoreRate?: number;
  maximum?: number;
  /** An app whose token has no end, as one made for a single shop may have. */
  endless?: boolean;
  /** Fields that this app may not see, by their name. */
  withheld?: readonly string[];
}

export const shopifyApp = { clientId: 'shopify-app', clientSecret: 'shopify-app-secret-of-the-sandbox' };
/** Of an app made in the shop’s own admin: it has no end. */
export const customToken = 'shpat_sandbox-only';
export const shopDomain = 'tidewell-homes.myshopify.com';
const version = '2026-10';
const mostPoints = 1_000;
const lists: Readonly<Record<string, Type>> = {
  orders: 'Order',
  customers: 'Customer',
  products: 'Product',
  draftOrders: 'DraftOrder',
};
const singles: Readonly<Record<string, Type>> = {
  order: 'Order',
  customer: 'Customer',
  product: 'Product',
  draftOrder: 'DraftOrder',
};

export function createShopify(options: ShopifyOptions): ShopifyEmulator {
  const { clock, restoreRate = 100, maximum = 2_000 } = options;
  const shop = new Shop(clock);
  const nodesOf = (type: Type) => shop.all(type).map((record) => shop.node(record));
  const bulk = createBulk(clock, (field) => {
    const type = lists[field];
    return type === undefined ? undefined : nodesOf(type);
  });
  const drafts = createDrafts(shop, clock);
  const auth = createAuthorizationServer(
    {
      authorizePath: '/admin/oauth/authorize',
      tokenPath: '/admin/oauth/access_token',
      app: shopifyApp,
      pkce: 'optional',
      clientAuthentication: 'body',
      accessLivesS: options.endless === true ? 1e9 : 3_600,
      rotation: 'always',
      keepsUntilUsed: true,
      callbackExtras: { shop: shopDomain },
      answerExtras: { refresh_token_expires_in: 7_776_000 },
    },
    clock,
  );
  let points = maximum;
  let pointsAt = clock.elapsed();

  function restored(): number {
    const now = clock.elapsed();
    points = Math.min(maximum, points + ((now - pointsAt) / 1_000) * restoreRate);
    pointsAt = now;
    return points;
  }

  function list(type: Type, args: Node): Node {
    const key = (node: Node): Key => {
      const sorted = args['sortKey'] === 'UPDATED_AT' ? String(node['updatedAt']) : 0;
      return [sorted, numberIn(node['id'])];
    };
    return ordered(nodesOf(type), args, key);
  }

  function root(): Node {
    return {
      ...Object.fromEntries(
        Object.entries(lists).map(([name, type]) => [name, (args: Node) => list(type, args)]),
      ),
      ...Object.fromEntries(
        Object.entries(singles).map(([name, type]) => [
          name,
          ({ id }: Node) => {
            const found = shop.get(String(id));
            return found?.type === type ? shop.node(found) : null;
          },
        ]),
      ),
      nodes: ({ ids }: Node) =>
        (ids as string[]).map((id) => {
          const variant = shop.variant(id);
          if (variant !== undefined) return shop.variantNode(variant.product, variant.line);
          const found = shop.get(id);
          return found === undefined ? null : shop.node(found);
        }),
      shop: {
        id: 'gid://shopify/Shop/61234567',
        name: 'Tidewell Homes Shop',
        email: 'office@tidewell.example',
        currencyCode: 'USD',
        ianaTimezone: 'America/Los_Angeles',
        myshopifyDomain: shopDomain,
        url: `https://${shopDomain}`,
        plan: { publicDisplayName: 'Basic' },
      },
      events: (args: Node) =>
        ordered(
          shop.destroyed.map((one) => shop.event(one)),
          args,
          ({ createdAt, id }) => [String(createdAt), numberIn(id)],
        ),
      bulkOperation: ({ id }: Node) => bulk.node(String(id)) ?? null,
      bulkOperations: (args: Node) =>
        ordered(bulk.nodes(), args, ({ createdAt, id }) => [String(createdAt), numberIn(id)]),
      bulkOperationRunQuery({ query }: Node) {
        const done = bulk.run(String(query));
        return 'operation' in done
          ? { bulkOperation: done.operation, userErrors: [] }
          : { bulkOperation: null, userErrors: [{ field: null, ...done }] };
      },
      ...drafts.mutations,
    };
  }

  function answered(document: Document, variables: Variables, cost: number): Answer {
    const before = restored();
    const status = () => ({
      maximumAvailable: maximum,
      currentlyAvailable: Math.floor(points),
      restoreRate,
    });
    const asked = { requestedQueryCost: cost };
    if (cost > mostPoints) {
      const message = `Query cost is ${cost}, which exceeds the single query max cost limit (${mostPoints}).`;
      return json(200, { errors: [{ message, extensions: { code: 'MAX_COST_EXCEEDED', cost } }] });
    }
    if (cost > before) {
      const throttled = { ...asked, actualQueryCost: null, throttleStatus: status() };
      return json(200, {
        errors: [{ message: 'Throttled', extensions: { code: 'THROTTLED' } }],
        extensions: { cost: throttled },
      });
    }
    const data = taken(document.selections, root(), variables);
    // What was counted too much is given back.
    const actual = Math.max(
      1,
      Math.min(cost, (document.operation === 'mutation' ? 10 : 0) + objectsIn(data)),
    );
    points -= actual;
    return json(200, {
      data,
      extensions: { cost: { ...asked, actualQueryCost: actual, throttleStatus: status() } },
    });
  }

  function api(call: Call): Answer {
    if (call.path !== `/admin/api/${version}/graphql.json` || call.method !== 'POST') {
      return json(404, { errors: 'Not Found' });
    }
    const token = call.headers['x-shopify-access-token'] ?? '';
    const granted = token === customToken ? [...ofCustom] : auth.scopesOf(`Bearer ${token}`);
    if (granted === undefined) {
      const errors = '[API] Invalid API key or access token (unrecognized login or wrong password)';
      return json(401, { errors });
    }
    try {
      const { query, variables = {} } = JSON.parse(call.body) as { query: string; variables?: Variables };
      const document = parse(query);
      for (const [name, needed] of document.variables) {
        if (needed && (variables[name] === undefined || variables[name] === null)) {
          return fault(`Variable $${name} of type was provided invalid value`, 'INVALID_VARIABLE');
        }
      }
      const denied = deniedBy(document, granted, options.withheld ?? []);
      if (denied !== undefined) return fault(denied, 'ACCESS_DENIED');
      const cost = (document.operation === 'mutation' ? 10 : 0) + costOf(document.selections, variables);
      return answered(document, variables, Math.max(1, cost));
    } catch (thrown) {
      if (thrown instanceof BadCursor) return fault(thrown.message, 'BAD_USER_INPUT');
      if (thrown instanceof SyntaxFault) return fault(thrown.message, 'PARSE_ERROR');
      throw thrown;
    }
  }

  function signIn(call: Call): Answer | undefined {
    // No response type is asked for here: there is only one.
    const query = new URLSearchParams(call.query);
    query.set('response_type', 'code');
    const answer = auth.handle({ ...call, query });
    const location = answer?.headers?.['location'];
    if (location !== undefined) {
      const back = new URL(location);
      back.searchParams.set('timestamp', String(Math.floor(clock.now() / 1_000)));
      const told = new URLSearchParams(back.search);
      told.sort();
      const hmac = createHmac('sha256', shopifyApp.clientSecret).update(told.toString()).digest('hex');
      back.searchParams.set('hmac', hmac);
      return { ...answer, status: 302, headers: { location: back.href } };
    }
    if (answer?.body === undefined || call.path !== '/admin/oauth/access_token' || answer.status !== 200) {
      return answer;
    }
    const { token_type: _type, scope, ...body } = JSON.parse(answer.body) as Record<string, unknown>;
    const scopes = String(scope).split(' ');
    // Who may write may read, and that is not said.
    const said = scopes.filter(
      (one) => !scopes.includes(one.replace(/^read_/, 'write_')) || /^write_/.test(one),
    );
    const { expires_in: _lives, refresh_token: _refresh, refresh_token_expires_in: _end, ...endless } = body;
    const expires =
      options.endless !== true && /(^|&)expiring=1(&|$)|grant_type=refresh_token/.test(call.body);
    return json(200, { ...(expires ? body : endless), scope: said.join(',') });
  }

  return {
    provider: 'shopify',
    hosts: [shopDomain, storageHost],
    shop,
    auth,
    bulk,
    mails: drafts.mails,
    points(left) {
      restored();
      if (left !== undefined) points = left;
      return points;
    },
    handle(call) {
      if (call.host === storageHost) return bulk.file(call);
      return signIn(call) ?? api(call);
    },
  };
}

function ordered(nodes: readonly Node[], args: Node, key: (node: Node) => Key): Node {
  const found = nodes.filter((node) => fits(args['query'], node));
  found.sort((one, other) => byKey(key(one), key(other)));
  if (args['reverse'] === true) found.reverse();
  return connection(found, args, key);
}

const ofCustom = ['read_orders', 'read_customers', 'read_products', 'write_draft_orders'];

const scopeOf: Readonly<Record<string, string>> = {
  orders: 'orders',
  order: 'orders',
  customers: 'customers',
  customer: 'customers',
  products: 'products',
  product: 'products',
  draftOrders: 'draft_orders',
  draftOrder: 'draft_orders',
};

function deniedBy(
  { operation, selections }: Document,
  granted: readonly string[],
  withheld: readonly string[],
): string | undefined {
  for (const one of selections) {
    if (one.kind !== 'field') continue;
    const what =
      operation === 'mutation' && one.name.startsWith('draftOrder') ? 'draft_orders' : scopeOf[one.name];
    const needed = operation === 'mutation' ? [`write_${what}`] : [`read_${what}`, `write_${what}`];
    const misses = what !== undefined && !needed.some((scope) => granted.includes(scope));
    if (misses || withheld.includes(one.name)) {
      return `Access denied for ${one.name} field. Required access: \`${needed[0]}\` access scope.`;
    }
  }
  return undefined;
}

function objectsIn(data: unknown): number {
  if (typeof data !== 'object' || data === null) return 0;
  const own = Array.isArray(data) ? 0 : 1;
  return Object.values(data).reduce((sum: number, one) => sum + objectsIn(one), own);
}

const fault = (message: string, code: string) => json(200, { errors: [{ message, extensions: { code } }] });

function json(status: number, body: unknown): Answer {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8' },
    body: JSON.stringify(body),
  };
}
