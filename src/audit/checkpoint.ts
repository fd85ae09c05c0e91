// A checkpoint says how far the record of an org had come, signed, to be kept elsewhere: what is cut off or
// rebuilt afterwards no longer agrees with it.
import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { z } from 'zod';
import { canonicalJson } from '../canonical-json.ts';
import { DrawbridgeError } from '../errors.ts';
import type { AuditCheckpoint } from './audit.ts';

// PKCS #8 around the 32 bytes of an Ed25519 key (RFC 8410, section 7).
const pkcs8 = Buffer.from('302e020100300506032b657004220420', 'hex');

/** The key pair of a seed of 32 bytes; `public`: the raw 32 bytes in base64. */
export function keyOf(seed: Uint8Array): { key: KeyObject; public: string } {
  const key = createPrivateKey({ key: Buffer.concat([pkcs8, seed]), format: 'der', type: 'pkcs8' });
  const { x } = createPublicKey(key).export({ format: 'jwk' });
  return { key, public: Buffer.from(x ?? '', 'base64url').toString('base64') };
}

/** What a signature is for: one of how far the record had come is none of where it was cut, and the reverse. */
const checkpointPurpose = 'drawbridge audit checkpoint';
export const cutPurpose = 'drawbridge audit cut';
type Purpose = typeof checkpointPurpose | typeof cutPurpose;

export function signCheckpoint(
  seed: Uint8Array,
  reached: Omit<AuditCheckpoint, 'signature' | 'publicKey'>,
  purpose: Purpose = checkpointPurpose,
): AuditCheckpoint {
  const { key, public: publicKey } = keyOf(seed);
  return {
    ...reached,
    publicKey,
    signature: sign(null, signedBytes({ ...reached, publicKey }, purpose), key).toString('base64'),
  };
}

/** Whether the signature is that of the key that stands beside it. Whose key that is, is another question. */
export function isSigned(
  { signature, ...rest }: AuditCheckpoint,
  purpose: Purpose = checkpointPurpose,
): boolean {
  const x = Buffer.from(rest.publicKey, 'base64').toString('base64url');
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  return verify(null, signedBytes(rest, purpose), key, Buffer.from(signature, 'base64'));
}

/** The purpose is signed too: the signature is good for nothing else. */
function signedBytes(rest: Omit<AuditCheckpoint, 'signature'>, purpose: Purpose): Buffer {
  return Buffer.from(canonicalJson({ purpose, v: 1, ...rest }));
}

const shape = z.strictObject({
  org: z.string().max(100),
  entries: z.int().min(0),
  head: z.string().regex(/^[0-9a-f]{64}$/),
  at: z.int().min(0),
  signature: z.string().regex(/^[A-Za-z0-9+/]{86}==$/),
  publicKey: z.string().regex(/^[A-Za-z0-9+/]{43}=$/),
});

/** @throws DrawbridgeError `invalid_request` for what is no checkpoint */
export function readCheckpoint(text: string): AuditCheckpoint {
  try {
    return shape.parse(JSON.parse(text));
  } catch (cause) {
    throw new DrawbridgeError('invalid_request', 'The file holds no checkpoint of a record.', { cause });
  }
}
