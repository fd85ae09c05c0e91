// Each run has a folder for temporary files to itself, so that it meets nobody else's and leaves nothing behind. It
// lies in memory where the machine offers that: the tests wait for a disk some thousand times.
import { execFileSync } from 'node:child_process';
import { accessSync, chmodSync, constants, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const leastBytes = 4 * 2 ** 30;

/** Whether there is room, in memory too, and what is written there may be run: a container's own has neither. */
function serves(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    const { bavail, bsize } = statfsSync(folder);
    if (bavail * bsize < leastBytes || process.availableMemory() < 2 * leastBytes) return false;
    const probe = mkdtempSync(join(folder, 'drawbridge-probe-'));
    try {
      const program = join(probe, 'program');
      writeFileSync(program, '#!/bin/sh\nexit 0\n', { mode: 0o755 });
      execFileSync(program);
      return true;
    } finally {
      rmSync(probe, { recursive: true });
    }
  } catch {
    return false;
  }
}

const prefix = 'drawbridge-tests-';

export function setup(): (() => void) | undefined {
  const before = process.env['TMPDIR'];
  // Each project of vitest.config.ts comes by here; the first one makes it for all.
  if (before?.includes(prefix)) return undefined;
  const folder = mkdtempSync(join(serves('/dev/shm') ? '/dev/shm' : tmpdir(), prefix));
  // Some servers of the tests run as nobody.
  chmodSync(folder, 0o755);
  process.env['TMPDIR'] = folder;
  return () => {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
    rmSync(folder, { recursive: true, force: true });
  };
}
