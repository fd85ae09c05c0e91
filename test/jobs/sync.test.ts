// syncConnection with a real store, real memory, and a provider whose feeds the test writes.
import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import type { Connection } from '../../src/connections/connections.ts';
import { DrawbridgeError } from '../../src/errors.ts';
import { type SyncOptions, syncConnection } from '../../src/jobs/sync.ts';
import { createMemory } from '../../src/memory/create.ts';
import type { Memory } from '../../src/memory/memory.ts';
import { defineProvider, type Feed, type FeedPage } from '../../src/providers/define.ts';
import type { CatalogEntry } from '../../src/providers/entry.ts';
import type { SourceRecord } from '../../src/providers/record.ts';
import { log, type Office, openOffice } from '../connections/office.ts';

function note(externalId: string, text = `Note ${externalId}`): SourceRecord {
  return { externalId, kind: 'note', mediaType: 'text/plain', raw: Buffer.from(text), title: externalId };
}

type Pages = (cursor: unknown) => AsyncIterable<FeedPage>;

/** Feeds by name; each is asked anew on every run. */
async function scene(
  feeds: Record<string, Pages>,
): Promise<Office & { memory: Memory; connection: Connection }> {
  const declared = Object.fromEntries(
    Object.entries(feeds).map(([name, pages]): [string, Feed] => [
      name,
      { kinds: ['note'], pages: (_context, cursor) => pages(cursor) },
    ]),
  );
  const provider = defineProvider({
    id: 'notes',
    title: 'Notes',
    fields: z.strictObject({}),
    secrets: [],
    auth: { kind: 'none' },
    identity: async () => ({ id: 'ann', label: 'ann at Notes' }),
    operations: {},
    capabilities: {},
    feeds: declared,
    limit: { perSecond: 1, burst: 1, concurrent: 1 },
  });
  const entry: CatalogEntry = {
    id: 'notes',
    title: 'Notes',
    capabilities: [],
    feedKinds: ['note'],
    connectable: true,
    app: undefined,
    command: 'drawbridge connect notes',
    load: async () => provider,
  };
  const office = await openOffice([entry]);
  const memory = createMemory({ clock: office.clock, log });
  onTestFinished(() => memory.close());
  const connection = await office.connections.connect(office.org, 'notes', { fields: {}, secrets: {} });
  return { ...office, memory, connection };
}

function optionsOf(from: Awaited<ReturnType<typeof scene>>): SyncOptions {
  const { org, connection, connections, memory, clock } = from;
  return { org, connection, connections, memory, clock, log };
}

async function jobs(from: Office) {
  return from.org.read((db) =>
    db.selectFrom('ingestion_jobs').selectAll().where('org_id', '=', from.org.orgId).orderBy('id').execute(),
  );
}

async function titles(from: { memory: Memory; org: Office['org'] }): Promise<string[]> {
  return (await from.memory.documents(from.org, { limit: 100 })).map(({ title }) => title).sort();
}

test('every feed is read from its cursor into memory, and the job tells what came', async () => {
  const asked: unknown[] = [];
  const all = await scene({
    async *first(cursor) {
      asked.push(cursor);
      if (cursor !== undefined) return;
      yield { records: [note('a'), note('b')], deleted: [], cursor: { at: 1 }, remaining: 1 };
      yield { records: [note('c')], deleted: ['a'], cursor: { at: 2 } };
    },
    async *second() {
      yield { records: [note('x')], deleted: [], cursor: 'x' };
    },
  });
  const progress: string[] = [];
  const result = await syncConnection({
    ...optionsOf(all),
    onProgress: ({ feed, seen, remaining }) => progress.push(`${feed} ${seen} ${remaining}`),
  });
  expect(result).toEqual({
    seen: 4,
    inserted: 4,
    updated: 0,
    unchanged: 0,
    deleted: 1,
    rejected: 0,
    held: 0,
  });
  expect(progress).toEqual(['first 2 1', 'first 3 undefined', 'second 4 undefined']);
  expect(await titles(all)).toEqual(['b', 'c', 'x']);
  expect((await jobs(all)).map(({ kind, state, seen, deleted }) => ({ kind, state, seen, deleted }))).toEqual(
    [{ kind: 'sync', state: 'completed', seen: 4, deleted: 1 }],
  );
  expect(await syncConnection(optionsOf(all))).toMatchObject({ seen: 1, unchanged: 1 });
  expect(asked).toEqual([undefined, { at: 2 }]);
  expect((await all.connections.get(all.org, all.connection.id)).lastSyncAt).toBe(all.clock.now());
});

test('what a complete list no longer names is gone, within its prefix', async () => {
  let run = 0;
  const all = await scene({
    async *notes() {
      run += 1;
      if (run === 1) yield { records: [note('p/1'), note('p/2'), note('q/1')], deleted: [], cursor: 1 };
      else yield { records: [], deleted: [], complete: { ids: ['p/2'], prefix: 'p/' }, cursor: 2 };
    },
  });
  await syncConnection(optionsOf(all));
  expect(await syncConnection(optionsOf(all))).toMatchObject({ deleted: 1 });
  expect(await titles(all)).toEqual(['p/2', 'q/1']);
});

test('a feed that fails keeps what it brought, stops no other, and goes on from its cursor', async () => {
  let broken = true;
  const asked: unknown[] = [];
  const all = await scene({
    async *shaky(cursor) {
      asked.push(cursor);
      if (cursor === undefined) yield { records: [note('a')], deleted: [], cursor: 1 };
      if (broken) throw new DrawbridgeError('network', 'The line went dead.');
      yield { records: [note('b')], deleted: [], cursor: 2 };
    },
    async *steady() {
      yield { records: [note('x')], deleted: [], cursor: 1 };
    },
  });
  await expect(syncConnection(optionsOf(all))).rejects.toMatchObject({
    code: 'network',
    retry: 'later',
    message: 'ann at Notes was not synced completely. shaky: The line went dead.',
  });
  expect(await titles(all)).toEqual(['a', 'x']);
  expect(await all.connections.get(all.org, all.connection.id)).toMatchObject({ state: 'DEGRADED' });
  expect((await jobs(all)).at(-1)).toMatchObject({
    state: 'failed',
    seen: 2,
    problems: JSON.stringify([{ place: 'shaky', reason: 'The line went dead.' }]),
  });
  broken = false;
  await syncConnection(optionsOf(all));
  expect(asked).toEqual([undefined, 1]);
  expect(await titles(all)).toEqual(['a', 'b', 'x']);
  expect(await all.connections.get(all.org, all.connection.id)).toMatchObject({ state: 'ACTIVE' });
});

test('two processes never sync one connection at once: the second says so and changes nothing', async () => {
  let letGo: () => void = () => undefined;
  const begun = Promise.withResolvers<void>();
  const all = await scene({
    async *notes() {
      yield { records: [note('a')], deleted: [], cursor: 1 };
      begun.resolve();
      await new Promise<void>((resolve) => {
        letGo = resolve;
      });
    },
  });
  const first = syncConnection(optionsOf(all));
  await begun.promise;
  await expect(syncConnection(optionsOf(all))).rejects.toMatchObject({
    code: 'conflict',
    // And when that ends by itself, should the other have died.
    message: expect.stringMatching(
      /^ann at Notes is being synced by another process right now\..* runs out in 1(?:20|19) s\.$/,
    ),
  });
  expect(await jobs(all)).toHaveLength(1);
  letGo();
  await first;
  expect((await all.connections.get(all.org, all.connection.id)).state).toBe('ACTIVE');
});

test('a sync whose lease another process has taken stores no further page', async () => {
  const resume = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const all = await scene({
    async *notes() {
      yield { records: [note('a')], deleted: [], cursor: 1 };
      begun.resolve();
      await resume.promise;
      yield { records: [note('late')], deleted: [], cursor: 2 };
    },
  });
  const run = syncConnection(optionsOf(all)).catch((error: unknown) => error);
  await begun.promise;
  await all.org.write((tx) =>
    tx
      .updateTable('leases')
      .set({ owner: 'another', fencing: 9 })
      .where('org_id', '=', all.org.orgId)
      .execute(),
  );
  await all.clock.asleep((ms) => ms === 30_000);
  all.clock.advance(30_000);
  // The renewal has been refused when the next one would have been waited for and is not; any read of the
  // database queues behind it.
  await all.org.now();
  await all.org.write((tx) => tx.selectFrom('leases').selectAll().execute());
  resume.resolve();
  expect(await run).toMatchObject({ code: 'conflict' });
  expect(await titles(all)).toEqual(['a']);
  expect(await all.memory.cursor(all.org, all.connection.id, 'notes')).toBe(1);
});

test('the row of a sync that died is closed by the next one', async () => {
  const all = await scene({
    async *notes() {
      yield { records: [], deleted: [], cursor: 1 };
    },
  });
  await syncConnection(optionsOf(all));
  await all.org.write((tx) =>
    tx
      .updateTable('ingestion_jobs')
      .set({ state: 'running', finished_at: null })
      .where('org_id', '=', all.org.orgId)
      .execute(),
  );
  await syncConnection(optionsOf(all));
  expect((await jobs(all)).map(({ state }) => state).sort()).toEqual(['completed', 'failed']);
});

test('an aborted sync keeps the pages it stored and frees the connection', async () => {
  const stop = new AbortController();
  const all = await scene({
    async *notes(cursor) {
      if (cursor === undefined) yield { records: [note('a')], deleted: [], cursor: 1 };
      yield { records: [note('b')], deleted: [], cursor: 2 };
    },
  });
  const options = {
    ...optionsOf(all),
    onProgress: () => stop.abort(new Error('enough')),
    signal: stop.signal,
  };
  await expect(syncConnection(options)).rejects.toThrow('enough');
  expect(await titles(all)).toEqual(['a']);
  expect((await all.connections.get(all.org, all.connection.id)).state).toBe('ACTIVE');
  await syncConnection(optionsOf(all));
  expect(await titles(all)).toEqual(['a', 'b']);
});

test('a record that cannot be read is told with its place, and the rest is stored', async () => {
  const all = await scene({
    async *notes() {
      yield {
        records: [{ ...note('bad'), kind: 'event', mediaType: 'text/calendar' }, note('good')],
        deleted: [],
        cursor: 1,
      };
    },
  });
  expect(await syncConnection(optionsOf(all))).toMatchObject({ seen: 2, inserted: 1, rejected: 1 });
  expect(JSON.parse((await jobs(all))[0]?.problems ?? '[]')).toMatchObject([{ place: 'bad' }]);
});
