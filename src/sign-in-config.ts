// The part of the environment that says how people sign in to a hosted Drawbridge, and whose access tokens
// agents may show. None of it is needed in local mode.
import { z } from 'zod';
import { Secret } from './secret.ts';

export const signInVariables = {
  DRAWBRIDGE_OIDC_ISSUER: z
    .url({ protocol: /^https$/ })
    .optional()
    .describe(
      'OpenID Connect issuer at which people sign in, and whose access tokens agents may show at /mcp. Needs DRAWBRIDGE_PUBLIC_URL and DRAWBRIDGE_OIDC_CLIENT_ID. See docs/guide/hosted-sign-in.md.',
    ),
  DRAWBRIDGE_OIDC_CLIENT_ID: z
    .string()
    .min(1)
    .optional()
    .describe(
      "Drawbridge's client at that issuer; its redirect URI is DRAWBRIDGE_PUBLIC_URL/sign-in/callback.",
    ),
  DRAWBRIDGE_OIDC_CLIENT_SECRET: z
    .string()
    .min(1)
    .optional()
    .describe('Secret of that client. Not set: a public client, which PKCE alone protects.'),
  DRAWBRIDGE_OIDC_AUDIENCE: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Audience (`aud`) that an access token must be meant for to be taken at /mcp. Default: DRAWBRIDGE_PUBLIC_URL/mcp.',
    ),
  DRAWBRIDGE_OIDC_HINT: z
    .string()
    .regex(/^[a-z_]{1,40}$/, 'must be the name of a parameter')
    .optional()
    .describe(
      'Parameter in which the issuer is told which of DRAWBRIDGE_SIGN_IN_WITH was chosen: kc_idp_hint (Keycloak), connection (Auth0), identity_provider (Cognito).',
    ),
  DRAWBRIDGE_SUPABASE_URL: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('Supabase project at whose Auth people sign in, instead of DRAWBRIDGE_OIDC_ISSUER.'),
  DRAWBRIDGE_SUPABASE_PUBLISHABLE_KEY: z
    .string()
    .min(1)
    .optional()
    .describe('Publishable (or anon) key of that project. It is no secret; the secret key is never needed.'),
  DRAWBRIDGE_SIGN_IN_WITH: z
    .string()
    .regex(
      /^(google|apple|linkedin)(=[\w.-]{1,60})?(,(google|apple|linkedin)(=[\w.-]{1,60})?)*$/,
      'must be of google, apple and linkedin, with commas between',
    )
    .optional()
    .describe(
      "Buttons of the sign-in page, of google, apple and linkedin, with commas between: accounts that the issuer takes. Where the issuer's own name for one differs: `google=google-oauth2`.",
    ),
} as const;

const titles = { google: 'Google', apple: 'Apple', linkedin: 'LinkedIn' } as const;
/** https://supabase.com/docs/guides/auth/social-login: LinkedIn goes by OpenID Connect under this name. */
const supabaseNames: Partial<Record<string, string>> = { linkedin: 'linkedin_oidc' };

/** A button of the sign-in page. */
export interface SignInOption {
  id: string;
  title: string;
  /** What the issuer calls it; undefined: the issuer asks by itself. */
  hint: string | undefined;
}

export interface HostedSignIn {
  /** Public origin, without a slash at its end. */
  origin: string;
  /** The address of /mcp, which access tokens are asked for (RFC 8707). */
  resource: string;
  /** What an access token's `aud` must hold. */
  audience: string;
  issuer: string;
  options: readonly SignInOption[];
  by:
    | { kind: 'oidc'; clientId: string; clientSecret: Secret | undefined; hintParameter: string | undefined }
    | { kind: 'supabase'; url: string; publishableKey: string };
}

type Given = z.output<z.ZodObject<typeof signInVariables>> & { DRAWBRIDGE_PUBLIC_URL?: string | undefined };

const loopback = /^(?:localhost|[a-z0-9-]+\.localhost|127\.0\.0\.1|\[::1\])$/;

/** What is set, whole; or what is missing to make it so. */
export function signInOf(v: Given): { found?: HostedSignIn; faults: string[] } {
  const named = Object.keys(signInVariables).find((name) => v[name as keyof Given] !== undefined);
  if (named === undefined) return { faults: [] };
  const publicUrl = v.DRAWBRIDGE_PUBLIC_URL === undefined ? undefined : new URL(v.DRAWBRIDGE_PUBLIC_URL);
  if (publicUrl === undefined) return { faults: [`${named}: needs DRAWBRIDGE_PUBLIC_URL`] };
  const faults: string[] = [];
  if (publicUrl.protocol !== 'https:' && !loopback.test(publicUrl.hostname)) {
    faults.push(`DRAWBRIDGE_PUBLIC_URL: must be https where people sign in, as ${named} says`);
  }
  if (publicUrl.pathname !== '/' || publicUrl.search !== '') {
    faults.push(`DRAWBRIDGE_PUBLIC_URL: must have no path where people sign in, as ${named} says`);
  }
  const by = wayOf(v, faults);
  const { origin } = publicUrl;
  const resource = `${origin}/mcp`;
  const audience = v.DRAWBRIDGE_OIDC_AUDIENCE ?? resource;
  if (audience === v.DRAWBRIDGE_OIDC_CLIENT_ID) {
    faults.push(
      'DRAWBRIDGE_OIDC_AUDIENCE: is the client that people sign in with; an ID token would pass for an access token',
    );
  }
  if (by === undefined || faults.length > 0) return { faults };
  const issuer = by.kind === 'oidc' ? String(v.DRAWBRIDGE_OIDC_ISSUER) : `${by.url}/auth/v1`;
  return {
    found: { origin, resource, audience, issuer, options: optionsOf(v, by.kind, issuer), by },
    faults,
  };
}

function wayOf(v: Given, faults: string[]): HostedSignIn['by'] | undefined {
  const options = v.DRAWBRIDGE_SIGN_IN_WITH;
  if (v.DRAWBRIDGE_SUPABASE_URL !== undefined) {
    const url = new URL(v.DRAWBRIDGE_SUPABASE_URL);
    if (v.DRAWBRIDGE_OIDC_ISSUER !== undefined || v.DRAWBRIDGE_OIDC_CLIENT_ID !== undefined) {
      faults.push(
        'DRAWBRIDGE_SUPABASE_URL: there is DRAWBRIDGE_OIDC_ISSUER or its client, too; one place it is',
      );
    }
    if (url.protocol !== 'https:' && !loopback.test(url.hostname)) {
      faults.push('DRAWBRIDGE_SUPABASE_URL: must be https');
    }
    if (options === undefined) {
      faults.push('DRAWBRIDGE_SUPABASE_URL: needs DRAWBRIDGE_SIGN_IN_WITH');
    }
    if (v.DRAWBRIDGE_SUPABASE_PUBLISHABLE_KEY === undefined) {
      faults.push('DRAWBRIDGE_SUPABASE_URL: needs DRAWBRIDGE_SUPABASE_PUBLISHABLE_KEY');
      return undefined;
    }
    const publishableKey = v.DRAWBRIDGE_SUPABASE_PUBLISHABLE_KEY;
    return { kind: 'supabase', url: url.href.replace(/\/$/, ''), publishableKey };
  }
  if (v.DRAWBRIDGE_SUPABASE_PUBLISHABLE_KEY !== undefined) {
    faults.push('DRAWBRIDGE_SUPABASE_PUBLISHABLE_KEY: needs DRAWBRIDGE_SUPABASE_URL');
  }
  if (v.DRAWBRIDGE_OIDC_ISSUER === undefined || v.DRAWBRIDGE_OIDC_CLIENT_ID === undefined) {
    faults.push('DRAWBRIDGE_OIDC_ISSUER and DRAWBRIDGE_OIDC_CLIENT_ID: the one needs the other');
    return undefined;
  }
  if (options !== undefined && v.DRAWBRIDGE_OIDC_HINT === undefined) {
    faults.push('DRAWBRIDGE_SIGN_IN_WITH: needs DRAWBRIDGE_OIDC_HINT, by which the issuer is told');
  }
  const clientSecret = v.DRAWBRIDGE_OIDC_CLIENT_SECRET;
  return {
    kind: 'oidc',
    clientId: v.DRAWBRIDGE_OIDC_CLIENT_ID,
    clientSecret: clientSecret === undefined ? undefined : new Secret(clientSecret),
    hintParameter: v.DRAWBRIDGE_OIDC_HINT,
  };
}

function optionsOf(v: Given, kind: 'oidc' | 'supabase', issuer: string): SignInOption[] {
  const listed = v.DRAWBRIDGE_SIGN_IN_WITH?.split(',') ?? [];
  if (listed.length === 0) return [{ id: 'issuer', title: new URL(issuer).hostname, hint: undefined }];
  return listed.map((entry) => {
    const [id = '', name] = entry.split('=');
    const usual = kind === 'supabase' ? (supabaseNames[id] ?? id) : id;
    return { id, title: titles[id as keyof typeof titles], hint: name ?? usual };
  });
}
