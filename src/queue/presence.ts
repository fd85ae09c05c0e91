// Where an org asks for it, an approval is signed by a passkey of the person who gives it: over this action,
// this hash, this decision, once. The executor judges the signature again before it acts.
import { z } from 'zod';
import {
  ceremonyMs,
  everEnrolled,
  keepChallenge,
  livePasskeys,
  type PasskeyRow,
  rpIdOf,
  spendChallenge,
  transportsOf,
} from '../auth/passkeys.ts';
import type { Person } from '../auth/principal.ts';
import { DrawbridgeError } from '../errors.ts';
import { newToken } from '../ids.ts';
import { fromJson } from '../store/codec.ts';
import type { OrgStore } from '../store/store.ts';
import type { ActionRow } from './envelope.ts';
import { readSignedEffects } from './policy.ts';
import { assertionSchema, challengeOf, type Proof, readProof, verifyProof } from './presence-proof.ts';
import { rowOf } from './read.ts';
import { type Presence, sameOrg } from './room.ts';

/** What the browser sends back: the nonce that it was given, and the passkey's answer. */
const presenceSchema = z.object({
  nonce: z.string().regex(/^[\w-]{43}$/),
  origin: z.string().max(300),
  assertion: assertionSchema,
});

/** What a browser needs to have a decision signed (WebAuthn Level 3, PublicKeyCredentialRequestOptionsJSON). */
export interface SigningOptions {
  nonce: string;
  options: {
    challenge: string;
    rpId: string;
    timeout: number;
    userVerification: 'required';
    allowCredentials: { type: 'public-key'; id: string; transports?: string[] }[];
  };
}

export interface OrgPresence extends Presence {
  /**
   * What is stored of the signature, judged by itself alone; undefined where nothing was signed.
   * @throws DrawbridgeError `not_found`; `conflict` for what cannot be read
   */
  proof(org: OrgStore, actionId: string): Promise<{ proof: Proof; fault: string | undefined } | undefined>;
  /**
   * Begins the signing of one decision; good for 5 minutes, once.
   * @param given.origin of the page that asks, one of ours
   * @throws DrawbridgeError `permission_denied` when the person has no passkey
   */
  begin(
    org: OrgStore,
    person: Person,
    given: { actionId: string; verdict: 'approve' | 'reject'; hash: string; origin: string },
  ): Promise<SigningOptions>;
}

export function createPresence(parts: {
  /** Address of a page of ours, for whom is elsewhere. */
  pageUrl(path: string): string;
}): OrgPresence {
  const isRequired = (org: OrgStore, effect: string): Promise<boolean> =>
    org.read(
      async (db) =>
        (await readSignedEffects(db, org.orgId)).includes(effect) && (await everEnrolled(db, org.orgId)),
    );

  async function keysOf(org: OrgStore, person: Person): Promise<PasskeyRow[]> {
    const keys = await org.read((db) => livePasskeys(db, org.orgId, person.memberId));
    if (keys.length > 0) return keys;
    throw new DrawbridgeError(
      'permission_denied',
      `Approvals like this one are signed by a passkey here, and you have none. Enrol one: ${parts.pageUrl('/passkeys')}`,
      { retry: 'ask' },
    );
  }

  return {
    require: (org, action) => isRequired(org, action.effect),

    async begin(org, person, { actionId, verdict, hash, origin }) {
      sameOrg(org, person);
      const rpId = rpIdOf(origin);
      const keys = await keysOf(org, person);
      const nonce = newToken();
      const challenge = challengeOf({ org: org.orgId, action: actionId, hash, decision: verdict, nonce });
      await keepChallenge(org, person, { nonce, challenge, purpose: decideAt(origin) });
      return {
        nonce,
        options: {
          challenge,
          rpId,
          timeout: ceremonyMs,
          userVerification: 'required',
          allowCredentials: keys.map((key) => ({
            type: 'public-key',
            id: key.id,
            transports: transportsOf(key),
          })),
        },
      };
    },

    async proof(org, actionId) {
      const row = await org.read((db) => rowOf(db, org.orgId, actionId));
      if (row.proof === null) return undefined;
      const proof = readProof(row.proof);
      return { proof, fault: await faultOf(proof, row) };
    },

    async check(org, person, decision, row) {
      sameOrg(org, person);
      const keys = await keysOf(org, person);
      if (decision.presence === undefined || decision.presence === null) {
        throw new DrawbridgeError(
          'permission_denied',
          `Approvals with the effect ${row.effect} are signed by a passkey here. Approve it on its page: ${parts.pageUrl(`/actions/${row.id}`)}`,
          { retry: 'ask' },
        );
      }
      const given = presenceSchema.safeParse(decision.presence);
      if (!given.success) {
        throw new DrawbridgeError(
          'permission_denied',
          'This is no passkey’s signature; nothing was decided.',
        );
      }
      const { nonce, origin, assertion } = given.data;
      const key = keys.find(({ id }) => id === assertion.id);
      if (key === undefined) {
        throw new DrawbridgeError(
          'permission_denied',
          'The passkey that signed is not one of yours, or was removed; nothing was decided.',
        );
      }
      const proof: Proof = {
        v: 1,
        credential: key.id,
        name: key.name,
        publicKey: keyText(key),
        member: person.memberId,
        at: await org.now(),
        org: org.orgId,
        action: row.id,
        hash: decision.hash,
        decision: decision.verdict,
        nonce,
        origin,
        assertion,
      };
      const challenge = challengeOf(proof);
      await spendChallenge(org, person, { nonce, challenge, purpose: decideAt(origin) });
      const counter = await verifyProof(proof, key.counter);
      await raiseCounter(org, key, counter, proof.at);
      return JSON.stringify(proof);
    },

    async verify(org, row) {
      if (row.proof === null) {
        if (!(await isRequired(org, row.effect))) return;
        throw unproven('It was approved without a passkey’s signature, which is asked for now.');
      }
      const proof = readProof(row.proof);
      const by = row.decided_by === null ? undefined : fromJson<{ kind: string; id: string }>(row.decided_by);
      const isOfIt =
        proof.org === org.orgId &&
        proof.action === row.id &&
        proof.hash === row.payload_hash &&
        proof.decision === 'approve' &&
        by?.kind === 'person' &&
        proof.member === by.id;
      if (!isOfIt) throw unproven('The stored signature belongs to another decision.');
      const keys = await org.read((db) => livePasskeys(db, org.orgId, proof.member));
      const key = keys.find(({ id }) => id === proof.credential);
      if (key === undefined || keyText(key) !== proof.publicKey) {
        throw unproven('The passkey that signed the approval has been removed.');
      }
      try {
        await verifyProof(proof, 0);
      } catch (cause) {
        throw unproven('The stored signature is not one of this approval.', cause);
      }
    },
  };
}

/** Why this is no proof of what the row says; undefined where it is one. */
async function faultOf(proof: Proof, row: ActionRow): Promise<string | undefined> {
  if (proof.org !== row.org_id || proof.action !== row.id) return 'It belongs to another action.';
  if (proof.hash !== row.payload_hash) return 'It was given for another payload.';
  try {
    await verifyProof(proof, 0);
    return undefined;
  } catch (thrown) {
    if (thrown instanceof DrawbridgeError) return 'The signature is not one of this decision by this key.';
    throw thrown;
  }
}

const decideAt = (origin: string) => `decide ${origin}`;

function keyText(key: PasskeyRow): string {
  return Buffer.from(key.public_key).toString('base64url');
}

function unproven(why: string, cause?: unknown): DrawbridgeError {
  return new DrawbridgeError(
    'conflict',
    `${why} Nothing was sent; have it proposed again.`,
    cause === undefined ? {} : { cause },
  );
}

/**
 * A counter that does not rise, where the key counts at all, means a copy of the key (WebAuthn Level 3, 6.1.1).
 * @throws DrawbridgeError `permission_denied`
 */
async function raiseCounter(org: OrgStore, key: PasskeyRow, counter: number, at: number): Promise<void> {
  const raised = await org.write((tx) =>
    tx
      .updateTable('passkeys')
      .set({ counter, last_used_at: at })
      .where('org_id', '=', org.orgId)
      .where('id', '=', key.id)
      .where('removed_at', 'is', null)
      .where((eb) => (counter === 0 ? eb('counter', '=', 0) : eb('counter', '<', counter)))
      .returning('id')
      .executeTakeFirst(),
  );
  if (raised === undefined) {
    throw new DrawbridgeError(
      'permission_denied',
      'The passkey was removed meanwhile, or there is a copy of it. Nothing was decided.',
    );
  }
}
