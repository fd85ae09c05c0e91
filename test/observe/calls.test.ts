// The log of calls: every call a row, every failure an error with its code, nothing of it in the way of a call.
import { describe, expect, onTestFinished, test } from 'vitest';
import type { CallRecord } from '../../src/egress/egress.ts';
import { DrawbridgeError, type ErrorCode } from '../../src/errors.ts';
import { createLog } from '../../src/log.ts';
import { createCallLog } from '../../src/observe/calls.ts';
import { callMetrics, lastFailures } from '../../src/observe/metrics.ts';
import { forgetOld, keptMs, keptRows } from '../../src/observe/retention.ts';
import { Secret } from '../../src/secret.ts';
import type { OrgStore } from '../../src/store/store.ts';
import { manualClock } from '../egress/manual-clock.ts';
import { caller, door, serve } from '../egress/wire.ts';
import { databases } from '../store/databases.ts';

const lines: string[] = [];
const log = createLog({ level: 'warn', destination: { write: (line) => void lines.push(line) } });

async function opened(database = databases[0]) {
  if (database === undefined) throw new Error('no database');
  // Near the time that PostgreSQL keeps by itself.
  const clock = manualClock(Date.now());
  const open = await database.open({ clock });
  onTestFinished(() => open.close());
  const orgId = await open.store.createOrg('Brightwater Homes');
  const org = await open.store.forOrg(orgId);
  const calls = createCallLog({ store: open.store, clock, log });
  return { ...open, clock, orgId, org, calls };
}

function rows(org: OrgStore) {
  return org.read((db) =>
    db.selectFrom('mcp_call_logs').selectAll().where('org_id', '=', org.orgId).orderBy('id').execute(),
  );
}

function record(orgId: string, more: Partial<CallRecord> = {}): CallRecord {
  return {
    caller: { ...caller, orgId },
    method: 'GET',
    host: 'api.example.com',
    outcome: '200',
    attempts: 1,
    ms: 12,
    ...more,
  };
}

describe.each(databases)('on $name', (database) => {
  test('calls through the door leave rows, failures leave errors with a code, and no address is in either', async () => {
    const { orgId, org, calls } = await opened(database);
    const server = await serve((request, response) =>
      response.writeHead(request.url?.startsWith('/no') ? 403 : 200).end('body-of-a-person'),
    );
    const { egress } = door({ onCall: calls.note });
    const fetch = egress.fetchFor({ ...caller, orgId });
    await fetch(`${server.url}/path-of-a-person?query-of-a-person`);
    await fetch(`${server.url}/no`, { method: 'POST' });
    await egress.converse({ ...caller, orgId, operation: 'mail', cause: 'sync' }, async () => 'talk');
    await expect(
      egress.converse({ ...caller, orgId }, async () => {
        throw new DrawbridgeError('timeout', 'too slow');
      }),
    ).rejects.toThrow('too slow');
    await calls.close();
    const kept = await rows(org);
    expect(
      kept
        .map(({ method, host, operation, cause, outcome, attempts }) =>
          [method, host, operation, cause, outcome, attempts].join(' '),
        )
        .sort(),
    ).toEqual([
      'GET 127.0.0.1 search tool 200 1',
      'POST 127.0.0.1 search tool 403 1',
      'socket zillow mail sync ok 1',
      'socket zillow search tool timeout 1',
    ]);
    const failures = await lastFailures(org, 10);
    expect(failures.map(({ code, message }) => `${code}: ${message}`).sort()).toEqual([
      'permission_denied: 127.0.0.1 answered with status 403.',
      'timeout: too slow',
    ]);
    expect(JSON.stringify([kept, failures])).not.toContain('of-a-person');
  });

  test('metrics are told by provider, operation and outcome, of a time, of one org', async () => {
    const { orgId, org, calls, clock, store } = await opened(database);
    const other = await store.createOrg('Elsewhere');
    calls.note(record(orgId));
    clock.advance(60_000);
    calls.note(record(orgId, { ms: 10 }));
    calls.note(record(orgId, { ms: 20 }));
    calls.note(record(orgId, { outcome: '503' }));
    calls.note(record(other));
    await calls.flush();
    expect(await callMetrics(org, clock.now() - 1000)).toEqual([
      { provider: 'zillow', operation: 'search', outcome: '200', count: 2, meanMs: 15 },
      { provider: 'zillow', operation: 'search', outcome: '503', count: 1, meanMs: 12 },
    ]);
  });

  test('what is too old goes, a little at a time; what is new stays', async () => {
    const { orgId, org, calls, clock } = await opened(database);
    for (let i = 0; i < 1300; i += 1) calls.note(record(orgId, { outcome: '500' }));
    await calls.flush();
    // PostgreSQL keeps its own time: the rows are made older instead of the clock younger.
    await org.write(async (tx) => {
      const old = (await org.now()) - keptMs - 1;
      await tx.updateTable('mcp_call_logs').set({ at: old }).where('org_id', '=', orgId).execute();
      await tx.updateTable('integration_errors').set({ at: old }).where('org_id', '=', orgId).execute();
    });
    clock.advance(1);
    calls.note(record(orgId, { host: 'new.example.com' }));
    await calls.flush();
    expect(await forgetOld(org)).toBe(2600);
    expect((await rows(org)).map(({ host }) => host)).toEqual(['new.example.com']);
    expect(await forgetOld(org)).toBe(0);
  });

  test('calls are kept for as long as is configured', async () => {
    const { orgId, org, calls } = await opened(database);
    calls.note(record(orgId, {}));
    await calls.flush();
    await org.write(async (tx) => {
      const at = (await org.now()) - 1_000;
      await tx.updateTable('mcp_call_logs').set({ at }).where('org_id', '=', orgId).execute();
    });
    expect(await forgetOld(org, 3_600_000)).toBe(0);
    expect(await forgetOld(org, 500)).toBe(1);
    expect(await rows(org)).toEqual([]);
  });
});

test('each failure has one of the codes, and no secret', async () => {
  const { orgId, org, calls } = await opened();
  const secret = new Secret('a-secret-of-the-test');
  const statuses: [string, ErrorCode][] = [
    ['400', 'invalid_request'],
    ['401', 'auth_expired'],
    ['404', 'not_found'],
    ['409', 'conflict'],
    ['418', 'invalid_request'],
    ['429', 'rate_limited'],
    ['500', 'provider_unavailable'],
    ['network', 'network'],
    ['error', 'internal'],
  ];
  for (const [outcome] of statuses) calls.note(record(orgId, { outcome }));
  for (const outcome of ['304', 'ok', 'aborted']) calls.note(record(orgId, { outcome }));
  const error = new DrawbridgeError('auth_revoked', `refused ${secret.reveal()}`);
  calls.note(record(orgId, { outcome: error.code, error }));
  await calls.flush();
  const failures = await lastFailures(org, 20);
  expect(failures.map(({ code }) => code).sort()).toEqual(
    [...statuses.map(([, code]) => code), 'auth_revoked'].sort(),
  );
  expect(failures.find(({ code }) => code === 'auth_revoked')?.message).toBe('refused [secret]');
});

test('rows come by themselves, a second after the first call, all at once', async () => {
  const { orgId, org, calls, clock } = await opened();
  for (let i = 0; i < 450; i += 1) calls.note(record(orgId));
  expect(await rows(org)).toHaveLength(0);
  clock.advance(await clock.asleep((ms) => ms <= 1000));
  await calls.flush();
  expect(await rows(org)).toHaveLength(450);
});

test('closing writes what is left, and takes no more', async () => {
  const { orgId, org, calls } = await opened();
  for (let i = 0; i < 900; i += 1) calls.note(record(orgId));
  await calls.close();
  calls.note(record(orgId));
  expect(await rows(org)).toHaveLength(900);
  expect(calls.lost()).toBe(1);
});

test('a log that cannot be written costs no call, and is told', async () => {
  const { store, orgId, org, calls } = await opened();
  const server = await serve((_request, response) => response.end('here'));
  const { egress } = door({ onCall: calls.note });
  const gone = await store.createOrg('Gone');
  await egress.fetchFor({ ...caller, orgId: gone })(server.url);
  await store.removeOrg(gone);
  expect((await egress.fetchFor({ ...caller, orgId })(server.url)).status).toBe(200);
  await calls.flush();
  expect(calls.lost()).toBe(1);
  expect(lines.join('')).toContain('could not be written');
  expect(await rows(org)).toHaveLength(1);
});

test('a flood is bounded: what waits beyond 10,000 is counted, not kept', async () => {
  const { orgId, org, calls } = await opened();
  for (let i = 0; i < 10_500; i += 1) calls.note(record(orgId));
  await calls.flush();
  expect([(await rows(org)).length, calls.lost()]).toEqual([10_000, 500]);
});

test('what is too much goes too, the oldest first', async () => {
  const { orgId, org } = await opened();
  const limit = keptRows.integration_errors;
  await org.write(async (tx) => {
    for (let from = 0; from < limit + 500; from += 500) {
      await tx
        .insertInto('integration_errors')
        .values(
          Array.from({ length: 500 }, (_, i) => ({
            org_id: orgId,
            id: `err_${String(from + i).padStart(6, '0')}`,
            connection_id: null,
            provider: 'gmail',
            operation: 'list',
            code: 'timeout',
            message: '',
            at: Date.now() - (limit + 500 - from - i),
          })),
        )
        .execute();
    }
  });
  expect(await forgetOld(org)).toBe(500);
  const [oldest] = await org.read((db) =>
    db
      .selectFrom('integration_errors')
      .select('id')
      .where('org_id', '=', orgId)
      .orderBy('at')
      .limit(1)
      .execute(),
  );
  expect(oldest?.id).toBe('err_000500');
});
