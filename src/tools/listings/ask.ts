// A search of listings put to the accounts live, unless this very one was asked lately; when it was is kept.
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Connection } from '../../connections/connections.ts';
import { toDrawbridgeError } from '../../errors.ts';
import type { Listing, ListingSearch, ListingSearchAnswer } from '../../providers/capabilities.ts';
import { allowedAge } from '../../recall/thresholds.ts';
import { visibleLine } from '../../untrusted.ts';
import type { ToolContext } from '../define.ts';
import { accountsAtOnce, listingAccounts, type Refused } from './accounts.ts';
import { rememberListings } from './remember.ts';

const liveTimeout = 10_000;
const mostPages = 2;

interface Asked {
  /** `connection`: one of several; left out where there was but one to ask, or none. */
  refused: (Omit<Refused, 'connection'> & { connection?: Connection })[];
  /** Who was not asked for now, in words. */
  left: string | undefined;
}

/** Asks live unless this very search was asked lately. Returns what went wrong, instead of throwing it. */
export async function askIfDue(
  context: ToolContext,
  query: ListingSearch,
  options: { maxAgeMs: number | undefined; account: string | undefined },
): Promise<Asked> {
  const { rooms } = context;
  try {
    const accounts = await listingAccounts(context, 'listing.search', options.account);
    const allowed = allowedAge('listing', { maxAgeMs: options.maxAgeMs });
    const lastly = await Promise.all(
      accounts.map(async (connection) => ({
        connection,
        asked: await lastAsked(context, connection, query),
      })),
    );
    // Listings in memory say nothing about those that are not: only a search asked before covers this one.
    const due = lastly
      .filter(({ asked }) => asked === undefined || rooms.clock.now() - asked.at > allowed)
      .toSorted((a, b) => (a.asked?.at ?? 0) - (b.asked?.at ?? 0))
      .map(({ connection }) => connection);
    const now = due.slice(0, accountsAtOnce);
    const pages = now.length > 1 ? 1 : mostPages;
    const refused = await Promise.all(
      now.map(async (connection) => {
        try {
          await askLive(context, connection, query, pages);
          return [];
        } catch (thrown) {
          const error = toDrawbridgeError(thrown);
          return [accounts.length > 1 ? { connection, error } : { error }];
        }
      }),
    );
    const later = due.slice(accountsAtOnce).map(({ label }) => visibleLine(label, 80));
    return {
      refused: refused.flat(),
      left:
        later.length === 0
          ? undefined
          : `Not asked live this time: ${later.join(', ')}. Ask again, or name one as account.`,
    };
  } catch (thrown) {
    return { refused: [{ error: toDrawbridgeError(thrown) }], left: undefined };
  }
}

const askedShape = z.object({ at: z.number(), complete: z.boolean() });

/** When this search was last asked of the account, and whether every page of the answer was read. */
export async function lastAsked({ rooms, org }: ToolContext, connection: Connection, query: ListingSearch) {
  const kept = askedShape.safeParse(await rooms.memory.cursor(org, connection.id, searchFeed(query)));
  return kept.success ? kept.data : undefined;
}

/** When a search was last asked live is kept beside the sync cursors, under this name. */
function searchFeed(query: ListingSearch): string {
  const { page: _, ...filter } = query;
  const words = JSON.stringify(Object.entries(filter).sort(([a], [b]) => a.localeCompare(b))).toLowerCase();
  return `listing.search/${createHash('sha256').update(words).digest('hex').slice(0, 32)}`;
}

/** So many live pages at most, written through to memory. */
async function askLive(
  context: ToolContext,
  connection: Connection,
  query: ListingSearch,
  pages: number,
): Promise<void> {
  const { rooms, org, signal } = context;
  const began = rooms.clock.now();
  const found: Listing[] = [];
  let page: number | undefined = 1;
  for (let call = 0; call < pages && page !== undefined; call += 1) {
    const answer: ListingSearchAnswer = await rooms.connections.read(
      org,
      connection,
      'listing.search',
      { ...query, page },
      { signal, timeoutMs: liveTimeout },
    );
    found.push(...answer.listings);
    page = answer.nextPage;
  }
  const value: z.infer<typeof askedShape> = { at: began, complete: page === undefined };
  await rememberListings(context, connection, found, false, { feed: searchFeed(query), value });
}
