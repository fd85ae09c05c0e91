// What ships is a bundle: the way out must work there too, where packages are no longer packages.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { createLog } from '../../src/log.ts';
import { caller, serve } from './wire.ts';

const banner =
  "import { createRequire as bundled } from 'node:module'; const require = bundled(import.meta.url);";

test('the axios that is guarded in the bundle is the one that intuit-oauth builds its client from', async () => {
  const outdir = await mkdtemp(join(tmpdir(), 'drawbridge-bundle-'));
  onTestFinished(() => rm(outdir, { recursive: true }));
  await build({
    stdin: {
      contents:
        "export { createEgress } from './src/egress/door.ts';\nexport const client = () => import('intuit-oauth');",
      resolveDir: new URL('../..', import.meta.url).pathname,
    },
    outfile: join(outdir, 'entry.mjs'),
    bundle: true,
    format: 'esm',
    platform: 'node',
    logLevel: 'warning',
    banner: { js: banner },
  });
  const { createEgress, client } = await import(pathToFileURL(join(outdir, 'entry.mjs')).href);
  const sandbox = await serve((_request, response) => response.end('{"company":1}'));
  const egress: import('../../src/egress/egress.ts').Egress = createEgress({
    allowLoopback: true,
    sandboxUrl: sandbox.url,
    clock: systemClock,
    log: createLog({ level: 'silent' }),
  });
  onTestFinished(() => egress.close());
  const { default: OAuthClient } = await client();
  const call = (): Promise<unknown> =>
    new OAuthClient({
      clientId: 'c',
      clientSecret: 's',
      environment: 'sandbox',
      redirectUri: 'https://here.example/',
      token: { access_token: 't', expires_in: 3600, createdAt: Date.now() },
    }).makeApiCall({ url: 'https://sandbox-quickbooks.api.intuit.com/v3/company/1' });
  await egress.within(caller, call);
  expect(sandbox.seen.map(({ url }) => url)).toEqual(['/sandbox-quickbooks.api.intuit.com/v3/company/1']);
  await expect(call()).rejects.toThrow('past the door');
});

test('a call goes out of the bundle as it does from source', async () => {
  const outdir = await mkdtemp(join(tmpdir(), 'drawbridge-bundle-'));
  onTestFinished(() => rm(outdir, { recursive: true }));
  await build({
    entryPoints: { door: new URL('../../src/egress/door.ts', import.meta.url).pathname },
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    logLevel: 'warning',
    banner: { js: banner },
  });
  const { createEgress }: typeof import('../../src/egress/door.ts') = await import(
    pathToFileURL(join(outdir, 'door.mjs')).href
  );
  const egress = createEgress({
    allowLoopback: true,
    clock: systemClock,
    log: createLog({ level: 'silent' }),
  });
  onTestFinished(() => egress.close());
  const server = await serve((_request, response) => response.end('here'));
  const answer = await egress.fetchFor(caller)(server.url);
  expect([answer.status, await answer.text()]).toEqual([200, 'here']);
});
