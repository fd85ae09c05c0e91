// `drawbridge embedder` as a person uses it: chosen, watched, taken back; and what it refuses.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { answerJson, fakeServer } from '../memory/embed/world.ts';
import { newProgram, type Program } from './program.ts';

interface Line {
  name: string;
  state: string;
  percent: number;
}

let program: Program;
beforeAll(async () => {
  program = await newProgram({ DRAWBRIDGE_ALLOW_LOOPBACK: '1' });
});
afterAll(() => program.remove());

test('a model is chosen with its key from a file, answers, and is taken back', async () => {
  const server = await fakeServer();
  const notes = join(program.home, '..', 'note.md');
  const key = join(program.home, '..', 'key');
  await writeFile(notes, '# Villa\n\nA villa by the lake.');
  await writeFile(key, 'sk-from-a-file-0123456789\n');
  expect((await program.run(['import', notes])).code).toBe(0);
  const set = ['embedder', 'set', 'openai', '--url', `${server.url}/v1`, '--model', 'meaning-1'];
  const listed = await program.json<Line[]>([...set, '--key-file', key, '--now', '--json']);
  expect(listed.map(({ state, percent }) => [state, percent])).toEqual([
    ['current', 100],
    ['ready', 100],
  ]);
  for (const { headers } of server.seen)
    expect(headers.authorization).toBe('Bearer sk-from-a-file-0123456789');
  const { stdout } = await program.run(['search', 'dwelling']);
  expect(stdout).toContain('Villa');
  // Its server is gone: the words are searched, and that is said.
  server.instead = (_request, response) => answerJson(response, {}, 500);
  const lost = await program.run(['search', 'villa']);
  expect(lost.stdout).toContain('Villa');
  expect(lost.stderr).toContain('Found by words alone');
  const undone = await program.json<Line[]>(['embedder', 'undo', '--json']);
  expect(undone[0]).toMatchObject({ name: 'static-en-256@1', state: 'current' });
  const shown = await program.run(['embedder']);
  expect(shown.stdout).toMatch(/kept to go back to/);
  const purged = await program.json<Line[]>(['embedder', 'purge', '--json']);
  expect(purged.length).toBe(1);
});

test('what cannot be used is refused with the reason, and nothing changes', async () => {
  const unknown = await program.run(['embedder', 'set', 'word2vec']);
  expect(unknown.code).toBe(2);
  expect(unknown.stderr).toContain('none of built-in, openai, ollama, supabase, local, environment');
  const nameless = await program.run(['embedder', 'set', 'openai']);
  expect(nameless.code).toBe(1);
  expect(nameless.stderr).toContain('model: must be given');
  const away = await program.run([
    'embedder',
    'set',
    'ollama',
    '--url',
    'http://127.0.0.1:1',
    '--model',
    'm',
  ]);
  expect(away.stderr).toContain('could not be reached');
  const listed = await program.json<Line[]>(['embedder', '--json']);
  expect(listed.map(({ state }) => state)).toEqual(['current']);
});

test('the environment chooses for who chose nothing, and an unusable one is named', async () => {
  const server = await fakeServer();
  const environment = {
    DRAWBRIDGE_EMBEDDER: 'openai',
    DRAWBRIDGE_EMBEDDER_URL: `${server.url}/v1`,
    DRAWBRIDGE_EMBEDDER_MODEL: 'meaning-1',
    DRAWBRIDGE_EMBEDDER_KEY: 'sk-environment-0123456789',
  };
  const set = await program.run(['embedder', 'set', 'environment', '--now', '--json'], { environment });
  expect(JSON.parse(set.stdout)[0]).toMatchObject({ state: 'current' });
  expect(server.seen.at(-1)?.headers.authorization).toBe('Bearer sk-environment-0123456789');
  const bad = await program.run(['embedder'], {
    environment: { ...environment, DRAWBRIDGE_EMBEDDER_MODEL: '' },
  });
  expect(bad.code).toBe(1);
  expect(bad.stderr).toContain('model');
  expect(`${set.stdout}${set.stderr}${bad.stdout}${bad.stderr}`).not.toContain('sk-environment');
});
