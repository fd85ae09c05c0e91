// What a shop holds: customers, products, orders and draft orders, each with its times, and what was destroyed.
import type { Clock } from '../../src/clock.ts';
import type { Node } from './graphql.ts';

export const types = ['Order', 'Customer', 'Product', 'DraftOrder'] as const;
export type Type = (typeof types)[number];

export interface Line {
  title: string;
  variantTitle: string | null;
  sku: string | null;
  quantity: number;
  price: number;
  variantId?: string;
}

export interface ShopRecord {
  id: string;
  type: Type;
  /** Integer ms. */
  createdAt: number;
  updatedAt: number;
  /** Scalars as they are told; `customer` is an id. */
  values: Record<string, unknown>;
  lines: Line[];
}

export interface Destroyed {
  id: string;
  subjectId: string;
  type: Type;
  at: number;
}

const currency = 'USD';
export const amount = (value: number) => ({ amount: value.toFixed(2), currencyCode: currency });
const bag = (value: number) => ({ shopMoney: amount(value), presentmentMoney: amount(value) });
export const iso = (ms: number) => new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z');
const shout = (type: Type) => type.replace(/(?<=.)([A-Z])/g, '_$1').toUpperCase();

export class Shop {
  readonly #records = new Map<string, ShopRecord>();
  readonly #clock: Clock;
  readonly destroyed: Destroyed[] = [];
  #last = 8_000_000_000;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  all(type: Type): ShopRecord[] {
    return [...this.#records.values()].filter((record) => record.type === type);
  }

  get(id: string): ShopRecord | undefined {
    return this.#records.get(id);
  }

  add(type: Type, values: Record<string, unknown>, lines: Line[] = [], at = this.#clock.now()): ShopRecord {
    this.#last += 7;
    const record = {
      id: `gid://shopify/${type}/${this.#last}`,
      type,
      createdAt: at,
      updatedAt: at,
      values,
      // Each variant has a number of its own.
      lines: lines.map((line, index) => ({
        ...(type === 'Product'
          ? { variantId: `gid://shopify/ProductVariant/${this.#last * 100 + index}` }
          : {}),
        ...line,
      })),
    };
    this.#records.set(record.id, record);
    return record;
  }

  change(record: ShopRecord, values: Record<string, unknown>): void {
    Object.assign(record.values, values);
    record.updatedAt = this.#clock.now();
  }

  destroy(id: string): void {
    const record = this.#records.get(id);
    if (record === undefined) throw new Error(`the shop has no ${id}`);
    this.#records.delete(id);
    this.#last += 1;
    this.destroyed.push({
      id: `gid://shopify/BasicEvent/${this.#last}`,
      subjectId: id,
      type: record.type,
      at: this.#clock.now(),
    });
  }

  variant(id: string): { product: ShopRecord; line: Line } | undefined {
    for (const product of this.all('Product')) {
      const line = product.lines.find(({ variantId }) => variantId === id);
      if (line !== undefined) return { product, line };
    }
    return undefined;
  }

  /** As GraphQL has it. */
  node(record: ShopRecord): Node {
    const { type, id, values, lines } = record;
    const total = lines.reduce((sum, { price, quantity }) => sum + price * quantity, 0);
    const customerId = values['customer'];
    const customer = typeof customerId === 'string' ? this.get(customerId) : undefined;
    const prices = lines.map(({ price }) => price);
    return {
      __typename: type,
      ...values,
      id,
      createdAt: iso(record.createdAt),
      updatedAt: iso(record.updatedAt),
      customer: customer === undefined ? null : () => this.node(customer),
      ...(type === 'Product'
        ? {
            priceRangeV2: {
              minVariantPrice: amount(Math.min(...prices)),
              maxVariantPrice: amount(Math.max(...prices)),
            },
            variants: (args: Node) =>
              connection(
                lines.map((line) => this.variantNode(record, line)),
                args,
              ),
          }
        : {}),
      ...(type === 'Order' || type === 'DraftOrder'
        ? {
            currencyCode: currency,
            currentTotalPriceSet: bag(total),
            subtotalPriceSet: bag(total),
            totalPriceSet: bag(total),
            totalOutstandingSet: bag(values['displayFinancialStatus'] === 'PAID' ? 0 : total),
            lineItems: (args: Node) =>
              connection(
                lines.map((line, index) => ({ __typename: 'LineItem', id: `${id}/${index}`, ...line })),
                args,
              ),
          }
        : {}),
    };
  }

  variantNode(product: ShopRecord, { title, sku, price, quantity, variantId }: Line): Node {
    return {
      __typename: 'ProductVariant',
      id: variantId,
      title,
      sku,
      price: price.toFixed(2),
      inventoryQuantity: quantity,
      displayName: `${product.values['title']} - ${title}`,
    };
  }

  event({ id, subjectId, type, at }: Destroyed): Node {
    return {
      __typename: 'BasicEvent',
      id,
      action: 'destroy',
      createdAt: iso(at),
      subjectId,
      subjectType: shout(type),
    };
  }
}

/** By what a list is in order: a value, and then the number of the record. */
export type Key = readonly [value: string | number, number: number];

/** A page of a connection whose nodes are in the order of `key`; its cursors are places in that order. */
export function connection(
  nodes: readonly Node[],
  { first, after, reverse }: Node,
  key: (node: Node) => Key = () => [0, 0],
): Node {
  const from = typeof after === 'string' ? keyIn(after) : undefined;
  const sign = reverse === true ? -1 : 1;
  const rest = from === undefined ? nodes : nodes.filter((node) => sign * byKey(key(node), from) > 0);
  const page = rest.slice(0, typeof first === 'number' ? first : undefined);
  const last = page.at(-1);
  return {
    nodes: page,
    edges: page.map((node) => ({ node })),
    pageInfo: {
      endCursor: last === undefined ? null : Buffer.from(JSON.stringify(key(last))).toString('base64'),
      hasNextPage: page.length < rest.length,
    },
  };
}

export class BadCursor extends Error {}

function keyIn(cursor: string): Key {
  try {
    const key: unknown = JSON.parse(Buffer.from(cursor, 'base64').toString());
    if (Array.isArray(key) && typeof key[1] === 'number') return key as unknown as Key;
  } catch (thrown) {
    if (!(thrown instanceof SyntaxError)) throw thrown;
  }
  throw new BadCursor('Invalid cursor for current pagination sort.');
}

export function byKey([value, number]: Key, [otherValue, otherNumber]: Key): number {
  if (value === otherValue) return number - otherNumber;
  return value < otherValue ? -1 : 1;
}

/** The number at the end of an id. */
export const numberIn = (id: unknown) => Number(/(\d+)$/.exec(String(id))?.[1] ?? 0);
