// The official client, with nothing but the address of /mcp: finds the issuer, registers, has its person agree,
// and calls a tool. The server is the whole program.
import { request as httpRequest } from 'node:http';
import {
  Client,
  type OAuthClientProvider,
  type StoredOAuthClientInformation,
  type StoredOAuthTokens,
  StreamableHTTPClientTransport,
} from '@modelcontextprotocol/client';
import { expect, onTestFinished, test } from 'vitest';
import { createOidcIssuer } from '../../sandbox/oidc-issuer.ts';
import { startProviderHosts } from '../../sandbox/providers.ts';
import { createMembers } from '../../src/auth/members.ts';
import { systemClock } from '../../src/clock.ts';
import { loadConfig } from '../../src/config.ts';
import { runServe } from '../../src/server.ts';
import { temporaryHome } from '../connections/office.ts';
import { ana, client as pages, publicUrl, resource } from '../http/issuer-scene.ts';

const issuer = createOidcIssuer({ host: 'login.example', client: pages, people: [ana] }, systemClock);

async function open() {
  const hosts = await startProviderHosts([issuer]);
  onTestFinished(() => hosts.close());
  const config = loadConfig({
    DRAWBRIDGE_HOME: await temporaryHome(),
    DRAWBRIDGE_LOG_LEVEL: 'silent',
    DRAWBRIDGE_ALLOW_LOOPBACK: '1',
    DRAWBRIDGE_SANDBOX_URL: hosts.url,
    DRAWBRIDGE_PUBLIC_URL: publicUrl,
    DRAWBRIDGE_OIDC_ISSUER: issuer.issuer,
    DRAWBRIDGE_OIDC_CLIENT_ID: pages.id,
    DRAWBRIDGE_OIDC_CLIENT_SECRET: pages.secret,
  });
  const serving = await runServe(config, { port: 0 });
  onTestFinished(() => serving.close());
  const { store, org } = serving.rooms;
  const members = createMembers({ store, clock: systemClock });
  await members.add(org.orgId, { email: ana.email, name: 'Ana', role: 'owner' });
  // She has signed in before.
  await members.admit({ issuer: issuer.issuer, subject: ana.subject, verifiedEmail: ana.email });
  const port = serving.web()?.port ?? 0;
  return { fetch: throughProxy(port, hosts.url) };
}

/** What https in front of the program, and DNS, would do: the public name leads to it, any other to the sandbox. */
function throughProxy(port: number, sandbox: string): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    const url = new URL(request.url);
    if (url.origin !== publicUrl) {
      const body = request.method === 'GET' ? undefined : await request.text();
      return fetch(`${sandbox}/${url.host}${url.pathname}${url.search}`, {
        method: request.method,
        headers: request.headers,
        ...(body === undefined ? {} : { body }),
        redirect: 'manual',
      });
    }
    const body = Buffer.from(await request.arrayBuffer());
    return new Promise((resolve, reject) => {
      const headers = {
        ...Object.fromEntries(request.headers),
        host: url.host,
        'content-length': body.length,
      };
      const { method } = request;
      const path = `${url.pathname}${url.search}`;
      const sent = httpRequest(
        { host: '127.0.0.1', port, path, method, headers, agent: false },
        (response) => {
          const status = response.statusCode ?? 0;
          const answered = new Headers();
          for (const [name, value] of Object.entries(response.headers)) answered.set(name, String(value));
          const stream = new ReadableStream<Uint8Array>({
            start(controller) {
              response.on('data', (chunk: Buffer) => controller.enqueue(new Uint8Array(chunk)));
              response.on('end', () => controller.close());
              response.on('error', (error) => controller.error(error));
            },
            cancel: () => void response.destroy(),
          });
          resolve(new Response([204, 304].includes(status) ? null : stream, { status, headers: answered }));
        },
      );
      request.signal.addEventListener('abort', () => sent.destroy());
      sent.on('error', reject);
      sent.end(body);
    });
  };
}

/** An agent's memory of its sign-in; `agree` is its person in a browser. */
function remembering(agree: (url: URL) => Promise<void>): OAuthClientProvider & { told: URL[] } {
  let information: StoredOAuthClientInformation | undefined;
  let tokens: StoredOAuthTokens | undefined;
  let verifier = '';
  return {
    told: [],
    redirectUrl: 'http://localhost:4000/callback',
    clientMetadata: { client_name: 'An agent', redirect_uris: ['http://localhost:4000/callback'] },
    clientInformation: () => information,
    saveClientInformation(given) {
      information = given;
    },
    tokens: () => tokens,
    saveTokens(given) {
      tokens = given;
    },
    async redirectToAuthorization(url) {
      this.told.push(url);
      await agree(url);
    },
    saveCodeVerifier(given) {
      verifier = given;
    },
    codeVerifier: () => verifier,
  };
}

test('the official client finds its way in by the address alone, and calls a tool as its person’s agent', async () => {
  const { fetch } = await open();
  let back = new URL('http://localhost:4000/callback');
  const provider = remembering(async (url) => {
    const body = new URLSearchParams({ person: ana.subject });
    const answer = await fetch(url, { method: 'POST', body, redirect: 'manual' });
    back = new URL(answer.headers.get('location') ?? '');
  });
  const transport = () =>
    new StreamableHTTPClientTransport(new URL(resource), { authProvider: provider, fetch });
  const first = transport();
  const client = new Client({ name: 'agent', version: '1' });
  await expect(client.connect(first)).rejects.toThrow();
  const [asked] = provider.told;
  expect(asked?.origin).toBe(issuer.issuer);
  expect(asked?.searchParams.get('resource')).toBe(resource);
  expect(asked?.searchParams.get('scope')).toBe('read propose');
  await first.finishAuth(back.searchParams);

  const again = new Client({ name: 'agent', version: '1' });
  await again.connect(transport());
  onTestFinished(() => again.close());
  const { tools } = await again.listTools();
  expect(tools.map(({ name }) => name)).toContain('search');
  const answer = await again.callTool({ name: 'list-connections', arguments: {} });
  expect(answer.isError ?? false).toBe(false);
});

test('a session belongs to the person, client and scopes of the token that opened it, and goes on under its next token', async () => {
  const { fetch } = await open();
  const good = { sub: ana.subject, aud: resource, client_id: 'one', scope: 'read propose' };
  const send = (claims: Record<string, unknown>, body: unknown, session?: string) =>
    fetch(resource, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        authorization: `Bearer ${issuer.accessToken({ ...good, ...claims })}`,
        ...(session === undefined ? {} : { 'mcp-session-id': session }),
      },
      body: JSON.stringify(body),
    });
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'a', version: '1' } };
  const opened = await send({}, { jsonrpc: '2.0', id: 1, method: 'initialize', params });
  const session = opened.headers.get('mcp-session-id') ?? '';
  await opened.text();
  const list = { jsonrpc: '2.0', id: 2, method: 'tools/list' };
  for (const [claims, status] of [
    [{ jti: 'the next' }, 200],
    [{ client_id: 'two' }, 404],
    // What a session was opened to do, a lesser token must not.
    [{ scope: 'read' }, 404],
    [{ sub: 'u-nobody' }, 403],
  ] as const) {
    const answer = await send(claims, list, session);
    expect([claims, answer.status]).toEqual([claims, status]);
    await answer.text();
  }
});
