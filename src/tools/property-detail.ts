// property-detail: one listing whole, from memory with its age, else live; its prices are kept as they are seen.
import { z } from 'zod';
import { DrawbridgeError } from '../errors.ts';
import type { Property } from '../memory/memory.ts';
import { allowedAge } from '../recall/thresholds.ts';
import { ageInWords, iso } from '../time.ts';
import { framed, visible, visibleLine } from '../untrusted.ts';
import { attributed, documentUri } from './answers/hits.ts';
import { pageOf } from './answers/pages.ts';
import { defineTool } from './define.ts';
import { priceInWords } from './listings/hits.ts';
import { recallProperty } from './listings/property-recall.ts';
import { pricesRow, sourceLine, sourcesOf } from './listings/property-sources.ts';

const longestDescription = 4_000;
const longestLink = 1_000;
const mostLocal = 20;
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
    const { property, live, note } = await recallProperty(context, input, maxAgeMs);
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
      ...(facts.addressHidden === true ? ['Its source does not let the address be shown.'] : []),
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
function briefly({
  url,
  status,
  homeType,
  agent,
  attribution,
  addressHidden,
  local,
  parcel,
  ...facts
}: Facts) {
  const known = Object.entries(local ?? {}).slice(0, mostLocal);
  return {
    ...facts,
    address: visibleLine(facts.address),
    // A parcel is an address by another name.
    ...(parcel === undefined || addressHidden === true ? {} : { parcel: visibleLine(parcel, 60) }),
    ...(known.length === 0
      ? {}
      : {
          local: Object.fromEntries(
            known.map(([name, says]) => [visibleLine(name, 60), visibleLine(says, 120)]),
          ),
        }),
    ...attributed(attribution),
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
    ...Object.entries(listing.local ?? {}).map(([name, says]) => `${name}: ${says}`),
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
    ...(listing.attribution ?? []),
  ];
  const frame = framed(facts.filter((line) => line !== '').join('\n'), 'Property');
  return [
    frame,
    `${data.account}, ${data.freshness}, fetched ${data.age} ago.`,
    ...(data.note === undefined ? [] : [data.note]),
    ...(data.nextCursor === undefined ? [] : [`More: cursor ${data.nextCursor}`]),
  ].join('\n');
}
