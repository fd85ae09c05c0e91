// What zillow-com1 says of a home: its rows, details and histories, in its own field names.

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

const dayMs = 86_400_000;
const isoDay = (ms: number) => new Date(ms).toISOString().slice(0, 10);

export function addressOf(listing: SandboxListing): string {
  return `${listing.street}, ${listing.city}, ${listing.state} ${listing.zip}`;
}

function detailPath(listing: SandboxListing): string {
  return `/homedetails/${addressOf(listing).replace(/[^A-Za-z0-9]+/g, '-')}/${listing.zpid}_zpid/`;
}

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

/** The answer of /priceAndTaxHistory. */
export const histories = (listing: SandboxListing) => ({
  priceHistory: listing.priceHistory.map((_line, index) => priceLine(listing, index)),
  taxHistory: listing.taxHistory.map((_line, index) => taxLine(listing, index)),
});

function daysOn(listing: SandboxListing, now: number): number {
  const listed = listing.priceHistory.find((line) => line.event.startsWith('Listed'));
  return listed === undefined ? 0 : Math.max(0, Math.floor((now - listed.at) / dayMs));
}

/** A row of propertyExtendedSearch. */
export function row(listing: SandboxListing, now: number): Record<string, unknown> {
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
export function details(listing: SandboxListing, now: number): Record<string, unknown> {
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
