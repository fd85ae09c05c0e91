// A client's JSON configuration, changed without harm: merged, backed up, replaced in one step, and left
// alone when it cannot be understood.
import { randomBytes } from 'node:crypto';
import {
  chmod,
  constants,
  copyFile,
  mkdir,
  readFile,
  realpath,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { dirname } from 'node:path';
import { DrawbridgeError } from '../errors.ts';
import { iso } from '../time.ts';

export interface Entry {
  type?: string;
  command: string;
  args: string[];
  env: Record<string, string>;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

/** The file's object, or undefined when there is no file. @throws DrawbridgeError `invalid_request` when it is not understood */
async function readConfiguration(file: string): Promise<Record<string, unknown> | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw new DrawbridgeError('permission_denied', `${file} cannot be read; it is left as it is.`, {
      cause: error,
    });
  }
  if (text.trim() === '') return {};
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new DrawbridgeError(
      'invalid_request',
      `${file} is not valid JSON (${why}). It is left as it is: mend it, or use --print and paste the entry yourself.`,
      { cause },
    );
  }
  if (!isObject(value) || !(value['mcpServers'] === undefined || isObject(value['mcpServers']))) {
    throw new DrawbridgeError(
      'invalid_request',
      `${file} holds no object with an object "mcpServers". It is left as it is: use --print and paste the entry yourself.`,
    );
  }
  return value;
}

/** Copies `file` beside itself, over no earlier copy, and returns the copy's path. */
async function backUp(file: string, now: number): Promise<string> {
  const time = iso(now).slice(0, 19).replaceAll(':', '');
  for (let copy = 1; ; copy += 1) {
    const backup = `${file}.${time}${copy === 1 ? '' : `-${copy}`}.backup`;
    try {
      await copyFile(file, backup, constants.COPYFILE_EXCL);
      return backup;
    } catch (error) {
      if (codeOf(error) !== 'EEXIST' || copy === 100) throw error;
    }
  }
}

/**
 * Puts the server `drawbridge` into `file`, keeping all else and the file's mode; a link is followed.
 * @param now integer ms; names the backup
 * @returns the backup's path (undefined for a new file), and whether an entry of that name was there
 */
export async function mergeConfiguration(
  file: string,
  entry: Entry,
  now: number,
): Promise<{ backup: string | undefined; replaced: boolean }> {
  const before = await readConfiguration(file);
  const servers = isObject(before?.['mcpServers']) ? before['mcpServers'] : {};
  const after = { ...before, mcpServers: { ...servers, drawbridge: entry } };
  const target = before === undefined ? file : await realpath(file);
  await mkdir(dirname(target), { recursive: true });
  const backup = before === undefined ? undefined : await backUp(target, now);
  const mode = before === undefined ? 0o600 : (await stat(target)).mode & 0o777;
  const draft = `${target}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await writeFile(draft, `${JSON.stringify(after, null, 2)}\n`, { mode, flag: 'wx' });
    await chmod(draft, mode);
    await rename(draft, target);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
  return { backup, replaced: 'drawbridge' in servers };
}
