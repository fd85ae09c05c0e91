// Syncing, measured: records a second through a feed of mails into memory, in pages as providers give them, and
// what a run costs that finds nothing new.
//
//   node bench/sync.ts [--records 10000] [--page 100]
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock as clock } from '../src/clock.ts';
import type { Connection, Connections } from '../src/connections/connections.ts';
import { syncConnection } from '../src/jobs/sync.ts';
import { createLog } from '../src/log.ts';
import { createMemory } from '../src/memory/create.ts';
import type { SourceRecord } from '../src/providers/record.ts';
import { openStore } from '../src/store/open.ts';
import { wordsOf } from './sync-words.ts';

const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '10000' },
    page: { type: 'string', default: '100' },
  },
});
const records = Number(values.records);
const pageLength = Number(values.page);
const log = createLog({ level: 'silent' });
const home = await mkdtemp(join(tmpdir(), 'drawbridge-sync-bench-'));
const store = await openStore({ config: { home, databaseUrl: undefined }, clock, log });
const org = await store.forOrg(await store.createOrg('Bench'));
const memory = createMemory({ clock, log });
await org.write((tx) =>
  tx
    .insertInto('connected_sources')
    .values({
      org_id: org.orgId,
      id: 'con_1',
      provider: 'post',
      account: 'ann@example.com',
      label: 'ann@example.com',
      state: 'ACTIVE',
      fields: '{}',
      mcp_server_url: null,
      last_sync_at: null,
      last_error: null,
      created_at: clock.now(),
      updated_at: clock.now(),
    })
    .execute(),
);

function mail(n: number): SourceRecord {
  const text = `From: Person ${n % 300} <p${n % 300}@example.org>\r\nTo: ann@example.com\r\nSubject: ${wordsOf(n, 5)}\r\nMessage-ID: <${n}@example.org>\r\nDate: Mon, 02 Mar 2026 10:00:00 +0000\r\n\r\n${wordsOf(n + 7, 180)}\r\n`;
  return { externalId: `m${n}`, kind: 'mail', mediaType: 'message/rfc822', raw: Buffer.from(text) };
}

async function* pages(cursor: unknown) {
  for (let from = Number(cursor ?? 0); from < records || from === Number(cursor ?? -1); from += pageLength) {
    const count = Math.max(0, Math.min(pageLength, records - from));
    yield {
      records: Array.from({ length: count }, (_, i) => mail(from + i)),
      deleted: [],
      cursor: from + count,
    };
    if (count === 0) return;
  }
}

const connection = {
  id: 'con_1',
  provider: 'post',
  label: 'ann@example.com',
  lastSyncAt: undefined,
} as Connection;
const connections = {
  feeds: async () => [{ name: 'mail', feed: { kinds: ['mail'], pages }, pages }],
  report: async () => undefined,
} as unknown as Connections;

async function run(): Promise<{ seconds: number; processor: number; seen: number }> {
  const begun = performance.now();
  const used = process.cpuUsage();
  const { seen } = await syncConnection({ org, connection, connections, memory, clock, log });
  const { user, system } = process.cpuUsage(used);
  return { seconds: (performance.now() - begun) / 1_000, processor: (user + system) / 1_000_000, seen };
}

const first = await run();
const again: number[] = [];
for (let n = 0; n < 20; n += 1) again.push((await run()).seconds * 1_000);
again.sort((a, b) => a - b);
console.log(`load ${loadavg()[0]?.toFixed(1)}, ${cpus().length} cores, pages of ${pageLength}`);
console.log(
  `${first.seen} mails of 1.3 kB: ${Math.round(first.seen / first.seconds)} a second, ${((first.processor / first.seen) * 1_000).toFixed(2)} ms of processor time each`,
);
console.log(`a run that finds nothing new: ${again[10]?.toFixed(1)} ms (median of 20)`);
await memory.close();
await store.close();
await rm(home, { recursive: true, force: true });
