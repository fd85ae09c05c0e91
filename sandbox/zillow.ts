// A server in the shape of the Zillow API that RapidAPI sells as zillow-com1: its paths, parameters and
// answers, over the sandbox's listings, whose prices can be changed on order.
import type { Clock } from '../src/clock.ts';
import type { Faults } from './faults.ts';
import { type Answer, type Asked, startHttp } from './http.ts';
import type { Emulator } from './providers.ts';
import {
  addressOf,
  details,
  type HomeStatus,
  type HomeType,
  histories,
  row,
  type SandboxListing,
} from './zillow-answers.ts';

export interface Zillow extends Emulator {
  key: string;
  listings(): readonly SandboxListing[];
  /** A price change seen from now on, with its line in the history. @throws Error when there is no such listing. */
  setPrice(zpid: number, price: number): void;
  setStatus(zpid: number, status: HomeStatus): void;
}

export interface ZillowServer extends Omit<Zillow, keyof Emulator> {
  /** `127.0.0.1:PORT`: what DRAWBRIDGE_ZILLOW_HOST takes. */
  host: string;
  url: string;
  faults: Faults;
  requests(): Asked[];
  close(): Promise<void>;
}

interface ZillowOptions {
  clock: Clock;
  key: string;
  listings: readonly SandboxListing[];
}

const pageSize = 41;

const json = (body: unknown, status = 200): Answer => ({
  status,
  headers: { 'content-type': 'application/json; charset=utf-8' },
  body: JSON.stringify(body),
});

const homeTypes: Record<string, HomeType[]> = {
  houses: ['SINGLE_FAMILY'],
  condos: ['CONDO'],
  townhomes: ['TOWNHOUSE'],
  apartments: ['APARTMENT'],
  multi: ['MULTI_FAMILY'],
  'multi-family': ['MULTI_FAMILY'],
  lotsland: ['LOT'],
  'apartments_condos_co-ops': ['CONDO', 'APARTMENT'],
};

const statuses: Record<string, HomeStatus[]> = {
  ForSale: ['FOR_SALE', 'PENDING'],
  ForRent: ['FOR_RENT'],
  RecentlySold: ['SOLD'],
};

const orders: Record<string, (a: SandboxListing, b: SandboxListing) => number> = {
  Price_High_Low: (a, b) => b.price - a.price,
  Price_Low_High: (a, b) => a.price - b.price,
  Bedrooms: (a, b) => b.beds - a.beds,
  Bathrooms: (a, b) => b.baths - a.baths,
  Square_Feet: (a, b) => b.sqft - a.sqft,
  Lot_Size: (a, b) => b.lotSqft - a.lotSqft,
  Newest: (a, b) => (b.priceHistory[0]?.at ?? 0) - (a.priceHistory[0]?.at ?? 0),
};

const words = (text: string) =>
  text
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '');

function searched(listings: readonly SandboxListing[], query: URLSearchParams): SandboxListing[] {
  const number = (name: string) => {
    const value = query.get(name);
    return value === null || value === '' ? undefined : Number(value);
  };
  const rent = query.get('status_type') === 'ForRent';
  const status = statuses[query.get('status_type') ?? 'ForSale'] ?? ['FOR_SALE'];
  const pending = query.get('isPendingUnderContract');
  const types = (query.get('home_type') ?? '')
    .split(',')
    .flatMap((name) => homeTypes[name.trim().toLowerCase()] ?? (name.trim() === '' ? [] : [name.trim()]));
  const place = words(query.get('location') ?? '');
  const keywords = words(query.get('keywords') ?? '');
  const between = (value: number, min: string, max: string) =>
    value >= (number(min) ?? 0) && value <= (number(max) ?? Number.POSITIVE_INFINITY);
  const found = listings.filter((listing) => {
    const text = words(addressOf(listing));
    return (
      status.includes(listing.status) &&
      !(pending === '0' && listing.status === 'PENDING') &&
      place.every((word) => text.includes(word)) &&
      keywords.every((word) => words(listing.description).includes(word)) &&
      (types.length === 0 || types.includes(listing.homeType)) &&
      between(listing.price, rent ? 'rentMinPrice' : 'minPrice', rent ? 'rentMaxPrice' : 'maxPrice') &&
      between(listing.beds, 'bedsMin', 'bedsMax') &&
      between(listing.baths, 'bathsMin', 'bathsMax') &&
      between(listing.sqft, 'sqftMin', 'sqftMax') &&
      between(listing.yearBuilt, 'buildYearMin', 'buildYearMax') &&
      between(listing.lotSqft, 'lotSizeMin', 'lotSizeMax')
    );
  });
  const order = orders[query.get('sort') ?? ''];
  return order === undefined ? found : found.sort(order);
}

function named(listings: readonly SandboxListing[], query: URLSearchParams): SandboxListing | undefined {
  const zpid = query.get('zpid') ?? /(\d+)_zpid/.exec(query.get('property_url') ?? '')?.[1];
  if (zpid !== undefined) return listings.find((listing) => String(listing.zpid) === zpid);
  const address = words(query.get('address') ?? '');
  if (address.length === 0) return undefined;
  return listings.find((listing) => address.every((word) => words(addressOf(listing)).includes(word)));
}

export function createZillow(options: ZillowOptions): Zillow {
  const { clock, key } = options;
  const listings = options.listings.map((listing) => structuredClone(listing));

  function search(query: URLSearchParams): Answer {
    if ((query.get('location') ?? '') === '') return json({ message: 'location is required' }, 400);
    const page = Number(query.get('page') ?? '1');
    if (!Number.isInteger(page) || page < 1 || page > 20) return json({ message: 'page is 1 to 20' }, 400);
    const found = searched(listings, query);
    return json({
      props: found.slice((page - 1) * pageSize, page * pageSize).map((listing) => row(listing, clock.now())),
      resultsPerPage: pageSize,
      totalPages: Math.ceil(found.length / pageSize),
      totalResultCount: found.length,
      currentPage: page,
    });
  }

  const ofOne: Record<string, (listing: SandboxListing) => unknown> = {
    '/property': (listing) => details(listing, clock.now()),
    '/priceAndTaxHistory': histories,
    '/images': (listing) => ({ images: listing.photos }),
  };

  const handle = (asked: Asked): Answer => {
    const given = asked.headers['x-rapidapi-key'];
    if (given === undefined) {
      return json({ message: 'Invalid API key. Go to the API page to get one.' }, 401);
    }
    if (given !== key) return json({ message: 'You are not subscribed to this API.' }, 403);
    if (asked.method !== 'GET') return json({ message: 'Only GET is here' }, 405);
    if (asked.path === '/propertyExtendedSearch') return search(asked.query);
    if (asked.path === '/locationSuggestions') {
      const wanted = words(asked.query.get('q') ?? '');
      const towns = [...new Set(listings.map((listing) => `${listing.city}, ${listing.state}`))];
      const fits = towns.filter((town) => wanted.every((word) => words(town).includes(word)));
      return json({ results: fits.map((display) => ({ display, resultType: 'Region' })) });
    }
    const one = ofOne[asked.path];
    if (one === undefined) return json({ message: `Endpoint '${asked.path}' does not exist` }, 404);
    const listing = named(listings, asked.query);
    return listing === undefined ? json({ message: 'Property not found' }, 404) : json(one(listing));
  };

  function require(zpid: number): SandboxListing {
    const listing = listings.find((candidate) => candidate.zpid === zpid);
    if (listing === undefined) throw new Error(`no listing ${zpid} in the sandbox`);
    return listing;
  }

  return {
    provider: 'zillow',
    hosts: ['zillow-com1.p.rapidapi.com'],
    handle,
    key,
    listings: () => listings,
    setPrice(zpid, price) {
      const listing = require(zpid);
      listing.price = price;
      listing.priceHistory.unshift({ at: clock.now(), event: 'Price change', price });
    },
    setStatus(zpid, status) {
      require(zpid).status = status;
    },
  };
}

export async function startZillow(options: ZillowOptions): Promise<ZillowServer> {
  const { handle, key, listings, setPrice, setStatus } = createZillow(options);
  const http = await startHttp((asked) => handle({ ...asked, host: `${http.host}:${http.port}` }));
  return {
    host: `${http.host}:${http.port}`,
    url: `http://${http.host}:${http.port}`,
    key,
    faults: http.faults,
    requests: http.requests,
    listings,
    setPrice,
    setStatus,
    close: http.close,
  };
}
