// How the sources of one home differ, and where each of its prices was seen.
import type { Property, PropertySighting } from '../../memory/memory.ts';
import { ageInWords, iso } from '../../time.ts';
import { visibleLine } from '../../untrusted.ts';
import { attributed, documentUri } from '../answers/hits.ts';
import { priceInWords } from './hits.ts';

type Label = (of: { connectionId: string; provider: string }) => string;

const mostPlaces = 5;
const longestLink = 500;

/** The document or page in which something stands. */
function placeOf({ documentId, url }: PropertySighting) {
  return {
    ...(documentId === undefined ? {} : { uri: documentUri(documentId) }),
    ...(url === undefined || url.length > longestLink ? {} : { url }),
  };
}

/** "Zillow", or for what a mail says "me@agency.test: News". */
function nameOf(sighting: PropertySighting, label: Label): string {
  const account = label(sighting);
  return sighting.said && sighting.documentTitle !== undefined
    ? `${account}: “${visibleLine(sighting.documentTitle, 80)}”`
    : account;
}

/** A price of the history, with all who tell it. */
export function pricesRow(row: Property['priceHistory'][number], label: Label) {
  const places = row.seenIn.slice(0, mostPlaces);
  return {
    at: iso(row.at).slice(0, 10),
    event: visibleLine(row.event, 60),
    price: row.price,
    ...(row.currency === undefined ? {} : { currency: row.currency }),
    source: [...new Set(places.map(({ sighting }) => nameOf(sighting, label)))].join('; '),
    seenAt: iso(row.seenAt),
    seenIn: places.map(({ sighting, seenAt }) => ({
      source: nameOf(sighting, label),
      ...placeOf(sighting),
      seenAt: iso(seenAt),
    })),
  };
}

const compared = ['status', 'price', 'beds', 'baths', 'areaSqft', 'homeType', 'yearBuilt'] as const;

/** Each source with its age, why it was taken for this home, and what it says where sources do not agree. */
export function sourcesOf(sightings: readonly PropertySighting[], label: Label, now: number) {
  const differing = compared.filter((field) => {
    const said = sightings.flatMap(({ listing }) => listing[field] ?? []);
    return new Set(said.map((value) => String(value).toLowerCase())).size > 1;
  });
  return sightings.slice(0, 12).map((sighting) => {
    const { listing } = sighting;
    const says = Object.fromEntries(
      differing.flatMap((field) => {
        const value = listing[field];
        return value === undefined
          ? []
          : [[field, typeof value === 'string' ? visibleLine(value, 60) : value]];
      }),
    );
    return {
      source: nameOf(sighting, label),
      id: sighting.said ? sighting.id : visibleLine(sighting.externalId, 120),
      ...placeOf(sighting),
      fetchedAt: iso(sighting.fetchedAt),
      age: ageInWords(Math.max(0, now - sighting.fetchedAt)),
      joinedBy: visibleLine(sighting.joinedWhy, 200),
      ...(Object.keys(says).length === 0 ? {} : { says, currency: listing.currency }),
      ...attributed(listing.attribution?.map((line) => line.slice(0, 200))),
    };
  });
}

/** A source in a line of text. */
export function sourceLine(source: ReturnType<typeof sourcesOf>[number]): string {
  const says = Object.entries(source.says ?? {}).map(([field, value]) =>
    field === 'price' && typeof value === 'number'
      ? `price ${priceInWords({ price: value, currency: source.currency })}`
      : `${field} ${value}`,
  );
  const differs = says.length === 0 ? 'agrees' : `says ${says.join(', ')}`;
  return `Source ${source.source}, ${source.age} old: ${differs}${source.joinedBy === '' ? '' : ` (joined by ${source.joinedBy})`}`;
}
