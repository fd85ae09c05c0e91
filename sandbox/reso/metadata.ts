// What an MLS of the sandbox says of itself: its fields by type, its own among them, its lookups by words.
import { escapeXml } from '../xml.ts';

/** Its own fields bear a prefix, and are called something. */
export interface LocalField {
  name: string;
  title: string;
  type: 'Edm.String' | 'Edm.Boolean' | 'Edm.Int64';
  lookup?: string;
}

const texts = [
  ...[
    'ListingKey',
    'ListingId',
    'ParcelNumber',
    'UnparsedAddress',
    'StreetNumber',
    'StreetName',
    'StreetSuffix',
  ],
  ...['StreetDirPrefix', 'UnitNumber', 'PostalCode', 'PublicRemarks', 'ListAgentFullName', 'LivingAreaUnits'],
  ...['ListAgentPreferredPhone', 'ListOfficeName', 'AttributionContact', 'CopyrightNotice'],
  ...['OriginatingSystemName', 'PrivateRemarks', 'City', 'StateOrProvince'],
];
const lookups = ['StandardStatus', 'MlsStatus', 'PropertyType', 'PropertySubType'];
const others: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    [
      'ListPrice',
      'OriginalListPrice',
      'ClosePrice',
      'LivingArea',
      'LotSizeSquareFeet',
      'Latitude',
      'Longitude',
    ]
      .concat('TaxAnnualAmount')
      .map((name) => [name, 'Edm.Decimal']),
  ),
  ...Object.fromEntries(
    ['BedroomsTotal', 'BathroomsTotalInteger', 'YearBuilt', 'TaxYear', 'TaxAssessedValue', 'PhotosCount'].map(
      (name) => [name, 'Edm.Int64'],
    ),
  ),
  ...Object.fromEntries(
    ['CloseDate', 'OnMarketDate', 'ListingContractDate'].map((name) => [name, 'Edm.Date']),
  ),
  ...Object.fromEntries(
    ['ModificationTimestamp', 'OriginalEntryTimestamp', 'PriceChangeTimestamp'].map((name) => [
      name,
      'Edm.DateTimeOffset',
    ]),
  ),
  InternetAddressDisplayYN: 'Edm.Boolean',
  InternetEntireListingDisplayYN: 'Edm.Boolean',
};

export const propertyFields: readonly string[] = [...texts, ...lookups, ...Object.keys(others)];

/** Lookup → legacy value (the name of an EnumType's member) → word. */
export const lookupWords: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  StandardStatus: {
    Active: 'Active',
    Pending: 'Pending',
    Closed: 'Closed',
    ActiveUnderContract: 'Active Under Contract',
  },
  MlsStatus: { Active: 'Active', Pending: 'Pending', Closed: 'Closed' },
  PropertyType: {
    Residential: 'Residential',
    ResidentialLease: 'Residential Lease',
    CommercialLease: 'Commercial Lease',
    Land: 'Land',
  },
  PropertySubType: {
    SingleFamilyResidence: 'Single Family Residence',
    Condominium: 'Condominium',
    Townhouse: 'Townhouse',
    Duplex: 'Duplex',
    Apartment: 'Apartment',
  },
  HarborView: { PRT: 'Partial', FUL: 'Full', NON: 'None' },
};

const namespace = 'org.reso.metadata';

/** @param given.enums lookups as EnumTypes (Data Dictionary 1.7), else by the Lookup resource */
export function metadata(given: {
  local: readonly LocalField[];
  resources: readonly string[];
  links: readonly string[];
  enums: boolean;
}): string {
  const typed = (name: string, type: string, lookup: string | undefined, title?: string) => {
    const own =
      lookup === undefined || given.enums ? '' : annotation('RESO.OData.Metadata.LookupName', lookup);
    const called = title === undefined ? '' : annotation('RESO.OData.Metadata.DisplayName', title);
    const kind = given.enums && lookup !== undefined ? `${namespace}.enums.${lookup}` : type;
    return `<Property Name="${name}" Type="${kind}">${own}${called}</Property>`;
  };
  const property = [
    ...texts.map((name) => typed(name, 'Edm.String', undefined)),
    ...lookups.map((name) => typed(name, 'Edm.String', name)),
    ...Object.entries(others).map(([name, type]) => typed(name, type, undefined)),
    ...given.local.map(({ name, type, lookup, title }) => typed(name, type, lookup, title)),
    ...given.links.map(
      (name) => `<NavigationProperty Name="${name}" Type="Collection(${namespace}.${name})"/>`,
    ),
  ];
  const types = given.resources
    .filter((name) => name !== 'Property')
    .map((name) => `<EntityType Name="${name}"><Property Name="ListingKey" Type="Edm.String"/></EntityType>`);
  const enums = Object.entries(lookupWords).map(
    ([name, words]) =>
      `<EnumType Name="${name}">${Object.entries(words)
        .map(
          ([member, word], value) =>
            `<Member Name="${member}" Value="${value}">${annotation('RESO.OData.Metadata.StandardName', word)}</Member>`,
        )
        .join('')}</EnumType>`,
  );
  const sets = given.resources.map((name) => `<EntitySet Name="${name}" EntityType="${namespace}.${name}"/>`);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices>',
    `<Schema Namespace="${namespace}" xmlns="http://docs.oasis-open.org/odata/ns/edm">`,
    `<EntityType Name="Property"><Key><PropertyRef Name="ListingKey"/></Key>${property.join('')}</EntityType>`,
    ...types,
    `<EntityContainer Name="RESO">${sets.join('')}</EntityContainer></Schema>`,
    ...(given.enums
      ? [
          `<Schema Namespace="${namespace}.enums" xmlns="http://docs.oasis-open.org/odata/ns/edm">`,
          ...enums,
          '</Schema>',
        ]
      : []),
    '</edmx:DataServices></edmx:Edmx>',
  ].join('\n');
}

const annotation = (term: string, says: string): string =>
  `<Annotation Term="${term}" String="${escapeXml(says)}"/>`;
