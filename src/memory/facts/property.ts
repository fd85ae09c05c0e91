// Homes that a text speaks of, under the key that the home itself is found by.
import { addressesIn } from '../properties/addresses-in-text.ts';
import { keyOf } from '../properties/keys.ts';

const longestRead = 2_000;

export function homesIn(text: string): { address: string; key: string }[] {
  const read = text.slice(0, longestRead);
  return addressesIn(read).map(({ address, start, end }) => ({
    address: read.slice(start, end).replace(/\s+/gu, ' '),
    key: keyOf(address),
  }));
}
