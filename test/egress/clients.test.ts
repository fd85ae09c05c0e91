// Every official client, each kind of call that it makes (also its refresh and its revoke): nothing leaves but
// by the door, and none of them tries again by itself.
import { Agent, get } from 'node:https';
import { Socket } from 'node:net';
import { calendar } from '@googleapis/calendar';
import { drive } from '@googleapis/drive';
import { gmail } from '@googleapis/gmail';
import { Client as HubSpot } from '@hubspot/api-client';
import { Client as McpClient, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { createClient } from '@supabase/supabase-js';
import OAuthClient from 'intuit-oauth';
import { createRemoteJWKSet, customFetch as joseFetch, jwtVerify } from 'jose';
import * as oauth from 'oauth4webapi';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import type { Egress } from '../../src/egress/egress.ts';
import type { ProviderContext } from '../../src/providers/define.ts';
import { throughTheDoor } from '../../src/providers/google.ts';
import { auth as quickbooks } from '../../src/providers/quickbooks/auth.ts';
import { Secret } from '../../src/secret.ts';
import { caller, door, serve } from './wire.ts';

type Fetch = ReturnType<Egress['fetchFor']>;

// The socket trap: whoever opens one is written down, and only the sandbox is let through.
const opened: string[] = [];
let sandboxPort: number | undefined;
const connect = Socket.prototype.connect;

beforeAll(() => {
  Socket.prototype.connect = function (this: Socket, ...given: unknown[]) {
    const [first] = (Array.isArray(given[0]) ? given[0] : given) as [
      { host?: string; port?: number | string },
    ];
    opened.push(`${first.host}:${first.port}`);
    if (Number(first.port) !== sandboxPort) {
      process.nextTick(() => this.destroy(new Error('caught in the trap')));
      return this;
    }
    return Reflect.apply(connect, this, given) as Socket;
  } as typeof connect;
});
afterAll(() => {
  Socket.prototype.connect = connect;
});
beforeEach(() => {
  opened.length = 0;
  sandboxPort = undefined;
});

interface Case {
  name: string;
  /** As the sandbox sees it: the true host in front. */
  leaves: string;
  call(fetch: Fetch, within: Within): Promise<unknown>;
}

const google = (fetch: Fetch) => throughTheDoor({ fetch } as unknown as ProviderContext);

type Within = <Result>(work: () => Promise<Result>) => Promise<Result>;

const tokenCall = (fetch: Fetch, within: Within) => ({
  app: { clientId: 'client', clientSecret: new Secret('client-secret') },
  fields: {},
  fetch,
  within,
});

/** For what the provider's own code does not use. */
function intuit(): OAuthClient {
  const client = new OAuthClient({
    clientId: 'client',
    clientSecret: 'secret',
    environment: 'sandbox',
    redirectUri: 'https://here.example/callback',
    token: {
      access_token: 'a',
      refresh_token: 'r',
      expires_in: 3600,
      x_refresh_token_expires_in: 8_640_000,
      createdAt: Date.now(),
    },
  });
  // As the provider's own code does: left on, the client's retry makes four calls of one.
  client.shouldRetry = () => false;
  return client;
}

const server: oauth.AuthorizationServer = {
  issuer: 'https://auth.example.com',
  authorization_endpoint: 'https://auth.example.com/authorize',
  token_endpoint: 'https://auth.example.com/token',
  revocation_endpoint: 'https://auth.example.com/revoke',
};
const app: oauth.Client = { client_id: 'client' };
const secret = oauth.ClientSecretPost('secret');
const options = (fetch: Fetch) => ({
  [oauth.customFetch]: (url: string, init: oauth.CustomFetchOptions<string, URLSearchParams | undefined>) =>
    fetch(url, { ...(init as RequestInit), once: true }),
});

const cases: Case[] = [
  {
    name: 'Gmail lists',
    leaves: 'GET /gmail.googleapis.com/gmail/v1/users/me/messages',
    call: (fetch) => gmail({ version: 'v1', ...google(fetch) }).users.messages.list({ userId: 'me' }),
  },
  {
    name: 'Gmail sends',
    leaves: 'POST /gmail.googleapis.com/gmail/v1/users/me/messages/send',
    call: (fetch) =>
      gmail({ version: 'v1', ...google(fetch) }).users.messages.send({
        userId: 'me',
        requestBody: { raw: 'eA' },
      }),
  },
  {
    name: 'Gmail uploads',
    leaves: 'POST /gmail.googleapis.com/upload/gmail/v1/users/me/messages/send',
    call: (fetch) =>
      gmail({ version: 'v1', ...google(fetch) }).users.messages.send({
        userId: 'me',
        media: { mimeType: 'message/rfc822', body: 'Subject: x\r\n\r\n' },
      }),
  },
  {
    name: 'Google Calendar asks who is free',
    leaves: 'POST /www.googleapis.com/calendar/v3/freeBusy',
    call: (fetch) =>
      calendar({ version: 'v3', ...google(fetch) }).freebusy.query({
        requestBody: { items: [{ id: 'primary' }] },
      }),
  },
  {
    name: 'Google Calendar patches',
    leaves: 'PATCH /www.googleapis.com/calendar/v3/calendars/primary/events/e1',
    call: (fetch) =>
      calendar({ version: 'v3', ...google(fetch) }).events.patch({
        calendarId: 'primary',
        eventId: 'e1',
        requestBody: {},
      }),
  },
  {
    name: 'Google Drive exports',
    leaves: 'GET /www.googleapis.com/drive/v3/files/f1/export',
    call: (fetch) =>
      drive({ version: 'v3', ...google(fetch) }).files.export({ fileId: 'f1', mimeType: 'text/plain' }),
  },
  {
    name: 'HubSpot reads a page',
    leaves: 'GET /api.hubapi.com/crm/v3/objects/contacts',
    call: (_fetch, within) =>
      within(() => new HubSpot({ accessToken: 'pat' }).crm.contacts.basicApi.getPage(10)),
  },
  {
    name: 'HubSpot creates',
    leaves: 'POST /api.hubapi.com/crm/v3/objects/contacts',
    call: (_fetch, within) =>
      within(() =>
        new HubSpot({ accessToken: 'pat' }).crm.contacts.basicApi.create({
          properties: { email: 'a@b.example' },
          associations: [],
        }),
      ),
  },
  {
    name: 'HubSpot’s plain request leaves',
    leaves: 'GET /api.hubapi.com/account-info/v3/details',
    call: (_fetch, within) =>
      within(async () => {
        const answer = await new HubSpot({ accessToken: 'pat' }).apiRequest({
          path: '/account-info/v3/details',
        });
        if (!answer.ok) throw new Error('refused');
      }),
  },
  {
    name: 'Intuit exchanges a code',
    leaves: 'POST /oauth.platform.intuit.com/oauth2/v1/tokens/bearer',
    call: (fetch, within) =>
      quickbooks.official.exchange({
        ...tokenCall(fetch, within),
        callback: new URL('https://here.example/callback?code=c&realmId=1'),
        redirectUri: 'https://here.example/callback',
      }),
  },
  {
    name: 'Intuit refreshes',
    leaves: 'POST /oauth.platform.intuit.com/oauth2/v1/tokens/bearer',
    call: (fetch, within) =>
      quickbooks.official.refresh({ ...tokenCall(fetch, within), refreshToken: new Secret('r') }),
  },
  {
    name: 'Intuit revokes',
    leaves: 'POST /developer.api.intuit.com/v2/oauth2/tokens/revoke',
    call: (fetch, within) =>
      quickbooks.official.revoke({ ...tokenCall(fetch, within), token: new Secret('r') }),
  },
  {
    name: 'Intuit asks who it is',
    leaves: 'GET /sandbox-accounts.platform.intuit.com/v1/openid_connect/userinfo',
    call: (_fetch, within) => within(() => intuit().getUserInfo()),
  },
  {
    name: 'Intuit calls an API',
    leaves: 'GET /sandbox-quickbooks.api.intuit.com/v3/company/1/companyinfo/1',
    call: (_fetch, within) =>
      within(() =>
        intuit().makeApiCall({
          url: 'https://sandbox-quickbooks.api.intuit.com/v3/company/1/companyinfo/1',
        }),
      ),
  },
  {
    name: 'Supabase looks a person up',
    leaves: 'GET /project.supabase.co/auth/v1/user',
    call: async (fetch) => {
      const { error } = await supabase(fetch).auth.getUser('jwt');
      if (error) throw error;
    },
  },
  {
    name: 'Supabase signs in',
    leaves: 'POST /project.supabase.co/auth/v1/token',
    call: async (fetch) => {
      const { error } = await supabase(fetch).auth.signInWithPassword({
        email: 'a@b.example',
        password: 'p',
      });
      if (error) throw error;
    },
  },
  {
    name: 'Supabase reads a table',
    leaves: 'GET /project.supabase.co/rest/v1/things',
    call: async (fetch) => supabase(fetch).from('things').select().throwOnError(),
  },
  {
    name: 'oauth4webapi discovers',
    leaves: 'GET /auth.example.com/.well-known/openid-configuration',
    call: async (fetch) => {
      const issuer = new URL('https://auth.example.com');
      await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, options(fetch)));
    },
  },
  {
    name: 'oauth4webapi exchanges a code',
    leaves: 'POST /auth.example.com/token',
    call: async (fetch) => {
      const callback = oauth.validateAuthResponse(
        server,
        app,
        new URL('https://here.example/?code=c&state=s'),
        's',
      );
      const answer = await oauth.authorizationCodeGrantRequest(
        server,
        app,
        secret,
        callback,
        'https://here.example/',
        'verifier',
        options(fetch),
      );
      await oauth.processAuthorizationCodeResponse(server, app, answer);
    },
  },
  {
    name: 'oauth4webapi refreshes',
    leaves: 'POST /auth.example.com/token',
    call: async (fetch) =>
      oauth.processRefreshTokenResponse(
        server,
        app,
        await oauth.refreshTokenGrantRequest(server, app, secret, 'r', options(fetch)),
      ),
  },
  {
    name: 'oauth4webapi revokes',
    leaves: 'POST /auth.example.com/revoke',
    call: async (fetch) =>
      oauth.processRevocationResponse(
        await oauth.revocationRequest(server, app, secret, 'r', options(fetch)),
      ),
  },
  {
    name: 'jose fetches the keys of an issuer',
    leaves: 'GET /auth.example.com/keys',
    call: (fetch) =>
      jwtVerify(
        'eyJhbGciOiJSUzI1NiJ9.e30.c2ln',
        createRemoteJWKSet(new URL('https://auth.example.com/keys'), {
          [joseFetch]: (url, init) => fetch(url, init as RequestInit),
        }),
      ),
  },
  {
    name: 'the MCP client says hello',
    leaves: 'POST /mcp.example.com/mcp',
    call: (fetch) =>
      new McpClient({ name: 'test', version: '1' }).connect(
        new StreamableHTTPClientTransport(new URL('https://mcp.example.com/mcp'), { fetch }),
      ),
  },
];

function supabase(fetch: Fetch) {
  return createClient('https://project.supabase.co', 'key', {
    global: { fetch: fetch as typeof globalThis.fetch },
    auth: { persistSession: false, autoRefreshToken: false },
  });
}

async function through() {
  const sandbox = await serve((_request, response) => response.writeHead(500).end('{}'));
  sandboxPort = sandbox.port;
  const { egress } = door({ sandboxUrl: sandbox.url, clock: systemClock, random: () => 0 });
  const fetch = egress.fetchFor(caller);
  const within = <Result>(work: () => Promise<Result>): Promise<Result> => egress.within(caller, work);
  return { sandbox, fetch, within };
}

test('the trap catches a client that brings an agent of its own', async () => {
  await through();
  const caught = new Promise((resolve, reject) => {
    get('https://api.example.com/', { agent: new Agent() }, resolve).on('error', reject);
  });
  await expect(caught).rejects.toThrow('caught in the trap');
  expect(opened).toEqual(['api.example.com:443']);
});

test.each(cases)('$name through the door, and once', async ({ leaves, call }) => {
  const { sandbox, fetch, within } = await through();
  await expect(call(fetch, within)).rejects.toThrow();
  // A failure of the provider's (500), which the door repeats for nobody.
  expect(sandbox.seen.map(({ method, url }) => `${method} ${url.replace(/\?.*/, '')}`)).toEqual([leaves]);
  expect(opened).toEqual([`127.0.0.1:${sandboxPort}`]);
});

describe('given nothing of ours and outside of any work', () => {
  const unguarded: [string, () => Promise<unknown>][] = [
    ['Gmail', () => gmail({ version: 'v1', auth: 'key' }).users.messages.list({ userId: 'me' })],
    ['HubSpot', () => new HubSpot({ accessToken: 'pat' }).crm.contacts.basicApi.getPage(10)],
    ['Intuit refreshes', () => intuit().refreshUsingToken('r')],
    ['Intuit revokes', () => intuit().revoke({ refresh_token: 'r' } as never)],
    [
      'Supabase',
      async () => {
        const client = createClient('https://project.supabase.co', 'key', {
          auth: { persistSession: false, autoRefreshToken: false },
        });
        await client.from('things').insert({}).throwOnError();
      },
    ],
    [
      'A web socket',
      () =>
        new Promise((resolve, reject) => {
          const socket = new WebSocket('wss://api.example.com/');
          socket.onopen = resolve;
          socket.onerror = () => reject(new Error('refused'));
        }),
    ],
    ['oauth4webapi', () => oauth.refreshTokenGrantRequest(server, app, secret, 'r')],
  ];

  test.each(unguarded)('%s opens no socket', async (_name, call) => {
    const { sandbox, within } = await through();
    await within(async () => undefined);
    await expect(call()).rejects.toThrow();
    expect([opened, sandbox.seen]).toEqual([[], []]);
  });
});
