// How the four kinds of records that a shop has are shown: amounts as numbers, in the currency of the shop.
import { z } from 'zod';
import type { ProviderContext } from '../define.ts';
import { mostLines } from './documents.ts';
import type { place, RawCustomer, RawDraft, RawOrder, RawProduct } from './raw.ts';

const optional = z.string().optional();
const shownLine = z.object({ title: z.string(), sku: optional, quantity: z.number() });
const shownSale = {
  id: z.string(),
  number: z.string(),
  status: z.string(),
  createdAt: z.string(),
  customer: optional,
  customerId: optional,
  email: optional,
  total: z.number(),
  currency: z.string(),
  lines: z.array(shownLine),
  moreLines: z.boolean().optional().describe('It has more lines than are shown'),
  address: optional,
  note: optional,
  tags: z.array(z.string()),
  url: z.string(),
};
export const shown = {
  order: z.object({ ...shownSale, fulfilment: optional, outstanding: z.number(), cancelledAt: optional }),
  customer: z.object({
    id: z.string(),
    name: z.string(),
    email: optional,
    phone: optional,
    company: optional,
    address: optional,
    locale: optional,
    orders: z.number(),
    spent: z.number(),
    currency: z.string(),
    note: optional,
    tags: z.array(z.string()),
    updatedAt: z.string(),
    url: z.string(),
  }),
  product: z.object({
    id: z.string(),
    title: z.string(),
    description: z.string(),
    status: z.string(),
    vendor: optional,
    type: optional,
    from: z.number(),
    to: z.number(),
    currency: z.string(),
    inventory: z.number(),
    variants: z.array(
      z.object({
        id: z.string(),
        title: z.string(),
        sku: optional,
        price: z.number(),
        inventory: z.number().optional(),
      }),
    ),
    moreVariants: z.boolean().optional(),
    tags: z.array(z.string()),
    updatedAt: z.string(),
    url: z.string(),
    shopUrl: optional,
  }),
  draft: z.object({
    ...shownSale,
    purchaseOrder: optional,
    invoiceSentAt: optional,
    updatedAt: z.string(),
    order: optional.describe('Number of the order that it became'),
  }),
};

export type Shown = { [Name in keyof typeof shown]: z.infer<(typeof shown)[Name]> };

/** `gid://shopify/Order/123` → `123` */
export const numberOf = (id: string) => id.split('/').at(-1)?.split('?')[0] ?? '';
const value = (text: string) => Number(text);
const filled = (text: string | null | undefined) => (text === null || text === '' ? undefined : text);
const addressOf = (one: z.infer<typeof place>) => filled(one?.formatted.join(', '));
/** In the admin of the shop; known, not verified. */
export const pageOf = ({ fields }: Pick<ProviderContext, 'fields'>, path: string, id: string) =>
  `https://${fields['shop']}/admin/${path}/${numberOf(id)}`;

function linesOf({ nodes, pageInfo }: RawOrder['lineItems']) {
  const lines = nodes.slice(0, mostLines).map(({ title, variantTitle, sku, quantity }) => {
    const kind = filled(variantTitle);
    const name = kind === undefined || kind === 'Default Title' ? title : `${title}, ${kind}`;
    return { title: name, sku: filled(sku), quantity };
  });
  return { lines, ...(nodes.length > mostLines || pageInfo.hasNextPage ? { moreLines: true } : {}) };
}

function saleOf(raw: RawOrder | RawDraft) {
  return {
    id: raw.id,
    number: raw.name,
    createdAt: raw.createdAt,
    customer: raw.customer?.displayName,
    customerId: raw.customer?.id,
    email: filled(raw.email) ?? raw.customer?.defaultEmailAddress?.emailAddress,
    ...linesOf(raw.lineItems),
    address: addressOf(raw.shippingAddress),
    tags: raw.tags,
  };
}

export const show = {
  order: (context: ProviderContext, raw: RawOrder): Shown['order'] => ({
    ...saleOf(raw),
    status: raw.displayFinancialStatus ?? 'UNKNOWN',
    fulfilment: filled(raw.displayFulfillmentStatus),
    cancelledAt: filled(raw.cancelledAt),
    total: value(raw.currentTotalPriceSet.shopMoney.amount),
    outstanding: value(raw.totalOutstandingSet.shopMoney.amount),
    currency: raw.currentTotalPriceSet.shopMoney.currencyCode,
    note: filled(raw.note),
    url: pageOf(context, 'orders', raw.id),
  }),
  customer: (context: ProviderContext, raw: RawCustomer): Shown['customer'] => ({
    id: raw.id,
    name: raw.displayName,
    email: raw.defaultEmailAddress?.emailAddress,
    phone: raw.defaultPhoneNumber?.phoneNumber,
    company: filled(raw.defaultAddress?.company),
    address: addressOf(raw.defaultAddress),
    locale: filled(raw.locale),
    orders: raw.numberOfOrders,
    spent: value(raw.amountSpent.amount),
    currency: raw.amountSpent.currencyCode,
    note: filled(raw.note),
    tags: raw.tags,
    updatedAt: raw.updatedAt,
    url: pageOf(context, 'customers', raw.id),
  }),
  product: (context: ProviderContext, raw: RawProduct): Shown['product'] => ({
    id: raw.id,
    title: raw.title,
    description: raw.description,
    status: raw.status,
    vendor: filled(raw.vendor),
    type: filled(raw.productType),
    from: value(raw.priceRangeV2.minVariantPrice.amount),
    to: value(raw.priceRangeV2.maxVariantPrice.amount),
    currency: raw.priceRangeV2.minVariantPrice.currencyCode,
    inventory: raw.totalInventory,
    variants: raw.variants.nodes.slice(0, mostLines).map(({ id, title, sku, price, inventoryQuantity }) => ({
      id,
      title,
      sku: filled(sku),
      price: value(price),
      inventory: inventoryQuantity ?? undefined,
    })),
    ...(raw.variants.nodes.length > mostLines || raw.variants.pageInfo.hasNextPage
      ? { moreVariants: true }
      : {}),
    tags: raw.tags,
    updatedAt: raw.updatedAt,
    url: pageOf(context, 'products', raw.id),
    shopUrl: filled(raw.onlineStoreUrl),
  }),
  draft: (context: ProviderContext, raw: RawDraft): Shown['draft'] => ({
    ...saleOf(raw),
    status: raw.status,
    total: value(raw.totalPriceSet.shopMoney.amount),
    currency: raw.totalPriceSet.shopMoney.currencyCode,
    note: filled(raw.note2),
    purchaseOrder: filled(raw.poNumber),
    invoiceSentAt: filled(raw.invoiceSentAt),
    updatedAt: raw.updatedAt,
    order: raw.order?.name,
    url: pageOf(context, 'draft_orders', raw.id),
  }),
};
