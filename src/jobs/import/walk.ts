// The files that the given paths mean, in a fixed order: folders are walked, hidden files are passed over,
// and no symbolic link inside a folder is followed.
import type { Stats } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';
import { DrawbridgeError } from '../../errors.ts';

export type Found =
  | { file: string; size: number; modifiedAt: number; changedAt: number }
  /** Met, and not imported. */
  | { skipped: string; reason: string };

function fileOf(file: string, found: Stats): Found {
  return {
    file,
    size: found.size,
    modifiedAt: Math.round(found.mtimeMs),
    changedAt: Math.round(found.ctimeMs),
  };
}

async function* walkFolder(folder: string, root: string): AsyncIterable<Found> {
  const entries = await readdir(folder, { withFileTypes: true });
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const entry of entries) {
    if (entry.name.startsWith('.')) continue;
    const path = join(folder, entry.name);
    if (entry.isSymbolicLink()) {
      const target = await realpath(path).catch(() => undefined);
      // What a link inside the folder points at is met on its own.
      if (target === undefined || !(target === root || target.startsWith(root + sep))) {
        yield { skipped: path, reason: 'a link that leads out of the folder' };
      }
    } else if (entry.isDirectory()) {
      yield* walkFolder(path, root);
    } else if (entry.isFile()) {
      yield fileOf(path, await stat(path));
    } else {
      yield { skipped: path, reason: 'neither a file nor a folder' };
    }
  }
}

/**
 * Walks `paths` in the order given; within a folder, by name.
 * @throws DrawbridgeError `not_found` naming the first path that is not there, before anything is read
 */
export async function* walk(paths: readonly string[]): AsyncIterable<Found> {
  const roots: { path: string; found: Stats }[] = [];
  for (const given of paths) {
    try {
      const path = await realpath(resolve(given));
      roots.push({ path, found: await stat(path) });
    } catch (error) {
      throw new DrawbridgeError('not_found', `${given}: no such file or folder can be read.`, {
        field: 'paths',
        cause: error,
      });
    }
  }
  for (const { path, found } of roots) {
    if (found.isDirectory()) yield* walkFolder(path, path);
    else if (found.isFile()) yield fileOf(path, found);
    else yield { skipped: path, reason: 'neither a file nor a folder' };
  }
}
