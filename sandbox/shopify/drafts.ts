// Draft orders, as Shopify makes, changes, sends and deletes them; what it does not like is said in `userErrors`.
import type { Clock } from '../../src/clock.ts';
import type { Node } from './graphql.ts';
import { iso, type Line, type Shop, type ShopRecord } from './state.ts';

export interface Mail {
  draft: string;
  to: string;
  message: string | undefined;
}

interface Money {
  amount: string;
  currencyCode: string;
}

interface LineInput {
  variantId?: string;
  title?: string;
  quantity: number;
  originalUnitPriceWithCurrency?: Money;
  priceOverride?: Money;
}

interface DraftInput {
  lineItems?: LineInput[];
  purchasingEntity?: { customerId?: string };
  email?: string;
  note?: string;
  poNumber?: string;
  tags?: string[];
}

const refused = (message: string, ...field: string[]) => ({
  draftOrder: null,
  userErrors: [{ field: field.length === 0 ? null : field, message }],
});

export function createDrafts(shop: Shop, clock: Clock) {
  const mails: Mail[] = [];
  let last = 0;
  const find = (id: unknown): ShopRecord | undefined => {
    const found = shop.get(String(id));
    return found?.type === 'DraftOrder' ? found : undefined;
  };
  const done = (draft: ShopRecord) => ({ draftOrder: shop.node(draft), userErrors: [] });

  function lineOf(input: LineInput): Line | string {
    if (input.quantity < 1) return 'Quantity must be greater than or equal to 1';
    if (input.variantId !== undefined) {
      const found = shop.variant(input.variantId);
      if (found === undefined) return `Product with ID ${input.variantId} is no longer available.`;
      const { product, line } = found;
      return {
        title: String(product.values['title']),
        variantTitle: line.title,
        sku: line.sku,
        quantity: input.quantity,
        price: Number(input.priceOverride?.amount ?? line.price),
        variantId: input.variantId,
      };
    }
    if (input.title === undefined || input.title === '') return 'Title can’t be blank';
    const price = Number(input.originalUnitPriceWithCurrency?.amount);
    if (!(price >= 0)) return 'Price is not a number';
    return { title: input.title, variantTitle: null, sku: null, quantity: input.quantity, price };
  }

  function valuesOf(input: DraftInput): Record<string, unknown> {
    const { email, note, poNumber, tags, purchasingEntity } = input;
    const given = { email, note2: note, poNumber, tags, customer: purchasingEntity?.customerId };
    return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  }

  const badEmail = (email: unknown) =>
    typeof email === 'string' && email !== '' && !/^[^@\s]+@[^@\s]+\.\w+$/.test(email);

  const mutations = {
    draftOrderCreate({ input: given }: Node) {
      const input = given as DraftInput;
      if ((input.lineItems ?? []).length === 0) return refused('Add at least 1 product', 'lineItems');
      if (badEmail(input.email)) return refused('Email is invalid', 'email');
      const lines = (input.lineItems ?? []).map(lineOf);
      const wrong = lines.findIndex((line) => typeof line === 'string');
      if (wrong >= 0) return refused(String(lines[wrong]), 'lineItems', String(wrong));
      last += 1;
      return done(
        shop.add('DraftOrder', { ...emptyDraft(`#D${last}`), ...valuesOf(input) }, lines as Line[]),
      );
    },
    draftOrderUpdate({ id, input: given }: Node) {
      const draft = find(id);
      const input = given as DraftInput;
      if (draft === undefined) return refused('Draft order does not exist');
      if (draft.values['status'] === 'COMPLETED') return refused('This order has been paid', 'status');
      if (badEmail(input.email)) return refused('Email is invalid', 'email');
      shop.change(draft, valuesOf(input));
      return done(draft);
    },
    draftOrderDelete({ input }: Node) {
      const { id } = input as { id: string };
      const draft = find(id);
      if (draft === undefined)
        return { deletedId: null, userErrors: refused('Draft order does not exist', 'id').userErrors };
      shop.destroy(draft.id);
      return { deletedId: draft.id, userErrors: [] };
    },
    draftOrderInvoiceSend({ id, email: given }: Node) {
      const draft = find(id);
      if (draft === undefined) return refused('Draft order not found');
      if (draft.values['status'] === 'COMPLETED') return refused('This order has been paid');
      const email = (given ?? {}) as { to?: string; customMessage?: string };
      const to = email.to ?? String(draft.values['email'] ?? '');
      if (to === '') return refused('To can’t be blank', 'email', 'to');
      if (badEmail(to)) return refused('To is invalid', 'email', 'to');
      mails.push({ draft: draft.id, to, message: email.customMessage });
      shop.change(draft, { status: 'INVOICE_SENT', invoiceSentAt: iso(clock.now()) });
      return done(draft);
    },
  };
  return { mutations, mails: () => [...mails] };
}

export function emptyDraft(name: string): Record<string, unknown> {
  return {
    name,
    status: 'OPEN',
    completedAt: null,
    invoiceSentAt: null,
    email: null,
    note2: null,
    poNumber: null,
    tags: [],
    order: null,
    shippingAddress: null,
  };
}
