// The rooms of the ingestion test: a provider of notes that is a small server beside the process, and a store
// that tells each transaction.
import { z } from 'zod';
import { createAudit } from '../../src/audit/create.ts';
import { openVault } from '../../src/auth/vault.ts';
import { systemClock } from '../../src/clock.ts';
import { createConnections } from '../../src/connections/create.ts';
import { createEgress } from '../../src/egress/door.ts';
import type { Log } from '../../src/log.ts';
import { defineProvider, type FeedPage } from '../../src/providers/define.ts';
import type { CatalogEntry } from '../../src/providers/entry.ts';
import { openStore } from '../../src/store/open.ts';
import type { OrgStore } from '../../src/store/store.ts';

export const auditWith = () => createAudit({ signingSeed: () => new Uint8Array(32), knownSeeds: () => [] });

/** What the server answers: ids of a page, those that are gone, and where it goes on. */
export interface NotesPage {
  ids: string[];
  deleted: string[];
  next: number;
  more: boolean;
}

function entryAt(url: string, step: () => void): CatalogEntry {
  const provider = defineProvider({
    id: 'notes',
    title: 'Notes',
    fields: z.strictObject({}),
    secrets: [],
    auth: { kind: 'none' },
    identity: async () => ({ id: 'ann', label: 'ann at Notes' }),
    operations: {},
    capabilities: {},
    feeds: {
      notes: {
        kinds: ['note'],
        async *pages(context, cursor): AsyncGenerator<FeedPage> {
          for (let from = typeof cursor === 'number' ? cursor : 0, more = true; more; ) {
            step();
            const answer = await context.fetch(`${url}/notes?from=${from}`);
            const page = (await answer.json()) as NotesPage;
            step();
            yield {
              records: page.ids.map((id) => ({
                externalId: id,
                kind: 'note' as const,
                mediaType: 'text/plain' as const,
                raw: Buffer.from(`Note ${id}`),
                title: id,
              })),
              deleted: page.deleted,
              cursor: page.next,
            };
            from = page.next;
            more = page.more;
          }
        },
      },
    },
    limit: { perSecond: 1_000, burst: 1_000, concurrent: 8 },
  });
  return {
    id: 'notes',
    title: 'Notes',
    capabilities: [],
    feedKinds: ['note'],
    connectable: true,
    app: undefined,
    command: 'drawbridge connect notes',
    load: async () => provider,
  };
}

export async function openNotes(
  place: { home: string; url: string },
  { log, step }: { log: Log; step: () => void },
) {
  const { home, url } = place;
  const clock = systemClock;
  const store = await openStore({ config: { home, databaseUrl: undefined }, clock, log });
  const egress = createEgress({ allowLoopback: true, sandboxUrl: undefined, clock, log });
  const vault = openVault({ config: { home, key: undefined }, log });
  const connections = createConnections({
    store,
    egress,
    vault,
    clock,
    log,
    catalog: [entryAt(url, step)],
  });
  return {
    store,
    connections,
    /** The same org, whose every write is two steps: before it begins, and after it is there. */
    watched(org: OrgStore): OrgStore {
      return {
        ...org,
        async write(work) {
          step();
          const result = await org.write(work);
          step();
          return result;
        },
      };
    },
    async close() {
      await connections.close();
      await egress.close();
      await store.close();
    },
  };
}
