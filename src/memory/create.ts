// Puts the Intelligence Memory Engine together: one door in (ingest), and ways to ask. Threads and indexes
// are started when they are first needed.
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';
import { fromJson } from '../store/codec.ts';
import type { OrgStore } from '../store/store.ts';
import { clientsCalled, listClients, readClient } from './clients/clients.ts';
import { readProfile } from './clients/profile.ts';
import { listDocuments, readDocument, readPayload, readStats } from './documents/documents.ts';
import { latestPassages } from './documents/passages.ts';
import type { Embedding } from './embed/embedding.ts';
import { createPostingsIndex } from './index/postings-index.ts';
import type { SearchIndex } from './index/search-index.ts';
import { createIngest } from './ingest.ts';
import type { IngestBatch, IngestResult, Memory, Source } from './memory.ts';
import { createProperties } from './properties/create.ts';
import { createReader } from './reader.ts';
import { rebuildSome } from './rebuild.ts';
import type { Reranking } from './rerank/reranking.ts';
import { createSearch } from './search.ts';

/** Memory over whatever orgs it is handed. Close it to end its threads. */
export function createMemory({
  clock,
  log,
  index: given,
  embedding,
  reranking,
}: {
  clock: Clock;
  log: Log;
  index?: SearchIndex;
  /** Of orgs that chose an embedder of others; undefined: the built-in one alone. */
  embedding?: Pick<Embedding, 'answering' | 'question' | 'settle'>;
  /** Of orgs that chose a reranker. */
  reranking?: Pick<Reranking, 'chosen' | 'scores'>;
}): Memory {
  const reader = createReader({ clock, log });
  const index = given ?? createPostingsIndex({ clock, log, background: reader });
  const ingest = createIngest({ reader, index, clock });
  const properties = createProperties({ clock });
  const search = createSearch({ index, clock, embedding, reranking });
  const listeners = new Set<(orgId: string, documentIds: string[]) => void>();

  const take = async (org: OrgStore, source: Source, batch: IngestBatch): Promise<IngestResult> => {
    const { result, changed, loose } = await ingest(org, source, batch);
    index.settle(org, loose);
    if (changed.length > 0) embedding?.settle(org);
    if (changed.length > 0) {
      for (const listener of listeners) {
        try {
          listener(org.orgId, changed);
        } catch (thrown) {
          // What is stored is stored, whoever was told.
          log.error({ err: thrown }, 'a listener for memory changes failed');
        }
      }
    }
    return result;
  };

  return {
    ingest: take,
    rebuild: (org, after, showing) => rebuildSome(org, take, after, showing),
    async cursor(org, connectionId, feed) {
      const row = await org.read((db) =>
        db
          .selectFrom('sync_cursors')
          .select('cursor')
          .where('org_id', '=', org.orgId)
          .where('connection_id', '=', connectionId)
          .where('feed', '=', feed)
          .executeTakeFirst(),
      );
      return row === undefined ? undefined : fromJson(row.cursor);
    },
    search,
    latest: latestPassages,
    document: readDocument,
    payload: readPayload,
    documents: listDocuments,
    clients: listClients,
    client: readClient,
    clientsCalled,
    profile: (org, id) => readProfile(org, clock, id),
    ...properties,
    stats: readStats,
    onChange(listener) {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
    async close() {
      // Folding stops by itself when its thread is gone.
      await Promise.all([reader.close(), index.close()]);
    },
  };
}
