// Fresh bearers: one renewal at a time for a connection, whoever asks, in whatever process. In-process map,
// then a lease, then a second look, then one token call, then compare-and-set.
import { randomInt } from 'node:crypto';
import type { OAuth } from '../../auth/oauth/oauth.ts';
import type { Vault } from '../../auth/vault.ts';
import type { Clock } from '../../clock.ts';
import { DrawbridgeError } from '../../errors.ts';
import { newId } from '../../ids.ts';
import type { Log } from '../../log.ts';
import type { OAuth2, TokenAnswer, TokenCall } from '../../providers/auth.ts';
import type { Secret } from '../../secret.ts';
import { holdLease } from '../../store/hold.ts';
import { acquireLease, type Lease, leaseEnds, renewLease } from '../../store/lease.ts';
import type { OrgStore } from '../../store/store.ts';
import { isDue, isOver } from './due.ts';
import { type HeldTokens, readTokens, type Stored, storeRenewed } from './rows.ts';

export interface TokensParts {
  vault: Vault;
  clock: Clock;
  log: Log;
  oauth(): Promise<OAuth>;
  /**
   * What the token call of a connection runs in, and who it is for.
   * @throws DrawbridgeError when it is gone, may not be used, or its app is not registered
   */
  grantOf(org: OrgStore, connectionId: string): Promise<TokenCall & { auth: OAuth2 }>;
  /** The provider ended the grant that had this version: records it; the error that says how to connect again. */
  ended(
    org: OrgStore,
    connectionId: string,
    about: { version: number; cause: unknown },
  ): Promise<DrawbridgeError>;
  /** Tokens that came for a connection that is gone. */
  orphaned(org: OrgStore, grant: TokenCall & { auth: OAuth2 }, answer: TokenAnswer): Promise<void>;
  /** For tests. */
  timing?: Partial<Timing>;
}

export interface Timing {
  /** How long a renewal is believed to be under way in another process that no longer says so. */
  leaseMs: number;
  /** How long a caller waits for another process's renewal. */
  waitMs: number;
  /** How long a caller whose token still works waits for a better one. */
  patienceMs: number;
}

export interface Tokens {
  /**
   * The bearer of a connection, renewed where it is about to end. One that still works is handed out though
   * its renewal fails or takes long. @throws DrawbridgeError `auth_expired`, `auth_revoked`; others pass
   */
  fresh(org: OrgStore, connectionId: string, signal?: AbortSignal): Promise<Secret>;
  /** Another bearer than the one that the provider refused. @throws DrawbridgeError as `fresh` */
  instead(org: OrgStore, connectionId: string, refused: Secret, signal?: AbortSignal): Promise<Secret>;
  /** Renews what is due, and waits for it; nothing where none is. @throws DrawbridgeError as `fresh`, passing trouble too */
  ahead(org: OrgStore, connectionId: string): Promise<void>;
  /** Waits for renewals that are under way: a rotated token that nobody stores is a lost grant. */
  close(): Promise<void>;
}

/** Looks at the state of the tokens this often while another process renews them; with full jitter. */
const firstLookMs = 50;
const longestLookMs = 1_000;
const storeTries = 6;

const standard: Timing = { leaseMs: 30_000, waitMs: 150_000, patienceMs: 2_000 };

export function createTokens(parts: TokensParts): Tokens {
  const { vault, clock, log } = parts;
  const timing = { ...standard, ...parts.timing };
  const underWay = new Map<string, Promise<HeldTokens>>();
  /** Answers that could not be written: the next renewal writes them before it asks for another. */
  const unwritten = new Map<string, { version: number; answer: TokenAnswer }>();

  const keyOf = (org: OrgStore, id: string): string => `${org.orgId}/${id}`;

  async function read(org: OrgStore, id: string): Promise<HeldTokens> {
    const held = await readTokens(org, vault, id);
    if (held?.access === undefined) {
      throw new DrawbridgeError('auth_expired', 'The account has no token stored. Connect it again.');
    }
    return held;
  }

  /** One renewal in this process; `must`: the token that was seen cannot be used. */
  function renew(org: OrgStore, id: string, seen: HeldTokens, must: boolean): Promise<HeldTokens> {
    const key = keyOf(org, id);
    const known = underWay.get(key);
    if (known !== undefined) return known;
    const run = acrossProcesses(org, id, seen, must).finally(() => underWay.delete(key));
    underWay.set(key, run);
    return run;
  }

  async function acrossProcesses(
    org: OrgStore,
    id: string,
    seen: HeldTokens,
    must: boolean,
  ): Promise<HeldTokens> {
    const name = `refresh/${id}`;
    const until = clock.elapsed() + timing.waitMs;
    for (;;) {
      const owner = newId('rfr', clock.now());
      const lease = await acquireLease(org, { name, owner, ttlMs: timing.leaseMs });
      if (lease !== undefined) {
        const held = await underLease(org, id, seen, lease);
        if (held !== undefined) return held;
        continue;
      }
      // An answer that waits to be written is asked for by nobody else.
      if (!must && !unwritten.has(keyOf(org, id))) return seen;
      const held = await waitForOther(org, id, seen, { name, until });
      if (held !== undefined) return held;
    }
  }

  /** Until another process has stored new tokens, or (undefined) no longer holds the lease. */
  async function waitForOther(
    org: OrgStore,
    id: string,
    seen: HeldTokens,
    { name, until }: { name: string; until: number },
  ): Promise<HeldTokens | undefined> {
    for (let look = 0; clock.elapsed() < until; look += 1) {
      const most = Math.min(longestLookMs, firstLookMs * 2 ** look);
      await clock.sleep(1 + randomInt(most));
      const held = await read(org, id);
      if (held.version !== seen.version) return held;
      if ((await leaseEnds(org, name)) <= (await org.now())) return undefined;
    }
    throw new DrawbridgeError('timeout', 'Another process takes long to renew the access. Try again.', {
      retryAfterMs: longestLookMs,
    });
  }

  /** Undefined where the lease was lost before the answer could be stored: it waits in `unwritten`. */
  async function underLease(
    org: OrgStore,
    id: string,
    seen: HeldTokens,
    lease: Lease,
  ): Promise<HeldTokens | undefined> {
    const hold = holdLease(org, lease, { ttlMs: timing.leaseMs, clock, log });
    let released = false;
    try {
      const held = await read(org, id);
      if (held.version !== seen.version) {
        // Renewed between our look and our lease, by somebody who asked after us.
        unwritten.delete(keyOf(org, id));
        return held;
      }
      const grant = await parts.grantOf(org, id);
      const answer = await ask(org, id, held, grant);
      if (answer === undefined) return await read(org, id);
      const stored = await store(org, id, { auth: grant.auth, answer, held, lease });
      if (stored === 'lost') return undefined;
      released = stored === 'stored';
      unwritten.delete(keyOf(org, id));
      if (stored === 'gone') {
        await parts.orphaned(org, grant, answer);
        throw new DrawbridgeError('auth_expired', 'The account was disconnected meanwhile.');
      }
      return await read(org, id);
    } finally {
      await hold.end({ released });
    }
  }

  /** The one token call. Undefined where somebody else has stored new tokens since. */
  async function ask(
    org: OrgStore,
    id: string,
    held: HeldTokens,
    grant: TokenCall & { auth: OAuth2 },
  ): Promise<TokenAnswer | undefined> {
    const kept = unwritten.get(keyOf(org, id));
    if (kept?.version === held.version) return kept.answer;
    if (held.refresh === undefined) {
      const cause = new DrawbridgeError('auth_expired', 'It has no refresh token.');
      throw await parts.ended(org, id, { version: held.version, cause });
    }
    try {
      const oauth = await parts.oauth();
      const answer = await oauth.refresh(grant, held.refresh);
      unwritten.set(keyOf(org, id), { version: held.version, answer });
      return answer;
    } catch (cause) {
      if (!(cause instanceof DrawbridgeError && cause.code === 'auth_revoked')) throw cause;
      // Whoever lost the lease while it was asking, or a person who connected again, may have been first.
      const now = await readTokens(org, vault, id);
      if (now !== undefined && now.version !== held.version) return undefined;
      throw await parts.ended(org, id, { version: held.version, cause });
    }
  }

  /** The answer is in nobody else's hands: it is worth several tries. */
  async function store(
    org: OrgStore,
    id: string,
    renewal: { auth: OAuth2; answer: TokenAnswer; held: HeldTokens; lease: Lease },
  ): Promise<Stored | 'lost'> {
    for (let tries = 1; ; tries += 1) {
      try {
        await vault.open(org, { fresh: tries > 1 });
        return await storeRenewed(org, vault, id, { ...renewal, at: clock.now() });
      } catch (thrown) {
        if (tries === storeTries) throw thrown;
        log.warn({ err: thrown, connection: id }, 'renewed tokens could not be stored yet');
        // Whoever holds it now asked after us: what they got is younger, and goes first.
        if (isConflict(thrown) && !(await isHeld(org, renewal.lease))) return 'lost';
      }
      await clock.sleep(1 + randomInt(firstLookMs * 2 ** tries));
    }
  }

  async function isHeld(org: OrgStore, lease: Lease): Promise<boolean> {
    return (await renewLease(org, lease, timing.leaseMs)) !== undefined;
  }

  /** Ends with its caller's patience; the renewal itself goes on, for the others and for the next time. */
  async function waitFor<Result>(work: Promise<Result>, signal: AbortSignal | undefined): Promise<Result> {
    if (signal === undefined) return work;
    const given = Promise.withResolvers<never>();
    const giveUp = (): void => given.reject(signal.reason);
    signal.addEventListener('abort', giveUp, { once: true });
    if (signal.aborted) giveUp();
    try {
      return await Promise.race([work, given.promise]);
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  }

  async function renewAhead(org: OrgStore, id: string, held: HeldTokens): Promise<HeldTokens> {
    const enough = new AbortController();
    const renewal = renew(org, id, held, false).catch((error: unknown) => {
      if (error instanceof DrawbridgeError && error.retry === 'reconnect') throw error;
      log.warn({ err: error, connection: id }, 'a token could not be renewed ahead of time');
      return held;
    });
    const patience = clock.sleep(timing.patienceMs, { signal: enough.signal, unref: true }).then(
      () => held,
      () => held,
    );
    try {
      return await Promise.race([renewal, patience]);
    } finally {
      enough.abort();
      // What comes later is the next caller's to see.
      renewal.catch(() => undefined);
    }
  }

  /** Renews until the token is another one than `seen`. */
  async function renewed(org: OrgStore, id: string, seen: HeldTokens): Promise<HeldTokens> {
    for (;;) {
      const held = await renew(org, id, seen, true);
      if (held.version !== seen.version) return held;
    }
  }

  return {
    async fresh(org, id, signal) {
      const held = await read(org, id);
      const now = clock.now();
      const work = isOver(held, now)
        ? renewed(org, id, held)
        : isDue(held, now)
          ? renewAhead(org, id, held)
          : Promise.resolve(held);
      return bearer(await waitFor(work, signal));
    },

    async instead(org, id, refused, signal) {
      const held = await read(org, id);
      if (held.access?.reveal() !== refused.reveal()) return bearer(held);
      return bearer(await waitFor(renewed(org, id, held), signal));
    },

    async ahead(org, id) {
      const held = await read(org, id);
      const now = clock.now();
      if (isDue(held, now)) await renew(org, id, held, isOver(held, now));
    },

    async close() {
      await Promise.allSettled(underWay.values());
    },
  };
}

function isConflict(error: unknown): boolean {
  return error instanceof DrawbridgeError && error.code === 'conflict';
}

function bearer({ access }: HeldTokens): Secret {
  if (access !== undefined) return access;
  throw new DrawbridgeError('auth_expired', 'The account has no token stored. Connect it again.');
}
