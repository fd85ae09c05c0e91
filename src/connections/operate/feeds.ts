// The feeds of a connection, each bound to its context; and one record of a feed, read live. What a person did not
// permit is not there.
import type { Cause } from '../../egress/egress.ts';
import type { Feed, Provider, ProviderContext } from '../../providers/define.ts';
import type { DocumentKind } from '../../providers/record.ts';
import { isGranted } from '../connect/scopes.ts';
import type { Connection, Connections } from '../connections.ts';

/** Of one org and one connection. */
export interface FeedParts {
  provider: Provider;
  /** Scopes that were granted, as the connection stands now. */
  scopes: Connection['scopes'];
  context(operation: string, cause: Cause): Promise<ProviderContext>;
}

export async function feedsOf({
  provider,
  scopes,
  context,
}: FeedParts): Promise<{ name: string; feed: Feed; pages(cursor: unknown): ReturnType<Feed['pages']> }[]> {
  // What a person did not permit is no failure of the sync.
  const feeds = Object.entries(provider.feeds).filter(([, feed]) => isGranted(scopes, feed.scopes));
  return Promise.all(
    feeds.map(async ([name, feed]) => {
      const bound = await context(name, 'sync');
      return { name, feed, pages: (cursor: unknown) => feed.pages(bound, cursor) };
    }),
  );
}

/** A way to read that record; undefined where no feed that was permitted has one. */
export function recordOf(
  { provider, scopes, context }: FeedParts,
  { kind, externalId }: { kind: DocumentKind; externalId: string },
): Awaited<ReturnType<Connections['record']>> {
  for (const [name, feed] of Object.entries(provider.feeds)) {
    const { record } = feed;
    if (record?.owns(externalId) !== true || !feed.kinds.includes(kind)) continue;
    if (!isGranted(scopes, feed.scopes)) continue;
    return { read: async () => record.read(await context(name, 'tool'), externalId) };
  }
  return undefined;
}
