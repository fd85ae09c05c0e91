// The market of the story as an MLS keeps it: its rows, their pictures and histories, and a log of what happened.
import type { Clock } from '../../src/clock.ts';
import type { HomeType, SandboxListing } from '../zillow-answers.ts';
import type { Row } from './filter.ts';
import type { LocalField } from './metadata.ts';

export interface Market {
  rows(resource: string): readonly Row[];
  /** Adds a listing like the first one. @returns its key */
  add(given?: Row): string;
  change(key: string, given: Row): void;
  remove(key: string): void;
  /** Key of the home at this street, as the story writes it. @throws Error where there is none */
  keyAt(street: string): string;
}

const kinds: Readonly<Record<HomeType, [type: string, subType: string | undefined]>> = {
  SINGLE_FAMILY: ['Residential', 'Single Family Residence'],
  CONDO: ['Residential', 'Condominium'],
  TOWNHOUSE: ['Residential', 'Townhouse'],
  MULTI_FAMILY: ['Residential', 'Duplex'],
  APARTMENT: ['Residential', 'Apartment'],
  LOT: ['Land', undefined],
};
const statuses = { FOR_SALE: 'Active', FOR_RENT: 'Active', PENDING: 'Pending', SOLD: 'Closed' } as const;

/** What the sellers of these do not want shown: their address, or the listing at all. */
const hiddenAddress = 20_010_028;
const hiddenListing = 20_010_038;

const iso = (ms: number) => new Date(ms).toISOString();

/** "415 Harbor Avenue #6" in its parts. */
function streetOf(street: string): Row {
  const [line = '', unit] = street.split(/,?\s+(?:#|Unit )/);
  const words = line.split(' ');
  const number = words.shift() ?? '';
  const suffix = words.length > 1 ? words.pop() : undefined;
  return {
    StreetNumber: number,
    StreetName: words.join(' '),
    ...(suffix === undefined ? {} : { StreetSuffix: suffix }),
    ...(unit === undefined ? {} : { UnitNumber: unit }),
  };
}

function rowOf(home: SandboxListing, local: readonly LocalField[], system: string): Row {
  const [type, subType] = kinds[home.homeType];
  const first = home.priceHistory.findLast(({ event }) => event.startsWith('Listed'));
  const latest = home.priceHistory[0];
  const rent = home.status === 'FOR_RENT';
  const closed = home.status === 'SOLD' && latest !== undefined;
  const status = statuses[home.status];
  const [slip, view, length] = local;
  return {
    ListingKey: `ACM${home.zpid}`,
    ListingId: home.mls,
    ParcelNumber: `11-11-${home.zpid % 10_000}`,
    ...streetOf(home.street),
    UnparsedAddress: `${home.street}, ${home.city}, ${home.state} ${home.zip}`,
    City: home.city,
    StateOrProvince: home.state,
    PostalCode: home.zip,
    StandardStatus: status,
    MlsStatus: status,
    PropertyType: rent ? 'Residential Lease' : type,
    PropertySubType: subType ?? null,
    ListPrice: home.price,
    OriginalListPrice: first?.price ?? home.price,
    OnMarketDate: first === undefined ? null : iso(first.at).slice(0, 10),
    PriceChangeTimestamp: latest === undefined || latest === first ? null : iso(latest.at),
    ...(closed ? { ClosePrice: latest.price, CloseDate: iso(latest.at).slice(0, 10) } : {}),
    BedroomsTotal: home.beds,
    BathroomsTotalInteger: home.baths,
    LivingArea: home.sqft,
    LivingAreaUnits: 'Square Feet',
    LotSizeSquareFeet: home.lotSqft,
    Latitude: home.latitude,
    Longitude: home.longitude,
    PublicRemarks: home.description,
    PrivateRemarks: 'Lockbox at the meter. For agents alone.',
    YearBuilt: home.yearBuilt,
    TaxYear: home.taxHistory[0]?.year ?? null,
    TaxAnnualAmount: home.taxHistory[0]?.tax ?? null,
    TaxAssessedValue: home.taxHistory[0]?.value ?? null,
    ListAgentFullName: home.agent.name,
    ListAgentPreferredPhone: home.agent.phone,
    ListOfficeName: home.agent.office,
    AttributionContact: home.agent.phone,
    CopyrightNotice: `© ${system}. All rights reserved.`,
    OriginatingSystemName: system,
    InternetAddressDisplayYN: home.zpid !== hiddenAddress,
    InternetEntireListingDisplayYN: home.zpid !== hiddenListing,
    PhotosCount: home.photos.length,
    ModificationTimestamp: iso(latest?.at ?? 0),
    OriginalEntryTimestamp: iso(first?.at ?? latest?.at ?? 0),
    ...(slip === undefined ? {} : { [slip.name]: home.zpid % 3 === 0 }),
    ...(view === undefined ? {} : { [view.name]: home.zpid % 2 === 0 ? 'PRT' : 'NON' }),
    ...(length === undefined ? {} : { [length.name]: home.zpid % 3 === 0 ? 24 : null }),
  };
}

export function createMarket(given: {
  clock: Clock;
  listings: readonly SandboxListing[];
  local: readonly LocalField[];
  system: string;
}): Market {
  const { clock, local, system } = given;
  const homes = given.listings.map((home) => rowOf(home, local, system));
  const media: Row[] = [];
  const history: Row[] = [];
  const events: Row[] = [];
  let made = 0;

  function happened(key: unknown): void {
    events.push({
      EntityEventSequence: events.length + 1,
      ResourceName: 'Property',
      ResourceRecordKey: key,
    });
  }
  function priced(key: unknown, from: unknown, to: unknown, at: number): void {
    history.push({
      HistoryTransactionalKey: `H${history.length + 1}`,
      ResourceName: 'Property',
      ResourceRecordKey: key,
      FieldName: 'ListPrice',
      PreviousValue: String(from),
      NewValue: String(to),
      ModificationTimestamp: iso(at),
    });
  }
  for (const [index, home] of given.listings.entries()) {
    const key = homes[index]?.['ListingKey'];
    happened(key);
    for (const [order, url] of home.photos.entries()) {
      media.push({
        MediaKey: `${String(key)}-${order + 1}`,
        ResourceName: 'Property',
        ResourceRecordKey: key,
        MediaURL: url,
        MediaCategory: 'Photo',
        Order: order + 1,
        ModificationTimestamp: homes[index]?.['ModificationTimestamp'],
      });
    }
    const changes = home.priceHistory.filter(({ event }) => event === 'Price change').toReversed();
    for (const { at, price } of changes) priced(key, '', price, at);
  }

  const resources: Record<string, readonly Row[]> = {
    Property: homes,
    Media: media,
    HistoryTransactional: history,
    EntityEvent: events,
  };
  const named = (key: string): Row => {
    const row = homes.find((one) => one['ListingKey'] === key);
    if (row === undefined) throw new Error(`no listing ${key} in the sandbox`);
    return row;
  };
  return {
    rows: (resource) => resources[resource] ?? [],
    add(extra = {}) {
      made += 1;
      const now = iso(clock.now());
      const key = `NEW${String(made).padStart(5, '0')}`;
      homes.push({
        ...homes[0],
        ListingKey: key,
        ListingId: `NEW-${made}`,
        ParcelNumber: `99-99-${made}`,
        StreetNumber: String(9_000 + made),
        UnparsedAddress: null,
        InternetEntireListingDisplayYN: true,
        InternetAddressDisplayYN: true,
        ModificationTimestamp: now,
        OriginalEntryTimestamp: now,
        ...extra,
      });
      happened(key);
      return key;
    },
    change(key, changed) {
      const row = named(key);
      if (changed['ListPrice'] !== undefined) {
        priced(key, row['ListPrice'], changed['ListPrice'], clock.now());
        row['PriceChangeTimestamp'] = iso(clock.now());
      }
      Object.assign(row, { ModificationTimestamp: iso(clock.now()) }, changed);
      happened(key);
    },
    remove(key) {
      homes.splice(homes.indexOf(named(key)), 1);
      happened(key);
    },
    keyAt(street) {
      const row = homes.find((one) => String(one['UnparsedAddress']).startsWith(street));
      if (row === undefined) throw new Error(`no listing at ${street} in the sandbox`);
      return String(row['ListingKey']);
    },
  };
}
