// The providers' own clients are CommonJS packages, and Google's ask the environment about proxies and hosts:
// they must work from the bundle that ships, and go where the provider says, whatever stands there.
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'drawbridge-bundle-'));
  const entry = join(folder, 'entry.ts');
  const providers = ['gmail', 'google-calendar', 'google-drive', 'hubspot'].map((id) =>
    join(root, 'src/providers', id, 'index.ts'),
  );
  await writeFile(
    entry,
    `import net from 'node:net';
const called = [];
const now = '2026-01-05T12:00:00.000Z';
const context = {
  fields: { email: 'ann@example.com' },
  clock: { now: () => 0 },
  fetch: async (url, init) => {
    called.push({ method: init.method, url: String(url), headers: Object.fromEntries(new Headers(init.headers)) });
    return Response.json({ id: '1', properties: {}, createdAt: now, updatedAt: now, archived: false });
  },
};
const trap = () => { throw new Error('past the door'); };
globalThis.fetch = trap;
net.Socket.prototype.connect = trap;
const [mail, calendar, drive, hubspot] = await Promise.all([
  ${providers.map((path) => `import(${JSON.stringify(path)})`).join(',\n  ')},
]);
await mail.provider.operations.labels.run(context, {});
await calendar.provider.operations.calendars.run(context, {});
await drive.provider.operations.search.run(context, { limit: 1 });
await hubspot.provider.operations['get-contact'].run(context, { id: '1' });
process.stdout.write(JSON.stringify(called));
`,
  );
  await build({
    absWorkingDir: root,
    entryPoints: [entry],
    outdir: join(folder, 'dist'),
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    logLevel: 'silent',
    banner: {
      js: "import { createRequire as __r } from 'node:module'; const require = __r(import.meta.url);",
    },
  });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('from the bundle, under a hostile environment, each calls its own host and nothing about this machine', () => {
  const said = execFileSync(process.execPath, [join(folder, 'dist/entry.mjs')], {
    encoding: 'utf8',
    env: {
      GOOGLE_CLOUD_UNIVERSE_DOMAIN: 'elsewhere.example',
      GOOGLE_APPLICATION_CREDENTIALS: '/nowhere/key.json',
      GMAIL_API_ENDPOINT: 'https://elsewhere.example',
      HTTPS_PROXY: 'http://127.0.0.1:9',
    },
  });
  const called = JSON.parse(said) as { method: string; url: string; headers: object }[];
  expect(called.map(({ url }) => new URL(url).host)).toEqual([
    'gmail.googleapis.com',
    'www.googleapis.com',
    'www.googleapis.com',
    'api.hubapi.com',
  ]);
  expect(called.slice(0, 3).map(({ headers }) => headers)).toEqual([{}, {}, {}]);
});
