// A change of embedder that dies anywhere goes on where it was: no chunk is without its vector, none is counted twice.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { describe, expect, test } from 'vitest';
import type { OrgStore } from '../../../src/store/store.ts';
import { databases } from '../../store/databases.ts';
import { answerJson, type EmbedWorld, embedWorld, fakeServer, meaningOf } from './world.ts';

const count = 300;
const notes = Object.fromEntries(
  Array.from({ length: count }, (_, i) => [`n${i}`, i === 77 ? 'A villa.' : `Remark ${i}.`]),
);

/** Chosen, and nothing done yet. */
async function begun(world: EmbedWorld, url: string): Promise<string> {
  return world.embedding.set(world.org, world.owner, {
    settings: { kind: 'openai', url: `${url}/v1`, model: 'meaning-1' },
    key: world.key,
    channel: 'test',
    work: true,
  });
}

/** The org's store as a process sees it that dies at its write number `last` + 1. */
function dying(org: OrgStore, last: number): { org: OrgStore; died(): boolean } {
  let writes = 0;
  const dead: OrgStore = {
    ...org,
    async write(work) {
      writes += 1;
      if (writes > last) throw new Error('killed');
      return org.write(work);
    },
  };
  return { org: dead, died: () => writes > last };
}

const freeLease = (org: OrgStore) => org.write((tx) => tx.updateTable('leases').set({ until: 0 }).execute());

async function expectWhole(world: EmbedWorld, name: string): Promise<void> {
  const [current] = await world.embedding.status(world.org);
  expect(current).toMatchObject({ name, state: 'current', done: count, total: count, refused: 0 });
  const { vectors, row } = await world.org.read(async (db) => ({
    vectors: await db.selectFrom('chunk_vectors').select('seq').where('model', '=', name).execute(),
    row: await db.selectFrom('embedders').selectAll().executeTakeFirstOrThrow(),
  }));
  expect(vectors.length).toBe(count);
  expect(Number(row.embedded)).toBe(count);
  expect((await world.found('dwelling'))[0]).toBe('n77');
}

describe.each(databases)('on $name', (database) => {
  test('killed at each of its transactions in turn, it ends with every vector once', async () => {
    const server = await fakeServer();
    const world = await embedWorld({ database });
    await world.notes(notes);
    const name = await begun(world, server.url);
    let kills = 0;
    for (let died = true; died; ) {
      // Each life gets a write further than nothing: the lease, and one step.
      const life = dying(world.org, kills % 2 === 0 ? 1 : 2);
      const embedding = world.process();
      const { signal } = new AbortController();
      await embedding.work(life.org, { signal }).catch((thrown: unknown) => {
        expect(String(thrown)).toContain('killed');
      });
      died = life.died();
      kills += 1;
      expect(kills).toBeLessThan(40);
      world.clock.advance(61_000);
      await freeLease(world.org);
    }
    expect(kills).toBeGreaterThan(8);
    await expectWhole(world, name);
  });
});

test('kill -9 in the middle loses and doubles nothing, and little is asked for again', async () => {
  const server = await fakeServer();
  const world = await embedWorld();
  await world.notes(notes);
  const name = await begun(world, server.url);
  const asked = () => server.calls().flat().length;
  let killed = 0;
  for (let done = false; !done; ) {
    const child = spawn(
      process.execPath,
      [new URL('./killed-process.ts', import.meta.url).pathname, world.opened.home ?? '', world.org.orgId],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const ended = once(child, 'exit');
    // In the middle of the call that follows a step: its answer comes to nobody.
    let calls = 0;
    server.instead = (_request, response) => {
      calls += 1;
      if (calls < 2) return false;
      child.kill('SIGKILL');
      return killed < 3 || answerJson(response, {}, 500);
    };
    if (killed >= 3) server.instead = undefined;
    for await (const line of createInterface({ input: child.stdout })) if (line === 'done') done = true;
    await ended;
    if (!done) killed += 1;
    await freeLease(world.org);
  }
  expect(killed).toBe(3);
  await expectWhole(world, name);
  // The one probe, every text, and for each kill what was under way.
  expect(asked()).toBeLessThanOrEqual(1 + count + 3 * 64 + 1);
});

test('two processes do not embed the same: one works, the other leaves it', async () => {
  const server = await fakeServer();
  const world = await embedWorld();
  await world.notes(notes);
  await begun(world, server.url);
  const other = world.process();
  const { signal } = new AbortController();
  const done = await Promise.all([
    world.embedding.work(world.org, { signal }),
    other.work(world.org, { signal }),
  ]);
  expect(done.toSorted()).toEqual([false, true]);
  expect(server.calls().flat().length).toBe(1 + count);
});

test('a process that was paused until another took its place writes nothing of what it had asked for', async () => {
  const server = await fakeServer();
  const world = await embedWorld();
  await world.notes(notes);
  await begun(world, server.url);
  server.instead = (_request, response, texts) => {
    const taken = world.org.write((tx) =>
      tx
        .updateTable('leases')
        .set({ owner: 'another', fencing: 99 })
        .where('name', '=', 'embedding')
        .execute(),
    );
    void taken.then(() =>
      answerJson(response, { data: texts.map((text, index) => ({ index, embedding: meaningOf(text) })) }),
    );
    return true;
  };
  const { signal } = new AbortController();
  await expect(world.embedding.work(world.org, { signal })).rejects.toMatchObject({ code: 'conflict' });
  const { vectors, row } = await world.org.read(async (db) => ({
    vectors: await db.selectFrom('chunk_vectors').select('seq').where('model', 'like', 'openai:%').execute(),
    row: await db.selectFrom('embedders').selectAll().executeTakeFirstOrThrow(),
  }));
  expect([vectors.length, Number(row.done_seq), row.error]).toEqual([0, 0, null]);
});
