// The brokerage's shop, filled with the story: what it sells to the owners of homes, who bought, and what is
// laid ready for them.
import { contact, contacts } from '../data/people.ts';
import type { World } from '../world.ts';
import { emptyDraft } from './drafts.ts';
import { amount, type Line, type Shop, type ShopRecord } from './state.ts';

const goods: readonly [title: string, description: string, variants: [string, string, number, number][]][] = [
  [
    'Housewarming hamper',
    'Bread, salt, honey and a candle from Port Ansel, for the first evening in a new home.',
    [
      ['Small', 'HAMPER-S', 48, 14],
      ['Large', 'HAMPER-L', 92, 6],
    ],
  ],
  [
    'Brass lockbox',
    'Holds two keys at the door. Four wheels, weatherproof.',
    [['Default Title', 'LOCKBOX', 64, 31]],
  ],
  [
    'Framed house portrait',
    'A drawing in ink of the home, from a photograph, framed in oak.',
    [
      ['A4', 'PORTRAIT-A4', 180, 0],
      ['A3', 'PORTRAIT-A3', 260, 0],
    ],
  ],
];

const sales: readonly {
  person: string;
  day: number;
  lines: [good: number, variant: number, quantity: number][];
  status: string;
}[] = [
  {
    person: 'sarah',
    day: 151,
    lines: [
      [0, 1, 1],
      [2, 0, 1],
    ],
    status: 'PAID',
  },
  { person: 'marcus', day: 155, lines: [[1, 0, 2]], status: 'PAID' },
  { person: 'owen', day: 168, lines: [[0, 0, 3]], status: 'PENDING' },
];

/** Fills an empty shop. The same world gives the same shop, byte for byte. */
export function fillShop(shop: Shop, { dates }: World): void {
  const products = goods.map(([title, description, variants], index) =>
    shop.add(
      'Product',
      {
        title,
        description,
        vendor: 'Tidewell Homes',
        productType: 'Gift',
        status: 'ACTIVE',
        tags: ['home'],
        onlineStoreUrl: null,
        totalInventory: variants.reduce((sum, [, , , left]) => sum + left, 0),
      },
      variants.map(([name, sku, price, quantity]) => ({
        title: name,
        variantTitle: null,
        sku,
        price,
        quantity,
      })),
      dates.at(20 + index, '10:00'),
    ),
  );
  const customers = new Map<string, ShopRecord>();
  for (const [index, person] of contacts.filter(({ role }) => role === 'client').entries()) {
    customers.set(
      person.key,
      shop.add('Customer', customerOf(person), [], dates.at(30 + index * 3, '09:00')),
    );
  }
  const linesOf = (sold: [number, number, number][]): Line[] =>
    sold.map(([good, variant, quantity]) => {
      const product = products[good];
      const line = product?.lines[variant];
      if (product === undefined || line === undefined) throw new Error('the shop sells no such thing');
      return { ...line, title: String(product.values['title']), variantTitle: line.title, quantity };
    });
  for (const [index, { person, day, lines, status }] of sales.entries()) {
    const buyer = contact(person);
    const values = {
      name: `#${1001 + index}`,
      cancelledAt: null,
      email: buyer.email,
      note: index === 0 ? 'Please deliver on the day the keys are handed over.' : null,
      tags: [],
      displayFinancialStatus: status,
      displayFulfillmentStatus: status === 'PAID' ? 'FULFILLED' : 'UNFULFILLED',
      customer: customers.get(person)?.id,
      shippingAddress: { formatted: ['12 Birchwater Lane', 'Port Ansel OR 97399', 'United States'] },
    };
    shop.add('Order', values, linesOf(lines), dates.at(day, '15:20'));
  }
  const theo = customers.get('theo');
  const draft = {
    ...emptyDraft('#D12'),
    email: contact('theo').email,
    customer: theo?.id,
    note2: 'For the tenants of both halves.',
  };
  shop.add('DraftOrder', draft, linesOf([[1, 0, 2]]), dates.at(176, '11:05'));
}

function customerOf({ name, email, phone }: { name: string; email: string; phone?: string }) {
  return {
    displayName: name,
    note: null,
    tags: [],
    state: 'DISABLED',
    locale: 'en',
    numberOfOrders: '0',
    amountSpent: amount(0),
    defaultEmailAddress: { emailAddress: email },
    defaultPhoneNumber: phone === undefined ? null : { phoneNumber: phone },
    defaultAddress: null,
  };
}
