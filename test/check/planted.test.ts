// The machines that check us can fail: each is shown one planted violation and one clean file.
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');
const house = mkdtempSync(join(tmpdir(), 'drawbridge-planted-'));
afterAll(() => rmSync(house, { recursive: true, force: true }));

for (const name of ['tsconfig.json', 'biome.json']) cpSync(join(root, name), join(house, name));
symlinkSync(join(root, 'node_modules'), join(house, 'node_modules'));
writeFileSync(join(house, 'package.json'), '{"name":"planted","type":"module","private":true}');
writeFileSync(join(house, 'knip.json'), '{"entry":["src/cli.ts"],"project":["src/**/*.ts"]}');

function plant(files: Record<string, string>): void {
  rmSync(join(house, 'src'), { recursive: true, force: true });
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(house, path)), { recursive: true });
    writeFileSync(join(house, path), text);
  }
}

/** Runs a tool of ours in the planted house; its exit code and everything it said. */
function run(tool: string, ...args: string[]): Promise<{ code: number; said: string }> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [join(root, 'node_modules', tool), ...args],
      { cwd: house },
      (error, stdout, stderr) => {
        resolve({
          code: typeof error?.code === 'number' ? error.code : error === null ? 0 : 1,
          said: stdout + stderr,
        });
      },
    );
  });
}

const types = () => run('typescript-7/bin/tsc', '-p', '.');
const lint = () => run('@biomejs/biome/bin/biome', 'check', 'src', '--vcs-enabled=false');
const unused = () => run('knip/bin/knip.js');

test.each([
  [
    'an index that may be missing',
    'const list: string[] = [];\nexport const first: string = list[0];\n',
    'TS2322',
  ],
  [
    'an optional property set to undefined',
    'interface A { b?: string }\nexport const a: A = { b: undefined };\n',
    'TS2375',
  ],
  ['an enum', 'export enum A { B }\n', 'TS1294'],
  ['an unused local', 'const unused = 1;\nexport {};\n', 'TS6133'],
])('the type check refuses %s', async (_name, code, fault) => {
  plant({ 'src/cli.ts': code });
  const { code: exit, said } = await types();
  expect(exit).not.toBe(0);
  expect(said).toContain(fault);
});

test.each([
  ['any', 'export const a = (b: any) => b;\n', 'noExplicitAny'],
  ['a non-null assertion', 'export const a = (b?: string) => b!.length;\n', 'noNonNullAssertion'],
  ['console', "console.log('x');\n", 'noConsole'],
  ['bad format', 'export  const a=1\n', 'format'],
])('the linter refuses %s', async (_name, code, fault) => {
  plant({ 'src/cli.ts': code });
  const { code: exit, said } = await lint();
  expect(exit).not.toBe(0);
  expect(said).toContain(fault);
});

test('knip refuses an export and a file that nothing uses', async () => {
  plant({
    'src/cli.ts': "import { used } from './a.ts';\nused();\n",
    'src/a.ts': 'export const used = () => 1;\nexport const dead = 2;\n',
    'src/b.ts': 'export {};\n',
  });
  const { code, said } = await unused();
  expect(code).not.toBe(0);
  expect(said).toContain('dead');
  expect(said).toContain('src/b.ts');
});

test('all of them pass a clean house', async () => {
  plant({
    'src/cli.ts': "import { used } from './a.ts';\n\nused();\n",
    'src/a.ts': 'export const used = () => 1;\n',
  });
  for (const check of [types, lint, unused]) expect(await check()).toMatchObject({ code: 0 });
});
