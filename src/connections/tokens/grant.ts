// The tokens of a grant on their way into the database: sealed like every credential, their ages beside them.
import type { Transaction } from 'kysely';
import type { Lifetime, OAuth2, TokenAnswer } from '../../providers/auth.ts';
import type { Secret } from '../../secret.ts';
import { toJson } from '../../store/codec.ts';
import type { OrgTables } from '../../store/tables.ts';

/** Names of the tokens among a connection's credentials. */
export const tokenFields = { access: 'access_token', refresh: 'refresh_token' } as const;

export interface TokenAges {
  /** Integer ms; null: it does not end, or the provider does not say. */
  accessExpiresAt: number | null;
  refreshExpiresAt: number | null;
  scopes: readonly string[];
  obtainedAt: number;
}

/** @param asked the scopes that consent was asked for: an answer that names none grants them all (RFC 6749, 5.1) */
export function agesOf(
  auth: OAuth2,
  answer: TokenAnswer,
  given: { asked: readonly string[]; at: number },
): TokenAges {
  const { at } = given;
  return {
    accessExpiresAt: endOf(auth.accessToken, answer.accessLivesMs, at),
    refreshExpiresAt:
      auth.refreshToken === 'none' ? null : endOf(auth.refreshToken.lifetime, answer.refreshLivesMs, at),
    scopes: answer.scopes ?? given.asked,
    obtainedAt: at,
  };
}

/** What the answer says comes before what is declared. */
function endOf(declared: Lifetime, answeredMs: number | undefined, at: number): number | null {
  if (answeredMs !== undefined) return at + answeredMs;
  return typeof declared === 'object' && 'seconds' in declared ? at + declared.seconds * 1_000 : null;
}

export function tokenSecrets(answer: TokenAnswer): [string, Secret][] {
  const { accessToken, refreshToken } = answer;
  return [
    [tokenFields.access, accessToken],
    ...(refreshToken === undefined ? [] : [[tokenFields.refresh, refreshToken] as [string, Secret]]),
  ];
}

/** A new grant of the connection, in the place of the one before: its version is one more. */
export async function storeAges(
  tx: Transaction<OrgTables>,
  orgId: string,
  connectionId: string,
  ages: TokenAges,
): Promise<void> {
  const values = {
    access_expires_at: ages.accessExpiresAt,
    refresh_expires_at: ages.refreshExpiresAt,
    scopes: toJson(ages.scopes),
    obtained_at: ages.obtainedAt,
    refreshed_at: null,
  };
  await tx
    .insertInto('oauth_tokens')
    .values({ org_id: orgId, connection_id: connectionId, version: 1, ...values })
    .onConflict((known) =>
      known.columns(['org_id', 'connection_id']).doUpdateSet((row) => ({
        ...values,
        version: row('oauth_tokens.version', '+', 1),
      })),
    )
    .execute();
}

export async function removeAges(
  tx: Transaction<OrgTables>,
  orgId: string,
  connectionId: string,
): Promise<void> {
  await tx
    .deleteFrom('oauth_tokens')
    .where('org_id', '=', orgId)
    .where('connection_id', '=', connectionId)
    .execute();
}
