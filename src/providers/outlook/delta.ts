// One round of a delta question: page by page, to the link from which the next round goes on.
// https://learn.microsoft.com/en-us/graph/delta-query-overview
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import type { ProviderContext } from '../define.ts';
import { microsoftHttp as http } from '../microsoft.ts';
import { exchangeAt } from '../request.ts';

export interface DeltaPage<Item> {
  items: Item[];
  /** Ids that are gone, or moved elsewhere. */
  removed: string[];
  /** Where the next page is, or (`last`) the next round begins. */
  link: string;
  last: boolean;
}

const removedItem = z.object({ id: z.string(), '@removed': z.object({}) });

/**
 * @param link of a page or a round before; an address of this very server
 * @returns undefined where Graph no longer knows that link: the round is begun anew, from nothing
 * @throws DrawbridgeError
 */
export async function deltaPage<Item>(
  context: ProviderContext,
  link: { begin: URL } | { go: string },
  given: { item: z.ZodType<Item>; headers: Readonly<Record<string, string>> },
): Promise<DeltaPage<Item> | undefined> {
  const url = 'begin' in link ? link.begin : ownAddress(link.go);
  const answer = z.object({
    value: z.array(z.union([removedItem, given.item])),
    '@odata.nextLink': z.string().optional(),
    '@odata.deltaLink': z.string().optional(),
  });
  try {
    const { output } = await exchangeAt(context, http, url, {
      method: 'GET',
      headers: given.headers,
      output: answer,
    });
    const next = output['@odata.nextLink'] ?? output['@odata.deltaLink'];
    if (next === undefined) {
      throw new DrawbridgeError('malformed_response', `${url.hostname} gives no link to go on from.`);
    }
    const isRemoved = (one: unknown): one is z.infer<typeof removedItem> =>
      removedItem.safeParse(one).success;
    return {
      items: output.value.filter((one): one is Awaited<Item> => !isRemoved(one)),
      removed: output.value.filter(isRemoved).map(({ id }) => id),
      link: ownAddress(next).href,
      last: output['@odata.nextLink'] === undefined,
    };
  } catch (error) {
    // 410 for a state that is too old; a link that is none any more is a request that is none.
    const forgotten =
      error instanceof DrawbridgeError && (error.code === 'not_found' || error.code === 'invalid_request');
    if (forgotten && 'go' in link) return undefined;
    throw error;
  }
}

/** Of a link that Graph gave. The bearer goes with it: to this server and below this version alone. @throws DrawbridgeError */
export function ownAddress(link: string): URL {
  const url = URL.parse(link);
  const base = new URL(http.baseUrl);
  const own = url !== null && url.origin === base.origin && url.pathname.startsWith(`${base.pathname}/me/`);
  if (own && url.username === '' && url.password === '') return url;
  throw new DrawbridgeError(
    'permission_denied',
    `${base.hostname} names a next page on another server: not followed.`,
  );
}
