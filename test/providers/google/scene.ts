// A Google account of the sandbox behind the real door: what a provider's code asks is seen as Google would
// have got it.
import { createHash } from 'node:crypto';
import { createGoogle, type GoogleSandbox, googleApp } from '../../../sandbox/google/google.ts';
import type { ProviderHosts } from '../../../sandbox/providers.ts';
import { emptyWorld, loadWorld } from '../../../sandbox/world.ts';
import { systemClock } from '../../../src/clock.ts';
import { DrawbridgeError } from '../../../src/errors.ts';
import type { Provider, WriteContext } from '../../../src/providers/define.ts';
import { Secret } from '../../../src/secret.ts';
import { manualClock } from '../../egress/manual-clock.ts';
import { openStage } from '../stage.ts';

export interface Scene {
  google: GoogleSandbox;
  hosts: ProviderHosts;
  /** Bound to one connection with the scopes given. */
  context: WriteContext;
  /** Requests since the last call of this, as a person reads them. */
  asked(): string[];
  /** How often `aboutToSend` was called. */
  announced(): number;
}

/** The bearer that a person's consent to these scopes brings. */
export function bearerFor(google: GoogleSandbox, scopes: readonly string[]): string {
  const verifier = 'v'.repeat(43);
  const redirect = 'http://localhost:7331/callback';
  const query = new URLSearchParams({
    client_id: googleApp.clientId,
    redirect_uri: redirect,
    response_type: 'code',
    scope: scopes.join(' '),
    state: 'state',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  });
  const consented = new URLSearchParams({ decision: 'allow' });
  for (const scope of scopes) consented.append('scope', scope);
  const back = google.authorization.handle({
    host: 'accounts.google.com',
    method: 'POST',
    path: '/o/oauth2/v2/auth',
    query,
    headers: {},
    body: consented.toString(),
  });
  const code = new URL(back?.headers?.['location'] ?? '').searchParams.get('code') ?? '';
  const token = google.authorization.handle({
    host: 'oauth2.googleapis.com',
    method: 'POST',
    path: '/token',
    query: new URLSearchParams(),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      code,
      redirect_uri: redirect,
      code_verifier: verifier,
      client_id: googleApp.clientId,
      client_secret: googleApp.clientSecret,
    }).toString(),
  });
  return (JSON.parse(token?.body ?? '{}') as { access_token: string }).access_token;
}

/** All scopes that a provider may ask for. */
export function scopesOf(provider: Provider): string[] {
  const own = provider.auth.kind === 'oauth2' ? provider.auth.scopes : [];
  const more = [...Object.values(provider.operations), ...Object.values(provider.feeds)];
  return [...new Set([...own, ...more.flatMap(({ scopes }) => scopes ?? [])])];
}

export async function openScene(
  provider: Provider,
  given: {
    empty?: boolean;
    scopes?: readonly string[];
    fields?: Record<string, unknown>;
    attachments?: Uint8Array[];
    aboutToSend?: () => Promise<void>;
    signal?: AbortSignal;
  } = {},
): Promise<Scene> {
  const clock = manualClock();
  const world = given.empty === true ? emptyWorld(clock.now()) : loadWorld(clock.now());
  const google = createGoogle({ clock, world });
  const stage = await openStage([google.emulator], systemClock);
  const { hosts } = stage;
  const consent = async () => new Secret(bearerFor(google, given.scopes ?? scopesOf(provider)));
  let bearer = consent();
  const base = stage.context({
    clock,
    provider,
    fields: given.fields ?? { email: world.user.email },
    bearer: {
      fresh: () => bearer,
      instead: () => {
        bearer = consent();
        return bearer;
      },
    },
    signal: given.signal,
  });
  let announced = 0;
  return {
    google,
    hosts,
    announced: () => announced,
    asked() {
      return stage
        .calls()
        .map(({ method, host, path, query, body }) =>
          [`${method} https://${host}${path}${query.size === 0 ? '' : `?${query}`}`, body]
            .filter((part) => part !== '')
            .join('\n'),
        );
    },
    context: {
      ...base,
      effectKey: 'eff_01test',
      async attachment(sha256) {
        const found = given.attachments?.find(
          (bytes) => createHash('sha256').update(bytes).digest('hex') === sha256,
        );
        if (found === undefined) throw new DrawbridgeError('not_found', 'no such attachment');
        return found;
      },
      async aboutToSend() {
        announced += 1;
        await given.aboutToSend?.();
      },
    },
  };
}
