// What the documents cite is there: tests by their name, files by their link, commands by their script, and
// each decision under a number of its own.
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const pages = ['README.md', 'AGENTS.md', 'CHANGELOG.md', ...globSync('docs/**/*.md', { cwd: root })];
const tests = globSync('test/**/*.ts', { cwd: root });

/** A file as the threat model writes it: a path, or the name of a test file that stands there once. */
function testFile(cited: string): string | undefined {
  if (tests.includes(cited)) return cited;
  const named = tests.filter((path) => path.endsWith(`/${cited}.test.ts`));
  return named.length === 1 ? named[0] : undefined;
}

/** The tests that a table's last column cites: `file`: name · name; `file`: name. */
function citations(text: string): { file: string; name: string }[] {
  const cells = text
    .split('\n')
    .flatMap((line) => (line.startsWith('|') ? [line.split('|').at(-2) ?? ''] : []));
  return cells.flatMap((cell) =>
    [...cell.matchAll(/`([\w./-]+)`: ([^`;]+)/g)].flatMap(([, file = '', names = '']) =>
      names
        .split(' · ')
        .map((name) => name.trim())
        .filter((name) => name !== '')
        .map((name) => ({ file, name })),
    ),
  );
}

test('every test that the threat model cites exists under that name', () => {
  const cited = citations(read('docs/threat-model.md'));
  expect(cited.length).toBeGreaterThan(30);
  const missing = cited.filter(({ file, name }) => {
    const path = testFile(file);
    // Behind the bracket of `test(`, on the same line or on the next.
    const opens = ["'", '"', '`'].flatMap((quote) => [`(${quote}${name}`, `(\n  ${quote}${name}`]);
    return path === undefined || !opens.some((opening) => read(path).includes(opening));
  });
  expect(missing).toEqual([]);
});

test('every file of ours that a document names exists', () => {
  const missing = pages.flatMap((page) =>
    [...read(page).matchAll(/(?<![\w./-])(?:src|test|docs|scripts|sandbox|bench|bin)\/[\w./*-]*\w\*?/g)]
      .map(([path]) => path)
      .filter((path) => !/NAME|NNNN/.test(path))
      .filter((path) => !existsSync(join(root, path)) && globSync(path, { cwd: root }).length === 0)
      .map((path) => `${page}: ${path}`),
  );
  expect(missing).toEqual([]);
});

test('every relative link leads somewhere', () => {
  const dead = pages.flatMap((page) =>
    [...read(page).matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, target = '']) => target.replace(/#.*$/, ''))
      .filter((target) => target !== '' && !/^[a-z]+:/.test(target))
      .filter((target) => !existsSync(join(root, dirname(page), target)))
      .map((target) => `${page}: ${target}`),
  );
  expect(dead).toEqual([]);
});

test('every npm script that a document names exists', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const unknown = pages.flatMap((page) =>
    [...read(page).matchAll(/npm run ([a-z][\w:-]*)/g)]
      .map(([, name = '']) => name)
      .filter((name) => !(name in scripts))
      .map((name) => `${page}: ${name}`),
  );
  expect(unknown).toEqual([]);
});

test('each decision has a number of its own, without a gap, and opens with it', () => {
  const decisions = globSync('docs/decisions/*.md', { cwd: root }).sort();
  const numbers = decisions.map((path) => Number(path.match(/(\d{4})-/)?.[1]));
  expect(numbers).toEqual(decisions.map((_, index) => index + 1));
  const opened = decisions.map((path) => Number(read(path).match(/^# (\d+)/)?.[1]));
  expect(opened).toEqual(numbers);
});
