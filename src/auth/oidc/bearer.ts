// An agent with an access token of the issuer (RFC 9068): whose it is, which client it was given to, and what
// it may do here. It is a member's agent, never a member, and never may more than its scopes say.
import type { JWTPayload } from 'jose';
import { DrawbridgeError } from '../../errors.ts';
import { digest } from '../digest.ts';
import type { Members } from '../members.ts';
import type { Agent, Scope } from '../principal.ts';
import type { KeySet } from './key-set.ts';

/**
 * The agent that shows this token.
 * @throws DrawbridgeError `auth_expired`, field `token`, for one that does not hold; `permission_denied`, field
 * `subject` or `scope`, for one that holds and opens nothing
 */
export async function agentOf(
  token: string,
  given: { issuer: string; audience: string; origin: string; keys: KeySet; members: Members },
): Promise<Agent> {
  const { issuer, audience } = given;
  const claims = await verified(token, given.keys, { issuer, audience });
  const subject = String(claims.sub);
  // An ID token may name this resource, too, and is for its client's eyes (OpenID Connect Core 1.0, 2); one that is
  // bound to a key is worth nothing without it (RFC 9449, RFC 8705).
  if (claims['at_hash'] !== undefined || claims['typ'] === 'ID') throw invalid('The token is an ID token.');
  if (claims['cnf'] !== undefined) throw invalid('The token is bound to a key; send one that is not.');
  const client = clientOf(claims);
  if (client === undefined) throw invalid('The token does not say which client it was given to.');
  const person = await given.members.linked(issuer, subject);
  if (person === undefined) {
    throw new DrawbridgeError(
      'permission_denied',
      `The token is good, but nobody here is known by it. Its person signs in once at ${given.origin}/sign-in, and must be a member: drawbridge members add --email EMAIL`,
      { field: 'subject', retry: 'ask' },
    );
  }
  const scopes = scopesOf(claims);
  if (scopes.length === 0) {
    throw new DrawbridgeError(
      'permission_denied',
      'The token has neither the scope read nor propose. Ask the issuer for one that has.',
      { field: 'scope', retry: 'ask' },
    );
  }
  // Sessions and what is proposed are bound to the person and the client together.
  const id = digest(JSON.stringify([issuer, subject, client])).slice(0, 32);
  return {
    kind: 'agent',
    orgId: person.orgId,
    agentId: `oauth_${id}`,
    name: `${client} for ${person.name}`,
    memberId: person.memberId,
    scopes,
  };
}

async function verified(
  token: string,
  keys: KeySet,
  expected: { issuer: string; audience: string },
): Promise<JWTPayload> {
  try {
    return await keys.verify(token, { ...expected, types: ['at+jwt', 'jwt'] });
  } catch (thrown) {
    if (thrown instanceof DrawbridgeError && thrown.field === 'token') {
      throw invalid(thrown.message, thrown);
    }
    throw thrown;
  }
}

function invalid(message: string, cause?: unknown): DrawbridgeError {
  return new DrawbridgeError('auth_expired', message, { field: 'token', cause });
}

/** RFC 9068 says `client_id`; Keycloak, Auth0 and Entra say `azp`, Okta `cid`. */
function clientOf(claims: JWTPayload): string | undefined {
  const found = ['client_id', 'azp', 'cid']
    .map((name) => claims[name])
    .find((value) => typeof value === 'string');
  return typeof found === 'string' && found !== '' && found.length <= 200 ? found : undefined;
}

/** `scope` is a text with spaces (RFC 9068, 2.2.3); Entra and Okta say `scp`, Okta as a list. None: to read. */
function scopesOf(claims: JWTPayload): Scope[] {
  const said = claims['scope'] ?? claims['scp'];
  if (said === undefined) return ['read'];
  const words = Array.isArray(said) ? said : String(said).split(' ');
  return (['read', 'propose'] as const).filter((scope) => words.includes(scope));
}
