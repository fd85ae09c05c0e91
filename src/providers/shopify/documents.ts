// What Shopify is asked, as GraphQL documents: constants, made of constants. What changes goes in as variables.
// Every list is called `list`, every single record `one`. Connections in it say how many, so that what a
// query may cost stays below the 1,000 points that one query may.
// https://shopify.dev/docs/api/admin-graphql/2026-10

/** Lines of an order and variants of a product that are read and kept; more are counted, not listed. */
export const mostLines = 20;

const money = 'shopMoney { amount currencyCode }';
const buyer = 'customer { id displayName defaultEmailAddress { emailAddress } }';
const line = 'id title variantTitle sku quantity';
const variant = 'id title sku price inventoryQuantity';

const order = `id name createdAt cancelledAt email note tags displayFinancialStatus displayFulfillmentStatus
  currentTotalPriceSet { ${money} } totalOutstandingSet { ${money} } ${buyer} shippingAddress { formatted }`;
const customer = `id displayName note tags state locale createdAt updatedAt numberOfOrders
  amountSpent { amount currencyCode } defaultEmailAddress { emailAddress }
  defaultPhoneNumber { phoneNumber } defaultAddress { formatted company }`;
const product = `id title description vendor productType status tags onlineStoreUrl totalInventory createdAt
  updatedAt priceRangeV2 { minVariantPrice { amount currencyCode } maxVariantPrice { amount currencyCode } }`;
const draft = `id name status createdAt updatedAt completedAt invoiceSentAt email note2 poNumber tags
  currencyCode subtotalPriceSet { ${money} } totalPriceSet { ${money} } ${buyer} order { id name } shippingAddress { formatted }`;

const few = (name: string, fields: string) =>
  `${name}(first: ${mostLines}) { nodes { ${fields} } pageInfo { hasNextPage } }`;
const orderWhole = `${order} ${few('lineItems', line)}`;
const productWhole = `${product} ${few('variants', variant)}`;
const draftWhole = `${draft} ${few('lineItems', line)}`;

const pageOf = (fields: string) => `{ nodes { ${fields} } pageInfo { endCursor hasNextPage } }`;
const listing = 'first: $first, after: $after, query: $query, sortKey: $sortKey, reverse: $reverse';
const asked = (sortKeys: string) =>
  `$first: Int!, $after: String, $query: String, $sortKey: ${sortKeys}, $reverse: Boolean`;
const ids = (name: string) =>
  `query Ids($first: Int!, $after: String) { list: ${name}(first: $first, after: $after, sortKey: ID) ${pageOf('id')} }`;
const events = 'nodes { __typename ... on BasicEvent { id action createdAt subjectId subjectType } }';
/** The first page of what changed, and beside it what was destroyed: a point more for each event that may come. */
const changes = (name: string, sortKeys: string, fields: string) =>
  `query Changes($first: Int!, $query: String, $sortKey: ${sortKeys}, $events: Int!, $gone: String) {
    list: ${name}(first: $first, query: $query, sortKey: $sortKey) ${pageOf(fields)}
    gone: events(first: $events, query: $gone, sortKey: CREATED_AT) { ${events} pageInfo { endCursor hasNextPage } }
  }`;
const one = (name: string, fields: string) => `query One($id: ID!) { one: ${name}(id: $id) { ${fields} } }`;

export const documents = {
  orders: {
    list: `query Orders(${asked('OrderSortKeys')}) { list: orders(${listing}) ${pageOf(orderWhole)} }`,
    changes: changes('orders', 'OrderSortKeys', orderWhole),
    one: one('order', orderWhole),
    ids: ids('orders'),
    bulk: `{ orders { edges { node { ${order} lineItems { edges { node { ${line} } } } } } } }`,
  },
  customers: {
    list: `query Customers(${asked('CustomerSortKeys')}) { list: customers(${listing}) ${pageOf(customer)} }`,
    changes: changes('customers', 'CustomerSortKeys', customer),
    one: one('customer', customer),
    ids: ids('customers'),
    bulk: `{ customers { edges { node { ${customer} } } } }`,
  },
  products: {
    list: `query Products(${asked('ProductSortKeys')}) { list: products(${listing}) ${pageOf(productWhole)} }`,
    changes: changes('products', 'ProductSortKeys', productWhole),
    one: one('product', productWhole),
    ids: ids('products'),
    bulk: `{ products { edges { node { ${product} variants { edges { node { ${variant} } } } } } } }`,
  },
  'draft-orders': {
    list: `query DraftOrders(${asked('DraftOrderSortKeys')}) { list: draftOrders(${listing}) ${pageOf(draftWhole)} }`,
    changes: changes('draftOrders', 'DraftOrderSortKeys', draftWhole),
    one: one('draftOrder', draftWhole),
    ids: ids('draftOrders'),
    bulk: `{ draftOrders { edges { node { ${draft} lineItems { edges { node { ${line} } } } } } } }`,
  },
} as const;

export const shopDocument =
  'query Shop { shop { id name email currencyCode ianaTimezone myshopifyDomain url plan { publicDisplayName } } }';

/** Events of the store, kept for a year: what was destroyed, by its id. */
export const eventsDocument = `query Destroyed($first: Int!, $after: String, $query: String) {
  list: events(first: $first, after: $after, query: $query, sortKey: CREATED_AT) {
    ${events}
    pageInfo { endCursor hasNextPage }
  }
}`;

const operation = 'id status errorCode createdAt url partialDataUrl';
/** Lines of a record come directly behind it. */
export const runBulkDocument = `mutation Run($query: String!) {
  run: bulkOperationRunQuery(query: $query, groupObjects: true) {
    bulkOperation { ${operation} } userErrors { field message code }
  }
}`;
export const bulkDocument = `query Bulk($id: ID!) { one: bulkOperation(id: $id) { ${operation} } }`;
export const bulksDocument = `query Bulks($first: Int!, $query: String) {
  list: bulkOperations(first: $first, query: $query, sortKey: CREATED_AT, reverse: true) {
    nodes { ${operation} query } pageInfo { endCursor hasNextPage }
  }
}`;

/** Whether what a payload names is what it says: the customer, and the variants that are sold. */
export const partiesDocument = `query Parties($ids: [ID!]!) {
  shop { currencyCode }
  nodes(ids: $ids) {
    __typename id
    ... on Customer { displayName defaultEmailAddress { emailAddress } }
    ... on ProductVariant { displayName }
  }
}`;

const refused = 'userErrors { field message }';
export const draftDocuments = {
  create: `mutation Create($input: DraftOrderInput!) { done: draftOrderCreate(input: $input) { draftOrder { ${draftWhole} } ${refused} } }`,
  update: `mutation Update($id: ID!, $input: DraftOrderInput!) { done: draftOrderUpdate(id: $id, input: $input) { draftOrder { ${draftWhole} } ${refused} } }`,
  send: `mutation Send($id: ID!, $email: EmailInput) { done: draftOrderInvoiceSend(id: $id, email: $email) { draftOrder { ${draftWhole} } ${refused} } }`,
  delete: `mutation Delete($input: DraftOrderDeleteInput!) { done: draftOrderDelete(input: $input) { deletedId ${refused} } }`,
} as const;
