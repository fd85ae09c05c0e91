// How a provider lets a program in, as declarations. Who speaks them is auth/oauth and connections; nothing
// here holds a credential.
import type { Secret } from '../secret.ts';

/** How long a token lives. What is not known is read from the answer: there is no word for "unknown". */
export type Lifetime = { seconds: number } | { readFrom: 'answer' } | 'endless';

/** The app that is registered at the provider: from the environment, or entered by a person. */
export interface OAuthApp {
  clientId: string;
  /** Undefined for a public client. */
  clientSecret: Secret | undefined;
}

/** What a token endpoint answered. */
export interface TokenAnswer {
  accessToken: Secret;
  /** Undefined where the answer has none: then the stored one stays. */
  refreshToken: Secret | undefined;
  /** Milliseconds from the answer; undefined where it does not say. */
  accessLivesMs: number | undefined;
  refreshLivesMs: number | undefined;
  /** Granted scopes, where the answer says. */
  scopes: readonly string[] | undefined;
  /** Members of the answer that the provider learns fields from; no secrets. */
  rest: Readonly<Record<string, unknown>>;
}

/** Fetch through the door, without credentials. Never retried. */
export type PlainFetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

/** A provider whose official client makes the token calls. Each makes one call at most, and none again by itself. */
export interface OfficialTokenClient {
  exchange(call: TokenCall & { callback: URL; redirectUri: string }): Promise<TokenAnswer>;
  refresh(call: TokenCall & { refreshToken: Secret }): Promise<TokenAnswer>;
  revoke(call: TokenCall & { token: Secret }): Promise<void>;
}

export interface TokenCall {
  app: OAuthApp;
  fields: Readonly<Record<string, unknown>>;
  fetch: PlainFetch;
  /** Runs work of a client that takes no fetch (axios) inside the door, as this connection. */
  within<Result>(work: () => Promise<Result>): Promise<Result>;
}

export interface OAuth2 {
  kind: 'oauth2';
  /** Whose registered app it is (`google` for gmail, google-calendar, google-drive): names the variables and the stored credentials. */
  app: string;
  authorizeUrl: string;
  tokenUrl: string;
  /** Default: `tokenUrl`. */
  refreshUrl?: string;
  /** Absent: the provider has no way to revoke, and disconnecting only forgets. */
  revocation?: {
    url: string;
    /** Which token ends the grant. */
    token: 'refresh' | 'access';
    /** `form`: RFC 7009; `json`: `{token}`; `none`: it stands in the header, as a bearer, and must be a live one. */
    body: 'form' | 'json' | 'none';
  };
  /** Where the answer to an authorization request names its issuer, it must be this (RFC 9207). */
  issuer?: string;
  pkce: 'S256' | 'not-supported';
  /** At the token endpoint: RFC 6749 2.3.1. `none`: a public client. */
  clientAuthentication: 'body' | 'basic' | 'none';
  /** Body of the token request. Default `form`. */
  bodyKind?: 'form' | 'json';
  /** Default: a space. */
  scopeSeparator?: ' ' | ',';
  /** Asked of everyone; operations and feeds add theirs, writes only where writing is enabled. */
  scopes: readonly string[];
  /** The scope that a granted one brings with it, though the answer does not name it. */
  implied?(granted: string): string;
  /** Added to the authorization request (`access_type: 'offline'`). */
  authorizeParameters?: Readonly<Record<string, string>>;
  /**
   * The part of a token answer that holds this connection's token, where there is more than one (a person's and an
   * app's); undefined: it has none of this kind. Default: the answer itself.
   */
  tokenIn?(
    answer: Readonly<Record<string, unknown>>,
    fields: Readonly<Record<string, unknown>>,
  ): Readonly<Record<string, unknown>> | undefined;
  /** Standard parameters that this provider calls otherwise, also as a `{placeholder}` of fields, or (null) does not take. */
  rename?: Readonly<Partial<Record<'client_id' | 'redirect_uri' | 'response_type' | 'scope', string | null>>>;
  /** Default `code`. */
  responseType?: string;
  /** Where the bearer stands on calls to the API. Default: `authorization`, after `Bearer `. */
  bearerHeader?: string;
  /** A signature of the provider's own over the way back. `now`: integer ms. @throws DrawbridgeError */
  checkCallback?(
    callback: URL,
    about: { app: OAuthApp; fields: Readonly<Record<string, unknown>>; now: number },
  ): void;
  /** Added to token requests. */
  tokenHeaders?: Readonly<Record<string, string>>;
  /** The same for their bodies (`resource` of RFC 8707). */
  tokenParameters?: Readonly<Record<string, string>>;
  accessToken: Lifetime;
  /** `rotation`: whether a refresh brings a new refresh token (`always`: and the old one dies). */
  refreshToken: { rotation: 'never' | 'sometimes' | 'always'; lifetime: Lifetime } | 'none';
  /** Lifetimes in the token answer under other names, in seconds. */
  answerNames?: { refreshExpiresIn?: string };
  /** The secret as which a person may paste a bearer made by hand at the provider: then nobody signs in, and no app is needed. */
  pasted?: string;
  official?: OfficialTokenClient;
  /** Where and how a person registers the app: one step a line, `{redirectUrl}` stands for ours. For docs and the connect page. */
  registration: readonly string[];
}

export type Auth =
  | OAuth2
  /** A key in a header or a query parameter of every call to the provider's hosts. */
  | { kind: 'api-key'; secret: string; place: { header: string; prefix?: string } | { query: string } }
  | { kind: 'basic'; user: { field: string } | { secret: string }; password: { secret: string } }
  /** The server itself says where people sign in (RFC 9728), or a bearer is pasted, or none is needed. */
  | { kind: 'discovered' }
  /** The provider's own protocol code uses the credentials (IMAP, SMTP, DAV). */
  | { kind: 'password' }
  | { kind: 'none' };
