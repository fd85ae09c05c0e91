// What is asked of Zillow: listings by their properties, and one listing with its histories. A read makes
// two calls at most.
import { DrawbridgeError } from '../../errors.ts';
import {
  type Listing,
  type ListingGet,
  type ListingSearch,
  type ListingSearchAnswer,
  listingGet,
  listingSearch,
} from '../capabilities.ts';
import { type ProviderContext, readOperation } from '../define.ts';
import { call } from './call.ts';
import { listingOfProperty, listingsOfHits, ownPhotos } from './listing.ts';
import { type RawProperty, rawHistory, rawImages, rawProperty, rawSearch } from './raw.ts';

const lastPage = 20;
const statusTypes = { for_sale: 'ForSale', for_rent: 'ForRent', sold: 'RecentlySold' } as const;
/** Values of `home_type`; a rental knows flats and condominiums as one. */
const homeTypes: Record<string, { sale: string; rent: string }> = {
  house: { sale: 'Houses', rent: 'Houses' },
  condo: { sale: 'Condos', rent: 'Apartments_Condos_Co-ops' },
  townhouse: { sale: 'Townhomes', rent: 'Townhomes' },
  multi_family: { sale: 'Multi-family', rent: 'Houses' },
  apartment: { sale: 'Apartments', rent: 'Apartments_Condos_Co-ops' },
  land: { sale: 'LotsLand', rent: 'LotsLand' },
  manufactured: { sale: 'Manufactured', rent: 'Manufactured' },
};

export const search = readOperation<ListingSearch, ListingSearchAnswer>({
  effect: 'read',
  title: 'Search listings',
  input: listingSearch,
  async run(context, input) {
    if (input.location.length > 100) throw invalid('location: at most 100 characters', 'location');
    if (input.page > lastPage) throw invalid(`page: Zillow gives ${lastPage} pages at most`, 'page');
    const answer = await call(context, '/propertyExtendedSearch', searchQuery(input), rawSearch);
    if ('zpid' in answer) return { listings: [await property(context, { zpid: answer.zpid })], total: 1 };
    const pages = Math.min(answer.totalPages ?? 1, lastPage);
    return {
      listings: listingsOfHits(answer.props).filter((listing) => fits(listing, input)),
      total: answer.totalResultCount,
      nextPage: input.page < pages ? input.page + 1 : undefined,
    };
  },
});

export const get = readOperation<ListingGet, Listing>({
  effect: 'read',
  title: 'Look up a listing',
  input: listingGet,
  run: async (context, input) => property(context, propertyQuery(input)),
});

/** The API takes whole numbers: bounds are widened here, and `fits` takes them literally. */
function searchQuery(input: ListingSearch): Record<string, string | number | undefined> {
  const rent = input.status === 'for_rent';
  const low = floor(input.minPrice);
  const high = ceil(input.maxPrice);
  return {
    location: input.location,
    status_type: statusTypes[input.status],
    home_type: homeTypeFor(input.homeType, rent),
    ...(rent ? { rentMinPrice: low, rentMaxPrice: high } : { minPrice: low, maxPrice: high }),
    bedsMin: floor(input.minBeds),
    bedsMax: ceil(input.maxBeds),
    bathsMin: floor(input.minBaths),
    bathsMax: ceil(input.maxBaths),
    page: input.page,
  };
}

function homeTypeFor(homeType: string | undefined, rent: boolean): string | undefined {
  if (homeType === undefined) return undefined;
  const known =
    homeTypes[
      homeType
        .trim()
        .toLowerCase()
        .replaceAll(/[\s-]+/g, '_')
    ];
  if (known === undefined) {
    throw invalid(`homeType: must be one of ${Object.keys(homeTypes).join(', ')}`, 'homeType');
  }
  return rent ? known.rent : known.sale;
}

/** A listing that does not say stays in. */
function fits(listing: Listing, input: ListingSearch): boolean {
  const within = (value: number | undefined, low = 0, high = Number.POSITIVE_INFINITY): boolean =>
    value === undefined || (value >= low && value <= high);
  return (
    within(listing.price, input.minPrice, input.maxPrice) &&
    within(listing.beds, input.minBeds, input.maxBeds) &&
    within(listing.baths, input.minBaths, input.maxBaths)
  );
}

type PropertyQuery = { zpid: string } | { property_url: string } | { address: string };

function propertyQuery({ id, url, address }: ListingGet): PropertyQuery {
  if (id !== undefined) {
    if (!/^\d{1,15}$/.test(id)) throw invalid("id: must be Zillow's number of the listing (zpid)", 'id');
    return { zpid: id };
  }
  if (url !== undefined) {
    const page = URL.parse(url);
    if (page?.protocol !== 'https:' || !/(^|\.)zillow\.com$/.test(page.hostname)) {
      throw invalid('url: must be a page of https://www.zillow.com', 'url');
    }
    const zpid = /\/(\d{1,15})_zpid/.exec(page.pathname)?.[1];
    return zpid === undefined ? { property_url: `${page.origin}${page.pathname}` } : { zpid };
  }
  if (address === undefined || address.trim() === '') {
    throw invalid('id: give the id, the URL or the address of a listing', 'id');
  }
  return { address: address.trim() };
}

async function property(context: ProviderContext, query: PropertyQuery): Promise<Listing> {
  const raw = await call(context, '/property', query, rawProperty);
  return listingOfProperty(raw, await secondCall(context, raw));
}

/** The histories when the first answer had none, else more photos. The listing stands without either. */
async function secondCall(
  context: ProviderContext,
  raw: RawProperty,
): Promise<NonNullable<Parameters<typeof listingOfProperty>[1]>> {
  const query = { zpid: raw.zpid };
  try {
    if (raw.priceHistory === undefined) {
      return { history: await call(context, '/priceAndTaxHistory', query, rawHistory) };
    }
    if ((raw.photoCount ?? 0) > ownPhotos(raw).length) {
      return { images: (await call(context, '/images', query, rawImages)).images ?? [] };
    }
  } catch (error) {
    context.signal?.throwIfAborted();
    context.log.warn({ err: error }, 'the second call about a listing failed');
  }
  return {};
}

const floor = (value: number | undefined): number | undefined =>
  value === undefined ? undefined : Math.floor(value);
const ceil = (value: number | undefined): number | undefined =>
  value === undefined ? undefined : Math.ceil(value);

function invalid(message: string, field: string): DrawbridgeError {
  return new DrawbridgeError('invalid_request', message, { field });
}
