// How a server known only by its address says where people sign in: each step on the wire, and each lie.
import { expect, onTestFinished, test } from 'vitest';
import { createMcpEmulator, type McpEmulator } from '../../sandbox/mcp-server.ts';
import { startProviderHosts } from '../../sandbox/providers.ts';
import { discoverAuthorization } from '../../src/auth/oauth/discover.ts';
import { createEgress } from '../../src/egress/door.ts';
import type { OAuthApp } from '../../src/providers/auth.ts';
import { Secret } from '../../src/secret.ts';
import { log } from '../connections/office.ts';
import { manualClock } from '../egress/manual-clock.ts';

const redirectUri = 'http://localhost:7331/api/v1/integrations/mcp/callback';

async function scene(change: (emulator: McpEmulator) => void = () => undefined) {
  const clock = manualClock();
  const emulator = createMcpEmulator(clock);
  change(emulator);
  const hosts = await startProviderHosts([emulator]);
  onTestFinished(() => hosts.close());
  const egress = createEgress({ allowLoopback: true, sandboxUrl: hosts.url, clock, log, random: () => 0 });
  onTestFinished(() => egress.close());
  const leave = egress.fetchFor({
    orgId: 'org_a',
    provider: 'mcp',
    connectionId: undefined,
    operation: 'authorize',
    cause: 'connect',
  });
  const discover = (app?: OAuthApp) =>
    discoverAuthorization({
      url: new URL('https://mcp.tools.example/mcp'),
      fetch: (input, init) => leave(input, { ...init, once: true }),
      redirectUri,
      app,
    });
  return { emulator, hosts, discover };
}

test('from the address alone: metadata, authorization server, a client registered for exactly our redirect', async () => {
  const { emulator, discover } = await scene();
  const found = await discover();
  expect(found?.app).toMatchObject({ clientId: 'registered-client' });
  expect(found?.app.clientSecret?.reveal()).toBe('registered-secret');
  expect(found?.auth).toMatchObject({
    authorizeUrl: 'https://auth.mcp.tools.example/authorize',
    tokenUrl: 'https://auth.mcp.tools.example/token',
    issuer: 'https://auth.mcp.tools.example',
    pkce: 'S256',
    clientAuthentication: 'body',
    scopes: ['tools'],
    authorizeParameters: { resource: 'https://mcp.tools.example/mcp' },
    tokenParameters: { resource: 'https://mcp.tools.example/mcp' },
  });
  expect(emulator.registered).toEqual([
    expect.objectContaining({ client_name: 'Drawbridge', redirect_uris: [redirectUri] }),
  ]);
});

test('a server that asks for no credential needs no sign-in', async () => {
  const { discover } = await scene((emulator) => {
    emulator.open = true;
  });
  expect(await discover()).toBeUndefined();
});

test('a client that a person registered is used, and no other is made', async () => {
  const { emulator, discover } = await scene((it) => {
    delete it.metadata.server['registration_endpoint'];
  });
  const app = { clientId: 'by-hand', clientSecret: new Secret('by-hand-secret') };
  expect((await discover(app))?.app).toBe(app);
  expect(emulator.registered).toEqual([]);
  await expect(discover()).rejects.toMatchObject({ retry: 'ask', field: 'client_id' });
});

type Lie = ['resource' | 'server', string, unknown];

test.each<[string, Lie]>([
  ['metadata of another resource', ['resource', 'resource', 'https://bank.example/mcp']],
  ['a resource beside its own path', ['resource', 'resource', 'https://mcp.tools.example/m']],
  ['no authorization server', ['resource', 'authorization_servers', []]],
  ['an issuer that calls itself otherwise', ['server', 'issuer', 'https://bank.example']],
  ['no PKCE with S256', ['server', 'code_challenge_methods_supported', ['plain']]],
  ['a token endpoint in clear', ['server', 'token_endpoint', 'http://auth.mcp.tools.example/token']],
  ['an authorization endpoint that is a script', ['server', 'authorization_endpoint', 'javascript:alert(1)']],
  ['an endpoint with a placeholder', ['server', 'token_endpoint', 'https://{host}/token']],
])('%s is refused, and nothing is registered', async (_what, [part, name, value]) => {
  const { emulator, discover } = await scene((it) => {
    it.metadata[part][name] = value;
  });
  await expect(discover()).rejects.toMatchObject({ code: 'malformed_response' });
  expect(emulator.registered).toEqual([]);
});

test('an authorization server inside the house is not reached', async () => {
  const { discover } = await scene((it) => {
    it.metadata.resource['authorization_servers'] = ['https://169.254.169.254'];
  });
  await expect(discover()).rejects.toThrow();
});
