// Every rule of the house style has been seen to fail: each test plants one violation.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { checkFloors } from '../../scripts/floors.ts';
import { findForbidden } from '../../scripts/forbidden.ts';

const opening = '// A promise.\n';
const found = (path: string, code: string) =>
  findForbidden(path, opening + code).map((offence) => offence.what);

test.each([
  ['src/tools/a.ts', "console.log('x');", 'console'],
  ['src/tools/a.ts', "await fetch('https://example.com');", 'fetch outside egress'],
  ['src/tools/a.ts', 'const home = process.env.HOME;', 'process.env'],
  ['src/tools/a.ts', 'const now = Date.now();', 'the time outside'],
  ['src/tools/a.ts', 'const now = new Date();', 'the time outside'],
  ['src/tools/a.ts', 'setTimeout(() => 1, 5);', 'a timer outside'],
  ['src/tools/a.ts', "import { sql } from 'kysely';", 'raw SQL'],
  ['src/queue/execute/claim.ts', "import { sql } from 'kysely';", 'raw SQL'],
  ['src/tools/a.ts', 'db.withoutPlugins();', 'withoutPlugins'],
  ['src/queue/claim.sql.ts', "const q = sql.raw('select ' + column);", 'SQL built from strings'],
  ['src/tools/a.ts', 'const id = Math.random();', 'Math.random'],
  ['src/tools/a.ts', 'try { go(); } catch { }', 'an empty catch'],
  ['src/tools/a.ts', 'try { go(); } catch { /* nothing */ }', 'an empty catch'],
  ['src/tools/a.ts', 'go().catch(() => {});', 'drops the error'],
  ['src/tools/a.ts', '// @ts-ignore\nconst a: string = 1;', 'suppressed type error'],
  ['src/tools/a.ts', '// TODO later', 'unfinished work'],
  ['src/tools/a.ts', 'x;\n'.repeat(500), 'a file ends at 500'],
  ['src/utils/a.ts', 'x;', 'a folder called utils'],
  ['src/tools/camelCase.ts', 'x;', 'not kebab-case'],
])('in %s, `%s` is refused', (path, code, what) => {
  expect(found(path, code).join('\n')).toContain(what);
});

test.each([
  ['src/egress/door.ts', 'await fetch(url);'],
  ['src/config.ts', 'const e = process.env.HOME;'],
  ['src/clock.ts', 'const now = Date.now(); setTimeout(() => now, 5);'],
  ['src/store/sqlite/driver.ts', "import { sql } from 'kysely';"],
  ['src/queue/claim.sql.ts', "import { sql } from 'kysely';"],
  ['src/tools/a.ts', "const words = 'console.log and fetch( and Date.now()'; // process.env, Math.random()"],
  ['src/tools/a.ts', 'const then = new Date(5); context.fetch(url);'],
])('in %s, `%s` is admitted', (path, code) => {
  expect(found(path, code)).toEqual([]);
});

test('a file without its opening promise is refused', () => {
  expect(findForbidden('src/tools/a.ts', 'export const a = 1;')[0]?.what).toContain('no opening comment');
});

const planted: string[] = [];
afterEach(() => {
  for (const folder of planted.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function house(files: Record<string, string>): string {
  const root = mkdtempSync(join(tmpdir(), 'drawbridge-floors-'));
  planted.push(root);
  for (const [path, text] of Object.entries({
    'tsconfig.json':
      '{"compilerOptions":{"module":"nodenext","allowImportingTsExtensions":true,"noEmit":true}}',
    'package.json': '{"type":"module"}',
    ...files,
  })) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

test.each([
  [
    'an import that climbs',
    { 'src/store/a.ts': "import '../tools/b.ts';", 'src/tools/b.ts': 'export {};' },
    'climbs',
  ],
  [
    'a type import that climbs',
    {
      'src/egress/a.ts': "import type { B } from '../queue/b.ts';\nexport type A = B;",
      'src/queue/b.ts': 'export type B = 1;',
    },
    'climbs',
  ],
  [
    'ground that imports a room',
    { 'src/errors.ts': "import './store/b.ts';", 'src/store/b.ts': 'export {};' },
    'climbs',
  ],
  [
    'memory that knows the queue',
    { 'src/memory/a.ts': "import '../queue/b.ts';", 'src/queue/b.ts': 'export {};' },
    'strangers',
  ],
  [
    'a provider that reads the store',
    { 'src/providers/a.ts': "import '../store/b.ts';", 'src/store/b.ts': 'export {};' },
    'a-provider-is-declarations',
  ],
  ['a tool that opens a socket', { 'src/tools/a.ts': "import 'node:net';" }, 'only-egress-opens-sockets'],
  [
    'a tool that opens the database',
    { 'src/tools/a.ts': "import 'node:sqlite';" },
    'the-database-is-in-store',
  ],
  ['a circle', { 'src/tools/a.ts': "import './b.ts';", 'src/tools/b.ts': "import './a.ts';" }, 'no-circle'],
])('the floors check refuses %s', async (_name, files, rule) => {
  expect((await checkFloors(house(files as unknown as Record<string, string>))).join('\n')).toContain(rule);
});

test('the floors check fails when it looked at fewer modules than src has', async () => {
  const root = house({ 'src/tools/a.ts': 'export {};', 'src/store/b.ts': 'export {};' });
  expect(await checkFloors(root)).toEqual([]);
  expect(await checkFloors(root, ['src/tools'])).toEqual(['src/store/b.ts: was not looked at']);
});
