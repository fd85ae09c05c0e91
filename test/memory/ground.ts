// What memory's tests stand on: a real store in a folder of its own, one org, one account, a clock.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../src/clock.ts';
import { createLog } from '../../src/log.ts';
import { createMemory } from '../../src/memory/create.ts';
import type { Memory, Source } from '../../src/memory/memory.ts';
import type { SourceRecord } from '../../src/providers/record.ts';
import { openStore } from '../../src/store/open.ts';
import type { OrgStore, Store } from '../../src/store/store.ts';

export const start = Date.UTC(2026, 2, 2, 9);

export function manualClock(): Clock & { advance(ms: number): void } {
  let now = start;
  return {
    now: () => now,
    elapsed: () => now - start,
    sleep: (_ms, { signal } = {}) =>
      new Promise((_resolve, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason));
      }),
    advance(ms) {
      now += ms;
    },
  };
}

export interface Ground {
  store: Store;
  org: OrgStore;
  memory: Memory;
  clock: ReturnType<typeof manualClock>;
  source: Source;
  connect(id: string, account: string): Promise<Source>;
  close(): Promise<void>;
}

export async function connectAccount(
  org: OrgStore,
  id: string,
  account: string,
  at: number,
): Promise<Source> {
  await org.write((tx) =>
    tx
      .insertInto('connected_sources')
      .values({
        org_id: org.orgId,
        id,
        provider: 'mailbox',
        account,
        label: account,
        state: 'ACTIVE',
        fields: '{}',
        mcp_server_url: null,
        last_sync_at: null,
        last_error: null,
        created_at: at,
        updated_at: at,
      })
      .execute(),
  );
  return { connectionId: id, provider: 'mailbox' };
}

export async function ground(): Promise<Ground> {
  const home = await mkdtemp(join(tmpdir(), 'drawbridge-memory-'));
  const clock = manualClock();
  const log = createLog({ level: 'silent' });
  const store = await openStore({ config: { home, databaseUrl: undefined }, clock, log });
  const org = await store.forOrg(await store.createOrg('Test'));
  const memory = createMemory({ clock, log });
  const connect = (id: string, account: string) => connectAccount(org, id, account, clock.now());
  const source = await connect('con_1', 'me@agency.test');
  return {
    store,
    org,
    memory,
    clock,
    source,
    connect,
    async close() {
      await memory.close();
      await store.close();
      await rm(home, { recursive: true, force: true });
    },
  };
}

export interface MailParts {
  id?: string;
  from?: string;
  to?: string;
  subject?: string;
  date?: string;
  headers?: string[];
  body: string;
}

/** A plain-text message as it comes over the wire. */
export function mail(parts: MailParts): SourceRecord {
  const id = parts.id ?? `${parts.subject ?? 'x'}@test`.replace(/\s/gu, '-');
  const lines = [
    `Message-ID: <${id}>`,
    `From: ${parts.from ?? 'Anna Berg <anna@berg.test>'}`,
    `To: ${parts.to ?? 'me@agency.test'}`,
    `Subject: ${parts.subject ?? 'Hello'}`,
    `Date: ${parts.date ?? 'Mon, 02 Mar 2026 08:00:00 +0000'}`,
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: 8bit',
    ...(parts.headers ?? []),
    '',
    parts.body,
  ];
  return { externalId: id, kind: 'mail', mediaType: 'message/rfc822', raw: Buffer.from(lines.join('\r\n')) };
}

export function json(externalId: string, kind: SourceRecord['kind'], value: unknown): SourceRecord {
  return { externalId, kind, mediaType: 'application/json', raw: Buffer.from(JSON.stringify(value)) };
}
