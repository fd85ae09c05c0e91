// The credential of a connection on its way out: added here, to calls to the provider's own hosts and to no
// others. A bearer that is refused is renewed once, and the call made again.
import type { FetchOptions } from '../../egress/egress.ts';
import { DrawbridgeError } from '../../errors.ts';
import type { Auth, OAuth2 } from '../../providers/auth.ts';
import type { Provider } from '../../providers/define.ts';
import { fillUrl, isFilled } from '../../providers/template.ts';
import type { Secret } from '../../secret.ts';

type Fetch = (input: string | URL | Request, init?: FetchOptions) => Promise<Response>;

/** Where a bearer comes from. */
export interface Bearer {
  fresh(): Promise<Secret>;
  /** Absent while an account is being connected: its first token is all there is. */
  instead?(refused: Secret): Promise<Secret>;
}

export interface AttachParts {
  provider: Pick<Provider, 'auth' | 'http'>;
  fields: Readonly<Record<string, unknown>>;
  secret(name: string): Secret;
  bearer: Bearer;
  /** Of a connection that is reached by the provider's own MCP server. */
  mcpServerUrl?: string | undefined;
}

/** `leave` with the credential on calls to the provider's hosts. */
export function attaching(leave: Fetch, parts: AttachParts): Fetch {
  const { auth } = parts.provider;
  if (auth.kind !== 'oauth2' && auth.kind !== 'api-key' && auth.kind !== 'basic') return leave;
  const hosts = ownHosts(parts);
  return async (input, init = {}) => {
    const url = URL.parse(input instanceof Request ? input.url : String(input));
    if (url === null || !hosts.has(url.host) || url.protocol !== hosts.get(url.host)) {
      return leave(input, init);
    }
    if (auth.kind !== 'oauth2') return leave(...credentialed(input, init, url, auth, parts));
    // Once consumed a body is gone: it is kept for the second time.
    const call = await repeatable(input, init);
    const token = await parts.bearer.fresh();
    const answer = await leave(...withBearer(auth, call(), token));
    // A redirect may have led to a host that got no bearer: what that one refuses says nothing about ours.
    const elsewhere = answer.url !== '' && !hosts.has(new URL(answer.url).host);
    if (elsewhere || parts.bearer.instead === undefined) return answer;
    if (answer.status !== 401 && !(await saysEnded(answer, parts.provider.http))) return answer;
    // Refused before anything was done, so a write may be made again, too.
    const other = await parts.bearer.instead(token);
    await answer.body?.cancel();
    return leave(...withBearer(auth, call(), other));
  };
}

/** Of a provider that says so with another status (Slack: 200); the answer stays to be read. */
async function saysEnded(answer: Response, http: Provider['http']): Promise<boolean> {
  const isJson = /\bjson\b/i.test(answer.headers.get('content-type') ?? '');
  if (http?.bearerEnded === undefined || !isJson) return false;
  const text = await answer.clone().text();
  try {
    return http.bearerEnded(JSON.parse(text));
  } catch {
    // No JSON at all: whoever reads the answer says so.
    return false;
  }
}

/** Host (with its port) → protocol. */
function ownHosts({ provider, fields, mcpServerUrl }: AttachParts): Map<string, string> {
  const hosts = new Map<string, string>();
  for (const name of provider.http?.hosts ?? []) hosts.set(name, 'https:');
  const urls = [
    // What its address stands on may be learned by the first call (`probe`): until then it is no host of its own.
    ...(provider.http === undefined || !isFilled(provider.http.baseUrl, fields)
      ? []
      : [fillUrl(provider.http.baseUrl, fields)]),
    ...(mcpServerUrl === undefined ? [] : [new URL(mcpServerUrl)]),
  ];
  for (const url of urls) hosts.set(url.host, url.protocol);
  return hosts;
}

type Call = [input: string | URL | Request, init: FetchOptions];

function credentialed(
  input: string | URL | Request,
  init: FetchOptions,
  url: URL,
  auth: Extract<Auth, { kind: 'api-key' | 'basic' }>,
  { fields, secret }: AttachParts,
): Call {
  if (auth.kind === 'basic') {
    const user = 'field' in auth.user ? fields[auth.user.field] : secret(auth.user.secret).reveal();
    if (typeof user !== 'string') {
      throw new DrawbridgeError('auth_expired', 'The account has no user name stored. Connect it again.');
    }
    const pair = Buffer.from(`${user}:${secret(auth.password.secret).reveal()}`).toString('base64');
    return withHeader(input, init, 'authorization', `Basic ${pair}`);
  }
  const key = secret(auth.secret).reveal();
  if ('header' in auth.place) {
    return withHeader(input, init, auth.place.header, `${auth.place.prefix ?? ''}${key}`);
  }
  const keyed = new URL(url);
  keyed.searchParams.set(auth.place.query, key);
  return [input instanceof Request ? new Request(keyed, input) : keyed, init];
}

function withBearer({ bearerHeader }: OAuth2, call: Call, token: Secret): Call {
  return bearerHeader === undefined
    ? withHeader(...call, 'authorization', `Bearer ${token.reveal()}`)
    : withHeader(...call, bearerHeader, token.reveal());
}

function withHeader(input: string | URL | Request, init: FetchOptions, name: string, value: string): Call {
  const headers = new Headers(init.headers ?? (input instanceof Request ? input.headers : undefined));
  headers.set(name, value);
  return [input, { ...init, headers }];
}

/** The call as often as it is asked for. */
async function repeatable(input: string | URL | Request, init: FetchOptions): Promise<() => Call> {
  if (init.body instanceof ReadableStream) {
    const body = await new Response(init.body).arrayBuffer();
    return () => [input, { ...init, body }];
  }
  if (input instanceof Request && input.body !== null && init.body === undefined) {
    const body = await input.arrayBuffer();
    const bare = new Request(input.url, { method: input.method, headers: input.headers, body });
    return () => [bare.clone(), { signal: input.signal, ...init }];
  }
  return () => [input, init];
}
