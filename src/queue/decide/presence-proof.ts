// The proof that a person approved: what a passkey signed, with everything that judging it needs, so that it
// can be judged without this program's database, and without us.
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { rpIdOf } from '../../auth/passkeys-ceremony.ts';
import { canonicalJson } from '../../canonical-json.ts';
import { DrawbridgeError } from '../../errors.ts';

const base64url = z.string().regex(/^[\w-]{1,20000}$/);

/** As `PublicKeyCredential.toJSON()` writes it (WebAuthn Level 3, 5.1.3); what is not needed is dropped. */
export const assertionSchema = z.object({
  id: base64url,
  rawId: base64url,
  type: z.literal('public-key'),
  response: z.object({
    clientDataJSON: base64url,
    authenticatorData: base64url,
    signature: base64url,
    userHandle: base64url.nullish().transform((value) => value ?? undefined),
  }),
});

const proofSchema = z.object({
  v: z.literal(1),
  /** Id of the credential, base64url. */
  credential: base64url,
  /** What its person calls it. */
  name: z.string(),
  /** COSE_Key (RFC 9052), base64url. */
  publicKey: base64url,
  member: z.string(),
  /** Integer ms: when it was judged. */
  at: z.number(),
  org: z.string(),
  action: z.string(),
  hash: z.string(),
  decision: z.enum(['approve', 'reject']),
  nonce: base64url,
  origin: z.string(),
  assertion: assertionSchema,
});
export type Proof = z.infer<typeof proofSchema>;

export interface Signed {
  org: string;
  action: string;
  /** Of what is approved. */
  hash: string;
  decision: 'approve' | 'reject';
  nonce: string;
}

/** What a passkey signs for a decision: SHA-256 of the canonical JSON of these five, base64url. */
export function challengeOf({ org, action, hash, decision, nonce }: Signed): string {
  return createHash('sha256')
    .update(canonicalJson({ v: 1, org, action, hash, decision, nonce }))
    .digest('base64url');
}

/** @throws DrawbridgeError `conflict` for what is no proof */
export function readProof(text: string): Proof {
  try {
    return proofSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new DrawbridgeError('conflict', 'What is stored as the proof of presence cannot be read.', {
      cause,
    });
  }
}

/**
 * Whether this very key signed this very decision, with its person verified by the authenticator.
 * @param counter the last that is known of this key; 0 when it is judged again
 * @returns the counter that it signed with
 * @throws DrawbridgeError `permission_denied`
 */
export async function verifyProof(proof: Proof, counter: number): Promise<number> {
  const { verifyAuthenticationResponse } = await import('@simplewebauthn/server');
  try {
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response: {
        ...proof.assertion,
        response: {
          clientDataJSON: proof.assertion.response.clientDataJSON,
          authenticatorData: proof.assertion.response.authenticatorData,
          signature: proof.assertion.response.signature,
        },
        clientExtensionResults: {},
      },
      expectedChallenge: challengeOf(proof),
      expectedOrigin: proof.origin,
      expectedRPID: rpIdOf(proof.origin),
      requireUserVerification: true,
      credential: {
        id: proof.credential,
        publicKey: Uint8Array.from(Buffer.from(proof.publicKey, 'base64url')),
        counter,
      },
    });
    if (verified && proof.assertion.id === proof.credential) return authenticationInfo.newCounter;
  } catch (cause) {
    throw notSigned(cause);
  }
  throw notSigned();
}

function notSigned(cause?: unknown): DrawbridgeError {
  return new DrawbridgeError(
    'permission_denied',
    'The passkey’s signature is not one of this decision, so nothing was decided. Try again from the page.',
    cause === undefined ? {} : { cause },
  );
}
