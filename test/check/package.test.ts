// What ships: the bundle alone, which starts, works with its workers, and says what it needs where it cannot.
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { tools } from '../../src/tools/surface.ts';
import { version } from '../../src/version.ts';

const root = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'drawbridge-package-'));
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  name: string;
  version: string;
  dependencies?: object;
};
let program: string;
let archive: string;
let packed: string[];

function run(
  command: string,
  args: string[],
  cwd = root,
): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    execFile(
      command,
      args,
      { cwd, env: { ...process.env, DRAWBRIDGE_HOME: join(folder, 'home') }, maxBuffer: 20_000_000 },
      (error, out, err) => {
        resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : 1, out, err });
      },
    );
  });
}

beforeAll(async () => {
  const packing = await run('npm', ['pack', '--json', '--pack-destination', folder]);
  const report = JSON.parse(packing.out.slice(packing.out.indexOf('[\n'))) as {
    filename: string;
    files: { path: string }[];
  }[];
  packed = report[0]?.files.map((file) => file.path) ?? [];
  archive = join(folder, report[0]?.filename ?? '');
  await run('tar', ['-xzf', archive], folder);
  // Outside of the repository: nothing of node_modules is within reach.
  program = join(folder, 'package/bin/drawbridge.mjs');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('the package holds only what runs, and asks for no other package', () => {
  expect(packed.filter((path) => !/^(bin|dist)\//.test(path)).sort()).toEqual([
    'LICENSE',
    'README.md',
    'mcp.json',
    'package.json',
  ]);
  expect(packed.filter((path) => path.endsWith('.ts'))).toEqual([]);
  expect(packed).toContain('dist/THIRD-PARTY-LICENSES.md');
  // The built-in embedder's data is licensed apart from the code: its licence and attribution travel with it.
  for (const name of ['weights.bin', 'vocabulary.txt', 'LICENSE', 'SOURCES.md']) {
    expect(packed).toContain(`dist/embedder/${name}`);
  }
  expect(manifest.dependencies).toBeUndefined();
});

test('no file of the program holds a letter for which V8 would keep it at two bytes each', () => {
  const programs = packed.filter((path) => path.endsWith('.mjs'));
  expect(programs.length).toBeGreaterThan(100);
  const wide = programs.filter((path) =>
    /[^\0-\xff]/u.test(readFileSync(join(folder, 'package', path), 'utf8')),
  );
  expect(wide).toEqual([]);
});

test('the packed program tells its version, which is the package’s', async () => {
  expect(version).toBe(manifest.version);
  expect((await run(process.execPath, [program, '--version'])).out.trim()).toBe(version);
});

test('the packed program imports and finds, with its workers', async () => {
  const note = join(folder, 'lease.md');
  writeFileSync(
    note,
    '# Elm Street\n\nThe lease on Elm Street ends in June; the boiler was serviced by Corvin Heating.\n',
  );
  expect(await run(process.execPath, [program, 'import', note])).toMatchObject({ code: 0 });
  const found = await run(process.execPath, [program, 'search', 'who serviced the boiler', '--json']);
  expect(found.out).toContain('Corvin Heating');
});

test('on an older Node the program says in one line what it needs, and exits 1', async () => {
  const old =
    "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.20.2' } });";
  const { code, out, err } = await run(process.execPath, [
    '--import',
    `data:text/javascript,${encodeURIComponent(old)}`,
    program,
    'stdio',
  ]);
  expect(code).toBe(1);
  expect(out).toBe('');
  expect(err.trim().split('\n')).toHaveLength(1);
  expect(err).toContain('22.18');
});

// What clients read of a configuration: https://modelcontextprotocol.io/docs/develop/connect-local-servers
const configuration = z.strictObject({
  mcpServers: z.record(
    z.string().regex(/^[\w-]+$/),
    z.strictObject({
      command: z.string().min(1),
      args: z.array(z.string()),
      env: z.record(z.string(), z.string()).optional(),
    }),
  ),
});

test('the command of mcp.json, where the package is installed, starts a server that lists its tools', async () => {
  const { mcpServers } = configuration.parse(JSON.parse(readFileSync(join(root, 'mcp.json'), 'utf8')));
  expect(Object.keys(mcpServers)).toEqual(['drawbridge']);
  const { command = '', args = [] } = mcpServers['drawbridge'] ?? {};
  expect(args).toContain(manifest.name);
  // Installed beforehand and asked offline: so it is this package that starts, and none of a registry.
  const place = join(folder, 'installed');
  const installed = await run('npm', [
    'install',
    '--offline',
    '--no-audit',
    '--no-fund',
    '--prefix',
    place,
    archive,
  ]);
  expect(installed, installed.err).toMatchObject({ code: 0 });
  const transport = new StdioClientTransport({
    command,
    args,
    cwd: place,
    stderr: 'ignore',
    env: {
      PATH: `${dirname(process.execPath)}:${process.env['PATH']}`,
      HOME: folder,
      DRAWBRIDGE_HOME: join(folder, 'home-of-npx'),
      DRAWBRIDGE_PORT: '0',
      npm_config_offline: 'true',
    },
  });
  const client = new Client({ name: 'test', version: '1' });
  await client.connect(transport);
  const listed = await client.listTools();
  expect(listed.tools.map((tool) => tool.name)).toEqual(tools.map((tool) => tool.name));
  expect(client.getServerVersion()).toMatchObject({ version });
  await client.close();
});
