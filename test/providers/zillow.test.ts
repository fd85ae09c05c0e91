import { describe, expect, test } from 'vitest';
import { loadWorld } from '../../sandbox/world.ts';
import { startZillow } from '../../sandbox/zillow.ts';
import { createConnections } from '../../src/connections/create.ts';
import { attaching } from '../../src/connections/operate/attach.ts';
import {
  type Listing,
  listing,
  listingSearch,
  listingSearchAnswer,
} from '../../src/providers/capabilities.ts';
import type { ProviderContext } from '../../src/providers/define.ts';
import { provider } from '../../src/providers/zillow/index.ts';
import { Secret } from '../../src/secret.ts';
import { log, openOffice } from '../connections/office.ts';
import { manualClock } from '../egress/manual-clock.ts';
import { contractChecker, type Exchange } from './contract.ts';

const key = 'rapid-key-of-the-test';
const exchanges: Exchange[] = [];
const { search, get } = provider.operations;

type Answer = unknown | ((url: URL) => unknown);

/** A context whose other side answers from `answers` by path; a Response is taken as it is. */
function context(answers: Record<string, Answer>, host = 'zillow-com1.p.rapidapi.com') {
  const asked: Exchange[] = [];
  const fields = { host };
  const secret = () => new Secret(key);
  const bearer = { fresh: () => Promise.reject(new Error('Zillow has a key')) };
  const made: ProviderContext = {
    connectionId: 'con_a',
    fields,
    secret,
    token: () => Promise.reject(new Error('Zillow has a key')),
    within: (work) => work(),
    fetch: attaching(
      async (input, init) => {
        const request = new Request(input instanceof Request ? input : String(input), {
          headers: init?.headers ?? {},
          method: init?.method ?? 'GET',
        });
        const exchange = {
          provider: 'zillow',
          method: request.method,
          url: request.url,
          headers: Object.fromEntries(request.headers),
        };
        asked.push(exchange);
        exchanges.push(exchange);
        const answer = answers[new URL(request.url).pathname];
        return answer instanceof Response
          ? answer
          : Response.json(answer ?? { message: 'no such listing' }, {
              status: answer === undefined ? 404 : 200,
            });
      },
      { provider, fields, secret, bearer },
    ),
    dial: () => Promise.reject(new Error('Zillow is HTTP alone')),
    converse: () => Promise.reject(new Error('Zillow is HTTP alone')),
    clock: manualClock(),
    log,
  };
  return { context: made, asked };
}

const hit = {
  zpid: '2077829067',
  address: '14 Alder St, Port Ansel, WA 98368',
  price: 525000,
  currency: 'USD',
  bedrooms: 3,
  bathrooms: 2.5,
  livingArea: 1480,
  lotAreaValue: 0.25,
  lotAreaUnit: 'acres',
  propertyType: 'SINGLE_FAMILY',
  listingStatus: 'FOR_SALE',
  contingentListingType: null,
  latitude: 48.1,
  longitude: -122.7,
  imgSrc: 'https://photos.zillowstatic.com/one.jpg',
  detailUrl: '/homedetails/14-Alder-St/2077829067_zpid/',
};
const page = { props: [hit], totalResultCount: 1, totalPages: 1, currentPage: 1 };

const details = {
  zpid: 2077829067,
  url: '/homedetails/14-Alder-St/2077829067_zpid/',
  address: { streetAddress: '14 Alder St', city: 'Port Ansel', state: 'WA', zipcode: '98368' },
  homeStatus: 'RECENTLY_SOLD',
  homeType: 'TOWNHOUSE',
  price: 525000,
  currency: 'USD',
  bedrooms: 3,
  bathrooms: 2,
  livingArea: 1480,
  lotAreaValue: 6000,
  lotAreaUnits: 'Square Feet',
  yearBuilt: 1964,
  description: 'Light, near the ferry.',
  imgSrc: 'https://photos.zillowstatic.com/one.jpg',
  photoCount: 1,
  attributionInfo: { agentName: 'Maren Holt', agentPhoneNumber: '360-555-0101', brokerName: 'Harbour Homes' },
  priceHistory: [
    { date: '2025-03-02', time: 1740873600000, event: 'Listed for sale', price: 540000 },
    { date: '2024-01-01', event: 'Sold', price: 400000 },
  ],
  taxHistory: [{ time: Date.UTC(2024, 10, 15), taxPaid: 4100.5, value: 390000 }],
};

const find = (input: object, answers: Record<string, Answer> = { '/propertyExtendedSearch': page }) => {
  const { context: made, asked } = context(answers);
  return { asked, answer: search.run(made, listingSearch.parse({ location: 'Port Ansel, WA', ...input })) };
};

describe('searching', () => {
  test.each([
    ['the least', {}],
    [
      'a sale with every bound',
      {
        minPrice: 400_000.5,
        maxPrice: 600_000.5,
        minBeds: 2,
        maxBeds: 4,
        minBaths: 1.5,
        maxBaths: 2.5,
        homeType: 'house',
        page: 2,
      },
    ],
    ['a rental', { status: 'for_rent', minPrice: 1500, maxPrice: 3000, homeType: 'apartment' }],
    ['what was sold', { status: 'sold', homeType: 'Multi Family' }],
  ])('asks for %s', async (_what, input) => {
    const { asked, answer } = find(input);
    await answer;
    expect(asked).toMatchSnapshot();
  });

  test('reads a listing in our words', async () => {
    const { answer } = find({});
    expect(await answer).toEqual({
      listings: [
        {
          id: '2077829067',
          url: 'https://www.zillow.com/homedetails/14-Alder-St/2077829067_zpid/',
          address: '14 Alder St, Port Ansel, WA 98368',
          city: 'Port Ansel',
          region: 'WA',
          postalCode: '98368',
          status: 'for_sale',
          homeType: 'house',
          price: 525000,
          currency: 'USD',
          beds: 3,
          baths: 2.5,
          areaSqft: 1480,
          lotSqft: 10890,
          latitude: 48.1,
          longitude: -122.7,
          photos: ['https://photos.zillowstatic.com/one.jpg'],
        },
      ],
      total: 1,
      nextPage: undefined,
    });
  });

  test('pages up to the twentieth, the last that Zillow gives', async () => {
    const many = { '/propertyExtendedSearch': { ...page, totalPages: 99 } };
    expect((await find({ page: 3 }, many).answer).nextPage).toBe(4);
    expect((await find({ page: 20 }, many).answer).nextPage).toBeUndefined();
    await expect(find({ page: 21 }, many).answer).rejects.toMatchObject({ field: 'page' });
  });

  test('drops what is known to be outside of a fractional bound, and keeps what does not say', async () => {
    const props = [hit, { ...hit, zpid: '2', bathrooms: 1 }, { ...hit, zpid: '3', bathrooms: null }];
    const { answer } = find({ minBaths: 1.5 }, { '/propertyExtendedSearch': { ...page, props } });
    expect((await answer).listings.map(({ id }) => id)).toEqual(['2077829067', '3']);
  });

  test('a search for one address that is answered with its number alone is looked up', async () => {
    const { asked, answer } = find(
      {},
      { '/propertyExtendedSearch': { zpid: 2077829067 }, '/property': details },
    );
    expect((await answer).listings[0]?.address).toBe('14 Alder St, Port Ansel, WA 98368');
    expect(asked.map(({ url }) => new URL(url).pathname)).toEqual(['/propertyExtendedSearch', '/property']);
  });

  test('an accepted offer makes a listing pending', async () => {
    const props = [{ ...hit, contingentListingType: 'UNDER_CONTRACT' }];
    const { answer } = find({}, { '/propertyExtendedSearch': { ...page, props } });
    expect((await answer).listings[0]?.status).toBe('pending');
  });

  test.each([
    ['homeType', { homeType: 'castle' }],
    ['location', { location: 'x'.repeat(101) }],
  ])('an unusable %s is named, and nobody is asked', async (field, input) => {
    const { asked, answer } = find(input);
    await expect(answer).rejects.toMatchObject({ code: 'invalid_request', field });
    expect(asked).toEqual([]);
  });
});

describe('looking one up', () => {
  const look = (input: { id?: string; url?: string; address?: string }, answers: Record<string, Answer>) => {
    const { context: made, asked } = context(answers);
    return { asked, answer: get.run(made, input) };
  };

  test.each([
    ['its number', { id: '2077829067' }],
    ['its page', { url: 'https://www.zillow.com/homedetails/14-Alder-St/2077829067_zpid/?utm=x' }],
    ['a page without a number', { url: 'https://www.zillow.com/b/harbour-towers-5XjR2k/?q=1' }],
    ['its address', { address: ' 14 Alder St, Port Ansel, WA & Co ' }],
  ])('asks by %s', async (_what, input) => {
    const { asked, answer } = look(input, { '/property': details });
    await answer;
    expect(asked).toMatchSnapshot();
  });

  test('reads facts, histories, agent and photos', async () => {
    const { answer } = look({ id: '2077829067' }, { '/property': details });
    expect(await answer).toMatchSnapshot();
  });

  test('fetches the histories when the first answer has none', async () => {
    const { priceHistory, taxHistory, ...bare } = details;
    const { asked, answer } = look(
      { id: '2077829067' },
      { '/property': { ...bare, photoCount: 9 }, '/priceAndTaxHistory': { priceHistory, taxHistory } },
    );
    const found = await answer;
    expect(found.priceHistory).toHaveLength(2);
    expect(found.taxHistory).toEqual([{ year: 2024, tax: 4100.5, value: 390000 }]);
    // Two calls at most: the photos wait.
    expect(asked).toMatchSnapshot();
  });

  test('fetches the photos when there are more than it was told', async () => {
    const images = ['https://photos.zillowstatic.com/one.jpg', 'https://photos.zillowstatic.com/two.jpg'];
    const { asked, answer } = look(
      { id: '2077829067' },
      { '/property': { ...details, photoCount: 2 }, '/images': { images } },
    );
    expect((await answer).photos).toEqual(images);
    expect(asked).toMatchSnapshot();
  });

  test('stands without its second call', async () => {
    const { answer } = look({ id: '2077829067' }, { '/property': { ...details, photoCount: 9 } });
    expect((await answer).id).toBe('2077829067');
  });

  test.each([
    ['id', {}],
    ['id', { address: '  ' }],
    ['id', { id: '12/../../images?zpid=1' }],
    ['id', { id: '-1' }],
    ['url', { url: 'https://zillow.com.evil.example/1_zpid/' }],
    ['url', { url: 'http://www.zillow.com/1_zpid/' }],
    ['url', { url: 'not a url' }],
  ])('an unusable %s is named, and nobody is asked: %j', async (field, input) => {
    const { asked, answer } = look(input, { '/property': details });
    await expect(answer).rejects.toMatchObject({ code: 'invalid_request', field });
    expect(asked).toEqual([]);
  });

  test('an address full of URL syntax stays one parameter', async () => {
    const { asked, answer } = look({ address: '1 Quay&zpid=7#x /../images?y=%00' }, { '/property': details });
    await answer;
    const url = new URL(asked[0]?.url ?? '');
    expect([url.pathname, ...url.searchParams]).toEqual([
      '/property',
      ['address', '1 Quay&zpid=7#x /../images?y=%00'],
    ]);
  });
});

describe('what comes back', () => {
  test('fields of a wrong type are left out, and the rest is kept', async () => {
    const odd = {
      ...hit,
      price: '525k',
      bedrooms: null,
      bathrooms: -1,
      livingArea: {},
      latitude: 'north',
      address: 7,
      currency: 'dollars',
      detailUrl: 'javascript:alert(1)',
      imgSrc: 'http://169.254.169.254/x.jpg',
      lotAreaUnit: 'rods',
      propertyType: ['x'],
      listingStatus: 1,
    };
    const { answer } = find(
      {},
      { '/propertyExtendedSearch': { ...page, props: [odd, 'x', null, {}, { zpid: 'abc' }] } },
    );
    const { listings } = await answer;
    expect(JSON.parse(JSON.stringify(listings))).toEqual([
      {
        id: '2077829067',
        url: 'https://www.zillow.com/homedetails/2077829067_zpid/',
        address: 'Undisclosed address',
        longitude: -122.7,
      },
    ]);
  });

  test('the same in details and histories', async () => {
    const odd = {
      zpid: 1,
      address: 'x',
      price: [],
      attributionInfo: 'x',
      photos: [
        { url: 'https://a.example/1.jpg' },
        7,
        'nope',
        {
          mixedSources: {
            jpeg: [
              { url: 'https://a.example/s.jpg', width: 10 },
              { url: 'https://a.example/l.jpg', width: 99 },
            ],
          },
        },
      ],
      priceHistory: [
        { date: 'soon', event: 'Listed', price: 1 },
        { date: '2024-01-01', event: 'Removed', price: null },
        { time: 1.5, date: '2024-01-02', event: 'Sold', price: 9 },
        null,
        'x',
      ],
      taxHistory: { a: 1 },
    };
    const { context: made } = context({ '/property': odd });
    const found = await get.run(made, { id: '1' });
    expect(JSON.parse(JSON.stringify(found))).toEqual({
      id: '1',
      url: 'https://www.zillow.com/homedetails/1_zpid/',
      address: 'Undisclosed address',
      photos: ['https://a.example/1.jpg', 'https://a.example/l.jpg'],
      priceHistory: [{ at: Date.UTC(2024, 0, 2), event: 'Sold', price: 9 }],
    });
    expect(listing.safeParse(found).success).toBe(true);
  });

  test.each([
    ['null', null],
    ['a list', []],
    ['a text', 'x'],
    ['an apology', { message: 'x' }],
    ['no listings', { props: 7 }],
  ])('a body that is %s is malformed', async (_what, body) => {
    await expect(find({}, { '/propertyExtendedSearch': Response.json(body) }).answer).rejects.toMatchObject({
      code: 'malformed_response',
    });
  });

  test('a body that is no JSON is malformed', async () => {
    const { answer } = find({}, { '/propertyExtendedSearch': new Response('<html>') });
    await expect(answer).rejects.toMatchObject({ code: 'malformed_response' });
  });

  const monthly = {
    message: 'You have exceeded the MONTHLY quota for Requests on your current plan, BASIC.',
  };
  test.each([
    ['a wrong key', 401, {}, {}, { code: 'auth_expired', retry: 'reconnect' }],
    [
      'no subscription',
      403,
      {},
      { message: 'You are not subscribed to this API.' },
      { code: 'permission_denied', retry: 'ask' },
    ],
    ['an unknown listing', 404, {}, {}, { code: 'not_found' }],
    [
      'too many a second',
      429,
      {},
      { message: 'You have exceeded the rate limit per second' },
      { code: 'rate_limited', retryAfterMs: 1000 },
    ],
    [
      'the month used up',
      429,
      { 'x-ratelimit-requests-reset': '3600' },
      monthly,
      { code: 'quota_exhausted', retryAfterMs: 3_600_000 },
    ],
    [
      'none remaining',
      429,
      { 'x-ratelimit-requests-remaining': '0' },
      {},
      { code: 'quota_exhausted', retryAfterMs: undefined },
    ],
    ['a failing server', 503, {}, {}, { code: 'provider_unavailable' }],
    ['a refusal', 400, {}, {}, { code: 'invalid_request' }],
  ])('%s (%i) is said in our words', async (_what, status, headers: Record<string, string>, body, error) => {
    const response = Response.json(body, { status, headers });
    const { answer } = find({}, { '/propertyExtendedSearch': response });
    await expect(answer).rejects.toMatchObject(error);
    await expect(answer).rejects.not.toThrow(key);
  });
});

describe('the host', () => {
  test.each([
    'zillow-com1.p.rapidapi.com',
    'Zillow.Example.COM',
    '127.0.0.1:4010',
    'localhost:80',
    '[::1]:4010',
  ])('may be %s', (host) => {
    expect(provider.fields.safeParse({ host }).success).toBe(true);
  });

  test.each([
    '',
    'localhost.',
    '10.0.0.1',
    '169.254.169.254',
    '2130706433',
    '0x7f.1',
    'a.example/path',
    'a.example:8443',
    'user@a.example',
    'a.example?x',
    'a.example#',
    'http://a.example',
    '127.0.0.1:4010/x',
    '127.0.0.1:4010@a.example',
    'a b.example',
    '-a.example',
  ])('may not be "%s"', (host) => {
    expect(provider.fields.safeParse({ host }).success).toBe(false);
  });

  test('of our own server is spoken to in clear text, any other over https', async () => {
    const { context: own, asked } = context({ '/property': details }, '127.0.0.1:4010');
    await get.run(own, { id: '1' });
    expect(asked[0]).toMatchObject({
      url: 'http://127.0.0.1:4010/property?zpid=1',
      headers: { 'x-rapidapi-host': '127.0.0.1:4010' },
    });
    exchanges.splice(exchanges.indexOf(asked[0] as Exchange), 1);
  });
});

test("the account is the key's fingerprint, shown by one small search", async () => {
  const { context: made, asked } = context({ '/propertyExtendedSearch': page });
  const who = await provider.identity(made);
  expect(who).toEqual({ id: expect.stringMatching(/^key-[0-9a-f]{16}$/), label: 'Zillow (RapidAPI)' });
  expect(who.id).not.toContain(key);
  expect(asked).toMatchSnapshot();
});

describe('against the sandbox, through the door', () => {
  async function open() {
    const office = await openOffice();
    const { listings } = loadWorld(office.clock.now());
    const zillow = await startZillow({ clock: office.clock, key, listings });
    const connections = createConnections({ ...office, log, defaults: { zillowHost: zillow.host } });
    return { ...office, connections, zillow, [Symbol.asyncDispose]: () => zillow.close() };
  }

  test('connects, searches and looks up with the configured host', async () => {
    await using world = await open();
    const { connections, org, zillow } = world;
    const made = await connections.connect(org, 'zillow', { fields: {}, secrets: { rapidapi_key: key } });
    expect(made).toMatchObject({
      state: 'ACTIVE',
      fields: { host: zillow.host },
      label: 'Zillow (RapidAPI)',
    });
    const [any] = zillow.listings().filter(({ status }) => status === 'FOR_SALE');
    const found = await connections.read(
      org,
      made,
      'listing.search',
      listingSearch.parse({ location: any?.city ?? '' }),
    );
    expect(found.listings.map(({ id }) => id)).toContain(String(any?.zpid));
    expect(listingSearchAnswer.parse(found)).toEqual(found);
    const one: Listing = await connections.read(org, made, 'listing.get', { id: String(any?.zpid) });
    expect(one).toMatchObject({ city: any?.city, price: any?.price, agent: { name: any?.agent.name } });
    expect(one.priceHistory).toHaveLength(any?.priceHistory.length ?? -1);
    expect(one.taxHistory).toHaveLength(any?.taxHistory.length ?? -1);
    expect(one.photos).toHaveLength(any?.photos.length ?? -1);
  });

  test('a wrong key connects nothing', async () => {
    await using world = await open();
    const { connections, org } = world;
    const refused = connections.connect(org, 'zillow', {
      fields: {},
      secrets: { rapidapi_key: 'wrong-key' },
    });
    await expect(refused).rejects.toMatchObject({ code: 'permission_denied' });
    expect(await connections.list(org)).toEqual([]);
  });
});

const checker = await contractChecker();

test.skipIf('missing' in checker)(
  `every request that left keeps the contract${'missing' in checker ? ` (skipped: ${checker.missing})` : ''}`,
  () => {
    if ('missing' in checker) return;
    expect(exchanges.length).toBeGreaterThan(20);
    const faults = exchanges.map((exchange) => checker.check(exchange)).filter(({ ok }) => !ok);
    expect(faults).toEqual([]);
  },
);
