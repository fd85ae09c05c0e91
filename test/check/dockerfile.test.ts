// The Dockerfile, held as far as a machine without Docker can: what it says, its build step run on just the files
// that it is given, and its program run as it would be there: by nobody, from folders that cannot be written.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from '../servers/free-port.ts';
import { buildContext, execForm, readStages, root, variables } from './dockerfile.ts';

const stages = readStages();
const [build, runtime] = stages;
if (build === undefined || runtime === undefined) throw new Error('the Dockerfile has no two stages');
const of = (stage: typeof build, name: string) => stage.instructions.filter((one) => one.name === name);
const the = (name: string) => {
  const found = of(runtime, name);
  if (found.length !== 1 || found[0] === undefined) throw new Error(`${found.length} ${name}`);
  return found[0].text;
};
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  files: string[];
  devDependencies: Record<string, string>;
};

const folder = mkdtempSync(join(tmpdir(), 'drawbridge-image-'));
const app = join(folder, 'app');
const data = join(folder, 'data');
const node = join(folder, 'node');
const nobody = 65_534;
const isRoot = process.getuid?.() === 0;
/** Root may write anywhere, so the program runs as another. */
const user = isRoot ? { uid: nobody, gid: nobody } : {};
let port = 0;
let server: ChildProcess;
let said = '';

function run(command: string, args: string[], options: object): Promise<{ code: number; out: string }> {
  return new Promise((resolve) => {
    execFile(command, args, { maxBuffer: 20_000_000, ...options }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), out: out + err }),
    );
  });
}

/** Every file below `top` with its size and time. */
function tree(top: string): string[] {
  return readdirSync(top, { recursive: true, encoding: 'utf8' })
    .map((path) => {
      const { size, mtimeMs } = statSync(join(top, path));
      return `${path} ${size} ${mtimeMs}`;
    })
    .sort();
}

/** The environment of the image, and nothing of this machine's but the folders that are moved. */
const environment = () => ({
  ...Object.assign({}, ...of(runtime, 'ENV').map(({ text }) => variables(text))),
  DRAWBRIDGE_HOME: data,
  DRAWBRIDGE_PORT: String(port),
  HOME: join(folder, 'nobodys-home'),
  TMPDIR: join(folder, 'tmp'),
  PATH: folder,
});

beforeAll(async () => {
  const context = join(folder, 'build');
  for (const path of buildContext()) {
    mkdirSync(dirname(join(context, path)), { recursive: true });
    copyFileSync(join(root, path), join(context, path));
  }
  symlinkSync(join(root, 'node_modules'), join(context, 'node_modules'));
  mkdirSync(join(folder, 'packed'));
  const [, step] = of(build, 'RUN');
  // The step as it stands, with its two folders moved.
  const moved: Record<string, string> = { '/app': app, '/tmp': join(folder, 'packed') };
  const script = (step?.text ?? '').replaceAll(/\/app|\/tmp/g, (path) => moved[path] ?? path);
  const built = await run('sh', ['-c', script], { cwd: context });
  if (built.code !== 0) throw new Error(built.out);

  copyFileSync(process.execPath, node);
  mkdirSync(join(folder, 'nobodys-home'));
  mkdirSync(join(folder, 'tmp'));
  mkdirSync(data, { mode: 0o700 });
  if (isRoot) {
    chownSync(data, nobody, nobody);
    // Whoever it runs as must be able to read it.
    chmodSync(folder, 0o755);
  }
  for (const path of ['.', ...readdirSync(app, { recursive: true, encoding: 'utf8' })]) {
    const isFolder = statSync(join(app, path)).isDirectory();
    chmodSync(join(app, path), isFolder ? 0o555 : 0o444);
  }
  for (const path of ['nobodys-home', 'tmp']) chmodSync(join(folder, path), 0o555);
  chmodSync(node, 0o555);
  port = await freePort();
}, 240_000);
afterAll(async () => {
  if (server?.exitCode === null) {
    server.kill('SIGKILL');
    await once(server, 'exit');
  }
  // Who may not write into a folder may not remove what lies in it either.
  for (const path of ['.', ...readdirSync(folder, { recursive: true, encoding: 'utf8' })])
    if (lstatSync(join(folder, path)).isDirectory()) chmodSync(join(folder, path), 0o755);
  rmSync(folder, { recursive: true, force: true });
});

test('both stages stand on the exact Node that the project is developed and tested on', () => {
  expect(stages).toHaveLength(2);
  const image = `node:${manifest.devDependencies['node']}-bookworm-slim`;
  expect(stages.map((stage) => stage.image)).toEqual([image, image]);
});

test('the runtime stage takes nothing but the packed program, and runs by a user that owns none of it', () => {
  const copies = of(runtime, 'COPY');
  expect(copies).toEqual([
    { name: 'COPY', text: '/app /app', flags: { from: build.alias, chown: 'root:root' } },
  ]);
  expect(of(runtime, 'ADD')).toEqual([]);
  expect(the('USER')).toBe('node');
  const names = runtime.instructions.map(({ name }) => name);
  expect(names.slice(names.indexOf('USER'))).not.toContain('RUN');
  const [home] = of(runtime, 'ENV').map(({ text }) => variables(text)['DRAWBRIDGE_HOME']);
  expect(the('VOLUME')).toBe(home);
});

test('every file that the build copies is in the repository, and none is held back by .dockerignore', () => {
  const context = buildContext();
  const named = of(build, 'COPY').flatMap(({ text }) => text.split(/\s+/).slice(0, -1));
  expect(named).toContain('.');
  const needed = [
    ...named.filter((path) => path !== '.'),
    ...manifest.files.filter((path) => path !== 'dist'),
  ];
  for (const path of needed)
    expect(
      context.some((file) => file === path || file.startsWith(`${path}/`)),
      path,
    ).toBe(true);
});

test('what the build step leaves for the runtime stage is what the package ships', () => {
  const top = readdirSync(app).sort();
  expect(top).toEqual([...manifest.files, 'package.json'].sort());
});

test('the program serves from folders that nobody may write, and writes below its home alone', async () => {
  const places = [app, join(folder, 'nobodys-home'), join(folder, 'tmp')];
  const before = places.map(tree);
  const [command = '', ...args] = [...execForm(the('ENTRYPOINT')), ...execForm(the('CMD'))];
  expect(command).toBe('node');
  server = spawn(
    node,
    args.map((arg) => arg.replace(/^\/app/, app)),
    { cwd: app, env: environment(), stdio: ['ignore', 'pipe', 'pipe'], ...user },
  );
  const up = new Promise<void>((resolve, refuse) => {
    server.stdout?.on('data', (piece: Buffer) => {
      said += piece.toString();
      if (said.includes('Ctrl-C')) resolve();
    });
    server.stderr?.on('data', (piece: Buffer) => {
      said += piece.toString();
    });
    server.once('exit', (code) => refuse(new Error(`it ended with ${code}: ${said}`)));
  });
  await up;
  const note = join(app, 'README.md');
  const imported = await run(node, [join(app, 'bin/drawbridge.mjs'), 'import', note], {
    cwd: app,
    env: environment(),
    ...user,
  });
  expect(imported, imported.out).toMatchObject({ code: 0 });
  expect(places.map(tree)).toEqual(before);
  expect(readdirSync(folder).sort()).toEqual(
    ['app', 'build', 'data', 'nobodys-home', 'node', 'packed', 'tmp'].sort(),
  );
  expect(readdirSync(data).length).toBeGreaterThan(0);
});

test('its health check says healthy while it runs, and unhealthy when it does not', async () => {
  const [command, ...args] = execForm(the('HEALTHCHECK').replace(/^CMD\s+/, ''));
  expect(command).toBe('node');
  const check = () => run(node, args, { cwd: app, env: environment(), ...user });
  expect(await check()).toEqual({ code: 0, out: '' });
  const exited = once(server, 'exit');
  server.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
  expect((await check()).code).toBe(1);
});
