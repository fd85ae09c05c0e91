// Sign-in at an issuer, as the web side of the house has it. What it needs of libraries is loaded when somebody
// first signs in or shows a token: in local mode, and at the start, none of it.
import type { Clock } from '../../clock.ts';
import type { Egress } from '../../egress/egress.ts';
import { DrawbridgeError } from '../../errors.ts';
import { newToken } from '../../ids.ts';
import type { PlainFetch } from '../../providers/auth.ts';
import type { HostedSignIn, SignInOption } from '../../sign-in-config.ts';
import type { Store } from '../../store/store.ts';
import { createMembers, type Identity } from '../members.ts';
import type { Agent, Person } from '../principal.ts';
import type { KeySet } from './key-set.ts';
import { keepSignIn, type SignInRequest, spendSignIn } from './states.ts';

/** A way to sign in: an OpenID Connect issuer, or Supabase Auth. */
export interface SignInWay {
  start(given: {
    hint: string | undefined;
    redirectUri: string;
    state: string;
  }): Promise<{ url: string; kept: Pick<SignInRequest, 'codeVerifier' | 'nonce'> }>;
  /** @throws DrawbridgeError `permission_denied` when what came back does not hold */
  finish(given: {
    callback: URL;
    hint: string | undefined;
    redirectUri: string;
    state: string;
    kept: Pick<SignInRequest, 'codeVerifier' | 'nonce'>;
  }): Promise<Identity>;
}

export interface Hosted {
  origin: string;
  /** The address of /mcp as access tokens name it. */
  resource: string;
  issuer: string;
  options: readonly SignInOption[];
  /** The address at the issuer. `to`: where the person goes afterwards. @throws DrawbridgeError `not_found` for an unknown option */
  begin(given: { option: string; to: string; browser: string }): Promise<string>;
  /** Who came back. @throws DrawbridgeError `permission_denied` for whoever is no member, or did not come back rightly */
  finish(given: { callback: URL; browser: string | undefined }): Promise<{ person: Person; to: string }>;
  /** The agent behind an `Authorization` header; undefined where it holds no JWT. @throws DrawbridgeError as `agentOf` says */
  agent(header: string | undefined): Promise<Agent | undefined>;
  /** Asks the issuer how to sign in, and for its keys. @throws DrawbridgeError when it does not answer, or has none */
  check(): Promise<void>;
}

const jwtShape = /^Bearer +([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*) *$/i;

/** @param given.orgId on whose account the calls to the issuer go: they are made before anyone is known */
export function createHosted(given: {
  config: HostedSignIn;
  store: Store;
  egress: Egress;
  orgId: string;
  clock: Clock;
}): Hosted {
  const { config, store, egress, clock } = given;
  const members = createMembers({ store, clock });
  const redirectUri = `${config.origin}/sign-in/callback`;
  let way: Promise<SignInWay & { keys(): Promise<{ issuer: string; keys: KeySet }> }> | undefined;

  function fetch(operation: 'discover' | 'keys' | 'token'): PlainFetch {
    const leave = egress.fetchFor({
      orgId: given.orgId,
      provider: 'sign-in',
      connectionId: undefined,
      operation,
      cause: 'connect',
    });
    return operation === 'token' ? (input, init) => leave(input, { ...init, once: true }) : leave;
  }

  async function load() {
    const { by } = config;
    if (by.kind === 'supabase') {
      const { createSupabase } = await import('./supabase.ts');
      return createSupabase({ config: { ...config, by }, fetch, clock });
    }
    const { createIssuer } = await import('./issuer.ts');
    return createIssuer({ config: { ...config, by }, fetch, clock });
  }

  function theWay() {
    way ??= load();
    return way;
  }

  function hintOf(option: string): string | undefined {
    const found = config.options.find(({ id }) => id === option);
    if (found === undefined) throw new DrawbridgeError('not_found', 'There is no such way to sign in.');
    return found.hint;
  }

  return {
    origin: config.origin,
    resource: config.resource,
    issuer: config.issuer,
    options: config.options,

    async begin({ option, to, browser }) {
      const state = newToken(32);
      const { url, kept } = await (await theWay()).start({ hint: hintOf(option), redirectUri, state });
      await keepSignIn(store.control, { state, browser, request: { option, to, ...kept }, at: clock.now() });
      return url;
    },

    async finish({ callback, browser }) {
      const state = callback.searchParams.get('state');
      const request = await spendSignIn(store.control, { state, browser, at: clock.now() });
      const identity = await (await theWay()).finish({
        callback,
        hint: hintOf(request.option),
        redirectUri,
        state: String(state),
        kept: request,
      });
      return { person: await members.admit(identity), to: request.to };
    },

    async agent(header) {
      const token = jwtShape.exec(header ?? '')?.[1];
      if (token === undefined) return undefined;
      const [{ agentOf }, { issuer, keys }] = await Promise.all([
        import('./bearer.ts'),
        theWay().then((at) => at.keys()),
      ]);
      const { audience, origin } = config;
      return agentOf(token, { issuer, audience, origin, keys, members });
    },

    async check() {
      const { keys } = await (await theWay()).keys();
      if ((await keys.published()) > 0) return;
      throw new DrawbridgeError(
        'invalid_request',
        `${new URL(config.issuer).hostname} publishes no key: it signs with a shared secret, which is not taken. Let it sign with an asymmetric key.`,
      );
    },
  };
}
