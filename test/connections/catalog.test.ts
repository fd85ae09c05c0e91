import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { catalogText, findProviders } from '../../scripts/catalog.ts';
import { catalog } from '../../src/providers/catalog.ts';
import { temporaryHome } from './office.ts';

const run = promisify(execFile);
const script = fileURLToPath(new URL('../../scripts/catalog.ts', import.meta.url));

test('the catalog is what the provider files say', async () => {
  await expect(run(process.execPath, [script, '--check'])).resolves.toMatchObject({ stderr: '' });
});

test.each(catalog.map((entry) => [entry.id, entry] as const))(
  '%s loads as what it is listed as',
  async (id, entry) => {
    const provider = await entry.load();
    expect(provider).toMatchObject({ id, title: entry.title });
    expect(Object.keys(provider.capabilities).sort()).toEqual(entry.capabilities);
  },
);

test('listing what can be connected loads no provider', async () => {
  const url = new URL('../../src/providers/catalog.ts', import.meta.url).href;
  const program = `
    import { registerHooks } from 'node:module';
    const loaded = [];
    registerHooks({ load: (url, context, next) => { loaded.push(url); return next(url, context); } });
    const { catalog } = await import(${JSON.stringify(url)});
    const listed = catalog.filter(({ connectable }) => connectable).map(({ command }) => command);
    process.stdout.write(JSON.stringify({ listed, loaded }));`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', program]);
  const { listed, loaded } = JSON.parse(stdout) as { listed: string[]; loaded: string[] };
  expect(listed).toContain('drawbridge connect zillow');
  expect(loaded).toEqual([url]);
});

const invented = (id: string): string => `export const provider = {
  id: '${id}', title: "The maker's \\\\ own", operations: { go: {} }, capabilities: { 'mail.send': 'go' },
  feeds: {}, auth: { kind: 'none' }, identity() {}, example: { url: 'https://a.example' },
};`;

test('a new file or folder is found, and what is no provider is passed over', async () => {
  const folder = await temporaryHome();
  await mkdir(join(folder, 'beta'));
  await mkdir(join(folder, 'empty'));
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  await writeFile(join(folder, 'alpha.ts'), invented('alpha'));
  await writeFile(join(folder, 'beta', 'index.ts'), invented('beta'));
  await writeFile(join(folder, 'words.ts'), 'export const words = 1;');
  const found = await findProviders(folder);
  expect(found.map(({ path }) => path)).toEqual(['./alpha.ts', './beta/index.ts']);
  const text = catalogText(found);
  expect(text).toContain("command: 'drawbridge connect alpha --url https://a.example'");
  expect(text).toContain("load: async () => (await import('./beta/index.ts')).provider");
  expect(text).toContain(`"The maker's \\\\ own"`);
});

test('a provider whose file has another name is refused', async () => {
  const folder = await temporaryHome();
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  await writeFile(join(folder, 'alpha.ts'), invented('omega'));
  await expect(findProviders(folder)).rejects.toThrow(/must be the provider's id/);
});
