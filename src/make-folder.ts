// Makes a folder that a setting names, step by step: below /proc a recursive mkdir of Node's never returns. Where none
// can be made, the error names the setting and the mend.
import { mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { DrawbridgeError } from './errors.ts';

/**
 * The folder and what is missing above it, for their owner alone. One that stands keeps its mode.
 * @param setting the environment variable that names another place
 * @throws DrawbridgeError `permission_denied`; what is wrong with the disk passes
 */
export function makeFolder(folder: string, setting: string): void {
  try {
    const missing: string[] = [];
    for (let at = resolve(folder); isMissing(at) && dirname(at) !== at; at = dirname(at)) missing.unshift(at);
    for (const step of missing) makeStep(step);
    if (!statSync(folder).isDirectory()) throw Object.assign(new Error('no folder'), { code: 'ENOTDIR' });
  } catch (cause) {
    throw cannotBeWritten(folder, setting, cause);
  }
}

function isMissing(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) === undefined;
}

function makeStep(step: string): void {
  try {
    mkdirSync(step, { mode: 0o700 });
  } catch (thrown) {
    // Another process may have made it meanwhile. A link that leads nowhere is still missing.
    if (codeOf(thrown) !== 'EEXIST' || isMissing(step)) throw thrown;
  }
}

const giveIt = 'Give it to the user that runs Drawbridge, or name another folder in';
const mends: Readonly<Record<string, string>> = {
  EACCES: giveIt,
  EPERM: giveIt,
  EROFS: 'That disk is mounted for reading alone. Name another folder in',
  ENOTDIR: 'A file is in the way. Move it, or name another folder in',
  EISDIR: 'A folder stands where a file is to be. Move it, or name another folder in',
  EEXIST: 'A link that leads nowhere is in the way. Mend it, or name another folder in',
  ELOOP: 'A link leads to itself. Mend it, or name another folder in',
  ENAMETOOLONG: 'The name is too long. Name another folder in',
  // Of a step whose parent is there: that file system has no folders but its own.
  ENOENT: 'No folder can be made there. Name another one in',
};

/** In a person's words why nothing can be written at `path`; what no other place mends comes back as it is. */
export function cannotBeWritten(path: string, setting: string, cause: unknown): unknown {
  const code = codeOf(cause);
  const mend = mends[code];
  if (mend === undefined) return cause;
  return new DrawbridgeError(
    'permission_denied',
    `${path} cannot be written (${code}). ${mend} ${setting}.`,
    {
      cause,
    },
  );
}

function codeOf(thrown: unknown): string {
  return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
}
