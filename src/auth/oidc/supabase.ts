// Signing in at Supabase Auth, by its own client: `signInWithOAuth` and `exchangeCodeForSession` with PKCE. What
// comes back is checked by the project's keys, and an address counts only where the chosen account proves it.
import { createClient } from '@supabase/supabase-js';
import { z } from 'zod';
import type { Clock } from '../../clock.ts';
import { DrawbridgeError } from '../../errors.ts';
import type { PlainFetch } from '../../providers/auth.ts';
import type { HostedSignIn } from '../../sign-in-config.ts';
import type { Identity } from '../members.ts';
import type { SignInWay } from './hosted.ts';
import { createKeySet, type KeySet } from './key-set.ts';

type SupabaseConfig = HostedSignIn & { by: { kind: 'supabase' } };
type OAuthProvider = Parameters<ReturnType<typeof createClient>['auth']['signInWithOAuth']>[0]['provider'];

const storageKey = 'drawbridge';
const verifierKey = `${storageKey}-code-verifier`;

const userShape = z.object({
  id: z.string(),
  identities: z
    .array(
      z.object({
        provider: z.string(),
        identity_data: z.object({ email: z.string().optional(), email_verified: z.unknown() }).optional(),
      }),
    )
    .nullish(),
});

export function createSupabase(given: {
  config: SupabaseConfig;
  fetch: (operation: 'keys' | 'token') => PlainFetch;
  clock: Clock;
}): SignInWay & { keys(): Promise<{ issuer: string; keys: KeySet }> } {
  const { config, clock } = given;
  const { by, issuer } = config;
  const keys = createKeySet({ url: `${issuer}/.well-known/jwks.json`, fetch: given.fetch('keys'), clock });

  /** One sign-in's client: it keeps nothing beyond it. */
  function client(memory: Map<string, string>, leave: PlainFetch = given.fetch('token')) {
    return createClient(by.url, by.publishableKey, {
      auth: {
        flowType: 'pkce',
        autoRefreshToken: false,
        detectSessionInUrl: false,
        persistSession: true,
        storageKey,
        storage: {
          getItem: (name) => memory.get(name) ?? null,
          setItem: (name, value) => void memory.set(name, value),
          removeItem: (name) => void memory.delete(name),
        },
      },
      global: { fetch: leave },
    }).auth;
  }

  return {
    keys: async () => ({ issuer, keys }),

    async start({ hint, redirectUri, state }) {
      const memory = new Map<string, string>();
      const back = new URL(redirectUri);
      // Supabase keeps its own state with the provider, and has none with us: ours stands in our address.
      back.searchParams.set('state', state);
      const { data, error } = await client(memory).signInWithOAuth({
        provider: hint as OAuthProvider,
        options: { redirectTo: back.href, skipBrowserRedirect: true },
      });
      const codeVerifier = verifierIn(memory);
      if (error !== null || data.url === null || codeVerifier === undefined) {
        throw new Error('Supabase gave no address to sign in at', { cause: error });
      }
      return { url: data.url, kept: { codeVerifier } };
    },

    async finish({ callback, hint, kept }): Promise<Identity> {
      const { hostname } = new URL(by.url);
      const code = callback.searchParams.get('code');
      if (code === null) {
        const denied = callback.searchParams.get('error') === 'access_denied';
        throw denied ? notAgreed() : refused(hostname);
      }
      const memory = new Map([[verifierKey, JSON.stringify(kept.codeVerifier)]]);
      // The client makes an error of its own of what the door says; ours tells people more.
      let atTheDoor: DrawbridgeError | undefined;
      const leave: PlainFetch = async (input, init) => {
        try {
          return await given.fetch('token')(input, init);
        } catch (thrown) {
          if (thrown instanceof DrawbridgeError) atTheDoor = thrown;
          throw thrown;
        }
      };
      const { data, error } = await client(memory, leave).exchangeCodeForSession(code);
      if (error !== null) throw atTheDoor ?? refused(hostname, error);
      const claims = await keys.verify(data.session.access_token, {
        issuer,
        audience: 'authenticated',
        types: ['jwt'],
      });
      const user = userShape.safeParse(data.user);
      if (!user.success || user.data.id !== claims.sub) throw refused(hostname, user.error);
      // The user's own address counts for nothing: where a project confirms none, anyone may sign up with any.
      const account = user.data.identities?.find(({ provider }) => provider === hint)?.identity_data;
      return {
        issuer,
        subject: user.data.id,
        verifiedEmail: account?.email_verified === true ? account.email : undefined,
      };
    },
  };
}

function verifierIn(memory: Map<string, string>): string | undefined {
  for (const [name, value] of memory) {
    if (name.startsWith(verifierKey)) return String(JSON.parse(value));
  }
  return undefined;
}

function notAgreed(): DrawbridgeError {
  return new DrawbridgeError(
    'permission_denied',
    'You did not agree, or were not let in. Nobody was signed in.',
  );
}

function refused(hostname: string, cause?: unknown): DrawbridgeError {
  return new DrawbridgeError(
    'permission_denied',
    `What ${hostname} answered does not hold, and nobody was signed in. Begin again; if that does not help, the log has the reason.`,
    { field: 'token', cause },
  );
}
