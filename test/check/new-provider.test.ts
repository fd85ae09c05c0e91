// What docs/guide/new-provider.md says to write is right: its files compile as they stand there, and with its two
// additions the provider connects, reads, brings its records and is written to.
import { execFile } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, normalize } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Emulated, Ground } from '../../sandbox/emulated.ts';
import { loadWorld } from '../../sandbox/world.ts';
import type { Provider, ReadOperation, WriteOperation } from '../../src/providers/define.ts';
import type { CatalogEntry } from '../../src/providers/entry.ts';
import { openProviderWorld } from '../conformance/provider-world.ts';
import { manualClock } from '../egress/manual-clock.ts';

const root = join(import.meta.dirname, '../..');
const page = readFileSync(join(root, 'docs/guide/new-provider.md'), 'utf8');
const house = mkdtempSync(join(tmpdir(), 'drawbridge-page-'));
afterAll(() => rmSync(house, { recursive: true, force: true }));

/** A block of code that opens as a file does, under the line that names it. */
const files = new Map(
  [
    ...page.matchAll(
      /^[^\n]*`((?:src|sandbox|test)\/[\w/-]*NAME[\w/-]*\.ts)`[^\n]*\n(?:[^\n]+\n)*\n```ts\n(\/\/ [\s\S]*?)^```$/gm,
    ),
  ].map(([, path = '', text = '']) => [path.replaceAll('NAME', 'bookshop'), text]),
);

/** What is not the page's own is the repository's. */
function placed(path: string, text: string): string {
  return text.replace(/(?<=from ')(\.[^']*)(?=')/g, (given) => {
    const target = normalize(join(dirname(path), given));
    return files.has(target) ? given : join(root, target);
  });
}

/** As the page says to add them. */
function added(path: string, text: string): string {
  const more: Record<string, [string, string][]> = {
    'src/providers/bookshop/index.ts': [
      [
        "import { http } from './http.ts';",
        "import { http } from './http.ts';\nimport { bookFeed } from './feed.ts';\nimport { renameBook } from './rename.ts';",
      ],
      ["{ 'get-book': getBook }", "{ 'get-book': getBook, 'rename-book': renameBook }"],
      ['feeds: {},', 'feeds: { books: bookFeed },'],
    ],
    'sandbox/emulated-bookshop.ts': [[/feeds: \{\},[^\n]*/.exec(text)?.[0] ?? '', feedsOfThePage()]],
  };
  return (more[path] ?? []).reduce((whole, [from, to]) => whole.replace(from, to), text);
}

function feedsOfThePage(): string {
  return /^feeds: \{\n[\s\S]*?^\},$/m.exec(page)?.[0] ?? '';
}

beforeAll(() => {
  for (const [path, text] of files) {
    mkdirSync(join(house, dirname(path)), { recursive: true });
    writeFileSync(join(house, path), placed(path, added(path, text)));
  }
  symlinkSync(join(root, 'node_modules'), join(house, 'node_modules'));
  writeFileSync(join(house, 'package.json'), '{"type":"module"}');
});

test('it has the files of a whole provider, and each of them compiles', async () => {
  expect([...files.keys()].sort()).toEqual([
    'sandbox/bookshop.ts',
    'sandbox/emulated-bookshop.ts',
    'src/providers/bookshop/feed.ts',
    'src/providers/bookshop/http.ts',
    'src/providers/bookshop/index.ts',
    'src/providers/bookshop/rename.ts',
    'src/providers/bookshop/shapes.ts',
    'test/providers/bookshop/scene.ts',
  ]);
  writeFileSync(
    join(house, 'tsconfig.json'),
    JSON.stringify({
      extends: join(root, 'tsconfig.json'),
      compilerOptions: { typeRoots: [join(root, 'node_modules/@types')] },
      include: ['src', 'sandbox', 'test', join(root, 'src/**/*.d.ts')],
      exclude: [],
    }),
  );
  const said = await new Promise<string>((resolve) => {
    const tsc = join(root, 'node_modules/typescript-7/bin/tsc');
    execFile(
      process.execPath,
      [tsc, '-p', house, '--pretty', 'false'],
      { cwd: house },
      (_error, stdout, stderr) => resolve(stdout + stderr),
    );
  });
  expect(said).toBe('');
}, 240_000);

test('the provider that it makes connects, reads, brings what is new and what is gone, and renames', async () => {
  const { provider } = (await import(join(house, 'src/providers/bookshop/index.ts'))) as {
    provider: Provider;
  };
  const { emulatedBookshop } = (await import(join(house, 'sandbox/emulated-bookshop.ts'))) as {
    emulatedBookshop: Record<string, (ground: Ground) => Emulated>;
  };
  const clock = manualClock();
  const other = emulatedBookshop['bookshop']?.({ clock, world: loadWorld(clock.now()) });
  if (other === undefined) throw new Error('the page has no other side');
  const entry: CatalogEntry = {
    id: provider.id,
    title: provider.title,
    capabilities: [],
    feedKinds: ['file'],
    connectable: true,
    app: 'bookshop',
    command: 'drawbridge connect bookshop',
    load: async () => provider,
  };
  const world = await openProviderWorld(entry, { other });
  const connection = await world.connect();
  expect(connection).toMatchObject({ state: 'ACTIVE', label: 'Harbour Books' });
  const context = await world.context(connection);
  const get = provider.operations['get-book'] as ReadOperation;
  expect(await get.run(context, other.samples['get-book'])).toMatchObject({ title: 'The Old House' });

  const own = other.feeds['books'];
  const [feed] = await world.connections.feeds(world.org, connection);
  const ids = own?.add(60) ?? [];
  const read = async (cursor: unknown) => {
    const found = { ids: new Set<string>(), complete: [] as string[], cursor };
    for await (const { records, complete, cursor: next } of feed?.pages(cursor) ?? []) {
      for (const { externalId } of records) found.ids.add(externalId);
      found.complete.push(...(complete?.ids ?? []));
      found.cursor = next;
    }
    return found;
  };
  const first = await read(undefined);
  expect(ids.filter((id) => !first.ids.has(id))).toEqual([]);
  expect(first.complete).toHaveLength(61);

  const rename = provider.operations['rename-book'] as WriteOperation & { lookUp: NonNullable<unknown> };
  const payload = rename.input.parse({ id: ids[0], title: 'A new name' });
  const before = await rename.before?.(context, payload);
  const outcome = await rename.run({ ...context, before }, payload);
  const back = rename.compensation?.payload(payload, outcome);
  expect(back).toEqual({ id: ids[0], title: before?.fields['title'] });
  own?.remove(ids[1] ?? '');
  const next = await read(first.cursor);
  expect(next.ids.has(ids[0] ?? '')).toBe(true);
  expect(next.complete).toHaveLength(60);
  expect(next.complete).not.toContain(ids[1]);
});

test('every file of the repository that it names is there', () => {
  const named = [...page.matchAll(/`((?:hubspot|mailchimp|outlook|zoho)[\w/-]*\.ts)`/g)].map(
    ([, path = '']) => path,
  );
  expect(named.filter((path) => !existsSync(join(root, 'src/providers', path)))).toEqual([]);
});
