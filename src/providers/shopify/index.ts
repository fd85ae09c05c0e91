// A Shopify shop by its Admin API: orders, customers and products read and kept in memory, draft orders made.
import { z } from 'zod';
import { visibleLine } from '../../untrusted.ts';
import { defineProvider } from '../define.ts';
import { auth, shopField, webhook } from './auth.ts';
import { deleteDraftOrder, sendInvoice, updateDraftOrder } from './change-drafts.ts';
import { createDraftOrder } from './create-draft.ts';
import { feedOf } from './feed.ts';
import { http } from './http.ts';
import { readShop, reads } from './reads.ts';

export const provider = defineProvider({
  id: 'shopify',
  title: 'Shopify',
  fields: z.strictObject({ shop: shopField }),
  secrets: [
    {
      name: 'token',
      title: 'Access token of a custom app',
      hint: 'Only for an app that was made in the shop’s admin (Settings, Apps, Develop apps): it begins with shpat_, has no end, and takes the place of signing in.',
      optional: true,
    },
  ],
  example: { shop: 'your-shop.myshopify.com' },
  auth,
  http,
  async identity(context) {
    const { id, name, myshopifyDomain } = await readShop(context);
    return { id, label: `${visibleLine(name, 100)} (${visibleLine(myshopifyDomain, 100)})` };
  },
  operations: {
    ...reads,
    'create-draft-order': createDraftOrder,
    'update-draft-order': updateDraftOrder,
    'send-draft-order-invoice': sendInvoice,
    'delete-draft-order': deleteDraftOrder,
  },
  capabilities: {},
  feeds: {
    orders: feedOf('orders'),
    customers: feedOf('customers'),
    products: feedOf('products'),
    'draft-orders': feedOf('draft-orders'),
  },
  webhook,
  limit: { perSecond: 10, burst: 20, concurrent: 4 },
  notes: [
    'Of orders an app sees the last 60 days, unless Shopify has given it read_all_orders, which is not asked for. What is older stays in memory as it was.',
    'Names, addresses and telephone numbers are protected customer data: without Shopify’s leave for the app, customers, orders and draft orders cannot be read.',
    'The shop’s address in the consent can be one of myshopify.com alone; the way back is believed with Shopify’s signature, for that shop, within 5 minutes.',
    'Tokens are asked for with an end: an hour, with a refresh token of 90 days that is replaced at each use (its lifetime is read from the answer). An app for one shop whose token has no end is used as it is; that of an app made in the shop’s admin is pasted in place of signing in. That a refresh bears the parameter for an end, too, is known, not verified.',
    'Shopify documents no way to revoke a token: who disconnects uninstalls the app in the shop (Settings, Apps) as well.',
    'A query is paid for in points, of which the standard plan gives 100 a second; each answer tells what is left, and the next query of a run waits exactly that long. More than 20 s are told, not waited for. 10 calls a second are our own modesty.',
    'The first sync is a bulk operation: Shopify writes a file, a run waits up to 45 s for it, then comes back. It is looked for before another one is begun. Its file is fetched from storage.googleapis.com alone, in parts, without the token; that Shopify’s files lie there is known, not verified. From elsewhere nothing is fetched: the records then come page by page, as they do where an operation fails.',
    'Later syncs ask for what was changed since, beginning 5 minutes before the last one: how late search tells of a change is not documented.',
    'Deletions are told by the shop’s events, kept for a year; that customers, orders and draft orders have such events as products do is known, not verified: once a week the ids of all customers, products and draft orders are read as well. Orders are not, as age would look like deletion: of them a whole new run asks for all events that are kept.',
    'Of an order 20 lines are read and kept, of a product 20 variants; a record says when it has more.',
    'Draft orders have no key against repeats at Shopify (@idempotent is for refunds and stock): each new one bears a tag drawbridge-…, by which it is found. Search may be late: where none is found, a person decides.',
    'Whether an invoice was sent by us or by somebody else Shopify does not say: an unclear sending goes to a person.',
    'A draft order is not completed here: that would mark it as paid.',
    'Amounts are in the currency of the shop; another one is refused.',
    'The addresses of records in the shop’s admin are known, not verified.',
  ],
  verified:
    'Emulator in sandbox/. Every GraphQL document, also those of bulk operations, and every answer held against the schema of the Admin API 2026-10; what search filters, costs and files do is documented or known.',
});
