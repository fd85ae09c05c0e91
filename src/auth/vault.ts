// Credentials at rest, in an envelope: each value under its org's data key, each data key under the master
// key. Sealed to its place: moved to another org, connection or field, or changed by a bit, it opens no more.
import { type Clock, systemClock } from '../clock.ts';
import { DrawbridgeError } from '../errors.ts';
import type { Log } from '../log.ts';
import { Secret } from '../secret.ts';
import type { OrgStore } from '../store/store.ts';
import {
  type DataKeys,
  dropSpentDataKeys,
  loadDataKeys,
  retireDataKey,
  rewrapDataKeys,
} from './data-keys.ts';
import { type Key, type KeySource, type MasterKeys, readMasterKeys } from './master-keys.ts';
import { holdsAnything, resealAll } from './reseal.ts';
import { sealBytes, unsealBytes } from './seal.ts';

/** A data key is replaced when it is this old. */
export const dataKeyLivesMs = 90 * 24 * 3_600_000;
/** How long a process trusts that the data key it knows is the current one. */
const trustMs = 60_000;

export interface Sealed {
  /** 12-byte nonce + ciphertext + 16-byte tag. */
  sealed: Uint8Array;
  /** Names the key, and tells nothing about it. */
  keyId: string;
}

export interface Vault {
  /**
   * Gets the org's data keys ready, and makes the first: before `seal` and `unseal`, outside of any
   * transaction. Cheap when it was done a moment ago.
   * @throws DrawbridgeError `auth_expired` when their master key is missing, `invalid_request` when the key
   * file cannot be used.
   */
  open(org: OrgStore, options?: { fresh?: boolean }): Promise<void>;
  /** @throws DrawbridgeError `internal` unless the org was opened. */
  seal(orgId: string, connectionId: string, field: string, secret: Secret): Sealed;
  /**
   * @throws DrawbridgeError `auth_expired` when it was sealed under a key that is not here, `internal` when it
   * was altered or belongs elsewhere.
   */
  unseal(orgId: string, connectionId: string, field: string, sealed: Sealed): Secret;
  /**
   * Wraps the org's data keys under the present master key, replaces the data key when it is older than
   * `dataKeyLivesMs` (or `newDataKey` says so), and seals anew what is not under the current one. Can be
   * killed anywhere and run again. `resealed`: how many values were.
   */
  rotate(org: OrgStore, options?: { newDataKey?: boolean }): Promise<{ rewrapped: number; resealed: number }>;
}

/** Nothing is read before it is needed; the first master key is made when something is first sealed. */
export function openVault(given: { config: KeySource; log: Log; clock?: Clock }): Vault {
  const { config, log, clock = systemClock } = given;
  const known = new Map<string, DataKeys & { at: number }>();
  let masters: MasterKeys | undefined;

  function readMasters(make: boolean): MasterKeys {
    masters = readMasterKeys(config, { make });
    log.debug({ keyId: masters.present.id, known: masters.all.size }, 'master keys read');
    return masters;
  }

  async function open(org: OrgStore, { fresh = false } = {}): Promise<void> {
    const kept = known.get(org.orgId);
    if (!fresh && kept !== undefined && clock.elapsed() - kept.at < trustMs) return;
    const at = clock.elapsed();
    // Read for each load: another process may have put a new master key in front.
    known.set(org.orgId, { ...(await loadDataKeys(org, readMasters)), at });
  }

  function keysOf(orgId: string): DataKeys {
    const keys = known.get(orgId);
    if (keys === undefined) throw new DrawbridgeError('internal', 'The vault of this org is not open.');
    return keys;
  }

  /** Also what was sealed by the master key itself, before there were data keys. */
  function keyNamed(orgId: string, keyId: string): Key | undefined {
    return keysOf(orgId).byId.get(keyId) ?? masters?.all.get(keyId);
  }

  function seal(orgId: string, connectionId: string, field: string, secret: Secret): Sealed {
    const { current } = keysOf(orgId);
    const plain = Buffer.from(secret.reveal(), 'utf8');
    return {
      sealed: sealBytes(current.bytes, place(orgId, connectionId, field, current.id), plain),
      keyId: current.id,
    };
  }

  function unseal(orgId: string, connectionId: string, field: string, { sealed, keyId }: Sealed): Secret {
    const key = keyNamed(orgId, keyId);
    if (key === undefined) {
      throw new DrawbridgeError(
        'auth_expired',
        `The stored credential was sealed under another key (${keyId}; the present one is ${keysOf(orgId).current.id}). Restore the former key file or DRAWBRIDGE_KEY, or connect the account again.`,
      );
    }
    try {
      return new Secret(
        unsealBytes(key.bytes, place(orgId, connectionId, field, keyId), sealed).toString('utf8'),
      );
    } catch (cause) {
      throw new DrawbridgeError(
        'internal',
        'A stored credential was altered, or belongs to another account: it was not used. Connect the account again.',
        { retry: 'reconnect', cause },
      );
    }
  }

  return {
    open,
    seal,
    unseal,
    async rotate(org, { newDataKey = false } = {}) {
      // Of an org that keeps no credential there is nothing to renew, and no key is made for it.
      if (!(await holdsAnything(org))) return { rewrapped: 0, resealed: 0 };
      await open(org, { fresh: true });
      const rewrapped = await rewrapDataKeys(org, readMasters(true));
      const { current } = keysOf(org.orgId);
      if (newDataKey || (await org.now()) - current.createdAt >= dataKeyLivesMs) {
        await retireDataKey(org, readMasters, current.id);
      }
      await open(org, { fresh: true });
      const resealed = await resealAll(org, keysOf(org.orgId).current.id, {
        seal: (connectionId, field, secret) => seal(org.orgId, connectionId, field, secret),
        unseal: (connectionId, field, sealed) => unseal(org.orgId, connectionId, field, sealed),
      });
      await dropSpentDataKeys(org);
      return { rewrapped, resealed };
    },
  };
}

function place(orgId: string, connectionId: string, field: string, keyId: string): string[] {
  return ['drawbridge secret', orgId, connectionId, field, keyId];
}
