// Which promises of the suite have a meaning for a provider. It follows from the declaration alone: nothing here
// knows a provider by its name, and what is left out says why.
import { afterAll, describe, test } from 'vitest';
import type { Provider } from '../../src/providers/define.ts';

/** Each part: undefined where it runs, else why the declaration leaves it without a meaning. */
export interface Parts {
  /** A person is sent to the provider and comes back. */
  signIn: string | undefined;
  /** The way back names who it comes from. */
  issuer: string | undefined;
  /** A credential that a person types may be wrong. */
  typed: string | undefined;
  /** The token is renewed when it ends. */
  renewal: string | undefined;
  /** There is a credential to lose or to tell. */
  credential: string | undefined;
  reads: string | undefined;
  feeds: string | undefined;
  /** Texts of others come in. */
  texts: string | undefined;
  /** Anybody is asked anything. */
  asks: string | undefined;
  operations: string | undefined;
  webhook: string | undefined;
}

export function partsOf(provider: Omit<Provider, 'identity'>): Parts {
  const { auth, secrets, discover, webhook } = provider;
  const operations = Object.values(provider.operations);
  const found = auth.kind === 'discovered';
  const signsIn = auth.kind === 'oauth2' || found;
  const renews = found || (auth.kind === 'oauth2' && auth.refreshToken !== 'none');
  const issues = found || (auth.kind === 'oauth2' && auth.issuer !== undefined);
  const holds = signsIn || secrets.length > 0;
  const reads = discover !== undefined || operations.some(({ effect }) => effect === 'read');
  const acts = discover !== undefined || operations.length > 0;
  const feeds = Object.keys(provider.feeds).length > 0;
  const kind = `auth is "${auth.kind}"`;
  const unless = (runs: boolean, reason: string) => (runs ? undefined : reason);
  return {
    signIn: unless(signsIn, `${kind}: nobody is sent to the provider to agree`),
    issuer: unless(
      issues,
      signsIn ? 'auth declares no issuer' : `${kind}: nobody comes back from the provider`,
    ),
    typed: unless(secrets.length > 0, 'declares no secret that a person types'),
    renewal: unless(renews, signsIn ? 'auth declares no refresh token' : `${kind}: it has no token to renew`),
    credential: unless(holds, `${kind}, and it declares no secret`),
    reads: unless(reads, 'declares no read and discovers none'),
    feeds: unless(feeds, 'declares no feed'),
    texts: unless(reads || feeds, 'declares no read, discovers none, and has no feed'),
    asks: unless(holds || acts || feeds, `${kind}, no operation and no feed: it asks nobody`),
    operations: unless(acts, 'declares no operation and discovers none'),
    webhook: unless(webhook !== undefined, 'declares no webhook'),
  };
}

/** A promise of every provider; for one that it means nothing to it is shown as skipped, with the reason. */
export interface Promises {
  (name: string, reason: string | undefined, run: () => Promise<void>, timeoutMs?: number): void;
  /** Of each of these; of none, once, with the reason. */
  each(
    names: readonly string[],
    what: string,
    reason: string | undefined,
    run: (name: string) => Promise<void>,
  ): void;
}

/** For one provider; call it inside its `describe`. What is left out is printed when its last promise has run. */
export function promisesOf(id: string): Promises {
  const left = new Map<string, string[]>();
  afterAll(() => {
    for (const [reason, names] of left) console.log(`${id}: skipped, ${reason}: ${names.join(' · ')}`);
  });
  const promise = (
    name: string,
    reason: string | undefined,
    run: () => Promise<void>,
    timeoutMs?: number,
  ): void => {
    test(
      name,
      async (context) => {
        if (reason === undefined) return run();
        left.set(reason, [...(left.get(reason) ?? []), name]);
        context.skip(reason);
      },
      timeoutMs,
    );
  };
  return Object.assign(promise, {
    each(
      names: readonly string[],
      what: string,
      reason: string | undefined,
      run: (name: string) => Promise<void>,
    ): void {
      if (reason !== undefined) promise(`each ${what}`, reason, async () => undefined);
      else for (const name of names) promise(`${name} ${what}`, undefined, () => run(name));
    },
  });
}

/** A group that every provider has, whatever of it is left out. */
export const group = (name: string, build: () => void): void => void describe(name, build);
