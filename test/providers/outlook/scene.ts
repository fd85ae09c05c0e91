// An Outlook account of the sandbox behind the real door: what the provider's code asks is seen as Microsoft
// would have got it.
import { createHash } from 'node:crypto';
import { onTestFinished } from 'vitest';
import { createMicrosoft, type MicrosoftSandbox, microsoftApp } from '../../../sandbox/microsoft/graph.ts';
import { type ProviderHosts, startProviderHosts } from '../../../sandbox/providers.ts';
import { emptyWorld, loadWorld } from '../../../sandbox/world.ts';
import { providerContext } from '../../../src/connections/context.ts';
import { createEgress } from '../../../src/egress/door.ts';
import { DrawbridgeError } from '../../../src/errors.ts';
import type { WriteContext } from '../../../src/providers/define.ts';
import { provider } from '../../../src/providers/outlook/index.ts';
import { Secret } from '../../../src/secret.ts';
import { log } from '../../connections/office.ts';
import { type ManualClock, manualClock } from '../../egress/manual-clock.ts';

export interface Scene {
  microsoft: MicrosoftSandbox;
  hosts: ProviderHosts;
  clock: ManualClock;
  context: WriteContext;
  /** Requests since the last call of this. */
  asked(): { method: string; path: string; headers: Record<string, string>; body: string }[];
  announced(): number;
}

const all = [
  'User.Read',
  'Mail.Read',
  'Mail.Send',
  'Mail.ReadWrite',
  'Calendars.Read',
  'Calendars.ReadWrite',
];

function bearerOf({ authorization }: MicrosoftSandbox, scopes: readonly string[]): string {
  const verifier = 'v'.repeat(43);
  const redirect = 'http://localhost:7331/callback';
  const call = (path: string, query: Record<string, string>, body: URLSearchParams) =>
    authorization.handle({
      host: 'login.microsoftonline.com',
      method: 'POST',
      path: `/common/oauth2/v2.0/${path}`,
      query: new URLSearchParams(query),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: body.toString(),
    });
  const consented = new URLSearchParams({ decision: 'allow' });
  for (const scope of scopes) consented.append('scope', scope);
  const challenge = createHash('sha256').update(verifier).digest('base64url');
  const asked = { client_id: microsoftApp.clientId, redirect_uri: redirect, response_type: 'code' };
  const pkce = { code_challenge: challenge, code_challenge_method: 'S256' };
  const back = call('authorize', { ...asked, ...pkce, scope: scopes.join(' '), state: 's' }, consented);
  const code = new URL(back?.headers?.['location'] ?? '').searchParams.get('code') ?? '';
  const { clientId, clientSecret } = microsoftApp;
  const token = call(
    'token',
    {},
    new URLSearchParams({
      grant_type: 'authorization_code',
      code,
      redirect_uri: redirect,
      code_verifier: verifier,
      client_id: clientId,
      client_secret: clientSecret,
    }),
  );
  return (JSON.parse(token?.body ?? '{}') as { access_token: string }).access_token;
}

export async function openScene(
  given: { empty?: boolean; scopes?: readonly string[]; attachments?: Uint8Array[] } = {},
): Promise<Scene> {
  const clock = manualClock();
  const world = given.empty === true ? emptyWorld(clock.now()) : loadWorld(clock.now());
  const microsoft = createMicrosoft({ clock, world });
  const hosts = await startProviderHosts([microsoft.emulator]);
  const egress = createEgress({ allowLoopback: true, sandboxUrl: hosts.url, clock, log, random: () => 0 });
  onTestFinished(async () => {
    await egress.close();
    await hosts.close();
  });
  const base = providerContext({
    egress,
    clock,
    log,
    orgId: 'org_1',
    // Its own limits would make the tests wait.
    provider: { ...provider, limit: { perSecond: 10_000, burst: 10_000, concurrent: 20 } },
    connectionId: 'con_1',
    operation: 'test',
    cause: 'tool',
    fields: { tenant: 'common', email: world.user.email },
    secrets: new Map(),
    bearer: { fresh: async () => new Secret(bearerOf(microsoft, given.scopes ?? all)) },
  });
  let announced = 0;
  let seen = 0;
  return {
    microsoft,
    hosts,
    clock,
    announced: () => announced,
    asked() {
      const calls = hosts.calls().slice(seen);
      seen += calls.length;
      return calls.map(({ method, path, headers, body }) => ({ method, path, headers, body }));
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
      },
    },
  };
}
