// Opens the rooms of the house for one process and hands them out together. Loaded after the first answer:
// nothing here is needed to list the tools.

import type { Audit } from './audit/audit.ts';
import { createAudit } from './audit/create.ts';
import { ensureLocalOrg } from './auth/local.ts';
import { memberOf } from './auth/member-of.ts';
import { createPasskeys, type Passkeys } from './auth/passkeys.ts';
import type { Person } from './auth/principal.ts';
import { recordKeys } from './auth/record-key.ts';
import { openVault } from './auth/vault.ts';
import { type Clock, systemClock } from './clock.ts';
import type { Config } from './config.ts';
import type { Connections } from './connections/connections.ts';
import { createConnections } from './connections/create.ts';
import { createToolLimit } from './connections/operate/tool-limit.ts';
import { createEgress } from './egress/door.ts';
import type { Egress } from './egress/egress.ts';
import { localOrigin } from './http/origin.ts';
import { createIngestion, type Ingestion } from './jobs/ingestion.ts';
import { liveProcesses } from './jobs/presence.ts';
import { syncConnection } from './jobs/sync.ts';
import { createLog, type Log } from './log.ts';
import { type ClientBook, createClientBook } from './memory/clients/book.ts';
import { createMemory } from './memory/create.ts';
import { createEmbedding, type Embedding } from './memory/embed/embedding.ts';
import type { Memory } from './memory/memory.ts';
import { createHomeBook, type HomeBook } from './memory/properties/home-book.ts';
import { type Brain, createBrain } from './memory/receipts/brain.ts';
import { createReceipts, type Receipts } from './memory/receipts/receipts.ts';
import { openReranking, type Reranking } from './memory/rerank/reranking.ts';
import { createCallLog } from './observe/calls.ts';
import { createQueue } from './queue/create.ts';
import { createPresence, type OrgPresence } from './queue/decide/presence.ts';
import { createPolicy, type OrgPolicy } from './queue/policy/policy.ts';
import type { Queue } from './queue/queue.ts';
import { openStore } from './store/open.ts';
import { createSharedLimits } from './store/shared-limits.ts';
import type { OrgStore, Store } from './store/store.ts';
import { createUnderWay, type UnderWay } from './under-way.ts';

/** What is under way at the end and hangs is left after this. */
const leaveMs = 5_000;

export interface Rooms {
  config: Config;
  clock: Clock;
  log: Log;
  store: Store;
  egress: Egress;
  connections: Connections;
  memory: Memory;
  embedding: Embedding;
  reranking: Reranking;
  receipts: Receipts;
  brain: Brain;
  clientBook: ClientBook;
  homeBook: HomeBook;
  queue: Queue;
  /** Syncs by schedule and on demand. */
  ingestion: Ingestion;
  /** The record of what was proposed, decided, run, connected and changed. */
  audit: Audit;
  policy: OrgPolicy;
  presence: OrgPresence;
  passkeys: Passkeys;
  /** The local org: the one that stdio, the terminal and the local pages act in. */
  org: OrgStore;
  owner: Person;
  /** Address of a page of ours, for whom is elsewhere. */
  pageUrl(path: string): string;
  /** Waited for, within a bound, before the store closes. */
  underWay: UnderWay;
  /** Brings what is new from a connection into memory; a second call while one runs joins it. */
  refresh(org: OrgStore, connectionId: string, signal?: AbortSignal): Promise<void>;
  /** The first step of closing: accounts that are asked are asked no longer. A renewal of a token may end. */
  giveUp(): void;
  close(): Promise<void>;
}

export async function openRooms(
  config: Config,
  given: { clock?: Clock; log?: Log; pageUrl?(path: string): string } = {},
): Promise<Rooms> {
  const clock = given.clock ?? systemClock;
  const log = given.log ?? createLog({ level: config.logLevel });
  const store = await openStore({ config, clock, log });
  const vault = openVault({ config, log, clock });
  const audit = createAudit(recordKeys(config));
  const calls = createCallLog({ store, clock, log, keptMs: config.callsKeptMs });
  const egress = createEgress({
    allowLoopback: config.allowLoopback,
    sandboxUrl: config.sandboxUrl,
    limits: createSharedLimits(store),
    toolLimit: createToolLimit({ store, clock, plan: config.plan }),
    onCall: calls.note,
    clock,
    log,
  });
  const served = (await liveProcesses(store)).find(({ url }) => url !== undefined)?.url;
  const pageUrl =
    given.pageUrl ?? ((path: string) => `${config.publicUrl ?? served ?? localOrigin(config.port)}${path}`);
  const connections = createConnections({
    store,
    egress,
    vault,
    clock,
    log,
    audit,
    defaults: { zillowHost: config.zillowHost },
    apps: config.apps,
    providersOff: config.providersOff,
    plan: config.plan,
    allowPrograms: config.allowPrograms,
    pageUrl,
  });
  const models = { egress, vault, audit, clock, log, home: config.home };
  const embedding = createEmbedding({ ...models, environment: config.embedder });
  const reranking = await openReranking({ ...models, environment: config.reranker });
  const memory = createMemory({ clock, log, embedding, reranking });
  const receipts = createReceipts({ clock, log });
  const brain = createBrain({ memory, connections, audit });
  const clientBook = createClientBook({ audit });
  const homeBook = createHomeBook({ audit });
  const policy = createPolicy({ audit });
  const presence = createPresence({ pageUrl });
  const passkeys = createPasskeys({ audit });
  const queue = createQueue({
    connections,
    clock,
    log,
    actionTtlMs: config.actionTtlMs,
    holdMs: config.holdMs,
    policy,
    presence,
    audit,
    member: (orgId, memberId) => memberOf(store, orgId, memberId),
  });
  const { orgId, owner } = await ensureLocalOrg(store, clock);
  const org = await store.forOrg(orgId);
  const ingestion = createIngestion({ store, connections, memory, audit, clock, log });
  const refreshing = new Map<string, Promise<void>>();
  const underWay = createUnderWay(clock);
  const closing = new AbortController();

  async function refresh(from: OrgStore, connectionId: string, signal?: AbortSignal): Promise<void> {
    const key = `${from.orgId}/${connectionId}`;
    const running = refreshing.get(key);
    if (running !== undefined) return running;
    const connection = await connections.get(from, connectionId);
    const run = underWay
      .run(() =>
        syncConnection({
          org: from,
          connection,
          connections,
          memory,
          clock,
          log,
          cause: 'recall',
          signal: signal === undefined ? closing.signal : AbortSignal.any([signal, closing.signal]),
        }),
      )
      .then(() => undefined)
      .finally(() => refreshing.delete(key));
    refreshing.set(key, run);
    return run;
  }

  function giveUp(): void {
    closing.abort();
    egress.giveUp();
  }

  return {
    config,
    clock,
    log,
    store,
    egress,
    connections,
    memory,
    embedding,
    reranking,
    receipts,
    brain,
    clientBook,
    homeBook,
    queue,
    ingestion,
    audit,
    policy,
    presence,
    passkeys,
    org,
    owner,
    pageUrl,
    refresh,
    underWay,
    giveUp,
    async close() {
      giveUp();
      await underWay.settled(leaveMs);
      await receipts.close();
      await embedding.close();
      await reranking.close();
      await memory.close();
      await connections.close();
      await egress.close();
      await calls.close();
      await store.close();
    },
  };
}
