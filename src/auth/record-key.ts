// The keys that sign checkpoints of the record: made from the master keys, so that nothing more is kept.
import { hkdfSync } from 'node:crypto';
import { type KeySource, readMasterKeys } from './master-keys.ts';

const purpose = 'drawbridge audit checkpoint';

/** HKDF-SHA-256 (RFC 5869) of a master key: 32 bytes, another for each org. */
function seedOf(master: Buffer, orgId: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', master, orgId, purpose, 32));
}

/** The master keys are read when they are asked for; the first is made when something is first signed. */
export function recordKeys(config: KeySource): {
  signingSeed(orgId: string): Uint8Array;
  knownSeeds(orgId: string): Uint8Array[];
} {
  return {
    signingSeed: (orgId) => seedOf(readMasterKeys(config, { make: true }).present.bytes, orgId),
    knownSeeds: (orgId) =>
      [...readMasterKeys(config, { make: false }).all.values()].map(({ bytes }) => seedOf(bytes, orgId)),
  };
}
