// property-detail: one listing whole, from memory with its age, else live; its prices are kept as they are seen.
import { z } from 'zod';
import type { Connection } from '../connections/connections.ts';
import { DrawbridgeError, toDrawbridgeError } from '../errors.ts';
import type { Property, PropertySighting } from '../memory/memory.ts';
import { allowedAge } from '../recall/thresholds.ts';
import { ageInWords, iso } from '../time.ts';
import { framed, visible, visibleLine } from '../untrusted.ts';
import { defineTool, type ToolContext } from './define.ts';
import { documentUri } from './hits.ts';
import { priceInWords, rememberListings } from './listings.ts';
import { pageOf } from './pages.ts';
import { pricesRow, sourceLine, sourcesOf } from './property-sources.ts';

const liveTimeout = 10_000;
const longestDescription = 4_000;
const longestLink = 1_000;
// What is left beside the description.
const listRoom = 14_000;

export const propertyDetail = defineTool({
  name: 'property-detail',
  title: 'Look at a property',
  description:
    'One property by listing id, URL or address, from all sources: facts, prices and where each was seen, taxes, photo links, agent, mail that mentions it. From memory with its age, else live.',
  kind: 'read',
  live: true,
  input: z.object({
    id: z.string().trim().min(1).max(200).optional().describe('Listing id; give this, url or address'),
    url: z.string().trim().min(1).max(1_000).optional(),
    address: z.string().trim().min(3).max(300).optional(),
    account: z.string().min(1).optional(),
    maxAge: z.number().min(0).optional().describe('Seconds; 0 forces a live look'),
    cursor: z.string().optional().describe('For more prices, taxes and photos'),
  }),
  output: z.object({
    listing: z.looseObject({
      id: z.string(),
      uri: z.string().optional().describe('Its text, whole, with read-source'),
      address: z.string(),
      status: z.string().optional(),
      price: z.number().optional(),
      currency: z.string().optional(),
      beds: z.number().optional(),
      baths: z.number().optional(),
      areaSqft: z.number().optional(),
      description: z.string().optional(),
      photos: z.array(z.string()).optional(),
    }),
    priceHistory: z.array(
      z.looseObject({
        at: z.string(),
        event: z.string(),
        price: z.number(),
        source: z.string(),
        seenAt: z.string(),
      }),
    ),
    taxHistory: z.array(z.looseObject({ year: z.number() })).optional(),
    sources: z.array(z.looseObject({})).optional().describe('How they differ'),
    mentionedIn: z.array(z.looseObject({ uri: z.string() })).optional(),
    account: z.string(),
    fetchedAt: z.string(),
    age: z.string(),
    freshness: z.enum(['fresh', 'stale', 'live']),
    note: z.string().optional(),
    nextCursor: z.string().optional(),
    trust: z.literal('untrusted'),
  }),
  async run(context, input) {
    const given = [input.id, input.url, input.address].filter((value) => value !== undefined);
    if (given.length !== 1) {
      throw new DrawbridgeError('invalid_request', 'id: give exactly one of id, url or address.', {
        field: 'id',
      });
    }
    const maxAgeMs = input.maxAge === undefined ? undefined : input.maxAge * 1000;
    const { property, live, note } = await recall(context, input, maxAgeMs);
    const now = context.rooms.clock.now();
    // A search's row may be newer than the details: the age told is that of what is shown.
    const fetchedAt = property.detailedAt ?? property.fetchedAt;
    const age = Math.max(0, now - fetchedAt);
    const connections = new Map((await context.rooms.connections.list(context.org)).map((c) => [c.id, c]));
    const label = ({ connectionId, provider }: { connectionId: string; provider: string }) =>
      visibleLine(connections.get(connectionId)?.label ?? provider, 120);
    const {
      priceHistory: _,
      taxHistory = [],
      photos = [],
      latitude: _lat,
      longitude: _lng,
      city: _c,
      region: _r,
      postalCode: _p,
      ...facts
    } = property.listing;
    const { shown, nextCursor } = pageOf(
      {
        taxHistory,
        photos: photos.filter((link) => link.length <= longestLink),
        priceHistory: property.priceHistory.map((row) => pricesRow(row, label)),
        mentionedIn: property.mentions.map((mention) => ({
          uri: documentUri(mention.documentId),
          kind: mention.kind,
          title: visibleLine(mention.title, 200),
          ...(mention.writtenAt === undefined ? {} : { writtenAt: iso(mention.writtenAt) }),
        })),
      },
      input.cursor,
      listRoom,
    );
    const uri = property.documentId === undefined ? undefined : documentUri(property.documentId);
    const description = visible(facts.description ?? '');
    const notes = [
      ...(note === undefined ? [] : [note]),
      ...(description.length > longestDescription
        ? [
            `The description has ${description.length} characters, of which the first ${longestDescription} are shown${uri === undefined ? '' : `; read-source has it whole: ${uri}`}.`,
          ]
        : []),
      ...(nextCursor === undefined
        ? []
        : [
            `In all: ${property.priceHistory.length} prices, ${photos.length} photos, ${taxHistory.length} years of taxes.`,
          ]),
    ];
    const data = {
      listing: {
        ...briefly(facts),
        ...(uri === undefined ? {} : { uri }),
        ...(facts.description === undefined ? {} : { description: description.slice(0, longestDescription) }),
        ...(photos.length === 0 ? {} : { photos: shown.photos }),
      },
      priceHistory: shown.priceHistory,
      ...(taxHistory.length === 0 ? {} : { taxHistory: shown.taxHistory }),
      ...(property.sightings.length < 2 ? {} : { sources: sourcesOf(property.sightings, label, now) }),
      ...(shown.mentionedIn.length === 0 ? {} : { mentionedIn: shown.mentionedIn }),
      account: label(property),
      fetchedAt: iso(fetchedAt),
      age: ageInWords(age),
      freshness: live
        ? ('live' as const)
        : age <= allowedAge('listing', { maxAgeMs })
          ? ('fresh' as const)
          : ('stale' as const),
      ...(notes.length === 0 ? {} : { note: notes.join(' ') }),
      ...(nextCursor === undefined ? {} : { nextCursor }),
      trust: 'untrusted' as const,
    };
    return { data, text: render(data) };
  },
});

type Facts = Omit<Property['listing'], 'priceHistory' | 'taxHistory' | 'photos'>;

/** The words of a listing are its provider's, of any length. */
function briefly({ url, status, homeType, agent, ...facts }: Facts) {
  return {
    ...facts,
    address: visibleLine(facts.address),
    ...(url === undefined || url.length > longestLink ? {} : { url }),
    ...(status === undefined ? {} : { status: visibleLine(status, 60) }),
    ...(homeType === undefined ? {} : { homeType: visibleLine(homeType, 60) }),
    ...(agent === undefined
      ? {}
      : {
          agent: {
            name: visibleLine(agent.name, 120),
            ...(agent.phone === undefined ? {} : { phone: visibleLine(agent.phone, 60) }),
            ...(agent.office === undefined ? {} : { office: visibleLine(agent.office, 120) }),
          },
        }),
  };
}

type Key = {
  id?: string | undefined;
  url?: string | undefined;
  address?: string | undefined;
  account?: string | undefined;
};

async function recall(
  context: ToolContext,
  key: Key,
  maxAgeMs: number | undefined,
): Promise<{ property: Property; live: boolean; note?: string }> {
  const { rooms, org, signal } = context;
  const wanted = {
    ...(key.id === undefined ? {} : { id: key.id }),
    ...(key.url === undefined ? {} : { url: key.url }),
    ...(key.address === undefined ? {} : { address: key.address }),
  };
  const remembered = await rooms.memory.property(org, wanted);
  const isFresh = (sighting: PropertySighting) =>
    sighting.detailedAt !== undefined &&
    !sighting.said &&
    rooms.clock.now() - sighting.detailedAt <= allowedAge('listing', { maxAgeMs });
  let connection: Connection;
  try {
    connection = await rooms.connections.resolve(org, 'listing.get', key.account);
  } catch (thrown) {
    if (remembered?.sightings.some(isFresh) === true) return { property: remembered, live: false };
    return fromMemory(remembered, thrown);
  }
  const own = remembered?.sightings.find((one) => one.connectionId === connection.id && !one.said);
  if (remembered !== undefined && own !== undefined && isFresh(own)) {
    return { property: remembered, live: false };
  }
  try {
    const ask = own !== undefined ? { id: own.externalId } : liveKey(wanted, remembered);
    const listing = await rooms.connections.read(org, connection, 'listing.get', ask, {
      signal,
      timeoutMs: liveTimeout,
    });
    await rememberListings(context, connection, [listing], true);
    const property = await rooms.memory.property(org, { id: listing.id });
    if (property === undefined)
      throw new DrawbridgeError('internal', 'The listing was fetched but could not be kept.');
    if (remembered !== undefined && property.id !== remembered.id) {
      const other = `${connection.label} knows another home under that, ${visibleLine(listing.address)} (id ${listing.id}), so this is from memory.`;
      return { property: remembered, live: false, note: other };
    }
    return { property, live: true };
  } catch (thrown) {
    return fromMemory(remembered, thrown);
  }
}

/** A home that was met elsewhere is asked for by its address: its id is another source's. */
function liveKey(wanted: { id?: string; url?: string; address?: string }, remembered: Property | undefined) {
  if (remembered === undefined) return wanted;
  const { address, city, region, postalCode } = remembered.listing;
  const place = [city, [region, postalCode].filter((part) => part !== undefined).join(' ')];
  const more = place.filter(
    (part) => part !== undefined && part !== '' && !address.toLowerCase().includes(part.toLowerCase()),
  );
  return { address: [address, ...more].join(', ') };
}

/** @throws what was thrown, where nothing is remembered */
function fromMemory(remembered: Property | undefined, thrown: unknown) {
  const error = toDrawbridgeError(thrown);
  if (remembered === undefined) throw error;
  return {
    property: remembered,
    live: false,
    note: `The provider could not be asked, so this is from memory: ${error.message.slice(0, 500)}`,
  };
}

type TaxRow = NonNullable<Property['listing']['taxHistory']>[number];

function taxInWords({ tax, value }: TaxRow, currency: string | undefined): string {
  return [
    tax === undefined ? undefined : `tax ${priceInWords({ price: tax, currency })}`,
    value === undefined ? undefined : `assessed at ${priceInWords({ price: value, currency })}`,
  ]
    .filter((part) => part !== undefined)
    .join(', ');
}

function render(data: {
  listing: Property['listing'] & object;
  priceHistory: ReturnType<typeof pricesRow>[];
  sources?: ReturnType<typeof sourcesOf>;
  mentionedIn?: { uri: string; kind: string; title: string; writtenAt?: string }[];
  taxHistory?: TaxRow[];
  freshness: string;
  age: string;
  account: string;
  note?: string;
  nextCursor?: string;
}): string {
  const { listing } = data;
  const facts = [
    `${listing.address} (id ${listing.id})`,
    [priceInWords(listing), listing.status, listing.homeType].filter((v) => v !== undefined).join(' · '),
    [
      listing.beds === undefined ? undefined : `${listing.beds} beds`,
      listing.baths === undefined ? undefined : `${listing.baths} baths`,
      listing.areaSqft === undefined ? undefined : `${listing.areaSqft} sqft`,
      listing.yearBuilt === undefined ? undefined : `built ${listing.yearBuilt}`,
    ]
      .filter((v) => v !== undefined)
      .join(' · '),
    listing.agent === undefined
      ? ''
      : `Agent: ${[listing.agent.name, listing.agent.office, listing.agent.phone].filter((v) => v !== undefined).join(', ')}`,
    listing.description ?? '',
    listing.photos === undefined
      ? ''
      : `${listing.photos.length} photo${listing.photos.length === 1 ? '' : 's'} (links in the structured result)`,
    ...data.priceHistory.map(
      (row) =>
        `${row.at} ${row.event}: ${priceInWords({ price: row.price, currency: row.currency ?? listing.currency })} (${row.source})`,
    ),
    ...(data.sources ?? []).map(sourceLine),
    ...(data.mentionedIn ?? []).map(
      (one) =>
        `Mentioned in ${one.kind} “${one.title}”${one.writtenAt === undefined ? '' : `, ${one.writtenAt.slice(0, 10)}`}: ${one.uri}`,
    ),
    ...(data.taxHistory ?? []).map((row) => `${row.year} ${taxInWords(row, listing.currency)}`),
  ];
  const frame = framed(facts.filter((line) => line !== '').join('\n'), 'Property');
  return [
    frame,
    `${data.account}, ${data.freshness}, fetched ${data.age} ago.`,
    ...(data.note === undefined ? [] : [data.note]),
    ...(data.nextCursor === undefined ? [] : [`More: cursor ${data.nextCursor}`]),
  ].join('\n');
}
