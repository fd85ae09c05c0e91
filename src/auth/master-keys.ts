// The master keys of an installation: the present one, under which data keys are wrapped, and former ones,
// which open what has not been rewrapped yet. From the environment, or from the key file.
import { createHash } from 'node:crypto';
import type { Config } from '../config.ts';
import { prependKey, readKeyFile, removeFormerKeys } from './key-file.ts';

export interface Key {
  bytes: Buffer;
  /** Names the key, and tells nothing about it. */
  id: string;
}

export interface MasterKeys {
  present: Key;
  /** The present one and former ones, by id. */
  all: ReadonlyMap<string, Key>;
}

export type KeySource = Pick<Config, 'home' | 'key'> & Partial<Pick<Config, 'formerKey'>>;

/** @throws DrawbridgeError as `readKeyFile` */
export function readMasterKeys(source: KeySource, { make }: { make: boolean }): MasterKeys {
  const texts =
    source.key === undefined
      ? readKeyFile(source.home, { make })
      : [source.key, ...(source.formerKey === undefined ? [] : [source.formerKey])];
  const keys = texts.map((text) => {
    const bytes = Buffer.from(text.reveal(), 'base64');
    return { bytes, id: masterKeyId(bytes) };
  });
  const [present] = keys as [Key, ...Key[]];
  return { present, all: new Map(keys.map((key) => [key.id, key])) };
}

/** Puts a new master key in front of those in the key file. The former ones stay until `forgetFormerMasterKeys`. */
export function addMasterKey(home: string): void {
  prependKey(home);
}

/** To be called once every org's data keys are wrapped under the present one. */
export function forgetFormerMasterKeys(home: string): void {
  removeFormerKeys(home);
}

function masterKeyId(key: Buffer): string {
  return createHash('sha256').update('drawbridge key id\0').update(key).digest('hex').slice(0, 8);
}
