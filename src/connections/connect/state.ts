// An authorization under way: what was asked, sealed, under the hash of a state that is good once, for ten
// minutes, for one person in one browser.
import { z } from 'zod';
import { digest, sameText } from '../../auth/digest.ts';
import type { Person } from '../../auth/principal.ts';
import type { Vault } from '../../auth/vault.ts';
import { DrawbridgeError } from '../../errors.ts';
import { newToken } from '../../ids.ts';
import { Secret } from '../../secret.ts';
import type { Handle, OrgStore } from '../../store/store.ts';
import type { ControlTables } from '../../store/tables.ts';

export const authorizationLivesMs = 10 * 60_000;
/** In the place of a connection, for the seal. */
const place = 'oauth-state';
const stateShape = /^[A-Za-z0-9_-]{43}$/;
const browserShape = /^[A-Za-z0-9_-]{43}$/;

const requestShape = z.strictObject({
  connectionId: z.string(),
  /** Set where a certain account is authorised anew: no other one may come back. */
  reconnect: z.boolean(),
  fields: z.record(z.string(), z.unknown()),
  secrets: z.record(z.string(), z.string()),
  scopes: z.array(z.string()),
  access: z.enum(['read', 'write']),
  mcpServerUrl: z.string().optional(),
  redirectUri: z.string(),
  codeVerifier: z.string(),
});
export type AuthorizationRequest = z.infer<typeof requestShape>;

/** A value for the cookie that binds an authorization to its browser. */
export function newBrowserToken(): Secret {
  return new Secret(newToken(32));
}

/** The value of such a cookie, if it is one. */
export function browserToken(value: string | undefined): Secret | undefined {
  return value !== undefined && browserShape.test(value) ? new Secret(value) : undefined;
}

interface Parts {
  control: Handle<ControlTables>;
  vault: Vault;
}

/** @returns the state to send along */
export async function beginAuthorization(
  org: OrgStore,
  { control, vault }: Parts,
  given: { person: Person; browser: Secret; provider: string; request: AuthorizationRequest; at: number },
): Promise<string> {
  const { person, at } = given;
  const state = new Secret(newToken(32));
  const hash = digest(state.reveal());
  await vault.open(org);
  const request = vault.seal(org.orgId, place, hash, new Secret(JSON.stringify(given.request)));
  await control.write(async (tx) => {
    await tx
      .deleteFrom('oauth_states')
      .where('expires_at', '<', at - authorizationLivesMs)
      .execute();
    await tx
      .insertInto('oauth_states')
      .values({
        state_hash: hash,
        org_id: org.orgId,
        member_id: person.memberId,
        browser_hash: digest(given.browser.reveal()),
        provider: given.provider,
        request: request.sealed,
        key_id: request.keyId,
        created_at: at,
        expires_at: at + authorizationLivesMs,
        spent_at: null,
      })
      .execute();
  });
  return state.reveal();
}

/**
 * Spends the state, whoever brings it, and opens what was asked. Brought by another person or browser, it is
 * spent all the same: nobody can try again with it.
 * @throws DrawbridgeError `invalid_request` when it is unknown, spent or too old; `permission_denied` when
 * person, org or browser are others
 */
export async function spendAuthorization(
  org: OrgStore,
  { control, vault }: Parts,
  given: { person: Person; browser: Secret | undefined; provider: string; state: string | null; at: number },
): Promise<AuthorizationRequest> {
  const { person, provider, at } = given;
  const hash = given.state !== null && stateShape.test(given.state) ? digest(given.state) : '';
  const row = await control.write((tx) =>
    tx
      .updateTable('oauth_states')
      .set({ spent_at: at })
      .where('state_hash', '=', hash)
      .where('provider', '=', provider)
      .where('spent_at', 'is', null)
      .where('expires_at', '>', at)
      .returning(['org_id', 'member_id', 'browser_hash', 'request', 'key_id'])
      .executeTakeFirst(),
  );
  if (row === undefined) {
    throw new DrawbridgeError(
      'invalid_request',
      'This way back from the provider was used already, is older than ten minutes, or was never begun here. Nothing was connected. Begin again.',
      { field: 'state', retry: 'ask' },
    );
  }
  if (row.org_id !== org.orgId || row.member_id !== person.memberId) {
    throw new DrawbridgeError(
      'permission_denied',
      'This authorization was begun by another person. Nothing was connected. Begin again as yourself.',
      { field: 'state' },
    );
  }
  const presented = given.browser === undefined ? '' : digest(given.browser.reveal());
  if (!sameText(presented, row.browser_hash)) {
    throw new DrawbridgeError(
      'permission_denied',
      'This authorization was begun in another browser. Nothing was connected. Begin again in this one, and stay in it.',
      { field: 'state' },
    );
  }
  await vault.open(org);
  const sealed = { sealed: row.request, keyId: row.key_id };
  return requestShape.parse(JSON.parse(vault.unseal(org.orgId, place, hash, sealed).reveal()));
}
