// The shape of the sandbox's authorization server: what an emulator asks of it about a bearer, and what a
// test orders.
import type { Answer } from './http.ts';
import type { Call } from './providers.ts';

export interface AuthorizationOptions {
  /** Paths on the hosts that it answers for. */
  authorizePath: string;
  tokenPath: string;
  revokePath?: string;
  app: { clientId: string; clientSecret: string };
  /** Exact; a request with another one is shown an error and never redirected. Undefined: any on loopback. */
  redirectUris?: readonly string[];
  pkce: 'required' | 'optional';
  clientAuthentication: 'body' | 'basic';
  accessLivesS: number;
  /** `always`: a used refresh token dies, and its second use ends the whole grant (reuse detection). */
  rotation: 'always' | 'never';
  /** With `rotation: 'always'`: how long the used token still answers with the pair that replaced it. Default: not at all. */
  graceS?: number;
  /** With `rotation: 'always'`: whether the used token answers with a new pair until the one that it gave is used. */
  keepsUntilUsed?: boolean;
  /** With `rotation: 'never'`: whether a refresh answers with the same refresh token, or with none. Default: none. */
  repeatsRefreshToken?: boolean;
  /** Sent back as `iss` where given. */
  issuer?: string;
  /** Parameters beside code and state on the way back (`realmId`), and members of the token answer. */
  callbackExtras?: Record<string, string>;
  answerExtras?: Record<string, unknown>;
}

export interface AuthorizationServer {
  /** Undefined where the call is none of its paths. */
  handle(call: Call): Answer | undefined;
  /** The scopes of a live bearer; undefined for one that is unknown, expired or revoked. */
  scopesOf(authorization: string | undefined): readonly string[] | undefined;
  /** What the next person at the consent page does. Default: agrees. */
  next(deed: 'agree' | 'deny' | 'wrong-issuer' | 'wrong-state'): void;
  /** Every access token ends now; refresh tokens stay. */
  expireAccess(): void;
  /** The grant is gone, as when a person removes the app at the provider. */
  revokeAll(): void;
  /** Calls of the token endpoint so far, by grant type and outcome. */
  tokenCalls(): { grant: string; ok: boolean }[];
}
