// Which files an import meets, and which it leaves alone.
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { walk } from '../../src/jobs/import/walk.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'drawbridge-walk-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function met(...paths: string[]): Promise<string[]> {
  const names: string[] = [];
  for await (const found of walk(paths)) {
    const path = 'file' in found ? found.file : `${found.skipped}: ${found.reason}`;
    names.push(path.slice(folder.length + 1));
  }
  return names;
}

test('folders are walked by name, hidden files and folders are passed over', async () => {
  await mkdir(join(folder, 'b', 'deep'), { recursive: true });
  await mkdir(join(folder, '.git'));
  for (const name of ['c.md', 'a.md', '.env', '.git/config', 'b/deep/x.md'])
    await writeFile(join(folder, name), 'x');
  expect(await met(folder)).toEqual(['a.md', 'b/deep/x.md', 'c.md']);
});

test('a link inside a folder is never followed: not out of it, not in a circle, not to a file met anyway', async () => {
  await mkdir(join(folder, 'in'));
  await writeFile(join(folder, 'secret.md'), 'x');
  await writeFile(join(folder, 'in', 'a.md'), 'x');
  await symlink(join(folder, 'secret.md'), join(folder, 'in', 'out.md'));
  await symlink(join(folder, 'in'), join(folder, 'in', 'circle'));
  await symlink(join(folder, 'in', 'a.md'), join(folder, 'in', 'same.md'));
  await symlink(join(folder, 'gone.md'), join(folder, 'in', 'dangling.md'));
  // A folder whose name begins like the root's is outside of it.
  await mkdir(join(folder, 'in-other'));
  await symlink(join(folder, 'in-other'), join(folder, 'in', 'sibling'));
  expect(await met(join(folder, 'in'))).toEqual([
    'in/a.md',
    'in/dangling.md: a link that leads out of the folder',
    'in/out.md: a link that leads out of the folder',
    'in/sibling: a link that leads out of the folder',
  ]);
});

test('a path that a person names is followed, link or not', async () => {
  await writeFile(join(folder, 'a.md'), 'x');
  await symlink(join(folder, 'a.md'), join(folder, 'b.md'));
  expect(await met(join(folder, 'b.md'))).toEqual(['a.md']);
});
