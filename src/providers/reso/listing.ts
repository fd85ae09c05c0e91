// A row of Property as a listing: its standard fields, its server's own under their names, lookups in words, and
// what its MLS wants shown with it, or not shown at all.
import type { Listing } from '../capabilities.ts';
import { type Catalogue, wordOf } from './catalogue.ts';
import type { Fields } from './dialect.ts';
import type { Row } from './odata.ts';

const sqftPerAcre = 43_560;
const sqftPerSquareMetre = 10.7639;
const longestLine = 600;
const longestLocal = 300;
const undisclosed = 'Undisclosed address';

/** What is asked for of a row, where the service has it. Data Dictionary 1.7 and 2.0; Mlg… of MLS Grid, FeedTypes of Bridge. */
export const rowFields = [
  ...['ListingKey', 'ListingId', 'ParcelNumber', 'UnparsedAddress', 'StreetNumber', 'StreetDirPrefix'],
  ...['StreetName', 'StreetSuffix', 'StreetDirSuffix', 'UnitNumber', 'City', 'StateOrProvince', 'PostalCode'],
  ...['StandardStatus', 'MlsStatus', 'PropertyType', 'PropertySubType', 'ListPrice', 'OriginalListPrice'],
  ...['ClosePrice', 'CloseDate', 'OnMarketDate', 'ListingContractDate', 'PriceChangeTimestamp'],
  ...['BedroomsTotal', 'BathroomsTotalInteger', 'LivingArea', 'LivingAreaUnits', 'LotSizeSquareFeet'],
  ...['LotSizeAcres', 'Latitude', 'Longitude', 'PublicRemarks', 'YearBuilt', 'TaxAnnualAmount', 'TaxYear'],
  ...['TaxAssessedValue', 'ListAgentFullName', 'ListAgentPreferredPhone', 'ListOfficeName', 'ListingURL'],
  ...['AttributionContact', 'CopyrightNotice', 'Disclaimer', 'OriginatingSystemName'],
  ...['InternetAddressDisplayYN', 'InternetEntireListingDisplayYN', 'MlgCanView', 'MlgCanUse', 'FeedTypes'],
  ...['ModificationTimestamp', 'OriginalEntryTimestamp'],
] as const;

const statuses: Readonly<Record<string, string>> = {
  active: 'for_sale',
  activeundercontract: 'pending',
  pending: 'pending',
  closed: 'sold',
  comingsoon: 'coming_soon',
};

/** Ours → PropertySubType; `land` is a PropertyType. */
export const subTypes: Readonly<Record<string, readonly string[]>> = {
  house: ['Single Family Residence'],
  condo: ['Condominium'],
  townhouse: ['Townhouse'],
  multi_family: ['Multi Family', 'Duplex', 'Triplex', 'Quadruplex'],
  apartment: ['Apartment'],
  manufactured: ['Manufactured Home'],
};
const homeTypes = new Map(
  Object.entries(subTypes).flatMap(([ours, theirs]) => theirs.map((name) => [squeezed(name), ours] as const)),
);

function squeezed(text: string): string {
  return text.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
}

export const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value.trim() !== ''
    ? value.trim()
    : typeof value === 'number'
      ? String(value)
      : undefined;

function numberOf(value: unknown): number | undefined {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}

const amountOf = (value: unknown): number | undefined => {
  const number = numberOf(value);
  return number !== undefined && number > 0 ? number : undefined;
};

export function timeOf(value: unknown): number | undefined {
  const at = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isNaN(at) ? undefined : at;
}

/** The key of a row: what tells it from all others of its service. */
export const keyOf = (row: Row): string | undefined => textOf(row['ListingKey']);

/**
 * Whether the MLS lets it be shown at all. `use`: what the connection was licensed for (IDX, VOW …), where a row
 * says for what it may be used.
 */
export function isShown(row: Row, { use }: Fields): boolean {
  if (row['InternetEntireListingDisplayYN'] === false || row['MlgCanView'] === false) return false;
  const uses = [row['MlgCanUse'], row['FeedTypes']].flatMap((list) => (Array.isArray(list) ? list : []));
  if (typeof use !== 'string' || use === '' || uses.length === 0) return true;
  return uses.some((one) => typeof one === 'string' && squeezed(one) === squeezed(use));
}

export function listingOf(
  row: Row,
  catalogue: Catalogue,
  fields: Fields,
  more: { photos?: string[] | undefined; history?: Listing['priceHistory'] } = {},
): Listing {
  const word = (name: string) => wordOf(catalogue, name, row[name]);
  const hidden = row['InternetAddressDisplayYN'] === false;
  const place = {
    city: word('City'),
    region: word('StateOrProvince'),
    postalCode: textOf(row['PostalCode']),
  };
  const lease = /lease/i.test(word('PropertyType') ?? '');
  const year = numberOf(row['TaxYear']);
  const tax = numberOf(row['TaxAnnualAmount']);
  const value = numberOf(row['TaxAssessedValue']);
  return {
    id: keyOf(row) ?? '',
    address: hidden ? undisclosed : (addressOf(row, place) ?? undisclosed),
    ...place,
    mlsNumber: textOf(row['ListingId']),
    status: statusOf(word('StandardStatus') ?? word('MlsStatus'), lease),
    homeType: homeTypeOf(word('PropertyType'), word('PropertySubType')),
    price: amountOf(row['ListPrice']),
    currency: textOf(fields['currency']) ?? 'USD',
    beds: numberOf(row['BedroomsTotal']),
    baths: numberOf(row['BathroomsTotalInteger']),
    areaSqft: areaOf(row),
    lotSqft: lotOf(row),
    // Each of these would tell the address in another way.
    ...(hidden
      ? {}
      : {
          url: httpsOf(row['ListingURL']),
          parcel: textOf(row['ParcelNumber']),
          latitude: numberOf(row['Latitude']),
          longitude: numberOf(row['Longitude']),
        }),
    description: textOf(row['PublicRemarks']),
    yearBuilt: numberOf(row['YearBuilt']),
    photos: more.photos ?? photosOf(row['Media']),
    agent: agentOf(row),
    priceHistory: historyOf(row, lease, more.history),
    ...(year === undefined || (tax === undefined && value === undefined)
      ? {}
      : { taxHistory: [{ year, tax, value }] }),
    addressHidden: hidden,
    attribution: attributionOf(row, fields),
    local: localOf(row, catalogue),
  };
}

function addressOf(row: Row, place: Pick<Listing, 'city' | 'region' | 'postalCode'>): string | undefined {
  const part = (name: string) => textOf(row[name]);
  const unit = part('UnitNumber');
  const street = ['StreetNumber', 'StreetDirPrefix', 'StreetName', 'StreetSuffix', 'StreetDirSuffix']
    .flatMap((name) => part(name) ?? [])
    .join(' ');
  const line = part('StreetNumber') === undefined ? '' : street;
  if (line === '') return part('UnparsedAddress');
  const region = [place.region, place.postalCode].filter((one) => one !== undefined).join(' ');
  return [unit === undefined ? line : `${line} #${unit.replace(/^#\s*/, '')}`, place.city, region]
    .filter((one) => one !== undefined && one !== '')
    .join(', ');
}

function statusOf(said: string | undefined, lease: boolean): string | undefined {
  if (said === undefined) return undefined;
  const status = statuses[squeezed(said)] ?? 'off_market';
  return lease && status === 'for_sale' ? 'for_rent' : lease && status === 'sold' ? 'off_market' : status;
}

function homeTypeOf(type: string | undefined, subType: string | undefined): string | undefined {
  if (squeezed(type ?? '') === 'land') return 'land';
  if (subType === undefined) return undefined;
  return homeTypes.get(squeezed(subType)) ?? subType.toLowerCase().replaceAll(/[^a-z0-9]+/g, '_');
}

function areaOf(row: Row): number | undefined {
  const area = amountOf(row['LivingArea']);
  if (area === undefined) return undefined;
  return /met(?:er|re)/i.test(String(row['LivingAreaUnits'] ?? ''))
    ? Math.round(area * sqftPerSquareMetre)
    : area;
}

function lotOf(row: Row): number | undefined {
  const acres = amountOf(row['LotSizeAcres']);
  return (
    amountOf(row['LotSizeSquareFeet']) ?? (acres === undefined ? undefined : Math.round(acres * sqftPerAcre))
  );
}

const httpsOf = (value: unknown): string | undefined => {
  const url = URL.parse(textOf(value) ?? '');
  return url?.protocol === 'https:' ? url.href : undefined;
};

/** Links of pictures, in the order of the MLS; undefined where nothing is told of media. */
export function photosOf(media: unknown): string[] | undefined {
  if (!Array.isArray(media)) return undefined;
  const rows = media.filter((one): one is Row => typeof one === 'object' && one !== null);
  const order = (row: Row) => numberOf(row['Order']) ?? Number.MAX_SAFE_INTEGER;
  return rows
    .filter((row) => !/document|video|tour/i.test(String(row['MediaCategory'] ?? '')))
    .toSorted((a, b) => order(a) - order(b))
    .flatMap((row) => httpsOf(row['MediaURL']) ?? []);
}

function agentOf(row: Row): Listing['agent'] {
  const name = textOf(row['ListAgentFullName']);
  const office = textOf(row['ListOfficeName']);
  if (name === undefined) return undefined;
  return { name, phone: textOf(row['ListAgentPreferredPhone']), office };
}

/** What the row itself tells of the past, or better, what the MLS kept of it. */
function historyOf(
  row: Row,
  lease: boolean,
  kept: Listing['priceHistory'],
): NonNullable<Listing['priceHistory']> {
  const told = (price: unknown, event: string, ...times: unknown[]) => {
    const at = times.map(timeOf).find((time) => time !== undefined);
    const amount = amountOf(price);
    return at === undefined || amount === undefined ? [] : [{ at, event, price: amount }];
  };
  const listed = lease ? 'Listed for rent' : 'Listed for sale';
  const first = row['OriginalListPrice'];
  const own = [
    ...told(row['ClosePrice'], lease ? 'Rented' : 'Sold', row['CloseDate']),
    ...(kept === undefined && row['ListPrice'] !== first
      ? told(row['ListPrice'], 'Price change', row['PriceChangeTimestamp'])
      : []),
    ...told(first ?? row['ListPrice'], listed, row['OnMarketDate'], row['ListingContractDate']),
  ];
  return [...(kept ?? []), ...own].toSorted((a, b) => b.at - a.at);
}

/** Lines that its MLS wants shown wherever the listing is: whose it is, from where, and under which terms. */
function attributionOf(row: Row, fields: Fields): string[] | undefined {
  const office = textOf(row['ListOfficeName']);
  const by = [textOf(row['ListAgentFullName']), office].filter((one) => one !== undefined).join(', ');
  const contact = textOf(row['AttributionContact']);
  const system = textOf(row['OriginatingSystemName']);
  const number = textOf(row['ListingId']);
  const source = [
    ...(system === undefined ? [] : [system]),
    ...(number === undefined ? [] : [`MLS number ${number}`]),
  ].join(', ');
  const lines = [
    by === '' ? undefined : `Listed by ${by}${contact === undefined ? '' : ` (${contact})`}`,
    source === '' ? undefined : `Source: ${source}`,
    textOf(row['CopyrightNotice']),
    textOf(row['Disclaimer']),
    textOf(fields['copyright']),
  ];
  const said = [...new Set(lines.filter((line) => line !== undefined))];
  return said.length === 0 ? undefined : said.map((line) => line.slice(0, longestLine));
}

/** The server's own fields that the row has a value for, by what they are called. */
function localOf(row: Row, catalogue: Catalogue): Record<string, string> | undefined {
  const named = Object.entries(catalogue.local).flatMap(([name, title]) => {
    const said = wordOf(catalogue, name, row[name]);
    return said === undefined ? [] : [[title, said.slice(0, longestLocal)] as const];
  });
  return named.length === 0 ? undefined : Object.fromEntries(named);
}
