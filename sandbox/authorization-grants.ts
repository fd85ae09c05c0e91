// The grants that people gave in the sandbox: codes that work once, access tokens that end, refresh tokens
// that rotate. A code or a refresh token that comes a second time ends its whole grant.
import { createHash, randomBytes } from 'node:crypto';
import type { Clock } from '../src/clock.ts';
import type { AuthorizationOptions } from './authorization.ts';

const codeLivesMs = 60_000;

/** What the person agreed to. */
export interface Agreement {
  scopes: readonly string[];
  redirectUri: string;
  /** Of PKCE, S256. */
  challenge: string | undefined;
}

interface Grant extends Agreement {
  alive: boolean;
}

interface Pair {
  access: string;
  /** Undefined where the answer brings none. */
  refresh: string | undefined;
  scopes: readonly string[];
}

/** The `error` of RFC 6749 5.2. */
export type TokenError = 'invalid_grant' | 'invalid_request';

export interface Grants {
  /** A new code for a new grant. */
  begin(agreement: Agreement): string;
  redeem(
    code: string,
    given: { redirectUri: string | null; verifier: string | null },
  ): Pair | { error: TokenError };
  refresh(token: string): Pair | { error: TokenError };
  revoke(token: string): void;
  scopesOf(access: string): readonly string[] | undefined;
  expireAccess(): void;
  endAll(): void;
}

export function createGrants(
  options: Pick<
    AuthorizationOptions,
    'accessLivesS' | 'rotation' | 'graceS' | 'keepsUntilUsed' | 'repeatsRefreshToken' | 'pkce'
  >,
  clock: Clock,
): Grants {
  const codes = new Map<string, { grant: Grant; until: number; spent: boolean }>();
  const accesses = new Map<string, { grant: Grant; until: number }>();
  const refreshes = new Map<string, { grant: Grant; next: Pair | undefined; rotatedAt: number }>();
  /** Tokens that were used. */
  const used = new Set<string>();
  const token = (kind: string) => `sandbox-${kind}-${randomBytes(24).toString('base64url')}`;

  function access(grant: Grant): string {
    const value = token('access');
    accesses.set(value, { grant, until: clock.now() + options.accessLivesS * 1000 });
    return value;
  }

  function refreshToken(grant: Grant): string {
    const value = token('refresh');
    refreshes.set(value, { grant, next: undefined, rotatedAt: 0 });
    return value;
  }

  return {
    begin(agreement) {
      const code = token('code');
      codes.set(code, {
        grant: { ...agreement, alive: true },
        until: clock.now() + codeLivesMs,
        spent: false,
      });
      return code;
    },

    redeem(code, { redirectUri, verifier }) {
      const found = codes.get(code);
      if (found === undefined) return { error: 'invalid_grant' };
      const { grant } = found;
      if (found.spent) grant.alive = false;
      if (found.spent || found.until <= clock.now() || !grant.alive) return { error: 'invalid_grant' };
      found.spent = true;
      if (redirectUri !== null && redirectUri !== grant.redirectUri) return { error: 'invalid_grant' };
      if (grant.challenge !== undefined && (verifier === null || s256(verifier) !== grant.challenge)) {
        return { error: 'invalid_grant' };
      }
      return { access: access(grant), refresh: refreshToken(grant), scopes: grant.scopes };
    },

    refresh(given) {
      const found = refreshes.get(given);
      if (found === undefined || !found.grant.alive) return { error: 'invalid_grant' };
      const { grant } = found;
      if (options.rotation === 'never') {
        return {
          access: access(grant),
          refresh: options.repeatsRefreshToken === true ? given : undefined,
          scopes: grant.scopes,
        };
      }
      if (found.next !== undefined) {
        if (options.keepsUntilUsed === true) {
          if (used.has(found.next.access) || used.has(found.next.refresh ?? ''))
            return { error: 'invalid_grant' };
          found.next = undefined;
          return this.refresh(given);
        }
        if (clock.now() < found.rotatedAt + (options.graceS ?? 0) * 1000) return found.next;
        // Reuse: whoever holds it, one of the two is a thief, and neither goes on.
        grant.alive = false;
        return { error: 'invalid_grant' };
      }
      used.add(given);
      found.next = { access: access(grant), refresh: refreshToken(grant), scopes: grant.scopes };
      found.rotatedAt = clock.now();
      return found.next;
    },

    revoke(given) {
      const grant = (refreshes.get(given) ?? accesses.get(given))?.grant;
      if (grant !== undefined) grant.alive = false;
    },

    scopesOf(given) {
      const found = accesses.get(given);
      used.add(given);
      return found?.grant.alive === true && found.until > clock.now() ? found.grant.scopes : undefined;
    },

    expireAccess() {
      for (const one of accesses.values()) one.until = 0;
    },

    endAll() {
      for (const { grant } of [...codes.values(), ...refreshes.values()]) grant.alive = false;
    },
  };
}

function s256(verifier: string): string {
  return createHash('sha256').update(verifier).digest('base64url');
}
