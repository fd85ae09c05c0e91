// What is asked of a shop by an agent: single records, and searches by Shopify's own fields, newest change first.
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import { type ProviderContext, type ReadOperation, readOperation } from '../define.ts';
import { documents, shopDocument } from './documents.ts';
import { ask, listed, phrase } from './http.ts';
import { rawCustomer, rawDraft, rawOrder, rawProduct } from './raw.ts';
import { type Shown, show, shown } from './shown.ts';

const shopAnswer = z.object({
  shop: z.object({
    id: z.string(),
    name: z.string(),
    email: z.string(),
    currencyCode: z.string(),
    ianaTimezone: z.string(),
    myshopifyDomain: z.string(),
    url: z.string(),
    plan: z.object({ publicDisplayName: z.string() }),
  }),
});

export async function readShop(context: ProviderContext) {
  return (await ask(context, shopDocument, {}, shopAnswer)).shop;
}

const getShop = readOperation({
  effect: 'read',
  title: 'Look up the shop',
  description: 'Name, currency, time zone and plan of the shop.',
  input: z.strictObject({}),
  output: z.object({
    name: z.string(),
    email: z.string(),
    currency: z.string(),
    timeZone: z.string(),
    url: z.string(),
    plan: z.string(),
  }),
  async run(context) {
    const { name, email, currencyCode, ianaTimezone, url, plan } = await readShop(context);
    return { name, email, currency: currencyCode, timeZone: ianaTimezone, url, plan: plan.publicDisplayName };
  },
});

/** Without members that have no value. */
const told = <Value>(value: Value): Value => JSON.parse(JSON.stringify(value));

/** `gid://shopify/Order/1`, or its number alone. */
export const idOf = (gid: string) =>
  z
    .string()
    .regex(
      new RegExp(`^(gid://shopify/${gid}/)?[0-9]{1,20}$`),
      `must be gid://shopify/${gid}/… or its number`,
    )
    .describe(`Id of it: gid://shopify/${gid}/…, or the number at its end`);
export const gidOf = (gid: string, id: string) => (id.startsWith('gid:') ? id : `gid://shopify/${gid}/${id}`);

/** One record. @throws DrawbridgeError `not_found` */
export async function readOne<Raw>(
  context: ProviderContext,
  document: string,
  { gid, id, raw }: { gid: string; id: string; raw: z.ZodType<Raw> },
): Promise<Raw> {
  const answer = z.object({ one: raw.nullable() });
  const { one } = await ask(context, document, { id: gidOf(gid, id) }, answer);
  if (one !== null) return one;
  throw new DrawbridgeError('not_found', `The shop has no ${gid} ${id}.`, { field: 'id' });
}

const scopeOf: Readonly<Record<keyof Shown, string>> = {
  order: 'read_orders',
  customer: 'read_customers',
  product: 'read_products',
  draft: 'read_draft_orders',
};

function getOperation<Name extends keyof Shown, Raw>(
  name: Name,
  declared: {
    gid: string;
    title: string;
    document: string;
    raw: z.ZodType<Raw>;
    show(context: ProviderContext, raw: Raw): Shown[Name];
  },
): ReadOperation<{ id: string }, Shown[Name]> {
  const { gid, title, document, raw } = declared;
  return {
    effect: 'read',
    title,
    scopes: [scopeOf[name]],
    description: `${title} of the shop by its id.`,
    input: z.strictObject({ id: idOf(gid) }),
    output: shown[name] as unknown as z.ZodType<Shown[Name]>,
    run: async (context, { id }) =>
      told(declared.show(context, await readOne(context, document, { gid, id, raw }))),
  };
}

const words = z.string().min(1).max(200);
const page = {
  text: words.optional().describe('Words that stand in it: a name, a number, an address'),
  tag: words.optional(),
  updatedSince: z.iso.datetime().optional().describe('Changed at or after this time, in UTC'),
  limit: z.number().int().min(1).max(25).default(10),
  after: z.string().min(1).max(1_000).optional().describe('`next` of the last answer'),
};
type Page = z.infer<z.ZodObject<typeof page>>;

function searchOperation<Name extends keyof Shown, Raw, Input extends Page>(
  name: Name,
  declared: {
    title: string;
    description: string;
    document: string;
    input: z.ZodType<Input>;
    raw: z.ZodType<Raw>;
    terms?(input: Input): (string | undefined)[];
    show(context: ProviderContext, raw: Raw): Shown[Name];
  },
): ReadOperation<Input, { results: Shown[Name][]; next?: string | undefined }> {
  const { title, description, document, input, raw } = declared;
  return {
    effect: 'read',
    title,
    scopes: [scopeOf[name]],
    description,
    input,
    output: z.object({
      results: z.array(shown[name] as unknown as z.ZodType<Shown[Name]>),
      next: z.string().optional(),
    }),
    async run(context, given) {
      const { text, tag, updatedSince, limit, after } = given;
      const terms = [
        text === undefined ? undefined : phrase(text),
        term('tag', tag),
        updatedSince === undefined ? undefined : `updated_at:>='${updatedSince}'`,
        ...(declared.terms?.(given) ?? []),
      ].filter((one) => one !== undefined);
      const query = terms.length === 0 ? null : terms.join(' ');
      const variables = { first: limit, query, sortKey: 'UPDATED_AT', reverse: true };
      for await (const { rows, next } of listed(context, document, variables, raw, after)) {
        const results = rows.map((row) => told(declared.show(context, row)));
        return { results, ...(next === undefined ? {} : { next }) };
      }
      return { results: [] };
    },
  };
}

const term = (field: string, value: string | undefined) =>
  value === undefined ? undefined : `${field}:${phrase(value)}`;

const orderStatuses = [
  'paid',
  'pending',
  'authorized',
  'partially_paid',
  'partially_refunded',
  'refunded',
  'voided',
  'expired',
] as const;

export const reads = {
  'get-shop': getShop,
  'search-orders': searchOperation('order', {
    title: 'Search orders',
    description:
      'Orders of the shop by words, e-mail address, payment or tag; of the last 60 days, unless the app may see all.',
    document: documents.orders.list,
    input: z.strictObject({
      ...page,
      email: words.optional().describe('E-mail address of the buyer, whole'),
      payment: z.enum(orderStatuses).optional(),
    }),
    raw: rawOrder,
    terms: ({ email, payment }) => [term('email', email), term('financial_status', payment)],
    show: show.order,
  }),
  'get-order': getOperation('order', {
    gid: 'Order',
    title: 'Look up an order',
    document: documents.orders.one,
    raw: rawOrder,
    show: show.order,
  }),
  'search-customers': searchOperation('customer', {
    title: 'Search customers',
    description: 'Customers of the shop by name, e-mail address or tag, with what they bought so far.',
    document: documents.customers.list,
    input: z.strictObject({ ...page, email: words.optional().describe('E-mail address, whole') }),
    raw: rawCustomer,
    terms: ({ email }) => [term('email', email)],
    show: show.customer,
  }),
  'get-customer': getOperation('customer', {
    gid: 'Customer',
    title: 'Look up a customer',
    document: documents.customers.one,
    raw: rawCustomer,
    show: show.customer,
  }),
  'search-products': searchOperation('product', {
    title: 'Search products',
    description:
      'What the shop sells, with prices, stock and variants: the ids that lines of draft orders name.',
    document: documents.products.list,
    input: z.strictObject({
      ...page,
      status: z.enum(['active', 'draft', 'archived', 'unlisted']).optional(),
    }),
    raw: rawProduct,
    terms: ({ status }) => [term('status', status)],
    show: show.product,
  }),
  'get-product': getOperation('product', {
    gid: 'Product',
    title: 'Look up a product',
    document: documents.products.one,
    raw: rawProduct,
    show: show.product,
  }),
  'search-draft-orders': searchOperation('draft', {
    title: 'Search draft orders',
    description: 'Draft orders: what was laid ready for a customer and is not bought yet.',
    document: documents['draft-orders'].list,
    input: z.strictObject({ ...page, status: z.enum(['open', 'invoice_sent', 'completed']).optional() }),
    raw: rawDraft,
    terms: ({ status }) => [term('status', status)],
    show: show.draft,
  }),
  'get-draft-order': getOperation('draft', {
    gid: 'DraftOrder',
    title: 'Look up a draft order',
    document: documents['draft-orders'].one,
    raw: rawDraft,
    show: show.draft,
  }),
};
