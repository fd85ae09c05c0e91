// One round of the ingestion test: a first sync, a change, a second sync, in processes that are killed one after
// the other at a step each; then the account is counted.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../src/clock.ts';
import { ownMessages } from '../../src/jobs/messages/messages.ts';
import { requestSync, syncQueue } from '../../src/jobs/sync-requests.ts';
import { createLog } from '../../src/log.ts';
import type { IngestionTask } from './ingestion-process.ts';
import { type NotesPage, openNotes } from './ingestion-rooms.ts';

const program = fileURLToPath(new URL('ingestion-process.ts', import.meta.url));
const pageLength = 10;

export interface Found {
  /** Live documents by external id, in order. */
  live: string[];
  /** Ids that are there more than once. */
  doubled: number;
  /** What all runs together say that they inserted and deleted. */
  inserted: number;
  deleted: number;
  /** Runs that say they still run. */
  running: number;
  /** Messages that are left. */
  messages: number;
  processes: number;
}

const idOf = (n: number) => `n${String(n).padStart(3, '0')}`;

/** @param given.dies at which steps a process dies, one process each; the last one lives */
export async function ingestionRound(given: {
  first: number;
  added: number;
  deleted: number;
  dies: readonly number[];
}): Promise<{ found: Found; wanted: string[] }> {
  const home = await mkdtemp(join(tmpdir(), 'drawbridge-ingestion-'));
  const log = createLog({ level: 'silent' });
  // What happened at the provider, in order: the cursor is a place in it.
  const history: { id: string; gone: boolean }[] = [];
  const server = createServer((request, answer) => {
    const from = Number(new URL(request.url ?? '/', 'http://localhost').searchParams.get('from'));
    const some = history.slice(from, from + pageLength);
    const next = from + some.length;
    const page: NotesPage = {
      ids: some.filter(({ gone }) => !gone).map(({ id }) => id),
      deleted: some.filter(({ gone }) => gone).map(({ id }) => id),
      next,
      more: next < history.length,
    };
    answer.setHeader('content-type', 'application/json');
    answer.end(JSON.stringify(page));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const rooms = await openNotes({ home, url }, { log, step: () => undefined });
  const org = await rooms.store.forOrg(await rooms.store.createOrg('Faults'));
  const connection = await rooms.connections.connect(org, 'notes', { fields: {}, secrets: {} });
  const children: ChildProcess[] = [];

  async function start(diesAt: number): Promise<ChildProcess> {
    const task: IngestionTask = { home, orgId: org.orgId, url, diesAt };
    const child = fork(program, [JSON.stringify(task)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    children.push(child);
    return child;
  }
  const hasEnded = (child: ChildProcess) => child.exitCode !== null || child.signalCode !== null;

  async function isDone(): Promise<boolean> {
    const cursor = await org.read((db) =>
      db.selectFrom('sync_cursors').select('cursor').where('org_id', '=', org.orgId).executeTakeFirst(),
    );
    const schedule = await org.read((db) =>
      db.selectFrom('sync_schedules').selectAll().where('org_id', '=', org.orgId).executeTakeFirst(),
    );
    const { length } = await ownMessages.metrics(org, syncQueue);
    return (
      Number(cursor?.cursor) === history.length &&
      length === 0 &&
      schedule?.waiting_since === null &&
      schedule.live_before === null
    );
  }

  /** Processes die and are followed by others until all is done. */
  async function settle(dies: readonly number[]): Promise<void> {
    const open = [...dies];
    let child = await start(open.shift() ?? 0);
    const until = systemClock.elapsed() + 60_000;
    while (!(await isDone())) {
      if (systemClock.elapsed() > until) throw new Error('the sync did not come to its end');
      if (hasEnded(child)) child = await start(open.shift() ?? 0);
      await systemClock.sleep(20);
    }
    if (hasEnded(child)) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  try {
    for (let n = 1; n <= given.first; n += 1) history.push({ id: idOf(n), gone: false });
    const half = Math.ceil(given.dies.length / 2);
    await settle(given.dies.slice(0, half));
    for (let n = 1; n <= given.deleted; n += 1) history.push({ id: idOf(n), gone: true });
    for (let n = 1; n <= given.added; n += 1) history.push({ id: idOf(given.first + n), gone: false });
    await requestSync(
      org,
      { connections: rooms.connections, messages: ownMessages },
      { connectionId: connection.id, cause: 'webhook' },
    );
    await settle(given.dies.slice(half));

    const rows = await org.read((db) =>
      db
        .selectFrom('source_documents')
        .select(['external_id', 'deleted_at'])
        .orderBy('external_id')
        .execute(),
    );
    const jobs = await org.read((db) => db.selectFrom('ingestion_jobs').selectAll().execute());
    const ids = rows.map(({ external_id }) => external_id);
    const wanted = Array.from({ length: given.first + given.added - given.deleted }, (_, i) =>
      idOf(given.deleted + i + 1),
    );
    return {
      wanted,
      found: {
        live: rows.filter(({ deleted_at }) => deleted_at === null).map(({ external_id }) => external_id),
        doubled: ids.length - new Set(ids).size,
        inserted: jobs.reduce((sum, { inserted }) => sum + inserted, 0),
        deleted: jobs.reduce((sum, { deleted }) => sum + deleted, 0),
        running: jobs.filter(({ state }) => state === 'running').length,
        messages: (await ownMessages.metrics(org, syncQueue)).length,
        processes: children.length,
      },
    };
  } finally {
    for (const child of children) if (!hasEnded(child)) child.kill('SIGKILL');
    await rooms.close();
    server.close();
    await rm(home, { recursive: true, force: true });
  }
}
