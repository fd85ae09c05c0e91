// Verifies what an issuer signed, by the keys that it publishes. Keys are fetched through the door, kept, and
// fetched anew for an unknown one, at most so often however many forged tokens come.
import {
  createLocalJWKSet,
  decodeJwt,
  decodeProtectedHeader,
  errors,
  type JSONWebKeySet,
  type JWTPayload,
  jwtVerify,
} from 'jose';
import { z } from 'zod';
import type { Clock } from '../../clock.ts';
import { DrawbridgeError } from '../../errors.ts';
import type { PlainFetch } from '../../providers/auth.ts';

/** Asymmetric ones only: with a symmetric one, the published key itself could sign (RFC 8725, 3.1 and 3.2). */
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];
const keptMs = 600_000;
/** How long keys serve while the issuer does not answer. */
const longestKeptMs = 3_600_000;
const cooldownMs = 30_000;
const leewayS = 60;

const jwksShape = z.object({ keys: z.array(z.looseObject({ kty: z.string() })).max(100) });

export interface KeySet {
  /** How many keys the issuer publishes now that could sign. @throws DrawbridgeError what the door says */
  published(): Promise<number>;
  /**
   * The claims of a token that this issuer signed, for this audience, and that is valid now.
   * @throws DrawbridgeError `permission_denied` for a token that does not hold; what the door says for keys
   */
  verify(
    token: string,
    expected: { issuer: string; audience: string; types: readonly string[] },
  ): Promise<JWTPayload>;
}

export function createKeySet(given: { url: string; fetch: PlainFetch; clock: Clock }): KeySet {
  const { url, clock } = given;
  let kept: { at: number; count: number; find: ReturnType<typeof createLocalJWKSet> } | undefined;
  let tried: number | undefined;
  let loading: Promise<void> | undefined;

  async function load(): Promise<void> {
    tried = clock.elapsed();
    const response = await given.fetch(url, { headers: { accept: 'application/json' }, redirect: 'manual' });
    const { hostname } = new URL(url);
    if (response.status !== 200) {
      throw new DrawbridgeError(
        'provider_unavailable',
        `${hostname} does not give its keys (${response.status}).`,
      );
    }
    const parsed = jwksShape.safeParse(await jsonOf(response));
    if (!parsed.success)
      throw new DrawbridgeError('malformed_response', `${hostname} gives keys that are none.`);
    const { keys } = parsed.data;
    const count = keys.filter(({ kty }) => kty !== 'oct').length;
    kept = { at: clock.elapsed(), count, find: createLocalJWKSet({ keys } as JSONWebKeySet) };
  }

  function reload(): Promise<void> {
    loading ??= load().finally(() => {
      loading = undefined;
    });
    return loading;
  }

  const cooling = () => tried !== undefined && clock.elapsed() - tried < cooldownMs;

  async function keys(): Promise<ReturnType<typeof createLocalJWKSet>> {
    if (loading !== undefined) await loading;
    const age = kept === undefined ? Number.POSITIVE_INFINITY : clock.elapsed() - kept.at;
    if (age >= keptMs && !cooling()) {
      try {
        await reload();
      } catch (thrown) {
        // An issuer that is down for a while signs nobody out.
        if (age >= longestKeptMs) throw thrown;
      }
    }
    if (kept === undefined || clock.elapsed() - kept.at >= longestKeptMs) {
      throw new DrawbridgeError('provider_unavailable', 'The keys of the issuer are not to be had just now.');
    }
    return kept.find;
  }

  return {
    async published() {
      await reload();
      return kept?.count ?? 0;
    },

    async verify(token, { issuer, audience, types }) {
      const type = assertPlausible(token, issuer);
      if (type !== undefined && !types.includes(type)) throw refused('is of another kind');
      const check = async () =>
        jwtVerify(token, await keys(), {
          issuer,
          audience,
          algorithms,
          clockTolerance: leewayS,
          currentDate: new Date(clock.now()),
          requiredClaims: ['iss', 'sub', 'aud', 'exp'],
        });
      try {
        return (await check()).payload;
      } catch (thrown) {
        // The issuer may have begun to sign with a new key.
        if (!(thrown instanceof errors.JWKSNoMatchingKey) || cooling()) throw told(thrown);
      }
      try {
        await reload();
        return (await check()).payload;
      } catch (thrown) {
        throw told(thrown);
      }
    },
  };
}

/** What a token says of itself, before anything is fetched for it; jose looks at it again. Returns its type, in lower case. */
function assertPlausible(token: string, issuer: string): string | undefined {
  try {
    const header = decodeProtectedHeader(token);
    if (header.alg === undefined || !algorithms.includes(header.alg))
      throw refused('is signed in no way that is taken');
    if (decodeJwt(token).iss !== issuer) throw refused('is of another issuer');
    return header.typ?.toLowerCase().replace(/^application\//, '');
  } catch (thrown) {
    throw told(thrown);
  }
}

function told(thrown: unknown): unknown {
  if (thrown instanceof DrawbridgeError) return thrown;
  if (thrown instanceof errors.JWTExpired) return refused('has expired', thrown);
  if (thrown instanceof errors.JWTClaimValidationFailed) {
    return refused(
      thrown.claim === 'aud' ? 'is meant for another audience' : `does not hold (${thrown.claim})`,
      thrown,
    );
  }
  if (thrown instanceof errors.JOSEError || thrown instanceof TypeError)
    return refused('does not hold', thrown);
  return thrown;
}

/** The token itself is in none of the words. */
function refused(what: string, cause?: unknown): DrawbridgeError {
  return new DrawbridgeError('permission_denied', `The token ${what}.`, { field: 'token', cause });
}

async function jsonOf(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch (cause) {
    throw new DrawbridgeError('malformed_response', 'The keys of the issuer are no JSON.', { cause });
  }
}
