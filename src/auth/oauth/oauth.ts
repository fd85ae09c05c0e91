// What a token endpoint is asked, for whatever provider: the authorization request, the exchange, the
// refresh, the revocation. One call each, never made twice by itself; nothing is stored here.
import type { OAuth2, OAuthApp, TokenAnswer, TokenCall } from '../../providers/auth.ts';
import type { Secret } from '../../secret.ts';

/** What one connection is asked for and answered with, beyond the declaration. */
export interface Grant extends TokenCall {
  auth: OAuth2;
}

export interface AuthorizationRequest {
  auth: OAuth2;
  app: OAuthApp;
  fields: Readonly<Record<string, unknown>>;
  scopes: readonly string[];
  /** Exactly as registered at the provider. */
  redirectUri: string;
  /** Unguessable, single-use. */
  state: string;
  /** PKCE, where the provider takes it. */
  codeVerifier: Secret;
}

export interface OAuth {
  authorizationUrl(request: AuthorizationRequest): Promise<URL>;
  /**
   * @param callback the address that the browser came back to, whole
   * @throws DrawbridgeError `permission_denied` (the person said no), `invalid_request` (wrong issuer, no code),
   * `auth_expired` (the code is spent or too old), `provider_unavailable`, `malformed_response`
   */
  exchange(
    grant: Grant,
    given: { callback: URL; redirectUri: string; codeVerifier: Secret },
  ): Promise<TokenAnswer>;
  /** @throws DrawbridgeError `auth_revoked` on `invalid_grant`; `permission_denied` where the app itself is refused; others pass */
  refresh(grant: Grant, refreshToken: Secret): Promise<TokenAnswer>;
  /** A token that the provider no longer knows counts as revoked. */
  revoke(grant: Grant, tokens: { access: Secret | undefined; refresh: Secret | undefined }): Promise<void>;
}
