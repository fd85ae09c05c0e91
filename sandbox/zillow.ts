// A server in the shape of the Zillow API that RapidAPI sells as zillow-com1: its paths, parameters and
// answers, over the sandbox's listings, whose prices can be changed on order.
import type { Clock } from '../src/clock.ts';
import type { Faults } from './faults.ts';
import { type Answer, type Asked, startHttp } from './http.ts';

export type HomeStatus = 'FOR_SALE' | 'FOR_RENT' | 'PENDING' | 'SOLD';
export type HomeType = 'SINGLE_FAMILY' | 'CONDO' | 'TOWNHOUSE' | 'MULTI_FAMILY' | 'LOT' | 'APARTMENT';

/** A listing with its times resolved to integer ms. */
export interface SandboxListing {
  zpid: number;
  mls: string;
  street: string;
  city: string;
  state: string;
  zip: string;
  latitude: number;
  longitude: number;
  status: HomeStatus;
  homeType: HomeType;
  price: number;
  beds: number;
  baths: number;
  sqft: number;
  lotSqft: number;
  yearBuilt: number;
  description: string;
  photos: string[];
  agent: { name: string; phone: string; office: string };
  hoaMonthly: number | undefined;
  /** Newest first. */
  priceHistory: { at: number; event: string; price: number }[];
  /** Newest first. */
  taxHistory: { year: number; tax: number; value: number }[];
}

export interface ZillowServer {
  /** `127.0.0.1:PORT`: what DRAWBRIDGE_ZILLOW_HOST takes. */
  host: string;
  url: string;
  key: string;
  faults: Faults;
  requests(): Asked[];
  listings(): readonly SandboxListing[];
  /** A price change seen from now on, with its line in the history. @throws Error when there is no such listing. */
  setPrice(zpid: number, price: number): void;
  setStatus(zpid: number, status: HomeStatus): void;
  close(): Promise<void>;
}

const pageSize = 41;
const dayMs = 86_400_000;
const isoDay = (ms: number) => new Date(ms).toISOString().slice(0, 10);

export function addressOf(listing: SandboxListing): string {
  return `${listing.street}, ${listing.city}, ${listing.state} ${listing.zip}`;
}

function detailPath(listing: SandboxListing): string {
  return `/homedetails/${addressOf(listing).replace(/[^A-Za-z0-9]+/g, '-')}/${listing.zpid}_zpid/`;
}

const json = (body: unknown, status = 200): Answer => ({
  status,
  headers: { 'content-type': 'application/json; charset=utf-8' },
  body: JSON.stringify(body),
});

function priceLine(listing: SandboxListing, index: number): Record<string, unknown> {
  const line = listing.priceHistory[index];
  const older = listing.priceHistory[index + 1];
  if (line === undefined) return {};
  return {
    date: isoDay(line.at),
    time: line.at,
    price: line.price,
    event: line.event,
    source: 'Ansel Coast MLS',
    pricePerSquareFoot: listing.sqft === 0 ? null : Math.round(line.price / listing.sqft),
    priceChangeRate: older === undefined ? 0 : (line.price - older.price) / older.price,
  };
}

function taxLine(listing: SandboxListing, index: number): Record<string, unknown> {
  const line = listing.taxHistory[index];
  const older = listing.taxHistory[index + 1];
  if (line === undefined) return {};
  return {
    time: Date.UTC(line.year, 10, 15),
    taxPaid: line.tax,
    value: line.value,
    taxIncreaseRate: older === undefined ? 0 : (line.tax - older.tax) / older.tax,
    valueIncreaseRate: older === undefined ? 0 : (line.value - older.value) / older.value,
  };
}

const histories = (listing: SandboxListing) => ({
  priceHistory: listing.priceHistory.map((_line, index) => priceLine(listing, index)),
  taxHistory: listing.taxHistory.map((_line, index) => taxLine(listing, index)),
});

function daysOn(listing: SandboxListing, now: number): number {
  const listed = listing.priceHistory.find((line) => line.event.startsWith('Listed'));
  return listed === undefined ? 0 : Math.max(0, Math.floor((now - listed.at) / dayMs));
}

/** A row of propertyExtendedSearch. */
function row(listing: SandboxListing, now: number): Record<string, unknown> {
  const [latest, before] = listing.priceHistory;
  const cut = latest?.event === 'Price change' && before !== undefined;
  return {
    zpid: listing.zpid,
    address: addressOf(listing),
    price: listing.price,
    currency: 'USD',
    country: 'USA',
    bedrooms: listing.beds,
    bathrooms: listing.baths,
    livingArea: listing.sqft,
    lotAreaValue: listing.lotSqft,
    lotAreaUnit: 'sqft',
    propertyType: listing.homeType,
    listingStatus: listing.status === 'SOLD' ? 'RECENTLY_SOLD' : listing.status,
    latitude: listing.latitude,
    longitude: listing.longitude,
    imgSrc: listing.photos[0] ?? null,
    hasImage: listing.photos.length > 0,
    detailUrl: detailPath(listing),
    daysOnZillow: daysOn(listing, now),
    contingentListingType: listing.status === 'PENDING' ? 'UNDER_CONTRACT' : null,
    priceChange: cut ? latest.price - before.price : null,
    datePriceChanged: cut ? latest.at : null,
    listingSubType: { is_FSBA: true },
    variableData: null,
  };
}

/** The answer of /property. */
function details(listing: SandboxListing, now: number): Record<string, unknown> {
  return {
    zpid: listing.zpid,
    mlsid: listing.mls,
    url: detailPath(listing),
    address: {
      streetAddress: listing.street,
      city: listing.city,
      state: listing.state,
      zipcode: listing.zip,
      neighborhood: null,
    },
    streetAddress: listing.street,
    city: listing.city,
    state: listing.state,
    zipcode: listing.zip,
    country: 'USA',
    currency: 'USD',
    latitude: listing.latitude,
    longitude: listing.longitude,
    price: listing.price,
    homeStatus: listing.status,
    homeType: listing.homeType,
    propertyTypeDimension: listing.homeType,
    bedrooms: listing.beds,
    bathrooms: listing.baths,
    livingArea: listing.sqft,
    livingAreaValue: listing.sqft,
    livingAreaUnits: 'Square Feet',
    lotSize: listing.lotSqft,
    lotAreaValue: listing.lotSqft,
    lotAreaUnits: 'Square Feet',
    yearBuilt: listing.yearBuilt,
    monthlyHoaFee: listing.hoaMonthly ?? null,
    description: listing.description,
    imgSrc: listing.photos[0] ?? null,
    photoCount: listing.photos.length,
    timeOnZillow: `${daysOn(listing, now)} days`,
    daysOnZillow: daysOn(listing, now),
    propertyTaxRate: 1.04,
    brokerageName: listing.agent.office,
    attributionInfo: {
      agentName: listing.agent.name,
      agentPhoneNumber: listing.agent.phone,
      brokerName: listing.agent.office,
      mlsId: listing.mls,
      mlsName: 'Ansel Coast MLS',
    },
    listed_by: {
      display_name: listing.agent.name,
      business_name: listing.agent.office,
      phone: listing.agent.phone,
    },
    ...histories(listing),
  };
}

const homeTypes: Record<string, HomeType[]> = {
  houses: ['SINGLE_FAMILY'],
  condos: ['CONDO'],
  townhomes: ['TOWNHOUSE'],
  apartments: ['APARTMENT'],
  multi: ['MULTI_FAMILY'],
  'multi-family': ['MULTI_FAMILY'],
  lotsland: ['LOT'],
  apartments_condos_co_ops: ['CONDO', 'APARTMENT'],
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

export async function startZillow(options: {
  clock: Clock;
  key: string;
  listings: readonly SandboxListing[];
}): Promise<ZillowServer> {
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

  const http = await startHttp((asked): Answer => {
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
  });

  function require(zpid: number): SandboxListing {
    const listing = listings.find((candidate) => candidate.zpid === zpid);
    if (listing === undefined) throw new Error(`no listing ${zpid} in the sandbox`);
    return listing;
  }

  return {
    host: `${http.host}:${http.port}`,
    url: `http://${http.host}:${http.port}`,
    key,
    faults: http.faults,
    requests: http.requests,
    listings: () => listings,
    setPrice(zpid, price) {
      const listing = require(zpid);
      listing.price = price;
      listing.priceHistory.unshift({ at: clock.now(), event: 'Price change', price });
    },
    setStatus(zpid, status) {
      require(zpid).status = status;
    },
    close: http.close,
  };
}
