// The provider of the connections bench, in a process of its own: an authorization server with rotation, and
// an API that takes its time. Messages: { mint: n } gives n grants, { delayMs } sets that time.
import { createServer } from 'node:http';
import { createAuthorizationServer } from '../sandbox/authorization-server.ts';
import { listen } from '../sandbox/listen.ts';
import type { Call } from '../sandbox/providers.ts';
import { systemClock } from '../src/clock.ts';
import { apiHost, harbourApp, loginHost } from '../test/faults/refresh-provider.ts';

export interface Minted {
  access: string;
  refresh: string;
}

export type Order = { mint: number } | { delayMs: number };
export type Answered = { url: string } | { minted: Minted[] } | { delayMs: number };

const server = createAuthorizationServer(
  {
    authorizePath: '/authorize',
    tokenPath: '/token',
    revokePath: '/revoke',
    app: harbourApp,
    pkce: 'optional',
    clientAuthentication: 'basic',
    accessLivesS: 3_600,
    rotation: 'always',
  },
  systemClock,
);
let delayMs = 0;
let accounts = 0;

const redirectUri = 'http://localhost/back';
const basic = `Basic ${Buffer.from(`${harbourApp.clientId}:${harbourApp.clientSecret}`).toString('base64')}`;

function ask(path: string, query: Record<string, string>, body: Record<string, string>) {
  const headers = { authorization: basic, 'content-type': 'application/x-www-form-urlencoded' };
  const call: Call = {
    method: 'POST',
    host: loginHost,
    path,
    query: new URLSearchParams(query),
    headers,
    body: new URLSearchParams(body).toString(),
  };
  return server.handle(call);
}

function mint(): Minted {
  const agreed = ask(
    '/authorize',
    {
      client_id: harbourApp.clientId,
      redirect_uri: redirectUri,
      response_type: 'code',
      scope: 'berths.read',
    },
    { decision: 'allow', scope: 'berths.read' },
  );
  const code = new URL(agreed?.headers?.['location'] ?? '').searchParams.get('code') ?? '';
  const answer = ask('/token', {}, { grant_type: 'authorization_code', code, redirect_uri: redirectUri });
  const tokens = JSON.parse(answer?.body ?? '{}') as { access_token: string; refresh_token: string };
  return { access: tokens.access_token, refresh: tokens.refresh_token };
}

const http = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const url = new URL(request.url ?? '/', 'http://sandbox.test');
    const [, host = '', path = '/'] = /^\/([^/]*)(.*)$/.exec(url.pathname) ?? [];
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
    );
    const call: Call = {
      method: request.method ?? 'GET',
      host,
      path,
      query: url.searchParams,
      headers,
      body: Buffer.concat(chunks).toString('utf8'),
    };
    const reply = (): void => {
      const known = host === apiHost && server.scopesOf(headers['authorization']) !== undefined;
      if (known && path === '/me') accounts += 1;
      const answer = server.handle(call) ?? {
        status: known ? 200 : 401,
        body: JSON.stringify({ account: `berth-${accounts}@harbour.example` }),
      };
      response.writeHead(answer.status, answer.headers).end(answer.body);
    };
    if (delayMs === 0 || path === '/authorize') reply();
    else setTimeout(reply, delayMs);
  });
});

const { host, port } = await listen(http);
process.on('message', (order: Order) => {
  if ('mint' in order) {
    process.send?.({ minted: Array.from({ length: order.mint }, mint) } satisfies Answered);
  } else {
    ({ delayMs } = order);
    process.send?.({ delayMs } satisfies Answered);
  }
});
process.on('disconnect', () => process.exit(0));
process.send?.({ url: `http://${host}:${port}` } satisfies Answered);
