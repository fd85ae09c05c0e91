// What of a shop is kept in memory: of each kind where its records are asked for, and what a record of it says.
import type { z } from 'zod';
import type { ProviderContext } from '../define.ts';
import type { DocumentKind, Person, SourceRecord, Structured } from '../record.ts';
import type { documents } from './documents.ts';
import { rawCustomer, rawDraft, rawOrder, rawProduct } from './raw.ts';
import { numberOf, type Shown, show } from './shown.ts';

/** A record as it came, and as it is kept. */
export interface Row {
  id: string;
  record(context: ProviderContext): SourceRecord;
}

export interface Kind {
  name: keyof typeof documents;
  /** In its ids: `gid://shopify/Order/1`. */
  gid: string;
  /** External id: `order/1`. */
  prefix: string;
  document: DocumentKind;
  /** Of the app, to read it. */
  scope: string;
  /** The connection in it, whose lines stand behind it in the file of a bulk operation. */
  lines: 'lineItems' | 'variants' | undefined;
  /** How many a page of a walk asks for: at most 300 points, which come back within 3 s on the least plan. */
  most: number;
  /** What is there no more is looked for from time to time. */
  sweeps: boolean;
  row: z.ZodType<Row>;
}

const typeOf = (word: string) => word.toLowerCase().replaceAll('_', ' ');
const inMoney = (value: number, currency: string) => `${value.toFixed(2)} ${currency}`;
const instant = (text: string) => Date.parse(text);
const told = (lines: readonly (string | undefined | false)[]) =>
  lines.filter((line) => typeof line === 'string' && line !== '').join('\n');

function kept(
  prefix: string,
  kind: DocumentKind,
  id: string,
  { at, volatile = [], ...structured }: Structured & { at: number; volatile?: string[] },
): SourceRecord {
  return {
    externalId: `${prefix}${numberOf(id)}`,
    kind,
    mediaType: 'application/json',
    raw: Buffer.from(JSON.stringify(structured)),
    writtenAt: at,
    ...(volatile.length === 0 ? {} : { volatile }),
  };
}

function personOf(address: string | undefined, name: string | undefined): { people: Person[] } {
  if (address === undefined && name === undefined) return { people: [] };
  const known = address === undefined ? {} : { address: address.toLowerCase() };
  return { people: [{ role: 'contact', ...known, ...(name === undefined ? {} : { name }) }] };
}

/** An order or a draft order, in words. */
function sale(what: string, one: Shown['order'] | Shown['draft'], state: readonly (string | false)[]) {
  const { number, customer, email, lines, moreLines, total, currency, note, tags, address, url } = one;
  const sold = lines.map(
    ({ title, sku, quantity }) => `${quantity} × ${title}${sku === undefined ? '' : ` (${sku})`}`,
  );
  return {
    title: `${what} ${number}${customer === undefined ? '' : ` of ${customer}`}, ${inMoney(total, currency)}`,
    text: told([
      ...sold,
      moreLines === true && 'and more lines',
      `total: ${inMoney(total, currency)}`,
      ...state,
      address !== undefined && `deliver to: ${address}`,
      tags.length > 0 && `tags: ${tags.join(', ')}`,
      note !== undefined && `note: ${note}`,
    ]),
    ...personOf(email, customer),
    url,
  };
}

const order = (one: Shown['order']) =>
  kept('order/', 'order', one.id, {
    ...sale('Order', one, [
      `payment: ${typeOf(one.status)}`,
      one.fulfilment !== undefined && `delivery: ${typeOf(one.fulfilment)}`,
      one.outstanding > 0 && `still to pay: ${inMoney(one.outstanding, one.currency)}`,
      one.cancelledAt !== undefined && `cancelled: ${one.cancelledAt.slice(0, 10)}`,
    ]),
    facts: { type: 'order', ...one },
    at: instant(one.createdAt),
  });

const draft = ({ updatedAt, ...one }: Shown['draft']) =>
  kept('draft-order/', 'order', one.id, {
    ...sale('Draft order', { ...one, updatedAt }, [
      `status: ${typeOf(one.status)}`,
      one.order !== undefined && `became order: ${one.order}`,
      one.invoiceSentAt !== undefined && `invoice sent: ${one.invoiceSentAt.slice(0, 10)}`,
      one.purchaseOrder !== undefined && `purchase order: ${one.purchaseOrder}`,
    ]),
    facts: { type: 'draft order', ...one },
    at: instant(one.createdAt),
  });

const customer = ({ updatedAt, ...one }: Shown['customer']) =>
  kept('customer/', 'contact', one.id, {
    title: one.name === '' ? 'Customer without a name' : one.name,
    text: told([
      'customer of the shop',
      one.email !== undefined && `email: ${one.email}`,
      one.phone !== undefined && `phone: ${one.phone}`,
      one.company !== undefined && `company: ${one.company}`,
      one.address !== undefined && `address: ${one.address}`,
      one.tags.length > 0 && `tags: ${one.tags.join(', ')}`,
      one.note !== undefined && `note: ${one.note}`,
    ]),
    ...personOf(one.email, one.name),
    url: one.url,
    facts: { type: 'customer', ...one },
    at: instant(updatedAt),
    // Each order changes them.
    volatile: ['writtenAt', 'facts.orders', 'facts.spent'],
  });

const product = ({ updatedAt, variants, ...one }: Shown['product']) => {
  const many = one.from === one.to ? '' : ` to ${inMoney(one.to, one.currency)}`;
  return kept('product/', 'page', one.id, {
    title: one.title,
    text: told([
      one.description,
      `price: ${inMoney(one.from, one.currency)}${many}`,
      ...variants.map(
        ({ title, sku, price }) =>
          `${title === 'Default Title' ? one.title : title}${sku === undefined ? '' : ` (${sku})`}: ${inMoney(price, one.currency)}`,
      ),
      one.moreVariants === true && 'and more variants',
      one.vendor !== undefined && `vendor: ${one.vendor}`,
      one.type !== undefined && `type: ${one.type}`,
      `status: ${typeOf(one.status)}`,
      one.tags.length > 0 && `tags: ${one.tags.join(', ')}`,
    ]),
    url: one.url,
    facts: { type: 'product', ...one, variants: variants.map(({ inventory: _left, ...rest }) => rest) },
    at: instant(updatedAt),
    // Each sale changes them.
    volatile: ['writtenAt', 'facts.inventory'],
  });
};

function rowOf<Raw extends { id: string }>(
  raw: z.ZodType<Raw>,
  record: (context: ProviderContext, raw: Raw) => SourceRecord,
): z.ZodType<Row> {
  return raw.transform((one) => ({ id: one.id, record: (context) => record(context, one) }));
}

export const kinds = {
  orders: {
    name: 'orders',
    gid: 'Order',
    prefix: 'order/',
    document: 'order',
    scope: 'read_orders',
    lines: 'lineItems',
    most: 10,
    // Without a scope of its own those of the last 60 days alone are told: that is no deletion.
    sweeps: false,
    row: rowOf(rawOrder, (context, raw) => order(show.order(context, raw))),
  },
  customers: {
    name: 'customers',
    gid: 'Customer',
    prefix: 'customer/',
    document: 'contact',
    scope: 'read_customers',
    lines: undefined,
    most: 50,
    sweeps: true,
    row: rowOf(rawCustomer, (context, raw) => customer(show.customer(context, raw))),
  },
  products: {
    name: 'products',
    gid: 'Product',
    prefix: 'product/',
    document: 'page',
    scope: 'read_products',
    lines: 'variants',
    most: 10,
    sweeps: true,
    row: rowOf(rawProduct, (context, raw) => product(show.product(context, raw))),
  },
  'draft-orders': {
    name: 'draft-orders',
    gid: 'DraftOrder',
    prefix: 'draft-order/',
    document: 'order',
    scope: 'read_draft_orders',
    lines: 'lineItems',
    most: 10,
    sweeps: true,
    row: rowOf(rawDraft, (context, raw) => draft(show.draft(context, raw))),
  },
} as const satisfies Record<keyof typeof documents, Kind>;
