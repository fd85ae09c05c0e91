// Processes that share a limit on one database keep it together.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import type { CallLimit } from '../../src/egress/egress.ts';
import { databases } from '../store/databases.ts';
import { serve } from './wire.ts';

test.each([
  ['a connection', false],
  ['an app', true],
])('eight processes on one database keep the limits of %s together', async (_name, app) => {
  const database = databases.find(({ name }) => name === 'SQLite');
  const open = await database?.open();
  if (open === undefined) throw new Error('no SQLite');
  onTestFinished(() => open.close());
  const orgId = await open.store.createOrg('Brightwater Homes');
  const server = await serve((_request, response) => response.end());
  // So long that nothing leaves it while the test runs: how fast the machine is makes no difference.
  const window = { calls: 80, ms: 3_600_000 };
  const limit: CallLimit = { perSecond: 1000, burst: 1000, concurrent: 4, windows: [window] };
  const script = fileURLToPath(new URL('./fixtures/crowd-member.ts', import.meta.url));
  const argument = JSON.stringify({ home: open.home, orgId, url: server.url, limit, app });
  const made = await Promise.all(
    Array.from({ length: 8 }, async () => {
      const child = spawn(process.execPath, [script, argument], { stdio: ['ignore', 'pipe', 'inherit'] });
      let out = '';
      child.stdout.on('data', (part: Buffer) => {
        out += part.toString();
      });
      expect(await once(child, 'close')).toEqual([0, null]);
      return Number(out);
    }),
  );
  const total = made.reduce((sum, calls) => sum + calls, 0);
  expect(total).toBe(server.seen.length);
  expect(total).toBeLessThanOrEqual(window.calls);
  // What a process has taken ahead and not used is lost: a twentieth of the window at most.
  expect(total).toBeGreaterThanOrEqual(window.calls - 8 * (window.calls / 20));
});
