// What may not leave for a reranker's server does not: what the principal may not see, what people hid from agents, and
// anything at all where nobody chose one.
import { expect, test } from 'vitest';
import { createAudit } from '../../../src/audit/create.ts';
import { recordKeys } from '../../../src/auth/record-key.ts';
import { changeSensitivity } from '../../../src/memory/documents/sensitivity.ts';
import { Secret } from '../../../src/secret.ts';
import { writeSetting } from '../../../src/store/settings.ts';
import type { OrgStore } from '../../../src/store/store.ts';
import { nothingHidden, type Viewer } from '../../../src/viewer.ts';
import { type EmbedWorld, embedWorld } from '../embed/world.ts';
import { json } from '../ground.ts';
import { choose, cohere, gradingServer, question } from './server.ts';

const audit = createAudit(
  recordKeys({
    home: '/nowhere',
    key: new Secret(Buffer.alloc(32, 7).toString('base64')),
    formerKey: undefined,
  }),
);

const hide = (world: EmbedWorld, kinds: ('note' | 'file')[]) =>
  changeSensitivity({ audit }, world.org, world.owner, { change: { hide: { kinds } }, channel: 'test' });

/** The org as somebody sees it. */
const seenBy = (world: EmbedWorld, viewer: Viewer): OrgStore => ({ ...world.org, viewer });

/** Three records that anybody may read, one that names Ann, and one of a kind that may be hidden. */
async function records(world: EmbedWorld): Promise<void> {
  const record = (id: string, kind: 'note' | 'file', grade: number, more: object = {}) => ({
    ...json(id, kind, { title: id, text: `The house by the lake, says ${id}. Grade ${grade}.` }),
    ...more,
  });
  await world.memory.ingest(world.org, world.source, {
    records: [
      record('open', 'note', 1),
      record('other', 'note', 2),
      record('anns', 'note', 9, { readers: ['ann@agency.test'] }),
      record('paper', 'file', 8),
    ],
  });
}

const titlesOf = async (world: EmbedWorld, org: OrgStore) =>
  (await world.memory.search(org, { question, limit: 10 })).passages.map(({ title }) => title);

test('a passage that names others as its readers leaves for none but them', async () => {
  const server = await gradingServer();
  const world = await embedWorld();
  await choose(world, cohere(server.url));
  await records(world);
  const bob = seenBy(world, { readerNames: ['bob@agency.test'], hidden: nothingHidden });
  expect(await titlesOf(world, bob)).toEqual(['paper', 'other', 'open']);
  expect(server.calls().flat().join()).not.toContain('anns');
  const ann = seenBy(world, { readerNames: ['ann@agency.test'], hidden: nothingHidden });
  expect(await titlesOf(world, ann)).toEqual(['anns', 'paper', 'other', 'open']);
  expect(server.calls().at(-1)).toHaveLength(4);
});

test('what is hidden from agents leaves for nobody, a person or the house itself: it stays where it stood', async () => {
  const server = await gradingServer();
  const world = await embedWorld();
  await choose(world, cohere(server.url));
  await records(world);
  await hide(world, ['file']);
  const ranked = (await world.memory.search(world.org, { question, limit: 10, rerank: false })).passages.map(
    ({ title }) => title,
  );
  const person = seenBy(world, { readerNames: ['ann@agency.test'], hidden: nothingHidden });
  const agent = seenBy(world, {
    readerNames: ['ann@agency.test'],
    hidden: { ...nothingHidden, kinds: ['file'] },
  });
  for (const org of [world.org, person]) {
    const titles = await titlesOf(world, org);
    expect(titles.indexOf('paper')).toBe(ranked.indexOf('paper'));
    expect(titles.filter((title) => title !== 'paper')).toEqual(['anns', 'other', 'open']);
  }
  expect(await titlesOf(world, agent)).toEqual(['anns', 'other', 'open']);
  expect(server.calls().length).toBeGreaterThan(0);
  expect(server.calls().flat().join()).not.toContain('paper');
});

test('where what is hidden cannot be read, nothing leaves, and people are told', async () => {
  const server = await gradingServer();
  const world = await embedWorld();
  await choose(world, cohere(server.url));
  await records(world);
  await world.org.write((tx) =>
    writeSetting(tx, world.org.orgId, { name: 'sensitivity', value: { kinds: 'all' }, at: 1 }),
  );
  const answer = await world.memory.search(world.org, { question, limit: 10 });
  expect(answer.passages).toHaveLength(4);
  expect(answer.unreranked).toContain('what is hidden from agents cannot be read');
  expect(server.calls()).toEqual([]);
});

test('one org’s choice sends nothing of another', async () => {
  const server = await gradingServer();
  const world = await embedWorld();
  const two = await world.another('Two');
  await choose(world, cohere(server.url));
  await world.notes({ a: 'A house by the lake.', b: 'Another house by the lake.' }, two);
  await world.memory.search(two.org, { question, limit: 10 });
  expect(server.calls()).toEqual([]);
});
