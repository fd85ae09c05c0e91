// A listing in a line, and a home as a search answers it: what it is, where else it was met, how old that is.
import type { Connection } from '../../connections/connections.ts';
import type { Property } from '../../memory/memory.ts';
import type { Listing } from '../../providers/capabilities.ts';
import { allowedAge } from '../../recall/thresholds.ts';
import { ageInWords, iso } from '../../time.ts';
import { visibleLine } from '../../untrusted.ts';
import { attributed, documentUri } from '../answers/hits.ts';

/** "$450,000" in the listing's currency, or undefined. */
export function priceInWords(listing: Pick<Listing, 'price' | 'currency'>): string | undefined {
  if (listing.price === undefined) return undefined;
  return new Intl.NumberFormat('en-US', {
    style: 'currency',
    currency: listing.currency ?? 'USD',
    maximumFractionDigits: 0,
  }).format(listing.price);
}

/** What a listing is, in a line. */
export function summary(listing: Listing): string {
  const parts = [
    priceInWords(listing),
    listing.beds === undefined ? undefined : `${listing.beds} bd`,
    listing.baths === undefined ? undefined : `${listing.baths} ba`,
    listing.areaSqft === undefined ? undefined : `${listing.areaSqft.toLocaleString('en-US')} sqft`,
    listing.homeType,
    listing.status,
  ];
  return visibleLine(parts.filter((p) => p !== undefined).join(' · '), 300);
}

/** The other sources of a home, with their ages and what they say otherwise. */
function metIn(property: Property, labels: ReadonlyMap<string, Connection>, now: number): string {
  const others = property.sightings.filter((one) => one.connectionId !== property.connectionId);
  const words = others.slice(0, 3).map(({ connectionId, provider, fetchedAt, listing }) => {
    const label = labels.get(connectionId)?.label ?? provider;
    const { price } = listing;
    const differs = price !== undefined && price !== property.listing.price;
    const said = differs ? `: ${priceInWords(listing)}` : '';
    return visibleLine(`${label}, ${ageInWords(Math.max(0, now - fetchedAt))} old${said}`, 120);
  });
  return words.length === 0 ? '' : `also met in ${words.join('; ')}`;
}

/** A home as a search answers it. `labels`: the org's connections by id; `live`: it was verified for this answer. */
export function hitOfProperty(
  property: Property,
  labels: ReadonlyMap<string, Connection>,
  now: number,
  maxAgeMs: number | undefined,
  live: boolean,
) {
  const { listing } = property;
  const age = Math.max(0, now - property.fetchedAt);
  return {
    ...(property.documentId === undefined ? {} : { uri: documentUri(property.documentId) }),
    kind: 'listing',
    title: visibleLine(listing.address),
    ...(listing.url === undefined ? {} : { url: listing.url.slice(0, 500) }),
    account: labels.get(property.connectionId)?.label ?? property.provider,
    fetchedAt: iso(property.fetchedAt),
    verifiedAt: iso(property.fetchedAt),
    age: ageInWords(age),
    freshness: live
      ? ('live' as const)
      : age <= allowedAge('listing', { maxAgeMs })
        ? ('fresh' as const)
        : ('stale' as const),
    snippet: [summary(listing), metIn(property, labels, now)].filter((part) => part !== '').join(' · '),
    ...attributed(listing.attribution),
    listingId: listing.id,
    ...(listing.price === undefined ? {} : { price: listing.price }),
  };
}
