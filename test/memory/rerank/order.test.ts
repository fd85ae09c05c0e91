// How a reranker's scores become the order of an answer: within the first hits alone, adding up, and page by page.
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { receiptItems } from '../../../src/memory/receipts/receipt-items.ts';
import { inOrder } from '../../../src/memory/rerank/reranked.ts';
import { answerJson, embedWorld } from '../embed/world.ts';
import { choose, cohere, gradingServer, houses, lastFirst, pages, question } from './server.ts';

const parts = { header: 0, body: 0, neighbours: 0, proximity: 0, feedback: 0, vectors: 0, recency: 0 };
const hit = (seq: number, score: number) => ({ seq, score, parts: { ...parts, body: score } });
const sum = (of: object) => Object.values(of).reduce((all: number, one: number) => all + one, 0);

test('those with a score change places among each other, those without stay, and all parts add up', () => {
  const hits = [hit(1, 0.9), hit(2, 0.7), hit(3, 0.7), hit(4, 0.2), hit(5, 0.1)];
  const ordered = inOrder(
    hits,
    new Map([
      [1, -4],
      [3, 8.5],
      [4, 8.5],
      [5, 0],
    ]),
  );
  expect(ordered.map(({ seq }) => seq)).toEqual([3, 2, 4, 5, 1]);
  for (const one of ordered) expect(sum(one.parts)).toBeCloseTo(one.score, 12);
  // Each takes on the score of its place: what stands behind the first hits stays behind them.
  for (const [place, { score }] of ordered.entries())
    expect(score).toBeCloseTo(hits[place]?.score ?? Number.NaN, 6);
});

test('hits of equal scores are told apart by the reranker, too', () => {
  const ordered = inOrder(
    [hit(1, 0.5), hit(2, 0.5), hit(3, 0.5)],
    new Map([
      [1, 1],
      [2, 2],
      [3, 3],
    ]),
  );
  expect(ordered.map(({ seq }) => seq)).toEqual([3, 2, 1]);
  expect(new Set(ordered.map(({ score }) => score)).size).toBe(3);
});

test('the best few are put in order, all others stay behind them as they are ranked', async () => {
  const server = await gradingServer();
  const world = await embedWorld();
  await choose(world, cohere(server.url, { passages: 3 }));
  server.instead = lastFirst;
  const [a, b, c, d, e] = await houses(world, [1, 2, 3, 4, 5]);
  const answer = await world.memory.search(world.org, { question, limit: 10 });
  expect(answer.passages.map(({ title }) => title)).toEqual([c, b, a, d, e]);
  expect(server.calls().at(-1)).toHaveLength(3);
  const scores = answer.passages.map(({ score }) => score);
  expect(scores).toEqual(scores.toSorted((x, y) => y - x));
  expect(answer.passages[0]?.parts?.reranker).toBeGreaterThan(0);
  expect(answer.passages[2]?.parts?.reranker).toBeLessThan(0);
  expect(answer.passages[3]?.parts?.reranker).toBeUndefined();
});

test('what is understood of a question lifts on top of it, threads collapse behind it, and receipts hold its part', async () => {
  const server = await gradingServer();
  const world = await embedWorld();
  await choose(world, cohere(server.url));
  await houses(world, [1, 5, 3]);
  const { passages } = await world.memory.search(world.org, {
    question,
    limit: 10,
    collapse: true,
    understand: { now: world.clock.now(), timeZone: 'UTC' },
  });
  expect(passages.map(({ title }) => title)).toEqual(['h01', 'h02', 'h00']);
  const [best] = receiptItems(passages);
  expect(best?.scores['reranker']).toBe(passages[0]?.parts?.reranker);
  expect(best?.scores['reranker']).toBeGreaterThan(0);
});

const grades = [3, 11, 7, 2, 9, 12, 1, 8, 5, 10, 4, 6];
const byGrade = grades
  .map((grade, i) => ({ grade, title: `h${String(i).padStart(2, '0')}` }))
  .sort((a, b) => b.grade - a.grade)
  .map(({ title }) => title);

test('pages follow the order that the first began, and it is asked for once', async () => {
  const server = await gradingServer();
  const world = await embedWorld();
  await choose(world, cohere(server.url));
  await houses(world, grades);
  expect((await pages(world, 5)).titles).toEqual(byGrade);
  expect((await pages(world, 4, undefined, { collapse: true })).titles).toEqual(byGrade);
  expect(server.calls()).toHaveLength(1);
});

test('the same question is asked once, also by two at the same time', async () => {
  const server = await gradingServer();
  const world = await embedWorld();
  await choose(world, cohere(server.url));
  await houses(world, grades);
  const ask = () => world.memory.search(world.org, { question, limit: 3 });
  await Promise.all([ask(), ask(), ask()]);
  world.clock.advance(3_600_000);
  await ask();
  expect(server.calls()).toHaveLength(1);
  // Something new among the passages is another question.
  await world.notes({ new: 'A house by the lake. Grade 99.' });
  expect((await ask()).passages[0]?.title).toBe('new');
  expect(server.calls()).toHaveLength(2);
});

test('pages neither repeat nor leave out, wherever it is lost between them', async () => {
  const server = await gradingServer();
  const world = await embedWorld();
  // The last of those that are put in order becomes the first: of the others not one is where it was.
  server.instead = lastFirst;
  const names = await houses(
    world,
    Array.from({ length: 95 }, (_, i) => i),
  );
  for (const [limit, lostAfter] of [
    [7, 1],
    [10, 1],
    [10, 2],
    [10, 3],
    [20, 3],
    [9, 6],
  ] as const) {
    await choose(world, cohere(server.url, { passages: 40 }));
    const { titles } = await pages(world, limit, async (page) => {
      if (page === lostAfter) await choose(world, 'off');
    });
    expect(titles[0]).toBe(names[39]);
    expect(titles.toSorted()).toEqual(names.toSorted());
  }
});

test('an answer that began without it goes on without it', async () => {
  const server = await gradingServer();
  const world = await embedWorld();
  await choose(world, cohere(server.url));
  const names = await houses(world, grades);
  server.instead = (response) => answerJson(response, {}, 500);
  const { titles, said } = await pages(world, 5, () => {
    server.instead = undefined;
    world.clock.advance(60_000);
  });
  expect(titles).toEqual(names);
  expect(said.map((one) => one !== undefined)).toEqual([true, false, false]);
  expect(server.calls()).toHaveLength(1);
});

test('where none was chosen nothing is asked, and answer and cursor are what they were', async () => {
  const server = await gradingServer();
  const world = await embedWorld();
  const names = await houses(world, grades);
  const ask = (more: object = {}) => world.memory.search(world.org, { question, limit: 5, ...more });
  const without = await ask();
  await choose(world, cohere(server.url));
  const with_ = await ask();
  const left = await ask({ rerank: false });
  await choose(world, 'off');
  const after = await ask();
  expect(with_.passages.map(({ title }) => title)).toEqual(byGrade.slice(0, 5));
  expect(without.passages.map(({ title }) => title)).toEqual(names.slice(0, 5));
  const bytes = ({ passages, nextCursor }: typeof without) => JSON.stringify({ passages, nextCursor });
  expect(bytes(after)).toBe(bytes(without));
  expect(bytes(left)).toBe(bytes(without));
  expect(with_.nextCursor).not.toBe(without.nextCursor);
  expect(server.calls()).toHaveLength(1);
});

test('where none was chosen nothing of it is loaded, also to search', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'drawbridge-unranked-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const module = (path: string) => JSON.stringify(new URL(`../../../src/${path}`, import.meta.url).href);
  const script = join(folder, 'search.mjs');
  await writeFile(
    script,
    `import { registerHooks } from 'node:module';
     const seen = [];
     registerHooks({ load: (url, context, next) => (seen.push(url), next(url, context)) });
     const { openRooms } = await import(${module('rooms.ts')});
     const { loadConfig } = await import(${module('config.ts')});
     const rooms = await openRooms(loadConfig({ DRAWBRIDGE_HOME: ${JSON.stringify(folder)} }, process.platform, 'silent'));
     await rooms.memory.search(rooms.org, { question: 'house', limit: 5 });
     await rooms.close();
     console.log(seen.filter((url) => url.includes('/memory/rerank/')).map((url) => url.split('/').at(-1)).sort().join());`,
  );
  const loaded = execFileSync(process.execPath, [script], { encoding: 'utf8' });
  expect(loaded.trim()).toBe('reranker.ts,reranking.ts');
});
