// What documents bring of homes, and take away again: listings in their facts, addresses and prices in their words.
import type { Transaction } from 'kysely';
import { type Listing, listing as listingShape } from '../../providers/capabilities.ts';
import { fromJson } from '../../store/codec.ts';
import type { OrgTables } from '../../store/tables.ts';
import type { Written } from '../documents/document-rows.ts';
import { idsAtOnce, parts } from '../documents/known-rows.ts';
import { parseAddress } from './address.ts';
import { findHome } from './home.ts';
import type { Keys } from './keys.ts';
import type { Mention } from './mentions.ts';
import { saidInWords } from './merge.ts';
import { rebuild } from './rebuild.ts';
import { dropSightings, type Ground, keepSightings, type Sighting } from './sightings.ts';

type Tx = Transaction<OrgTables>;

const dayMs = 86_400_000;
const eventWords = {
  listed: `Listed${saidInWords}`,
  'price change': `Price change${saidInWords}`,
  sold: `Sold${saidInWords}`,
  seen: 'Price said in words',
} as const;
const priceSeen = 'Price seen';

/** What a source tells of the past, and the price that it shows now where that is news. */
export function pricesOf(listing: Listing, before: Listing | undefined, now: number): Sighting['prices'] {
  const currency = listing.currency ?? before?.currency;
  const told = (listing.priceHistory ?? []).map(({ at, event, price }) => ({ at, event, price, currency }));
  const { price } = listing;
  if (price === undefined || price === before?.price) return told;
  const toldToday = told.some((row) => row.price === price && Math.abs(row.at - now) < dayMs);
  return toldToday ? told : [...told, { at: now, event: priceSeen, price, currency }];
}

const text = (value: unknown) =>
  typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
// As text, where a build escapes the sign: for one such letter V8 keeps all of the program's file in two bytes a letter.
const aroundNumbers = /[\s,$£€]/gu;
function amount(value: unknown): number | undefined {
  const number = typeof value === 'string' ? Number(value.replace(aroundNumbers, '')) : value;
  return typeof number === 'number' && Number.isFinite(number) && number > 0 ? number : undefined;
}

/** A listing in the facts of a record: a listing's own, or a deal's whose property it names with its address. */
function listingIn({ externalId, kind, facts }: Written): Listing | undefined {
  if (kind === 'listing') {
    const parsed = listingShape.safeParse({ id: externalId, ...facts });
    if (parsed.success) return parsed.data;
  }
  if (kind !== 'deal' && kind !== 'listing') return undefined;
  const inner = facts['properties'];
  const all = { ...(typeof inner === 'object' ? inner : {}), ...facts } as Record<string, unknown>;
  const address = text(all['property_address'] ?? all['propertyAddress'] ?? all['address']);
  const price = amount(
    all['asking_price'] ?? all['askingPrice'] ?? all['list_price'] ?? all['listPrice'] ?? all['price'],
  );
  if (address === undefined || price === undefined || parseAddress(address) === undefined) return undefined;
  const currency = text(all['currency'] ?? all['deal_currency_code']);
  return { id: externalId, address, price, ...(currency === undefined ? {} : { currency }) };
}

function listingSighting(
  document: Written,
  listing: Listing,
  now: number,
  before: Listing | undefined,
): Sighting {
  return {
    externalId: listing.id,
    listing,
    // What a feed brings may be no more than a search's row.
    detailed: document.facts['brief'] !== true,
    documentId: document.id,
    said: false,
    prices: pricesOf(listing, before, now),
  };
}

function saidSighting(
  document: Written,
  { addressKey, words, price: said }: Mention,
  now: number,
): Sighting | undefined {
  if (said === undefined) return undefined;
  const { price, currency, event } = said;
  const at = document.writtenAt ?? now;
  const externalId = `${document.id} ${addressKey}`;
  return {
    externalId,
    listing: {
      id: externalId,
      address: words,
      status: event === 'sold' ? 'sold' : 'for_sale',
      price,
      ...(currency === undefined ? {} : { currency }),
    },
    detailed: true,
    documentId: document.id,
    said: true,
    prices: [{ at, event: eventWords[event], price, currency }],
  };
}

export interface Learnt {
  /** Documents that are gone, or were before what is written now. */
  outdated: readonly string[];
  written: readonly Written[];
  /** Documents that were looked at again and are as they were. */
  unchanged: readonly string[];
}

/** A listing that a source shows as before is known to hold today. */
async function verifySightings(tx: Tx, { orgId, now }: Ground, ids: readonly string[]): Promise<void> {
  for (const some of parts(ids, idsAtOnce)) {
    await tx
      .updateTable('property_sightings')
      .set({ fetched_at: now, detailed_at: now })
      .where('org_id', '=', orgId)
      .where('document_id', 'in', some)
      .where('detailed_at', 'is not', null)
      .execute();
  }
}

/**
 * Takes away what `outdated` documents brought, and adds what `written` ones bring. In the transaction of ingest.
 */
export async function learnHomes(
  tx: Tx,
  ground: Ground,
  { outdated, written, unchanged }: Learnt,
): Promise<void> {
  const { orgId, source, now } = ground;
  const listings = written.flatMap((document) => {
    const listing = listingIn(document);
    return listing === undefined ? [] : [{ document, listing }];
  });
  // A listing that only changed keeps the prices that it was seen at: it is the same sighting.
  const staying = new Set(listings.map(({ document }) => document.id));
  // A listing seen live has its document beside it, and says no more there than it did.
  const shown = written.filter(({ facts }) => typeof facts['listingId'] === 'string');
  for (const { id } of shown) staying.add(id);
  const touched = await dropSightings(
    tx,
    orgId,
    outdated.filter((id) => !staying.has(id)),
  );
  for (const { document, listing } of listings) {
    const before = await tx
      .selectFrom('property_sightings')
      .select('facts')
      .where('org_id', '=', orgId)
      .where('connection_id', '=', source.connectionId)
      .where('external_id', '=', listing.id)
      .executeTakeFirst();
    const known = before === undefined ? undefined : fromJson<Listing>(before.facts);
    const kept = await keepSightings(tx, ground, [listingSighting(document, listing, now, known)]);
    for (const id of kept) touched.add(id);
  }
  for (const { id, facts } of shown) {
    await tx
      .updateTable('property_sightings')
      .set({ document_id: id })
      .where('org_id', '=', orgId)
      .where('connection_id', '=', source.connectionId)
      .where('external_id', '=', String(facts['listingId']))
      .execute();
  }
  const telling = written.filter((document) => document.mentions.length > 0 && !staying.has(document.id));
  for (const document of telling) {
    const said = document.mentions.flatMap((mention) => saidSighting(document, mention, now) ?? []);
    for (const id of await keepSightings(tx, ground, said)) touched.add(id);
  }
  await verifySightings(tx, ground, unchanged);
  await linkMentions(tx, orgId, telling);
  await rebuild(tx, orgId, touched);
}

async function linkMentions(tx: Tx, orgId: string, documents: readonly Written[]): Promise<void> {
  const homes = new Map<string, string | null>();
  const rows: OrgTables['property_documents'][] = [];
  for (const { id, mentions } of documents) {
    for (const { addressKey, line, words, start, end } of mentions) {
      if (!homes.has(addressKey)) {
        const address = parseAddress(addressKey);
        const keys: Keys = { address, addressKey, parcel: undefined, mlsNumber: undefined };
        homes.set(addressKey, (await findHome(tx, orgId, keys, undefined))?.property_id ?? null);
      }
      rows.push({
        org_id: orgId,
        document_id: id,
        address_key: addressKey,
        line_key: line,
        property_id: homes.get(addressKey) ?? null,
        words,
        start_at: start,
        end_at: end,
      });
    }
  }
  for (const some of parts(rows, 100)) {
    await tx
      .insertInto('property_documents')
      .values(some)
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }
}
