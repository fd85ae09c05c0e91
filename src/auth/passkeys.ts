// A person's passkeys: enrolled on the pages by who is signed in, kept as public keys, removed but never
// forgotten. What a passkey signs is judged elsewhere (queue/decide/presence.ts).
import type {
  PublicKeyCredentialCreationOptionsJSON,
  RegistrationResponseJSON,
} from '@simplewebauthn/server';
import type { Kysely, Transaction } from 'kysely';
import { z } from 'zod';
import type { Audit } from '../audit/audit.ts';
import { DrawbridgeError } from '../errors.ts';
import { newToken } from '../ids.ts';
import { fromJson, toJson } from '../store/codec.ts';
import type { OrgStore } from '../store/store.ts';
import type { OrgTables } from '../store/tables.ts';
import { ceremonyMs, keepChallenge, rpIdOf, spendChallenge } from './passkeys-ceremony.ts';
import type { Person } from './principal.ts';

const mostPasskeys = 20;
const longestName = 80;
/** EdDSA, ES256 and RS256 (IANA COSE Algorithms): what authenticators have today. */
const algorithms = [-8, -7, -257] as const;

export type PasskeyRow = OrgTables['passkeys'];

export interface Passkey {
  /** The credential's own id, base64url. */
  id: string;
  name: string;
  createdAt: number;
  lastUsedAt: number | undefined;
}

export interface Passkeys {
  /** This person's, oldest first. */
  list(org: OrgStore, person: Person): Promise<Passkey[]>;
  /**
   * Begins to enrol one; good for 5 minutes, once.
   * @param origin of the page that asks, one of ours
   * @throws DrawbridgeError `invalid_request` where that origin has no name of its own
   */
  begin(org: OrgStore, person: Person, origin: string): Promise<PublicKeyCredentialCreationOptionsJSON>;
  /** @throws DrawbridgeError `permission_denied` for an answer to another question, `invalid_request` for none */
  finish(
    org: OrgStore,
    person: Person,
    given: { origin: string; name: string; response: unknown },
  ): Promise<Passkey>;
  /** From now on it signs nothing, and what it has signed and has not run will not run. @throws DrawbridgeError `not_found` */
  remove(org: OrgStore, person: Person, id: string): Promise<void>;
  /** Everybody's, oldest first: for the terminal. */
  all(org: OrgStore): Promise<(Passkey & { memberId: string })[]>;
  /** Removes one that is lost, whosever it is: for the terminal. @throws DrawbridgeError `not_found` */
  forget(org: OrgStore, person: Person, id: string): Promise<void>;
}

const base64url = z.string().regex(/^[\w-]{1,20000}$/);
/** As `PublicKeyCredential.toJSON()` writes it (WebAuthn Level 3, 5.1.3); what is not needed is dropped. */
const registration = z.object({
  id: base64url,
  rawId: base64url,
  type: z.literal('public-key'),
  response: z.object({
    clientDataJSON: base64url,
    attestationObject: base64url,
    transports: z.array(z.string().max(20)).max(10).optional(),
  }),
});

export function createPasskeys(parts: { audit?: Pick<Audit, 'append'> | undefined } = {}): Passkeys {
  async function record(
    tx: Transaction<OrgTables>,
    org: OrgStore,
    person: Person,
    entry: { kind: string; at: number; row: PasskeyRow; channel: 'page' | 'terminal' },
  ): Promise<void> {
    const { kind, at, row, channel } = entry;
    await parts.audit?.append(tx, org.orgId, at, {
      kind,
      subject: row.id,
      by: { kind: 'person', id: person.memberId, name: person.name },
      channel,
      facts: { member: row.member_id, publicKey: Buffer.from(row.public_key).toString('base64url') },
      values: { name: row.name },
    });
  }

  async function end(
    org: OrgStore,
    person: Person,
    given: { id: string; memberId: string | undefined; channel: 'page' | 'terminal' },
  ): Promise<void> {
    mustBeOf(org, person);
    const { id, memberId, channel } = given;
    const at = await org.now();
    await org.write(async (tx) => {
      let update = tx
        .updateTable('passkeys')
        .set({ removed_at: at })
        .where('org_id', '=', org.orgId)
        .where('id', '=', id)
        .where('removed_at', 'is', null);
      if (memberId !== undefined) update = update.where('member_id', '=', memberId);
      const row = await update.returningAll().executeTakeFirst();
      if (row === undefined) throw new DrawbridgeError('not_found', 'There is no such passkey.');
      await record(tx, org, person, { kind: 'passkey.removed', at, row, channel });
    });
  }

  return {
    async list(org, person) {
      const rows = await org.read((db) => livePasskeys(db, org.orgId, person.memberId));
      return rows.map(passkeyOf);
    },

    async begin(org, person, origin) {
      mustBeOf(org, person);
      const known = await org.read((db) => livePasskeys(db, org.orgId, person.memberId));
      if (known.length >= mostPasskeys) {
        throw new DrawbridgeError('quota_exhausted', `You have ${mostPasskeys} passkeys. Remove one first.`, {
          retry: 'ask',
        });
      }
      const challenge = newToken();
      await keepChallenge(org, person, { nonce: challenge, challenge, purpose: enrolAt(origin) });
      const { generateRegistrationOptions } = await import('@simplewebauthn/server');
      return generateRegistrationOptions({
        rpName: 'Drawbridge',
        rpID: rpIdOf(origin),
        userName: person.name,
        userDisplayName: person.name,
        userID: Uint8Array.from(Buffer.from(person.memberId)),
        challenge: Uint8Array.from(Buffer.from(challenge, 'base64url')),
        timeout: ceremonyMs,
        supportedAlgorithmIDs: [...algorithms],
        attestationType: 'none',
        authenticatorSelection: { residentKey: 'preferred', userVerification: 'required' },
        excludeCredentials: known.map(({ id }) => ({ id })),
      });
    },

    async finish(org, person, { origin, name, response }) {
      mustBeOf(org, person);
      const chosen = name.trim();
      if (chosen === '' || chosen.length > longestName) {
        throw new DrawbridgeError(
          'invalid_request',
          `name: give it one, of at most ${longestName} characters.`,
          {
            field: 'name',
          },
        );
      }
      const parsed = registration.safeParse(response);
      if (!parsed.success) throw notUnderstood();
      const credential = await verifiedCredential(parsed.data as RegistrationResponseJSON, {
        origin,
        spend: (challenge) =>
          spendChallenge(org, person, { nonce: challenge, challenge, purpose: enrolAt(origin) }),
      });
      const at = await org.now();
      const row: PasskeyRow = {
        org_id: org.orgId,
        id: credential.id,
        member_id: person.memberId,
        name: chosen,
        public_key: credential.publicKey,
        counter: credential.counter,
        transports: toJson(parsed.data.response.transports ?? []),
        created_at: at,
        last_used_at: null,
        removed_at: null,
      };
      await org.write(async (tx) => {
        const taken = await tx
          .selectFrom('passkeys')
          .select('id')
          .where('org_id', '=', org.orgId)
          .where('id', '=', row.id)
          .executeTakeFirst();
        if (taken !== undefined) {
          throw new DrawbridgeError(
            'conflict',
            'This passkey is or was enrolled here already. Make a new one.',
          );
        }
        await tx.insertInto('passkeys').values(row).execute();
        await record(tx, org, person, { kind: 'passkey.enrolled', at, row, channel: 'page' });
      });
      return passkeyOf(row);
    },

    remove: (org, person, id) => end(org, person, { id, memberId: person.memberId, channel: 'page' }),

    async all(org) {
      const rows = await org.read((db) =>
        db
          .selectFrom('passkeys')
          .selectAll()
          .where('org_id', '=', org.orgId)
          .where('removed_at', 'is', null)
          .orderBy('created_at')
          .orderBy('id')
          .execute(),
      );
      return rows.map((row) => ({ ...passkeyOf(row), memberId: row.member_id }));
    },

    forget: (org, person, id) => end(org, person, { id, memberId: undefined, channel: 'terminal' }),
  };
}

async function verifiedCredential(
  response: RegistrationResponseJSON,
  given: { origin: string; spend(challenge: string): Promise<void> },
): Promise<{ id: string; publicKey: Uint8Array; counter: number }> {
  const { verifyRegistrationResponse } = await import('@simplewebauthn/server');
  const { decodeAttestationObject, decodeClientDataJSON, isoBase64URL } = await import(
    '@simplewebauthn/server/helpers'
  );
  let challenge: string;
  try {
    challenge = decodeClientDataJSON(response.response.clientDataJSON).challenge;
    const attestation = decodeAttestationObject(isoBase64URL.toBuffer(response.response.attestationObject));
    // Nobody asked for certificates: judging them would mean fetching what they name.
    if (attestation.get('attStmt').get('x5c') !== undefined) throw notUnderstood();
  } catch (cause) {
    throw cause instanceof DrawbridgeError ? cause : notUnderstood(cause);
  }
  await given.spend(challenge);
  try {
    const { verified, registrationInfo } = await verifyRegistrationResponse({
      response,
      expectedChallenge: challenge,
      expectedOrigin: given.origin,
      expectedRPID: rpIdOf(given.origin),
      requireUserVerification: true,
      supportedAlgorithmIDs: [...algorithms],
    });
    if (verified) return registrationInfo.credential;
  } catch (cause) {
    throw notUnderstood(cause);
  }
  throw notUnderstood();
}

function notUnderstood(cause?: unknown): DrawbridgeError {
  return new DrawbridgeError(
    'permission_denied',
    'The passkey’s answer does not fit what was asked, so nothing was enrolled. Try again from the page.',
    cause === undefined ? {} : { cause },
  );
}

function mustBeOf(org: OrgStore, person: Person): void {
  if (person.kind !== 'person' || person.orgId !== org.orgId) {
    throw new DrawbridgeError('permission_denied', 'Only a person of this organisation has passkeys here.');
  }
}

/** Those in force. */
export async function livePasskeys(
  db: Kysely<OrgTables>,
  orgId: string,
  memberId: string,
): Promise<PasskeyRow[]> {
  return db
    .selectFrom('passkeys')
    .selectAll()
    .where('org_id', '=', orgId)
    .where('member_id', '=', memberId)
    .where('removed_at', 'is', null)
    .orderBy('created_at')
    .orderBy('id')
    .execute();
}

/** Also when all were removed since: taking the last one away must not open what it closed. */
export async function everEnrolled(db: Kysely<OrgTables>, orgId: string): Promise<boolean> {
  const row = await db
    .selectFrom('passkeys')
    .select('id')
    .where('org_id', '=', orgId)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

const enrolAt = (origin: string) => `enrol ${origin}`;

function passkeyOf(row: PasskeyRow): Passkey {
  return {
    id: row.id,
    name: row.name,
    createdAt: row.created_at,
    lastUsedAt: row.last_used_at ?? undefined,
  };
}

export function transportsOf(row: PasskeyRow): string[] {
  return fromJson<string[]>(row.transports);
}
