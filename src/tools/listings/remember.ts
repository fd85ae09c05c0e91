// What a provider said of listings is kept: as homes with their prices, and as documents that a question finds.
import type { Connection } from '../../connections/connections.ts';
import type { Listing } from '../../providers/capabilities.ts';
import type { SourceRecord, Structured } from '../../providers/record.ts';
import type { ToolContext } from '../define.ts';
import { summary } from './hits.ts';

/**
 * Keeps listings as properties with their prices, and as documents, so that a question in words finds them.
 * `detailed`: they were looked at, and are not only rows of a search.
 */
export async function rememberListings(
  { rooms, org }: ToolContext,
  connection: Connection,
  listings: readonly Listing[],
  detailed: boolean,
  cursor?: { feed: string; value: unknown },
): Promise<void> {
  const source = { connectionId: connection.id, provider: connection.provider };
  await rooms.memory.recordListings(org, source, [...listings], detailed);
  const records: SourceRecord[] = [];
  for (const listing of listings) {
    const { id } = listing;
    const property = await rooms.memory.property(org, { id });
    // As memory holds it, of this account alone: a search's row adds to what was looked at before, and takes
    // nothing away; what others say of the home stays theirs.
    const own = property?.sightings.find(
      (one) => one.connectionId === connection.id && one.externalId === id,
    );
    records.push(recordOf(own?.listing ?? listing));
  }
  const result = await rooms.memory.ingest(org, source, {
    records,
    ...(cursor === undefined ? {} : { cursor }),
  });
  for (const { externalId, reason } of result.rejected) {
    rooms.log.warn({ listing: externalId, reason }, 'a listing could not be kept as a document');
  }
}

function recordOf(listing: Listing): SourceRecord {
  const structured: Structured = {
    title: listing.address,
    text: [
      listing.address,
      summary(listing),
      listing.description,
      ...Object.entries(listing.local ?? {}).map(([name, says]) => `${name}: ${says}`),
      ...(listing.attribution ?? []),
    ]
      .filter((part) => part !== undefined)
      .join('\n'),
    ...(listing.url === undefined ? {} : { url: listing.url }),
    ...(listing.agent === undefined
      ? {}
      : { people: [{ name: listing.agent.name, role: 'agent' as const }] }),
    facts: { listingId: listing.id },
  };
  return {
    externalId: listing.id,
    kind: 'listing',
    mediaType: 'application/json',
    raw: new TextEncoder().encode(JSON.stringify(structured)),
  };
}
