// A server's key from a file or standard input: on a command line it would stand in the list of processes.
import { readFile } from 'node:fs/promises';
import { text as textOf } from 'node:stream/consumers';
import { Secret } from '../../secret.ts';
import { usageError } from '../command.ts';

/** `path`: - for standard input. @throws DrawbridgeError where there is none in it */
export async function keyFrom(path: string | undefined): Promise<Secret | undefined> {
  if (path === undefined) return undefined;
  const key = (path === '-' ? await textOf(process.stdin) : await readFile(path, 'utf8')).trim();
  if (key === '') throw usageError('--key-file: there is no key in it.');
  return new Secret(key);
}
