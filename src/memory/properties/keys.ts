// What a listing is known by, beside its source's own id: parcel, MLS number, address, link.
import type { Listing } from '../../providers/capabilities.ts';
import { type Address, addressKey, parseAddress, words } from './address.ts';

/** Raised when normalising changes: what was stored before is then read anew. */
export const keysReading = 1;

export interface Keys {
  address: Address | undefined;
  addressKey: string;
  parcel: string | undefined;
  mlsNumber: string | undefined;
}

/** A link without what only says where one came from. */
export function urlKey(url: string): string {
  return url.replace(/[?#].*$/u, '').replace(/\/+$/u, '');
}

/** Letters and digits of a number that others write with dashes, spaces or a word in front. */
function numberKey(text: string | undefined): string | undefined {
  const key = (text ?? '')
    .toLowerCase()
    .replace(/^\s*(?:mls|apn|parcel)\b/u, '')
    .replace(/[^a-z\d]/gu, '');
  return key.length >= 4 && /\d/u.test(key) ? key : undefined;
}

/** The parts are the listing's own where it names them, else those of its address. */
export function keysOf(
  listing: Pick<Listing, 'address' | 'city' | 'region' | 'postalCode' | 'mlsNumber' | 'parcel'>,
): Keys {
  const { address, city, region, postalCode } = listing;
  const whole = [address, city, [region, postalCode].filter((part) => part !== undefined).join(' ')]
    .filter((part) => part !== undefined && part !== '')
    .join(', ');
  const parsed = parseAddress(whole);
  return {
    address: parsed,
    addressKey: parsed === undefined ? words(whole).join(' ') : keyOf(parsed),
    parcel: numberKey(listing.parcel),
    mlsNumber: numberKey(listing.mlsNumber),
  };
}

/** The address as one string, which reads as the same address again. */
export function keyOf({ line, place, state, postal }: Address): string {
  return addressKey(
    [line, place.join(' '), state, postal].filter((part) => part !== undefined && part !== '').join(', '),
  );
}
