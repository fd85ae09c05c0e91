// A shop with its feeds and its signature, as test/conformance and demo meet it.
import { createHmac } from 'node:crypto';
import { type Emulated, type EmulatedFeed, type Ground, numbers } from './emulated.ts';
import { createShopify, shopDomain, shopifyApp } from './shopify/index.ts';
import { type Type, types } from './shopify/state.ts';
import { fillShop } from './shopify/story.ts';

const words: Record<Type, string> = {
  Order: 'note',
  Customer: 'note',
  Product: 'description',
  DraftOrder: 'note2',
};
const places: Record<Type, string> = {
  Order: 'order',
  Customer: 'customer',
  Product: 'product',
  DraftOrder: 'draft-order',
};

export const emulatedShopify: Readonly<Record<string, (ground: Ground) => Emulated>> = {
  shopify({ clock, world }) {
    const shopify = createShopify({ clock });
    const { shop } = shopify;
    fillShop(shop, world);
    const feed = (type: Type): EmulatedFeed => {
      const [pattern] = shop.all(type);
      const externalId = (id: string) => `${places[type]}/${id.split('/').at(-1)}`;
      return {
        add: (count, says = '') =>
          numbers(count).map((n) => {
            const values = { ...pattern?.values, [words[type]]: `Number ${n} ${says}`.trim() };
            const lines = (pattern?.lines ?? []).map(({ variantId: _own, ...line }) => line);
            return externalId(shop.add(type, values, lines).id);
          }),
        remove: (id) => shop.destroy(`gid://shopify/${type}/${id.split('/').at(-1)}`),
      };
    };
    const [order, customer, product, draft] = types.map((type) => ({ id: shop.all(type)[0]?.id ?? '' }));
    return {
      emulators: [shopify],
      way: {
        kind: 'browser',
        ...shopifyApp,
        authorization: shopify.auth,
        wrong: { token: 'shpat_of-another' },
      },
      fields: { shop: shopDomain },
      samples: {
        'get-order': order ?? {},
        'get-customer': customer ?? {},
        'get-product': product ?? {},
        'get-draft-order': draft ?? {},
      },
      feeds: {
        orders: feed('Order'),
        customers: feed('Customer'),
        products: feed('Product'),
        'draft-orders': feed('DraftOrder'),
      },
      sign({ method, url, body }, secret) {
        const signature = createHmac('sha256', secret).update(body).digest('base64');
        return { method, url, body, headers: { 'x-shopify-hmac-sha256': signature } };
      },
    };
  },
};
