// What a passkey is asked to sign: kept for five minutes, for one person and one purpose, and spent once.
import { DrawbridgeError } from '../errors.ts';
import type { OrgStore } from '../store/store.ts';
import { digest } from './digest.ts';
import type { Person } from './principal.ts';

export const ceremonyMs = 5 * 60_000;

/**
 * What passkeys are bound to: the host name of the pages.
 * @throws DrawbridgeError `invalid_request` for an address of numbers, which has none (WebAuthn Level 3, 5.1.3)
 */
export function rpIdOf(origin: string): string {
  const { hostname } = new URL(origin);
  if (hostname.startsWith('[') || /^[\d.]+$/.test(hostname)) {
    throw new DrawbridgeError(
      'invalid_request',
      'Passkeys need a name, and this page was opened by a number. Open it with: drawbridge open',
    );
  }
  return hostname;
}

export interface Ceremony {
  nonce: string;
  challenge: string;
  /** What it is for, and the origin it was begun at. */
  purpose: string;
}

/** Keeps what is to be signed, for 5 minutes. */
export async function keepChallenge(org: OrgStore, person: Person, made: Ceremony): Promise<void> {
  const now = await org.now();
  await org.write(async (tx) => {
    await tx
      .deleteFrom('presence_challenges')
      .where('org_id', '=', org.orgId)
      .where('expires_at', '<', now - ceremonyMs)
      .execute();
    await tx
      .insertInto('presence_challenges')
      .values({
        org_id: org.orgId,
        nonce_hash: digest(made.nonce),
        member_id: person.memberId,
        purpose: made.purpose,
        challenge: made.challenge,
        created_at: now,
        expires_at: now + ceremonyMs,
        spent_at: null,
      })
      .execute();
  });
}

/**
 * Spends it: the first to come with it, in time, for the same purpose, and nobody after.
 * @throws DrawbridgeError `permission_denied`
 */
export async function spendChallenge(org: OrgStore, person: Person, made: Ceremony): Promise<void> {
  const now = await org.now();
  const spent = await org.write((tx) =>
    tx
      .updateTable('presence_challenges')
      .set({ spent_at: now })
      .where('org_id', '=', org.orgId)
      .where('nonce_hash', '=', digest(made.nonce))
      .where('member_id', '=', person.memberId)
      .where('purpose', '=', made.purpose)
      .where('challenge', '=', made.challenge)
      .where('expires_at', '>', now)
      .where('spent_at', 'is', null)
      .returning('nonce_hash')
      .executeTakeFirst(),
  );
  if (spent === undefined) {
    throw new DrawbridgeError(
      'permission_denied',
      'This signature was asked for too long ago, for something else, or has been used. Nothing was done: try again from the page.',
    );
  }
}
