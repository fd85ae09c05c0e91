// The master keys on disk: 32 bytes in base64 a line, the present one first, readable by their owner alone. The
// first is made once, whoever comes first.
import { randomBytes } from 'node:crypto';
import { chmodSync, linkSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DrawbridgeError } from '../errors.ts';
import { makeFolder } from '../make-folder.ts';
import { Secret } from '../secret.ts';

const shape = /^[A-Za-z0-9+/]{43}=$/;

/** Where the key of `home` is kept. */
export function keyFileIn(home: string): string {
  return join(home, 'key');
}

/**
 * The keys in `home`, a line each, the present one first. Two processes at their first start agree on one key.
 * @param options.make makes the key when there is none: to seal. What is sealed already opens with no new one.
 * @throws DrawbridgeError `auth_expired` when there is none and none is to be made, `invalid_request` when the
 * file is open to others or holds no key.
 */
export function readKeyFile(home: string, { make }: { make: boolean }): Secret[] {
  const path = keyFileIn(home);
  if (statSync(path, { throwIfNoEntry: false }) === undefined) {
    if (!make) {
      throw new DrawbridgeError(
        'auth_expired',
        `The key file ${path} is missing, and the stored credentials open with it alone. Restore it from a backup; without one, connect your accounts again.`,
      );
    }
    createKeyFile(home, path);
  }
  const { mode } = statSync(path);
  // Windows keeps access lists instead of modes; the data folder is the user's own there.
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    throw new DrawbridgeError(
      'invalid_request',
      `The key file ${path} is open to other users (mode ${(mode & 0o777).toString(8)}). Close it: chmod 600 '${path}'. If others may have read it, connect your accounts again with a new key.`,
    );
  }
  const lines = readFileSync(path, 'utf8').trim().split('\n');
  if (!lines.every((line) => shape.test(line))) {
    throw new DrawbridgeError(
      'invalid_request',
      `The key file ${path} does not hold a key (32 bytes in base64). Restore it from a backup; without one, move it away and connect your accounts again.`,
    );
  }
  return lines.map((line) => new Secret(line));
}

/** A new key in front of those that are there. @throws DrawbridgeError as `readKeyFile` */
export function prependKey(home: string): void {
  const present = readKeyFile(home, { make: true }).map((key) => key.reveal());
  replaceKeyFile(home, [randomBytes(32).toString('base64'), ...present]);
}

/** Only the present key stays. */
export function removeFormerKeys(home: string): void {
  const [present] = readKeyFile(home, { make: false });
  if (present !== undefined) replaceKeyFile(home, [present.reveal()]);
}

/** Renamed into place: a kill leaves the file as it was, or as it is to be. */
function replaceKeyFile(home: string, keys: readonly string[]): void {
  const draft = join(home, `key.${randomBytes(6).toString('hex')}`);
  try {
    writeFileSync(draft, `${keys.join('\n')}\n`, { flag: 'wx', mode: 0o600, flush: true });
    chmodSync(draft, 0o600);
    renameSync(draft, keyFileIn(home));
  } finally {
    rmSync(draft, { force: true });
  }
}

function createKeyFile(home: string, path: string): void {
  makeFolder(home, 'DRAWBRIDGE_HOME');
  const draft = join(home, `key.${randomBytes(6).toString('hex')}`);
  // Written aside and linked into place: nobody ever sees half a key, and the second to come finds the first's.
  writeFileSync(draft, `${randomBytes(32).toString('base64')}\n`, { flag: 'wx', mode: 0o600, flush: true });
  try {
    chmodSync(draft, 0o600);
    linkSync(draft, path);
  } catch (thrown) {
    if (!(thrown instanceof Error && 'code' in thrown && thrown.code === 'EEXIST')) throw thrown;
  } finally {
    rmSync(draft, { force: true });
  }
}
