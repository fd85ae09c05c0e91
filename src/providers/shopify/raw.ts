// What Shopify answers with, as far as it is asked. https://shopify.dev/docs/api/admin-graphql/2026-10
import { z } from 'zod';

const maybe = z.string().nullish();
const money = z.object({ amount: z.string(), currencyCode: z.string() });
const moneySet = z.object({ shopMoney: money });
const listOf = <Row extends z.ZodType>(row: Row) =>
  z.object({ nodes: z.array(row), pageInfo: z.object({ hasNextPage: z.boolean() }) });
export const place = z.object({ formatted: z.array(z.string()), company: maybe }).nullish();
const email = z.object({ emailAddress: z.string() }).nullish();
const buyer = z.object({ id: z.string(), displayName: z.string(), defaultEmailAddress: email }).nullish();
const line = z.object({
  id: z.string(),
  title: z.string(),
  variantTitle: maybe,
  sku: maybe,
  quantity: z.number(),
});
const variant = z.object({
  id: z.string(),
  title: z.string(),
  sku: maybe,
  price: z.string(),
  inventoryQuantity: z.number().nullish(),
});

export const rawOrder = z.object({
  id: z.string(),
  name: z.string(),
  createdAt: z.string(),
  cancelledAt: maybe,
  email: maybe,
  note: maybe,
  tags: z.array(z.string()),
  displayFinancialStatus: maybe,
  displayFulfillmentStatus: maybe,
  currentTotalPriceSet: moneySet,
  totalOutstandingSet: moneySet,
  customer: buyer,
  shippingAddress: place,
  lineItems: listOf(line),
});
export const rawCustomer = z.object({
  id: z.string(),
  displayName: z.string(),
  note: maybe,
  tags: z.array(z.string()),
  state: maybe,
  locale: maybe,
  createdAt: z.string(),
  updatedAt: z.string(),
  // A number too large for JSON is told as a text.
  numberOfOrders: z.coerce.number(),
  amountSpent: money,
  defaultEmailAddress: email,
  defaultPhoneNumber: z.object({ phoneNumber: z.string() }).nullish(),
  defaultAddress: place,
});
export const rawProduct = z.object({
  id: z.string(),
  title: z.string(),
  description: z.string(),
  vendor: z.string(),
  productType: z.string(),
  status: z.string(),
  tags: z.array(z.string()),
  onlineStoreUrl: maybe,
  totalInventory: z.number(),
  createdAt: z.string(),
  updatedAt: z.string(),
  priceRangeV2: z.object({ minVariantPrice: money, maxVariantPrice: money }),
  variants: listOf(variant),
});
export const rawDraft = z.object({
  id: z.string(),
  name: z.string(),
  status: z.string(),
  createdAt: z.string(),
  updatedAt: z.string(),
  completedAt: maybe,
  invoiceSentAt: maybe,
  email: maybe,
  note2: maybe,
  poNumber: maybe,
  tags: z.array(z.string()),
  currencyCode: z.string(),
  subtotalPriceSet: moneySet,
  totalPriceSet: moneySet,
  customer: buyer,
  order: z.object({ id: z.string(), name: z.string() }).nullish(),
  shippingAddress: place,
  lineItems: listOf(line),
});
export type RawDraft = z.infer<typeof rawDraft>;
export type RawOrder = z.infer<typeof rawOrder>;
export type RawCustomer = z.infer<typeof rawCustomer>;
export type RawProduct = z.infer<typeof rawProduct>;
