// `drawbridge reranker` as a person uses it: chosen, shown, explained, lost and switched off; and what doctor says of it.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { answerJson } from '../memory/embed/world.ts';
import { gradingServer, lastFirst } from '../memory/rerank/server.ts';
import { newProgram, type Program } from './program.ts';

interface Check {
  part: string;
  state: string;
  message: string;
}

let program: Program;
beforeAll(async () => {
  program = await newProgram({ DRAWBRIDGE_ALLOW_LOOPBACK: '1' });
});
afterAll(() => program.remove());

const ofReranker = async () =>
  (await program.json<{ checks: Check[] }>(['doctor'])).checks.find(({ part }) => part === 'reranker');

test('one is chosen with its key from a file, orders answers, fails without harm, and is switched off', async () => {
  const server = await gradingServer();
  const folder = join(program.home, '..');
  await writeFile(join(folder, 'low.md'), '# Low\n\nThe house by the lake.');
  await writeFile(join(folder, 'high.md'), '# High\n\nOf all that was said the house by the lake.');
  await writeFile(join(folder, 'key'), 'sk-from-a-file-0123456789\n');
  expect((await program.run(['import', join(folder, 'low.md'), join(folder, 'high.md')])).code).toBe(0);
  expect(await ofReranker()).toBeUndefined();
  expect((await program.run(['reranker'])).stdout).toContain('None: passages stand as memory ranks them');

  const explain = () =>
    program.json<{ hits: { title: string; shares: { what: string }[] }[] }>([
      'explain',
      'house by the lake',
      '--json',
    ]);
  const before = await explain();
  const set = ['reranker', 'set', 'cohere', '--url', `${server.url}/v2`, '--model', 'rerank-1'];
  const chosen = await program.run([...set, '--key-file', join(folder, 'key')]);
  expect(chosen.stdout).toContain('cohere:rerank-1');
  expect(chosen.stdout).toContain(
    `the first 30 passages found for it are sent to ${new URL(server.url).host}`,
  );
  for (const { headers } of server.seen)
    expect(headers.authorization).toBe('Bearer sk-from-a-file-0123456789');

  server.instead = lastFirst;
  const explained = await explain();
  expect(explained.hits.map(({ title }) => title)).toEqual(
    before.hits.map(({ title }) => title).toReversed(),
  );
  expect(explained.hits[0]?.shares.map(({ what }) => what)).toContain('moved by the reranker');

  const asked = server.calls().length;
  const healthy = await ofReranker();
  expect(healthy).toMatchObject({ state: 'ok', message: expect.stringContaining('are sent to') });
  // Doctor sends no passage to look whether it answers.
  expect(server.calls()).toHaveLength(asked);

  server.instead = (response) => answerJson(response, { message: 'down' }, 500);
  const lost = await program.run(['search', 'house by the lake']);
  expect(lost.stdout).toContain('Low');
  expect(lost.stderr).toContain('In the order of memory alone: the reranker cohere:rerank-1 failed');
  expect(await ofReranker()).toMatchObject({ state: 'warning' });
  const off = await program.run(['reranker', 'set', 'off']);
  expect(off.stdout).toContain('nothing is sent');
  expect(await ofReranker()).toBeUndefined();
});

test('what cannot be used is refused with the reason, and nothing changes', async () => {
  const unknown = await program.run(['reranker', 'set', 'word2vec']);
  expect(unknown.code).toBe(2);
  expect(unknown.stderr).toContain('none of off, cohere, voyage, tei, local, environment');
  const nameless = await program.run(['reranker', 'set', 'cohere']);
  expect(nameless.code).toBe(1);
  expect(nameless.stderr).toContain('model: must be given');
  const away = await program.run(['reranker', 'set', 'tei', '--url', 'http://127.0.0.1:1']);
  expect(away.stderr).toContain('could not be reached');
  const bad = await program.run(['reranker'], { environment: { DRAWBRIDGE_RERANKER: 'tei' } });
  expect(bad.stderr).toContain('DRAWBRIDGE_RERANKER_URL: must be given');
  expect(await program.json<object>(['reranker', '--json'])).toEqual({ name: null });
});
