// The hourly care lets go of what was kept for its time: calls after 90 days, the record after 7 years, or what is
// configured; and of one kind although the other fails.
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { startCare } from '../../src/jobs/care.ts';
import { retain } from '../../src/jobs/retention.ts';
import { createLog } from '../../src/log.ts';
import { createMemory } from '../../src/memory/create.ts';
import type { OrgStore } from '../../src/store/store.ts';
import { auditWith, entry } from '../audit/chain-of.ts';
import { manualClock } from '../egress/manual-clock.ts';
import { databases } from '../store/databases.ts';
import { note } from './notes-provider.ts';

const day = 24 * 3_600_000;
const audit = auditWith();
const ingestion = { retain: async () => undefined };

async function opened(environment: Record<string, string> = {}) {
  const clock = manualClock(Date.now());
  const database = databases.find(({ name }) => name === 'SQLite');
  const open = await database?.open({ clock });
  if (open === undefined) throw new Error('SQLite is always there');
  const org = await open.store.forOrg(await open.store.createOrg('Brightwater Homes'));
  const folder = await mkdtemp(join(tmpdir(), 'drawbridge-retention-'));
  const lines: string[] = [];
  const log = createLog({ level: 'info', destination: { write: (line) => void lines.push(line) } });
  const config = loadConfig({ DRAWBRIDGE_AUDIT_ARCHIVE: folder, ...environment });
  onTestFinished(async () => {
    await open.close();
    await rm(folder, { recursive: true });
  });
  return { clock, org, folder, log, config, lines };
}

/** A call and an entry of each of these ages, in days. */
async function fill(org: OrgStore, ages: readonly number[]): Promise<void> {
  const now = await org.now();
  await org.write(async (tx) => {
    for (const [n, age] of ages.entries()) {
      await tx
        .insertInto('mcp_call_logs')
        .values({
          org_id: org.orgId,
          id: `call_${n}`,
          connection_id: null,
          provider: 'post',
          operation: 'send',
          cause: 'tool',
          method: 'GET',
          host: 'a.example',
          outcome: '200',
          attempts: 1,
          ms: 1,
          at: now - age * day,
        })
        .execute();
      await audit.append(tx, org.orgId, now - age * day, entry(n));
    }
  });
}

async function kept(org: OrgStore) {
  const calls = await org.read((db) => db.selectFrom('mcp_call_logs').select('id').execute());
  return { calls: calls.length, entries: (await audit.list(org)).map(({ kind }) => kind) };
}

test('within the hour, calls older than 90 days and entries older than 7 years are gone, and the rest is there', async () => {
  const { clock, org, folder, log, config } = await opened();
  await fill(org, [8 * 366, 6 * 365, 91, 89]);
  const none = async () => undefined as never;
  const care = startCare({
    orgs: async () => [org],
    connections: { lookAfter: none, rotateKeys: none },
    retain: (one, signal) => retain(one, { audit, ingestion, config, log, signal }),
    clock,
    log,
  });
  await clock.asleep((ms) => ms >= 60_000);
  clock.advance(3_600_000);
  await clock.asleep((ms) => ms >= 3_600_000);
  await care.stop();
  expect(await kept(org)).toEqual({
    calls: 1,
    entries: ['audit.cut', 'action.proposed', 'action.proposed', 'action.proposed'],
  });
  expect(await readdir(folder)).toEqual([`${org.orgId}-1-1.jsonl`]);
  expect((await audit.verify(org)).bad).toBeUndefined();
});

test('both times are configurable, and the record’s not below a year', async () => {
  const { org, log, config } = await opened({
    DRAWBRIDGE_AUDIT_YEARS: '1',
    DRAWBRIDGE_CALL_LOG_DAYS: '30',
  });
  await fill(org, [500, 300, 31, 29]);
  await retain(org, { audit, ingestion, config, log, signal: new AbortController().signal });
  expect(await kept(org)).toMatchObject({ calls: 1, entries: { length: 4 } });
  expect(() => loadConfig({ DRAWBRIDGE_AUDIT_YEARS: '0.5' })).toThrow(/DRAWBRIDGE_AUDIT_YEARS/);
  const usual = loadConfig({});
  expect([usual.auditKeptMs, usual.callsKeptMs]).toEqual([7 * 365.25 * day, 90 * day]);
});

test('a record that does not hold is said in the log, keeps all its entries, and holds up no other work', async () => {
  const { clock, org, log, config, lines } = await opened();
  await fill(org, [3_000, 2_900]);
  const looked: string[] = [];
  const care = startCare({
    orgs: async () => [org],
    connections: {
      lookAfter: async () => {
        looked.push('after');
        throw new Error('no answer');
      },
      rotateKeys: async () => undefined as never,
    },
    retain: (one, signal) =>
      retain(one, {
        ingestion,
        audit: { cut: async () => Promise.reject(new Error('entry 1 does not hold')) },
        config,
        log,
        signal,
      }),
    clock,
    log,
  });
  await clock.asleep((ms) => ms >= 60_000);
  clock.advance(3_600_000);
  await clock.asleep((ms) => ms >= 3_600_000);
  await care.stop();
  expect(looked).toEqual(['after']);
  expect(await kept(org)).toEqual({ calls: 0, entries: ['action.proposed', 'action.proposed'] });
  expect(lines.join('')).toContain('entry 1 does not hold');
});

test('the empty row of a deleted record goes after 30 days, and not before', async () => {
  const { clock, org, log, config } = await opened();
  const memory = createMemory({ clock, log });
  onTestFinished(() => memory.close());
  const now = await org.now();
  await org.write((tx) =>
    tx
      .insertInto('connected_sources')
      .values({
        org_id: org.orgId,
        id: 'con_1',
        provider: 'notes',
        account: 'ann',
        label: 'Ann',
        state: 'ACTIVE',
        fields: '{}',
        mcp_server_url: null,
        last_sync_at: null,
        last_error: null,
        created_at: now,
        updated_at: now,
      })
      .execute(),
  );
  const source = { connectionId: 'con_1', provider: 'notes' };
  await memory.ingest(org, source, { records: [note('gone'), note('stays')] });
  await memory.ingest(org, source, { records: [], deleted: ['gone'] });
  const rows = async () =>
    (await org.read((db) => db.selectFrom('source_documents').select('external_id').execute())).map(
      ({ external_id }) => external_id,
    );
  const signal = new AbortController().signal;
  clock.advance(29 * day);
  await retain(org, { audit, ingestion, config, log, signal });
  expect((await rows()).sort()).toEqual(['gone', 'stays']);
  clock.advance(2 * day);
  await retain(org, { audit, ingestion, config, log, signal });
  expect(await rows()).toEqual(['stays']);
});
