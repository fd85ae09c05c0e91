// Where an org asks for it, an approval is signed by a passkey of the person who gives it: over this action,
// this hash, this decision, once. The executor judges the signature again before it acts.
import { z } from 'zod';
import { digest } from '../../auth/digest.ts';
import { everEnrolled, livePasskeys, type PasskeyRow, transportsOf } from '../../auth/passkeys.ts';
import { ceremonyMs, keepChallenge, rpIdOf, spendChallenge } from '../../auth/passkeys-ceremony.ts';
import type { Person } from '../../auth/principal.ts';
import { DrawbridgeError } from '../../errors.ts';
import { newToken } from '../../ids.ts';
import { fromJson } from '../../store/codec.ts';
import type { OrgStore } from '../../store/store.ts';
import type { ActionRow } from '../envelope.ts';
import { readSignedEffects } from '../policy/policy.ts';
import { rowOf } from '../read.ts';
import { type Presence, sameOrg } from '../room.ts';
import {
  assertionSchema,
  challengeOf,
  type Proof,
  readProof,
  type Signed,
  verifyProof,
} from './presence-proof.ts';

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

/** What a person changes about proofs of presence themselves. `of`: the key's id, or the effects to be signed. */
export interface Deed {
  kind: 'enrol' | 'remove' | 'effects';
  of: string;
}

export interface OrgPresence extends Presence {
  /** Begins the signing of a deed. @throws DrawbridgeError `permission_denied` when the person has no passkey */
  beginDeed(org: OrgStore, person: Person, given: { deed: Deed; origin: string }): Promise<SigningOptions>;
  /**
   * Whoever has a passkey signs with it before another is enrolled or one is removed; and to take an effect off
   * the list, once anybody has one: a session alone must not open what it could not sign.
   * @throws DrawbridgeError `permission_denied`
   */
  checkDeed(org: OrgStore, person: Person, given: { deed: Deed; presence: unknown }): Promise<void>;
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

  async function beginSigning(
    org: OrgStore,
    person: Person,
    { origin, ...meant }: Meant & { origin: string },
  ): Promise<SigningOptions> {
    sameOrg(org, person);
    const rpId = rpIdOf(origin);
    const keys = await keysOf(org, person);
    const nonce = newToken();
    const challenge = challengeOf({ org: org.orgId, ...meant, nonce });
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
  }

  /** Spends the nonce, judges the signature and raises the key's counter. */
  async function judgeSigning(
    org: OrgStore,
    person: Person,
    { presence, ...meant }: Meant & { presence: unknown },
  ): Promise<Proof> {
    const keys = await keysOf(org, person);
    const given = presenceSchema.safeParse(presence);
    if (!given.success) {
      throw new DrawbridgeError('permission_denied', 'This is no passkey’s signature; nothing was decided.');
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
      ...meant,
      nonce,
      origin,
      assertion,
    };
    await spendChallenge(org, person, { nonce, challenge: challengeOf(proof), purpose: decideAt(origin) });
    const counter = await verifyProof(proof, key.counter);
    await raiseCounter(org, key, counter, proof.at);
    return proof;
  }

  async function isDeedSigned(org: OrgStore, person: Person, deed: Deed): Promise<boolean> {
    return org.read(async (db) => {
      if (deed.kind !== 'effects') return (await livePasskeys(db, org.orgId, person.memberId)).length > 0;
      const chosen = deed.of.split(',');
      const signed = await readSignedEffects(db, org.orgId);
      return signed.some((effect) => !chosen.includes(effect)) && (await everEnrolled(db, org.orgId));
    });
  }

  return {
    require: (org, action) => isRequired(org, action.effect),

    begin: (org, person, { actionId, verdict, hash, origin }) =>
      beginSigning(org, person, { action: actionId, decision: verdict, hash, origin }),

    beginDeed: (org, person, { deed, origin }) => beginSigning(org, person, { ...meantBy(deed), origin }),

    async checkDeed(org, person, { deed, presence }) {
      sameOrg(org, person);
      if (!(await isDeedSigned(org, person, deed))) return;
      await judgeSigning(org, person, { ...meantBy(deed), presence });
    },

    async proof(org, actionId) {
      const row = await org.read((db) => rowOf(db, org.orgId, actionId));
      if (row.proof === null) return undefined;
      const proof = readProof(row.proof);
      return { proof, fault: await faultOf(proof, row) };
    },

    async check(org, person, decision, row) {
      sameOrg(org, person);
      await keysOf(org, person);
      if (decision.presence === undefined || decision.presence === null) {
        throw new DrawbridgeError(
          'permission_denied',
          `Approvals with the effect ${row.effect} are signed by a passkey here. Approve it on its page: ${parts.pageUrl(`/actions/${row.id}`)}`,
          { retry: 'ask' },
        );
      }
      const { verdict, hash, presence } = decision;
      const proof = await judgeSigning(org, person, { action: row.id, decision: verdict, hash, presence });
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

type Meant = Pick<Signed, 'action' | 'hash' | 'decision'>;

/** No action has such an id, so that neither signature serves as the other. */
function meantBy({ kind, of }: Deed): Meant {
  return { action: `passkeys.${kind}`, hash: digest(of), decision: 'approve' };
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
