// A CRM whose deals the test changes behind Drawbridge's back: real connections, memory and syncs over it.
import { onTestFinished } from 'vitest';
import { z } from 'zod';
import type { Connection } from '../../src/connections/connections.ts';
import { DrawbridgeError } from '../../src/errors.ts';
import { syncConnection } from '../../src/jobs/sync.ts';
import { createMemory } from '../../src/memory/create.ts';
import type { MemoryQuery } from '../../src/memory/memory.ts';
import { defineProvider, type Provider } from '../../src/providers/define.ts';
import type { CatalogEntry } from '../../src/providers/entry.ts';
import type { SourceRecord } from '../../src/providers/record.ts';
import type { LiveRooms } from '../../src/recall/live-reads.ts';
import { type Recalled, type RecallOptions, recall } from '../../src/recall/recall.ts';
import { createUnderWay } from '../../src/under-way.ts';
import { log, type Office, openOffice } from '../connections/office.ts';

export interface Crm {
  office: Office;
  connection: Connection;
  /** As they stand at the provider: text by id, and when it was changed. */
  deals: Map<string, { text: string; changedAt: number }>;
  /** What the provider was asked for, in order: `sync`, or a deal's id. */
  asked: string[];
  /** Put in front of each answer of the provider. */
  before: { answer(): Promise<void> };
  rooms: LiveRooms;
  put(id: string, text: string): void;
  sync(): Promise<void>;
  ask(question: string, options?: Partial<RecallOptions & MemoryQuery>): Promise<Recalled>;
}

function recordOf(id: string, { text }: { text: string }): SourceRecord {
  return {
    externalId: `deals/${id}`,
    kind: 'deal',
    mediaType: 'text/plain',
    title: `Deal ${id}`,
    raw: Buffer.from(text),
  };
}

export async function openCrm(given: { freshMs?: number; direct?: boolean } = {}): Promise<Crm> {
  const deals: Crm['deals'] = new Map();
  const asked: string[] = [];
  const before: Crm['before'] = { answer: async () => undefined };
  const provider: Provider = defineProvider({
    id: 'crm',
    title: 'CRM',
    fields: z.strictObject({}),
    secrets: [],
    auth: { kind: 'none' },
    identity: async () => ({ id: 'ann', label: 'ann at CRM' }),
    operations: {},
    capabilities: {},
    feeds: {
      deals: {
        kinds: ['deal'],
        ...(given.freshMs === undefined ? {} : { freshMs: given.freshMs }),
        async *pages({ clock }, cursor) {
          asked.push('sync');
          await before.answer();
          const since = Number(cursor ?? 0);
          yield {
            records: [...deals]
              .filter(([, { changedAt }]) => changedAt >= since)
              .map(([id, deal]) => recordOf(id, deal)),
            deleted: [],
            cursor: clock.now(),
            complete: { ids: [...deals.keys()].map((id) => `deals/${id}`) },
          };
        },
        ...(given.direct === false
          ? {}
          : {
              record: {
                owns: (id: string) => id.startsWith('deals/'),
                async read(_context: unknown, id: string) {
                  const name = id.slice('deals/'.length);
                  asked.push(name);
                  await before.answer();
                  const deal = deals.get(name);
                  return deal === undefined ? undefined : recordOf(name, deal);
                },
              },
            }),
      },
    },
    limit: { perSecond: 1000, burst: 1000, concurrent: 8 },
  });
  const entry: CatalogEntry = {
    id: 'crm',
    title: 'CRM',
    capabilities: [],
    feedKinds: ['deal'],
    ...(given.freshMs === undefined ? {} : { freshMs: { deal: given.freshMs } }),
    connectable: true,
    app: undefined,
    command: 'drawbridge connect crm',
    load: async () => provider,
  };
  const office = await openOffice([entry]);
  const { org, clock, connections } = office;
  const memory = createMemory({ clock, log });
  onTestFinished(() => memory.close());
  const connection = await connections.connect(org, 'crm', { fields: {}, secrets: {} });
  const syncing = new Map<string, Promise<void>>();
  const rooms: LiveRooms = {
    clock,
    log,
    connections,
    memory,
    underWay: createUnderWay(clock),
    refresh(of, id) {
      const running = syncing.get(id);
      if (running !== undefined) return running;
      const run = (async () => {
        const now = await connections.get(of, id);
        await syncConnection({ org: of, connection: now, connections, memory, clock, log });
      })().finally(() => syncing.delete(id));
      syncing.set(id, run);
      return run;
    },
  };
  return {
    office,
    connection,
    deals,
    asked,
    before,
    rooms,
    put: (id, text) => void deals.set(id, { text, changedAt: clock.now() }),
    sync: () => rooms.refresh(org, connection.id),
    ask: (question, { maxAgeMs, accounts, ...query } = {}) =>
      recall(rooms, org, { question, limit: 10, ...query }, { maxAgeMs, accounts }),
  };
}

/** What was down. */
export function down(): DrawbridgeError {
  return new DrawbridgeError('provider_unavailable', 'CRM is down for maintenance.', { retry: 'later' });
}
