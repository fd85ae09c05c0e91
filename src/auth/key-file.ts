// The master key on disk: 32 bytes in base64, readable by its owner alone, made once whoever comes first.
import { randomBytes } from 'node:crypto';
import { chmodSync, linkSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DrawbridgeError } from '../errors.ts';
import { Secret } from '../secret.ts';

const shape = /^[A-Za-z0-9+/]{43}=$/;

/** Where the key of `home` is kept. */
export function keyFileIn(home: string): string {
  return join(home, 'key');
}

/**
 * The key in `home`. Two processes at their first start agree on one key.
 * @param options.make makes the key when there is none: to seal. What is sealed already opens with no new one.
 * @throws DrawbridgeError `auth_expired` when there is none and none is to be made, `invalid_request` when the
 * file is open to others or holds no key.
 */
export function readKeyFile(home: string, { make }: { make: boolean }): Secret {
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
  const text = readFileSync(path, 'utf8').trim();
  if (!shape.test(text)) {
    throw new DrawbridgeError(
      'invalid_request',
      `The key file ${path} does not hold a key (32 bytes in base64). Restore it from a backup; without one, move it away and connect your accounts again.`,
    );
  }
  return new Secret(text);
}

function createKeyFile(home: string, path: string): void {
  mkdirSync(home, { recursive: true, mode: 0o700 });
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
