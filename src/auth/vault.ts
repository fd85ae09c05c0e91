// Credentials at rest: AES-256-GCM under one master key, each sealed to its place. Moved to another org,
// connection or field, or changed by a bit, a sealed value opens no more.
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import type { Config } from '../config.ts';
import { DrawbridgeError } from '../errors.ts';
import type { Log } from '../log.ts';
import { Secret } from '../secret.ts';
import { readKeyFile } from './key-file.ts';

const nonceBytes = 12;
const tagBytes = 16;

interface Sealed {
  /** 12-byte nonce + ciphertext + 16-byte tag. */
  sealed: Uint8Array;
  /** Names the key, and tells nothing about it. */
  keyId: string;
}

export interface Vault {
  /** @throws DrawbridgeError `invalid_request` when the key file cannot be used. */
  seal(orgId: string, connectionId: string, field: string, secret: Secret): Sealed;
  /**
   * @throws DrawbridgeError `auth_expired` when its key is missing or it was sealed under another, `internal` when it was
   * altered or belongs elsewhere.
   */
  unseal(orgId: string, connectionId: string, field: string, sealed: Sealed): Secret;
}

interface Key {
  bytes: Buffer;
  id: string;
}

/** The key is read when it is first needed, and made when something is first sealed. */
export function openVault({ config, log }: { config: Pick<Config, 'home' | 'key'>; log: Log }): Vault {
  let known: Key | undefined;

  function key(make: boolean): Key {
    if (known === undefined) {
      const bytes = Buffer.from((config.key ?? readKeyFile(config.home, { make })).reveal(), 'base64');
      known = { bytes, id: keyIdOf(bytes) };
      log.debug(
        { keyId: known.id, from: config.key === undefined ? 'key file' : 'DRAWBRIDGE_KEY' },
        'key read',
      );
    }
    return known;
  }

  return {
    seal(orgId, connectionId, field, secret) {
      const { bytes, id } = key(true);
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv('aes-256-gcm', bytes, nonce);
      cipher.setAAD(place(orgId, connectionId, field, id));
      const sealed = Buffer.concat([
        nonce,
        cipher.update(secret.reveal(), 'utf8'),
        cipher.final(),
        cipher.getAuthTag(),
      ]);
      return { sealed: new Uint8Array(sealed), keyId: id };
    },
    unseal(orgId, connectionId, field, { sealed, keyId }) {
      const { bytes, id } = key(false);
      if (keyId !== id) {
        throw new DrawbridgeError(
          'auth_expired',
          `The stored credential was sealed under another key (${keyId}; the present one is ${id}). Restore the former key file or DRAWBRIDGE_KEY, or connect the account again.`,
        );
      }
      try {
        const decipher = createDecipheriv('aes-256-gcm', bytes, sealed.subarray(0, nonceBytes), {
          authTagLength: tagBytes,
        });
        decipher.setAAD(place(orgId, connectionId, field, id));
        decipher.setAuthTag(sealed.subarray(-tagBytes));
        const text = Buffer.concat([
          decipher.update(sealed.subarray(nonceBytes, -tagBytes)),
          decipher.final(),
        ]);
        return new Secret(text.toString('utf8'));
      } catch (cause) {
        throw new DrawbridgeError(
          'internal',
          'A stored credential was altered, or belongs to another account: it was not used. Connect the account again.',
          { retry: 'reconnect', cause },
        );
      }
    },
  };
}

function keyIdOf(key: Buffer): string {
  return createHash('sha256').update('drawbridge key id\0').update(key).digest('hex').slice(0, 8);
}

/** Bound into the seal. A JSON array keeps its parts apart: no two places share an encoding. */
function place(orgId: string, connectionId: string, field: string, keyId: string): Buffer {
  return Buffer.from(JSON.stringify(['drawbridge secret', orgId, connectionId, field, keyId]));
}
