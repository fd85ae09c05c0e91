// What is looked for, as filters: a place, properties, an address. What the service cannot be asked is said.
import { DrawbridgeError } from '../../errors.ts';
import type { ListingSearch } from '../capabilities.ts';
import { type Catalogue, fieldIs } from './catalogue.ts';
import { subTypes, textOf } from './listing.ts';
import { both, either, quoted, type Row } from './odata.ts';

/** @throws DrawbridgeError `invalid_request` with `field` */
export function filterOf(input: ListingSearch, catalogue: Catalogue): string | undefined {
  const has = (field: string) => catalogue.fields[field] !== undefined;
  const bound = (field: string, word: 'ge' | 'le', value: number | undefined) =>
    value === undefined || !has(field) ? undefined : `${field} ${word} ${value}`;
  const lease = either(
    fieldIs(catalogue, 'PropertyType', 'Residential Lease'),
    fieldIs(catalogue, 'PropertyType', 'Commercial Lease'),
  );
  const status = fieldIs(catalogue, 'StandardStatus', input.status === 'sold' ? 'Closed' : 'Active');
  if (status === undefined)
    throw invalid('status: this MLS does not tell the status of its listings', 'status');
  const kind = lease === undefined || input.status === 'for_rent' ? lease : `not (${lease})`;
  if (kind === undefined && input.status === 'for_rent')
    throw invalid('status: this MLS has no rentals', 'status');
  return both(
    placeIs(input.location, catalogue),
    status,
    kind,
    bound('ListPrice', 'ge', input.minPrice),
    bound('ListPrice', 'le', input.maxPrice),
    bound('BedroomsTotal', 'ge', input.minBeds && Math.ceil(input.minBeds)),
    bound('BedroomsTotal', 'le', input.maxBeds && Math.floor(input.maxBeds)),
    bound('BathroomsTotalInteger', 'ge', input.minBaths && Math.ceil(input.minBaths)),
    bound('BathroomsTotalInteger', 'le', input.maxBaths && Math.floor(input.maxBaths)),
    typeIs(input.homeType, catalogue),
  );
}

/** A postal code, or "City", "City, ST", "City, ST 12345". */
function placeIs(location: string, catalogue: Catalogue): string {
  const [, place = '', state, postal] =
    /^\s*([^,\d][^,]*?)?\s*(?:,\s*([A-Za-z]{2}))?\s*,?\s*(\d{5}(?:-\d{4})?)?\s*$/.exec(location) ?? [];
  if (place === '' && postal === undefined)
    throw invalid('location: write a city, a city with its state ("Bend, OR"), or a postal code', 'location');
  const parts = [
    postal === undefined ? undefined : fieldIs(catalogue, 'PostalCode', postal),
    // Where the postal code stands it says enough.
    postal !== undefined || place === '' ? undefined : fieldIs(catalogue, 'City', titled(place)),
    state === undefined ? undefined : fieldIs(catalogue, 'StateOrProvince', state.toUpperCase()),
  ];
  const filter = both(...parts);
  if (filter === undefined) throw invalid('location: this MLS knows no such city', 'location');
  return filter;
}

/** As towns are written: a text is compared letter by letter. */
function titled(place: string): string {
  return place === place.toLowerCase() || place === place.toUpperCase()
    ? place.toLowerCase().replaceAll(/(?<![\p{L}'’])\p{L}/gu, (letter) => letter.toUpperCase())
    : place;
}

function typeIs(homeType: string | undefined, catalogue: Catalogue): string | undefined {
  if (homeType === undefined) return undefined;
  const ours = homeType
    .trim()
    .toLowerCase()
    .replaceAll(/[\s-]+/g, '_');
  const filter =
    ours === 'land'
      ? fieldIs(catalogue, 'PropertyType', 'Land')
      : either(...(subTypes[ours] ?? []).map((word) => fieldIs(catalogue, 'PropertySubType', word)));
  if (filter === undefined)
    throw invalid(`homeType: must be one of ${[...Object.keys(subTypes), 'land'].join(', ')}`, 'homeType');
  return filter;
}

const directions = /^(?:[nsew]|[ns][ew]|north|south|east|west)\.?$/i;

/** House number, the first word of the street, and the postal code where there is one. */
export function addressIs(address: string, catalogue: Catalogue): string {
  const [line = ''] = address.split(',');
  const [number = '', ...words] = line.trim().split(/\s+/);
  const street = words.find((word) => !directions.test(word));
  if (!/^\d[\w-]*$/.test(number) || street === undefined)
    throw invalid('address: begin with the house number and the street, or give an id', 'address');
  const postal = /\b(\d{5})(?:-\d{4})?\s*$/.exec(address)?.[1];
  return (
    both(
      `StreetNumber eq ${quoted(number)}`,
      `startswith(StreetName,${quoted(titled(street.toLowerCase()))})`,
      postal === undefined ? undefined : fieldIs(catalogue, 'PostalCode', postal),
    ) ?? ''
  );
}

/** Of several listings of one home the newest; of several homes the one with the unit that was named. */
export function theOne(rows: readonly Row[], address: string): Row | undefined {
  const unit = /(?:#|\b(?:unit|apt|apartment|suite|ste)\b)\s*#?([\w-]+)/i.exec(address)?.[1]?.toLowerCase();
  const unitOf = (row: Row) => textOf(row['UnitNumber'])?.replace(/^#\s*/, '').toLowerCase();
  const fitting = rows.filter((row) => unit === undefined || unitOf(row) === unit);
  const [first] = fitting;
  const home = (row: Row) =>
    ['StreetNumber', 'StreetName', 'City', 'UnitNumber'].map((name) => textOf(row[name]) ?? '').join('|');
  if (first === undefined || new Set(fitting.map(home)).size === 1) return first;
  throw invalid(
    'address: several listings fit it; add the unit and the postal code, or give the id',
    'address',
  );
}

export function invalid(message: string, field: string): DrawbridgeError {
  return new DrawbridgeError('invalid_request', message, { field });
}
