// What was stored before there were postings of our own, or vectors, is found as if it had been stored today, and
// no provider is asked for it.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { migrations } from '../../../src/store/migrations/list.ts';
import { openAt } from '../../store/fixtures/place.ts';
import { connectAccount, json, manualClock } from '../ground.ts';
import { answers, ask, batches, ingestAll, never, small, world } from './world.ts';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'drawbridge-old-'));
});
afterEach(() => rm(home, { recursive: true }));

const source = { connectionId: 'con_1', provider: 'mailbox' };

test('an org of an older program is searched at once, and folded from its chunks', async () => {
  const older = await openAt(
    { home },
    migrations.filter(({ number }) => number < 6),
  );
  const orgId = await older.createOrg('One');
  await connectAccount(await older.forOrg(orgId), 'con_1', 'me@agency.test', 0);
  await older.close();
  const db = new DatabaseSync(join(home, 'orgs', `${orgId}.db`));
  const texts = Array.from({ length: 20 }, (_, i) => `The quendrome ${i} stands beside the house.`);
  for (const [i, text] of texts.entries()) {
    db.prepare(
      `insert into source_documents (org_id, id, connection_id, provider, kind, external_id, title, media_type, people,
        trust, fetched_at, verified_at, content_hash, facts, text, raw)
      values (?, ?, 'con_1', 'mailbox', 'note', ?, '', 'text/plain', '[]', 'untrusted', 1, 1, 'h', '{}', ?, ?)`,
    ).run(orgId, `doc_${i}`, `n${i}`, text, Buffer.from(text));
    db.prepare(
      `insert into chunks (org_id, id, document_id, ordinal, start_at, end_at, seq, header, body, neighbours, content_hash)
      values (?, ?, ?, 0, 0, ?, ?, 'note', ?, '', 'h')`,
    ).run(orgId, `doc_${i}.0`, `doc_${i}`, text.length, i + 1, `the quendrom ${i} stand besid the hous`);
  }
  db.close();

  const clock = manualClock();
  const store = await openAt({ home });
  const folding = world(small, clock);
  try {
    const org = await store.forOrg(orgId);
    const { passages } = await folding.memory.search(org, { question: 'quendrome 7', limit: 3 });
    expect(passages[0]?.text).toBe(texts[7]);
    await folding.index.settled();
    const state = await org.read((read) => read.selectFrom('search_state').selectAll().executeTakeFirst());
    // What is left is too little to fold.
    expect(state?.folded_seq).toBeGreaterThan(20 - small.due);
    // It has vectors now, too: found by what it means.
    const vectors = await org.read((read) => read.selectFrom('built_in_vectors').select('seq').execute());
    expect(vectors.map((row) => row.seq)).toEqual(
      Array.from({ length: state?.folded_seq ?? 0 }, (_, i) => i + 1),
    );
    const again = await folding.memory.search(org, { question: 'quendrome 7', limit: 3 });
    expect(again.passages[0]?.text).toBe(texts[7]);
    const { documentId } = passages[0] ?? { documentId: '' };
    expect(Buffer.from((await folding.memory.document(org, documentId)).raw).toString()).toBe(texts[7]);
    // The next document goes on with the numbers.
    await folding.memory.ingest(org, source, {
      records: [json('n20', 'note', { text: 'A new quendrome.' })],
    });
    const last = await org.read((read) =>
      read
        .selectFrom('chunks')
        .select((max) => max.fn.max('seq').as('last'))
        .executeTakeFirst(),
    );
    expect(last?.last).toBe(21);
  } finally {
    await folding.close();
    await store.close();
  }
});

test('vectors that are missing are made when their chunks are folded, as if they had come with them', async () => {
  const store = await openAt({ home });
  const clock = manualClock();
  const [folding, plain] = [world(small, clock), world(never, clock)];
  try {
    const [bare, whole] = [
      await store.forOrg(await store.createOrg('A')),
      await store.forOrg(await store.createOrg('B')),
    ];
    for (const org of [bare, whole]) {
      await connectAccount(org, 'con_1', 'me@agency.test', 0);
      await ingestAll(plain, org, source, batches(4, 6));
    }
    await bare.write((tx) => tx.deleteFrom('built_in_vectors').execute());
    await ask(folding.index, bare, { terms: ['roof'], filters: {} });
    await folding.index.settled();
    await folding.memory.ingest(bare, source, { records: [], deleted: ['none'] });
    const { folded_seq } = await bare.read((db) =>
      db.selectFrom('search_state').selectAll().executeTakeFirstOrThrow(),
    );
    const rows = async (org: typeof bare) =>
      org.read((db) =>
        db
          .selectFrom('built_in_vectors')
          .select(['seq', 'vector'])
          .where('seq', '<=', folded_seq)
          .orderBy('seq')
          .execute(),
      );
    expect(folded_seq).toBeGreaterThan(10);
    expect(await rows(bare)).toEqual(await rows(whole));
    const found = async (index: typeof plain.index, org: typeof bare) =>
      (await answers(index, org)).flat().length;
    expect(await found(folding.index, bare)).toBe(await found(plain.index, bare));
  } finally {
    await Promise.all([folding.close(), plain.close()]);
    await store.close();
  }
});
