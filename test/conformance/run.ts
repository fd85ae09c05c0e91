// The official conformance runner against our real HTTP stack with the fixture registry, both requirement
// sets, no expected failures; then the Inspector's strict look at the real program over stdio and HTTP.
// `npm run conformance`.
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startFixtureServer } from './fixture-server.ts';

const root = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'drawbridge-conformance-'));
const node = process.execPath;
let failed = 0;

function run(
  command: string,
  args: string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<{ code: number; said: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (data: Buffer) => (said += data.toString()));
    child.once('error', reject);
    child.once('close', (code) => resolve({ code: code ?? 1, said }));
  });
}

function report(what: string, ok: boolean, said: string): void {
  console.log(`${ok ? 'passed' : 'FAILED'}  ${what}`);
  if (ok) return;
  failed += 1;
  console.log(said.slice(-6_000));
}

/** Scenarios that the requirement set scores, with the checks that failed in each. */
function outcomes(output: string): { scenarios: number; checks: number; failures: string[] } {
  const failures: string[] = [];
  let scenarios = 0;
  let checks = 0;
  for (const entry of readdirSync(output, { recursive: true, withFileTypes: true })) {
    if (entry.name !== 'checks.json') continue;
    scenarios += 1;
    for (const check of JSON.parse(readFileSync(join(entry.parentPath, entry.name), 'utf8')) as {
      id: string;
      status: string;
    }[]) {
      checks += 1;
      if (check.status === 'FAILURE') failures.push(`${entry.parentPath.split('/').at(-1)}: ${check.id}`);
    }
  }
  return { scenarios, checks, failures };
}

try {
  const fixture = await startFixtureServer();
  const expected = join(folder, 'expected-failures.yaml');
  writeFileSync(expected, 'server: []\nclient: []\n');
  for (const revision of ['2025-11-25', '2026-07-28']) {
    const output = join(folder, revision);
    const { code, said } = await run(node, [
      'node_modules/@modelcontextprotocol/conformance/dist/index.js',
      'server',
      '--url',
      fixture.url,
      '--requirements',
      revision,
      '--expected-failures',
      expected,
      '--output-dir',
      output,
    ]);
    const { scenarios, checks, failures } = outcomes(output);
    report(
      `conformance ${revision}: exit ${code}, ${scenarios} scenarios, ${checks} checks, ${failures.length} failed in all (extensions that we do not claim included)`,
      code === 0,
      said,
    );
    for (const failure of failures) {
      if (!failure.startsWith('server-tasks-')) console.log(`        not scored: ${failure}`);
    }
  }
  await fixture.close();

  const home = join(folder, 'home');
  const env = { ...process.env, DRAWBRIDGE_HOME: home, DRAWBRIDGE_PORT: '0' };
  const inspect = (...args: string[]) =>
    run(
      node,
      [
        'node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js',
        '--cli',
        ...args,
        '--method',
        'tools/list',
        '--strict',
      ],
      env,
    );
  const overStdio = await inspect(node, join(root, 'src/cli.ts'), 'stdio');
  report(
    'inspector tools/list --strict over stdio',
    overStdio.code === 0 && overStdio.said.includes('ime-search'),
    overStdio.said,
  );

  const key = await run(node, ['src/cli.ts', 'keys', 'create', '--name', 'conformance', '--json'], env);
  const server = spawn(node, ['src/cli.ts', 'serve', '--port', '0', '--json'], {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const url = await new Promise<string>((resolve, reject) => {
    let said = '';
    server.stdout.on('data', (data: Buffer) => {
      said += data.toString();
      const found = /"mcp":\s*"([^"]+)"/.exec(said)?.[1];
      if (found !== undefined) resolve(found);
    });
    server.once('exit', () => reject(new Error(`serve ended: ${said}`)));
  });
  const overHttp = await inspect(
    url,
    '--transport',
    'http',
    '--header',
    `Authorization: Bearer ${(JSON.parse(key.said) as { key: string }).key}`,
  );
  report(
    'inspector tools/list --strict over HTTP',
    overHttp.code === 0 && overHttp.said.includes('ime-search'),
    overHttp.said,
  );
  const closed = new Promise((resolve) => server.once('exit', resolve));
  server.kill('SIGTERM');
  await closed;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(`conformance: ${failed === 0 ? 'all passed' : `${failed} failed`}`);
process.exit(failed === 0 ? 0 : 1);
