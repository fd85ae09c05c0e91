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
    banner: {
      js: "import { createRequire as bundled } from 'node:module'; const require = bundled(import.meta.url);",
    },
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
