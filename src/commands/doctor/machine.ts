// Checks of the machine: Node, the home folder, the key file, the disk. They need no room to be open.
import { access, constants, stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { keyFileIn, readKeyFile } from '../../auth/key-file.ts';
import type { Config } from '../../config.ts';
import { toDrawbridgeError } from '../../errors.ts';
import { makeFolder } from '../../make-folder.ts';
import { size } from '../terminal/progress.ts';

export interface Check {
  part: string;
  state: 'ok' | 'warning' | 'broken';
  message: string;
  /** What a person does about it. */
  mend?: string;
}

const leastNode = [22, 18] as const;
const diskBroken = 50e6;
const diskLow = 1e9;

export function checkNode(version: string = process.versions.node): Check {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const fits = major > leastNode[0] || (major === leastNode[0] && minor >= leastNode[1]);
  const needed = leastNode.join('.');
  return fits
    ? { part: 'Node.js', state: 'ok', message: version }
    : {
        part: 'Node.js',
        state: 'broken',
        message: `${version} is too old`,
        mend: `Install Node.js ${needed} or newer.`,
      };
}

const nothingThere = ['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP'];

async function modeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).mode & 0o777;
  } catch (error) {
    if (error instanceof Error && 'code' in error && nothingThere.includes(String(error.code)))
      return undefined;
    throw error;
  }
}

export async function checkHome(config: Config): Promise<Check> {
  const part = 'home folder';
  const mode = await modeOf(config.home);
  if (mode === undefined) {
    try {
      // The rooms, which are opened next, would make it.
      makeFolder(config.home, 'DRAWBRIDGE_HOME');
    } catch (thrown) {
      return { part, state: 'broken', message: toDrawbridgeError(thrown).message };
    }
    return { part, state: 'ok', message: config.home };
  }
  try {
    await access(config.home, constants.R_OK | constants.W_OK);
  } catch {
    return {
      part,
      state: 'broken',
      message: `${config.home} cannot be written`,
      mend: 'Give it to the user that runs Drawbridge.',
    };
  }
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    return {
      part,
      state: 'warning',
      message: `${config.home} is open to other users (mode ${mode.toString(8)})`,
      mend: `chmod 700 '${config.home}'`,
    };
  }
  return { part, state: 'ok', message: config.home };
}

/** @param stored how many credentials are kept already: without the key they are lost */
export async function checkKey(config: Config, stored: number): Promise<Check> {
  const part = 'master key';
  if (config.key !== undefined) return { part, state: 'ok', message: 'given by DRAWBRIDGE_KEY' };
  const file = keyFileIn(config.home);
  const mode = await modeOf(file);
  if (mode === undefined) {
    if (stored === 0) return { part, state: 'ok', message: 'will be made on first use' };
    return {
      part,
      state: 'broken',
      message: `${file} is missing: the stored credentials (${stored}) cannot be opened`,
      mend: 'Restore it from a backup; without one, connect your accounts again.',
    };
  }
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    return {
      part,
      state: 'broken',
      message: `${file} is open to other users (mode ${mode.toString(8)})`,
      mend: `chmod 600 '${file}'`,
    };
  }
  try {
    readKeyFile(config.home, { make: false });
  } catch (thrown) {
    return { part, state: 'broken', message: toDrawbridgeError(thrown).message };
  }
  return { part, state: 'ok', message: `${file}, readable by its owner alone` };
}

export async function checkDisk(config: Config): Promise<Check> {
  const part = 'disk space';
  let folder = config.home;
  while ((await modeOf(folder)) === undefined && dirname(folder) !== folder) folder = dirname(folder);
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const message = `${size(free)} free`;
  if (free < diskBroken)
    return {
      part,
      state: 'broken',
      message,
      mend: 'Nothing can be recorded, so nothing will be sent. Free some space.',
    };
  if (free < diskLow) return { part, state: 'warning', message, mend: 'Free some space soon.' };
  return { part, state: 'ok', message };
}
