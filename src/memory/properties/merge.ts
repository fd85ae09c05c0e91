// Several sources' facts of one home as one, and their prices as one history. Nothing here is stored twice: what
// one source says is its sighting's, and goes with it.
import type { Listing } from '../../providers/capabilities.ts';
import { fromJson } from '../../store/codec.ts';
import type { OrgTables } from '../../store/tables.ts';

export type SightingRow = OrgTables['property_sightings'];
export type PriceRow = OrgTables['property_price_history'];

/** Prices of one home within this time of each other are one, if they are the same. */
const sameEventMs = 3 * 86_400_000;

/** What was known at more length than a search result's row says it. */
export function richer(kept: Partial<Listing>, row: Partial<Listing>): Partial<Listing> {
  const size = (list: readonly unknown[] | string | undefined) => list?.length ?? 0;
  const { photos, description, agent, priceHistory, taxHistory } = kept;
  return {
    ...(size(photos) > size(row.photos) ? { photos } : {}),
    ...(size(description) > size(row.description) ? { description } : {}),
    ...(size(priceHistory) > size(row.priceHistory) ? { priceHistory } : {}),
    ...(size(taxHistory) > size(row.taxHistory) ? { taxHistory } : {}),
    // The same agent with fewer particulars; another one is news.
    ...(agent !== undefined && (row.agent?.name ?? agent.name) === agent.name
      ? { agent: { ...agent, ...row.agent } }
      : {}),
  };
}

/** Listings before words in documents, and of each the last fetched. */
export function mainSighting<S extends Pick<SightingRow, 'said' | 'fetched_at' | 'id'>>(
  sightings: readonly S[],
): S | undefined {
  return sightings.toSorted(
    (a, b) => a.said - b.said || b.fetched_at - a.fetched_at || (a.id < b.id ? 1 : -1),
  )[0];
}

/**
 * One listing of all: the newest source's word stands where several have one. What a document says in words counts
 * only where no listing is known: whoever writes a mail does not change what a home is said to cost.
 */
export function mergedListing(sightings: readonly SightingRow[]): Listing | undefined {
  const main = mainSighting(sightings);
  if (main === undefined) return undefined;
  const counting = sightings
    .filter((one) => one.said === main.said)
    .toSorted((a, b) => a.fetched_at - b.fetched_at || (a.id < b.id ? -1 : 1));
  const told = counting.map(({ facts }) => defined(fromJson<Listing>(facts)));
  let merged: Partial<Listing> = {};
  for (const listing of told) {
    const local = { ...merged.local, ...listing.local };
    merged = { ...merged, ...listing, ...richer(merged, listing), local };
  }
  // Its own id and address, so that it can be asked for again where it was met.
  const { id, address, addressHidden } = fromJson<Listing>(main.facts);
  const open = addressHidden === true ? told.findLast((one) => one.addressHidden !== true) : undefined;
  const isHidden = addressHidden === true && open === undefined;
  // Each source's own, the newest first: all that is merged here is somebody's.
  const attribution = [...new Set(told.toReversed().flatMap((one) => one.attribution ?? []))];
  const { addressHidden: _hidden, attribution: _lines, local = {}, ...facts } = merged;
  return {
    ...facts,
    id,
    address: open?.address ?? address,
    ...(isHidden ? { addressHidden: true } : {}),
    ...(attribution.length === 0 ? {} : { attribution }),
    ...(Object.keys(local).length === 0 ? {} : { local }),
  };
}

function defined(listing: Listing): Listing {
  const entries = Object.entries(listing).filter(([, value]) => value !== undefined && value !== null);
  return Object.fromEntries(entries) as unknown as Listing;
}

/** How the event of a price ends that a document says in words. */
export const saidInWords = ', said in words';

type EventClass = 'listed' | 'change' | 'sold' | 'other';

function classOf(event: string): EventClass {
  if (/sold|verkauft|vendu/iu.test(event)) return 'sold';
  if (/^(?:price )?(?:change|cut|drop|reduc|increas|raise)|price change/iu.test(event)) return 'change';
  if (/list/iu.test(event)) return 'listed';
  return 'other';
}

/** A price that is only seen can be any event but a sale. */
function sameEvent(a: EventClass, b: EventClass): boolean {
  return a === b || (a !== 'sold' && b !== 'sold' && (a === 'other' || b === 'other'));
}

export interface HomePrice<S> {
  at: number;
  event: string;
  price: number;
  /** Undefined where no source says. */
  currency: string | undefined;
  seenAt: number;
  /** Every sighting that tells it, first learnt first. */
  seenIn: { sighting: S; seenAt: number }[];
}

/** Prices of all sightings as one history, newest first; what several tell is one row that names them all. */
export function mergedPrices<S>(rows: readonly { row: PriceRow; sighting: S }[]): HomePrice<S>[] {
  const history: (HomePrice<S> & { class: EventClass })[] = [];
  const inOrder = rows.toSorted(
    (a, b) => a.row.at - b.row.at || a.row.seen_at - b.row.seen_at || (a.row.id < b.row.id ? -1 : 1),
  );
  for (const { row, sighting } of inOrder) {
    const kind = classOf(row.event);
    const seen = { sighting, seenAt: row.seen_at };
    const standing = history.at(-1);
    const known = history.findLast(
      (one) =>
        one.price === row.price &&
        // A price that is only seen, and is the one that stood already, is no event of its own.
        (row.at - one.at <= sameEventMs || (kind === 'other' && one === standing)) &&
        sameEvent(one.class, kind) &&
        (row.currency === null || one.currency === undefined || one.currency === row.currency),
    );
    if (known === undefined) {
      const { at, event, price, currency, seen_at } = row;
      history.push({
        at,
        event,
        price,
        currency: currency ?? undefined,
        seenAt: seen_at,
        seenIn: [seen],
        class: kind,
      });
      continue;
    }
    if (!known.seenIn.some((one) => one.sighting === sighting)) known.seenIn.push(seen);
    known.currency ??= row.currency ?? undefined;
    known.seenAt = Math.min(known.seenAt, row.seen_at);
    // What it was is better than that it was seen, and a listing's word for it better than a mail's.
    if (kind !== 'other' && (known.class === 'other' || known.event.endsWith(saidInWords)))
      Object.assign(known, { class: kind, event: row.event });
  }
  return history
    .toSorted((a, b) => b.at - a.at || b.seenAt - a.seenAt)
    .map(({ class: _, ...one }) => ({ ...one, seenIn: one.seenIn.toSorted((a, b) => a.seenAt - b.seenAt) }));
}
