// What the scenes of all providers stand on: emulators behind the real door, and a context as the house makes it.
import { createHash } from 'node:crypto';
import { onTestFinished } from 'vitest';
import type { AuthorizationServer } from '../../sandbox/authorization.ts';
import { type Call, type Emulator, type ProviderHosts, startProviderHosts } from '../../sandbox/providers.ts';
import type { Clock } from '../../src/clock.ts';
import { providerContext } from '../../src/connections/operate/context.ts';
import { createEgress } from '../../src/egress/door.ts';
import type { ProviderContext } from '../../src/providers/define.ts';
import { log } from '../connections/office.ts';

type Made = Parameters<typeof providerContext>[0];

export interface Stage {
  hosts: ProviderHosts;
  context(given: Pick<Made, 'provider' | 'clock' | 'fields'> & Partial<Made>): ProviderContext;
  /** Since the last call of this. */
  calls(): Call[];
}

/** Closed when the test is over. `clock`: the door's. */
export async function openStage(emulators: readonly Emulator[], clock: Clock): Promise<Stage> {
  const hosts = await startProviderHosts(emulators);
  const egress = createEgress({ allowLoopback: true, sandboxUrl: hosts.url, clock, log, random: () => 0 });
  onTestFinished(async () => {
    await egress.close();
    await hosts.close();
  });
  let seen = 0;
  return {
    hosts,
    context: (given) =>
      providerContext({
        egress,
        log,
        orgId: 'org_1',
        connectionId: 'con_1',
        operation: 'test',
        cause: 'tool',
        secrets: new Map(),
        ...given,
        // Its own limits would make the tests wait.
        provider: { ...given.provider, limit: { perSecond: 10_000, burst: 10_000, concurrent: 20 } },
      }),
    calls() {
      const calls = hosts.calls().slice(seen);
      seen += calls.length;
      return calls;
    },
  };
}

/** The bearer of somebody who agrees to these scopes, by code and PKCE. `path`: below it stand `authorize` and `token`. */
export function consentedBearer(
  authorization: AuthorizationServer,
  at: {
    host: string;
    path: string;
    app: { clientId: string; clientSecret: string };
    scopes: readonly string[];
  },
): string {
  const verifier = 'v'.repeat(43);
  const redirect = 'http://localhost:7331/callback';
  const call = (path: string, query: Record<string, string>, body: URLSearchParams) =>
    authorization.handle({
      host: at.host,
      method: 'POST',
      path: `${at.path}/${path}`,
      query: new URLSearchParams(query),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: body.toString(),
    });
  const consented = new URLSearchParams({ decision: 'allow' });
  for (const scope of at.scopes) consented.append('scope', scope);
  const { clientId: client_id, clientSecret: client_secret } = at.app;
  const asked = {
    client_id,
    redirect_uri: redirect,
    response_type: 'code',
    scope: at.scopes.join(' '),
    state: 's',
  };
  const challenge = createHash('sha256').update(verifier).digest('base64url');
  const back = call(
    'authorize',
    { ...asked, code_challenge: challenge, code_challenge_method: 'S256' },
    consented,
  );
  const code = new URL(back?.headers?.['location'] ?? '').searchParams.get('code') ?? '';
  const form = { grant_type: 'authorization_code', code, redirect_uri: redirect, code_verifier: verifier };
  const token = call('token', {}, new URLSearchParams({ ...form, client_id, client_secret }));
  return (JSON.parse(token?.body ?? '{}') as { access_token: string }).access_token;
}
