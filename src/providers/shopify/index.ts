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
  secrets: [],
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
  notes: [],
  verified: '',
});
