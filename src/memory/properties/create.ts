// Homes, as memory's face shows them. Before an org's homes are first asked for or written, those that an older
// way of normalising keyed are read anew.
import type { Clock } from '../../clock.ts';
import type { Listing } from '../../providers/capabilities.ts';
import { fromJson } from '../../store/codec.ts';
import type { OrgStore } from '../../store/store.ts';
import { lockIngest } from '../index/lock.sql.ts';
import type { Memory, Source } from '../memory.ts';
import { pricesOf } from './documents.ts';
import { findProperties, findProperty } from './read.ts';
import { rebuild } from './rebuild.ts';
import { keepSightings, readAnew } from './sightings.ts';

const anewAtOnce = 200;

export function createProperties({
  clock,
}: {
  clock: Clock;
}): Pick<Memory, 'recordListings' | 'property' | 'properties'> {
  const ready = new Map<string, Promise<void>>();

  async function bringUpToDate(org: OrgStore): Promise<void> {
    for (let read = anewAtOnce; read === anewAtOnce; ) {
      read = await org.write(async (tx) => {
        await lockIngest(tx, org.dialect, org.orgId);
        return readAnew(tx, org.orgId, clock.now(), anewAtOnce);
      });
    }
  }

  function upToDate(org: OrgStore): Promise<void> {
    const known = ready.get(org.orgId);
    if (known !== undefined) return known;
    const working = bringUpToDate(org);
    ready.set(org.orgId, working);
    // The next question tries again.
    working.catch(() => ready.delete(org.orgId));
    return working;
  }

  return {
    async recordListings(org: OrgStore, source: Source, listings: Listing[], detailed: boolean) {
      await upToDate(org);
      const now = clock.now();
      const ground = { orgId: org.orgId, source, now };
      await org.write(async (tx) => {
        await lockIngest(tx, org.dialect, org.orgId);
        const touched = new Set<string>();
        for (const listing of new Map(listings.map((one) => [one.id, one])).values()) {
          const before = await tx
            .selectFrom('property_sightings')
            .select('facts')
            .where('org_id', '=', org.orgId)
            .where('connection_id', '=', source.connectionId)
            .where('external_id', '=', listing.id)
            .executeTakeFirst();
          const known = before === undefined ? undefined : fromJson<Listing>(before.facts);
          const prices = pricesOf(listing, known, now);
          const sighting = {
            externalId: listing.id,
            listing,
            detailed,
            documentId: undefined,
            said: false,
            prices,
          };
          for (const id of await keepSightings(tx, ground, [sighting])) touched.add(id);
        }
        await rebuild(tx, org.orgId, touched);
      });
    },
    async property(org, key) {
      await upToDate(org);
      return findProperty(org, key);
    },
    async properties(org, filter) {
      await upToDate(org);
      return findProperties(org, filter);
    },
  };
}
