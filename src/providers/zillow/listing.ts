// From Zillow's words to a listing's: statuses, home types, areas, histories, links.
import type { z } from 'zod';
import type { Listing } from '../capabilities.ts';
import { type RawHit, type RawProperty, type rawHistory, rawHit, rawPhoto, rawPrice, rawTax } from './raw.ts';

const site = 'https://www.zillow.com';
const sqftPerAcre = 43_560;

const statuses: Record<string, string> = {
  UNDER_CONTRACT: 'pending',
  RECENTLY_SOLD: 'sold',
  OTHER: 'off_market',
};
const homeTypes: Record<string, string> = { SINGLE_FAMILY: 'house', LOT: 'land', MOBILE: 'manufactured' };

function listingOfHit(hit: RawHit): Listing {
  return {
    id: hit.zpid,
    url: pageUrl(hit.detailUrl, hit.zpid),
    address: hit.address ?? undisclosed,
    ...partsOf(hit.address ?? ''),
    status: statusOf(hit.listingStatus, hit.contingentListingType),
    homeType: wordFor(homeTypes, hit.propertyType),
    price: hit.price,
    currency: currencyOf(hit.currency),
    beds: hit.bedrooms,
    baths: hit.bathrooms,
    areaSqft: hit.livingArea,
    lotSqft: sqft(hit.lotAreaValue, hit.lotAreaUnit),
    latitude: hit.latitude,
    longitude: hit.longitude,
    photos: photosOf([hit.imgSrc]),
  };
}

export function listingsOfHits(props: readonly unknown[]): Listing[] {
  return each(rawHit, props).map(listingOfHit);
}

/** `more`: what a second call brought. */
export function listingOfProperty(
  raw: RawProperty,
  more: { history?: z.infer<typeof rawHistory>; images?: readonly unknown[] } = {},
): Listing {
  const { streetAddress, city, state, zipcode } = raw.address ?? {};
  const region = [state, zipcode].filter((part) => part !== undefined).join(' ');
  const address = [streetAddress, city, region]
    .filter((part) => part !== undefined && part !== '')
    .join(', ');
  const history = more.history ?? raw;
  return {
    id: raw.zpid,
    url: pageUrl(raw.url, raw.zpid),
    address: address === '' ? undisclosed : address,
    mlsNumber: raw.attributionInfo?.mlsId ?? raw.mlsid,
    parcel: raw.resoFacts?.parcelNumber ?? raw.parcelId,
    city,
    region: state,
    postalCode: zipcode,
    status: statusOf(raw.homeStatus, raw.contingentListingType),
    homeType: wordFor(homeTypes, raw.homeType),
    price: raw.price,
    currency: currencyOf(raw.currency),
    beds: raw.bedrooms,
    baths: raw.bathrooms,
    areaSqft: raw.livingArea,
    lotSqft: sqft(raw.lotAreaValue, raw.lotAreaUnits),
    latitude: raw.latitude,
    longitude: raw.longitude,
    description: raw.description,
    yearBuilt: raw.yearBuilt,
    photos: photosOf([...ownPhotos(raw), ...(more.images ?? [])]),
    agent: agentOf(raw),
    priceHistory: priceHistoryOf(history.priceHistory),
    taxHistory: taxHistoryOf(history.taxHistory),
  };
}

/** What /property itself says of photos, the main one first. */
export function ownPhotos(raw: RawProperty): unknown[] {
  return [raw.imgSrc, ...(raw.photos ?? raw.originalPhotos ?? raw.responsivePhotos ?? [])];
}

const undisclosed = 'Undisclosed address';

/** City, region and postal code of a one-line American address. */
function partsOf(address: string): Pick<Listing, 'city' | 'region' | 'postalCode'> {
  const match = /,\s*([^,]+),\s*([A-Z]{2})(?:\s+(\d{5}(?:-\d{4})?))?$/.exec(address);
  return match === null ? {} : { city: match[1], region: match[2], postalCode: match[3] };
}

function statusOf(status: string | undefined, contingent: string | undefined): string | undefined {
  return contingent === 'PENDING' || contingent === 'UNDER_CONTRACT' ? 'pending' : wordFor(statuses, status);
}

function wordFor(words: Record<string, string>, raw: string | undefined): string | undefined {
  if (raw === undefined) return undefined;
  return words[raw.toUpperCase()] ?? raw.toLowerCase().replaceAll(/[^a-z0-9]+/g, '_');
}

function currencyOf(code: string | undefined): string | undefined {
  return code !== undefined && /^[A-Z]{3}$/.test(code) ? code : undefined;
}

function sqft(value: number | undefined, unit: string | undefined): number | undefined {
  if (value === undefined || unit === undefined) return undefined;
  if (/^(sqft|sq\.? ?ft|square feet)/i.test(unit)) return value;
  return /^acre/i.test(unit) ? Math.round(value * sqftPerAcre) : undefined;
}

/** The listing's page on zillow.com; nothing else that a body may name is passed on as its link. */
function pageUrl(given: string | undefined, zpid: string): string {
  const url = URL.parse(given ?? '', site);
  const own = url !== null && given !== undefined && url.origin === site;
  return own ? url.href : `${site}/homedetails/${zpid}_zpid/`;
}

function photosOf(photos: readonly unknown[]): string[] | undefined {
  const urls = each(rawPhoto, photos).filter((url) => URL.parse(url)?.protocol === 'https:');
  return urls.length === 0 ? undefined : [...new Set(urls)];
}

function agentOf(raw: RawProperty): Listing['agent'] {
  const { agentName, agentPhoneNumber, brokerName } = raw.attributionInfo ?? {};
  const name = agentName ?? raw.listed_by?.display_name;
  if (name === undefined) return undefined;
  return {
    name,
    phone: agentPhoneNumber,
    office: brokerName ?? raw.listed_by?.business_name ?? raw.brokerageName,
  };
}

function priceHistoryOf(lines: readonly unknown[] | undefined): Listing['priceHistory'] {
  if (lines === undefined) return undefined;
  return each(rawPrice, lines).flatMap(({ time, date, event, price }) => {
    const at = time ?? Date.parse(date ?? '');
    return Number.isNaN(at) ? [] : [{ at, event, price }];
  });
}

function taxHistoryOf(lines: readonly unknown[] | undefined): Listing['taxHistory'] {
  if (lines === undefined) return undefined;
  return each(rawTax, lines).map(({ time, taxPaid, value }) => ({
    year: new Date(time).getUTCFullYear(),
    tax: taxPaid,
    value,
  }));
}

/** The elements that are what they should be; the others are left out. */
function each<T>(schema: z.ZodType<T>, values: readonly unknown[] | undefined): T[] {
  return (values ?? []).flatMap((value) => {
    const parsed = schema.safeParse(value);
    return parsed.success ? [parsed.data] : [];
  });
}
