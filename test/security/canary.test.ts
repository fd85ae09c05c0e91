// Secrets canary: recognisable credentials go through the whole house, from connecting to disconnecting, with
// faults on the way that echo them; afterwards none is in anything that was said, logged or stored, plain or
// encoded. The sealed columns hold them as ciphertext, so that not even there is a hit.
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Accounts, startAccounts } from '../../sandbox/accounts.ts';
import { consent } from '../../sandbox/person.ts';
import { onExchange } from '../../sandbox/providers.ts';
import { type Sandbox, startSandbox } from '../../sandbox/start.ts';
import { createKeys } from '../../src/auth/keys.ts';
import { createSignIn } from '../../src/auth/sign-in.ts';
import { systemClock } from '../../src/clock.ts';
import { loadConfig } from '../../src/config.ts';
import { createHttpApp } from '../../src/http/app.ts';
import { type Listening, listen } from '../../src/http/listen.ts';
import { mountMcp } from '../../src/http/mcp.ts';
import { createLog } from '../../src/log.ts';
import { createMcpServer } from '../../src/mcp-server.ts';
import { seenBy } from '../../src/memory/documents/seen-by.ts';
import { openRooms, type Rooms } from '../../src/rooms.ts';
import { type Answer, type Ask, type Asked, askerAt } from '../http/ask.ts';

const masterKey = Buffer.from('canary-master-key-of-32-bytes-!!').toString('base64');
const wrongPassword = 'canary-wrong-password-7391';
const webhookSecret = 'canary-webhook-secret-5512';
const appSecret = 'canary-client-secret-8824';

let sandbox: Sandbox;
let accounts: Accounts;
let rooms: Rooms;
let listening: Listening;
let ask: Ask;
let environment: Record<string, string>;
const home = mkdtempSync(join(tmpdir(), 'drawbridge-canary-'));
/** Everything that the house said, by where. */
const said: { where: string; text: string }[] = [];
/** By name, what must be nowhere. */
const secrets = new Map<string, string>();
const stops: (() => unknown)[] = [];

function hear(where: string, text: string): void {
  said.push({ where, text });
}

/** The forms that a value may travel in; base64 wherever it begins within what is encoded. */
function formsOf(value: string): Map<string, string> {
  const bytes = Buffer.from(value);
  const forms = new Map([
    ['plain', value],
    ['hex', bytes.toString('hex')],
    ['HEX', bytes.toString('hex').toUpperCase()],
    ['urlencoded', encodeURIComponent(value)],
    ['JSON', JSON.stringify(value).slice(1, -1)],
    ['base64 within base64', Buffer.from(bytes.toString('base64')).toString('base64').slice(0, -4)],
  ]);
  for (const shift of [0, 1, 2]) {
    const encoded = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64');
    // The first and last characters hang on their neighbours.
    const certain = encoded.slice(shift === 0 ? 0 : 4, -4);
    forms.set(`base64 +${shift}`, certain);
    forms.set(`base64url +${shift}`, certain.replaceAll('+', '-').replaceAll('/', '_'));
  }
  return forms;
}

function hits(text: string, where: string): string[] {
  return [...secrets].flatMap(([name, value]) =>
    [...formsOf(value)]
      .filter(([, form]) => text.includes(form))
      .map(([form]) => `${name} (${form}) in ${where}`),
  );
}

beforeAll(async () => {
  sandbox = await startSandbox();
  accounts = await startAccounts({ clock: systemClock, world: sandbox.world });
  environment = {
    DRAWBRIDGE_HOME: home,
    DRAWBRIDGE_ALLOW_LOOPBACK: '1',
    DRAWBRIDGE_LOG_LEVEL: 'trace',
    DRAWBRIDGE_HOLD_SECONDS: '0',
    DRAWBRIDGE_KEY: masterKey,
    ...accounts.environment,
    DRAWBRIDGE_HUBSPOT_WEBHOOK_SECRET: webhookSecret,
  };
  delete environment['DRAWBRIDGE_GOOGLE_CLIENT_ID'];
  delete environment['DRAWBRIDGE_GOOGLE_CLIENT_SECRET'];
  secrets.set('master key', masterKey);
  secrets.set('master key, its bytes', Buffer.from(masterKey, 'base64').toString());
  secrets.set('app password', sandbox.mail.password);
  secrets.set('wrong password', wrongPassword);
  secrets.set('webhook secret', webhookSecret);
  secrets.set('app secret, registered', appSecret);
  secrets.set('app secret, configured', environment['DRAWBRIDGE_HUBSPOT_CLIENT_SECRET'] ?? '');
  // Whatever the providers hand out.
  stops.push(
    onExchange(({ answer }) => {
      const body = String(answer?.body ?? '');
      for (const [, name = '', token = ''] of body.matchAll(/"(access_token|refresh_token)":"([^"]+)"/g)) {
        secrets.set(`${name} ${secrets.size}`, token);
      }
    }),
  );
  const log = createLog({ level: 'trace', destination: { write: (line) => hear('the log', line) } });
  rooms = await openRooms(loadConfig(environment), { log });
  const { store, clock } = rooms;
  const toolRooms = { ...rooms, approveUrl: (id: string) => `http://drawbridge.localhost/actions/${id}` };
  const mcp = mountMcp({
    build: (agent, era) =>
      createMcpServer(
        agent.scopes,
        async () => ({ rooms: toolRooms, org: await seenBy(store, rooms.org, agent), agent }),
        era,
      ),
    onChange: () => () => undefined,
    clock,
    log,
  });
  stops.push(() => mcp.close());
  const app = createHttpApp({
    rooms: {
      ...rooms,
      orgFor: (id) => store.forOrg(id),
      wake: () => undefined,
      refresh: () => undefined,
      hosted: undefined,
    },
    mcp: mcp.fetch,
    log,
  });
  listening = await listen(app, { host: '127.0.0.1', port: 0 });
  ask = askerAt(listening.port, `drawbridge.localhost:${listening.port}`);
});

afterAll(async () => {
  for (const stop of stops) await stop();
  await listening?.close();
  await rooms?.close();
  await accounts?.close();
  await sandbox?.close();
  rmSync(home, { recursive: true, force: true });
});

/** Asks, and keeps what came: a cookie that is set is for its browser, and is the one thing left out. */
async function heard(path: string, asked: Asked = {}): Promise<Answer> {
  const answer = await ask(path, asked);
  const { 'set-cookie': _own, ...headers } = answer.headers;
  hear(`${asked.method ?? 'GET'} ${path.split('?')[0]}`, `${JSON.stringify(headers)}\n${answer.body}`);
  return answer;
}

function keepDatabase(when: string): void {
  for (const name of readdirSync(home, { recursive: true, withFileTypes: true })) {
    if (!name.isFile()) continue;
    const path = join(name.parentPath, name.name);
    hear(`${name.name}, ${when}`, readFileSync(path).toString('latin1'));
  }
}

test('no secret is in any answer, page, result, log line, command’s output or file, in any form', async () => {
  const { store, org, owner, connections, queue } = rooms;
  const { clock, log } = rooms;
  const origin = `http://drawbridge.localhost:${listening.port}`;
  const form = { origin, 'content-type': 'application/x-www-form-urlencoded' };

  // Sign in.
  const link = await createSignIn({ store, clock }).createLink(owner);
  secrets.set('sign-in link', link.reveal());
  const opened = await heard('/sign-in', {
    method: 'POST',
    headers: form,
    body: new URLSearchParams({ token: link.reveal() }).toString(),
  });
  let cookie = String(opened.headers['set-cookie']?.[0]).split(';')[0] ?? '';
  secrets.set('session token', cookie.split('=')[1] ?? '');
  const get = (path: string) => heard(path, { headers: { cookie } });
  const csrf = /name="csrf" value="([^"]+)"/.exec((await get('/')).body)?.[1] ?? '';
  const post = async (path: string, fields: Record<string, string>): Promise<Answer> => {
    const body = new URLSearchParams({ csrf, ...fields }).toString();
    const answer = await heard(path, { method: 'POST', headers: { ...form, cookie }, body });
    for (const line of answer.headers['set-cookie'] ?? []) cookie += `; ${line.split(';')[0]}`;
    return answer;
  };

  // Connect: a wrong password, the right one, a registered app, a consent.
  const { mail, imap, smtp } = sandbox;
  const place = {
    'field.email': mail.address,
    'field.imap': `${imap.host}:${imap.port}`,
    'field.smtp': `${smtp.host}:${smtp.port}`,
  };
  const wrong = await post('/api/v1/integrations/mailbox/connect', {
    ...place,
    'secret.password': wrongPassword,
  });
  expect(wrong.status).toBe(400);
  const right = await post('/api/v1/integrations/mailbox/connect', {
    ...place,
    'secret.password': mail.password,
  });
  expect(right.status).toBe(303);
  const app = await post('/connect/gmail/app', { clientId: 'an-app', clientSecret: appSecret });
  expect(app.status).toBe(303);
  const leaving = await post('/api/v1/integrations/hubspot/connect', { access: 'write' });
  const { pathname, search } = new URL(String(leaving.headers.location));
  const provider = `https://${pathname.split('/')[1]}/${pathname.split('/').slice(2).join('/')}${search}`;
  const back = await consent(provider, accounts.hosts.url);
  const callback = await heard(`${back.pathname}${back.search}`, { headers: { cookie } });
  expect(callback.status).toBe(303);
  expect([...secrets.keys()].filter((name) => name.startsWith('access_token')).length).toBeGreaterThan(0);

  // Sync; and a provider that throws our token back at us.
  const all = await connections.list(org);
  for (const { id } of all) await rooms.refresh(org, id);
  const token = [...secrets].find(([name]) => name.startsWith('access_token'))?.[1] ?? '';
  const crm = all.find(({ provider: id }) => id === 'hubspot');
  const box = all.find(({ provider: id }) => id === 'mailbox');
  if (crm === undefined || box === undefined) throw new Error('not connected');

  // An agent over MCP.
  const { key } = await createKeys({ store, clock, log }).create(org.orgId, 'agent', ['read', 'propose']);
  secrets.set('API key', key.reveal());
  let session: Record<string, string> = {};
  const rpc = async (method: string, params: object) => {
    const answer = await heard('/mcp', {
      method: 'POST',
      headers: {
        authorization: `Bearer ${key.reveal()}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...session,
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    });
    const id = answer.headers['mcp-session-id'];
    if (typeof id === 'string') session = { 'mcp-session-id': id, 'mcp-protocol-version': '2025-06-18' };
    return answer.body;
  };
  await rpc('initialize', {
    protocolVersion: '2025-06-18',
    capabilities: {},
    clientInfo: { name: 'canary', version: '1' },
  });
  const call = (name: string, input: object) => rpc('tools/call', { name, arguments: input });
  for (const method of ['tools/list', 'resources/list', 'resources/templates/list']) await rpc(method, {});
  expect(await call('list-connections', {})).toContain(box.id);
  await call('search', { question: 'roof inspection', maxAge: 0 });
  await call('ime-search', { question: 'roof inspection' });
  await call('find-operation', { query: '' });
  for (const uri of [`connection://${box.id}`, `connection://${crm.id}`, `ime://sources/${crm.id}`]) {
    await rpc('resources/read', { uri });
  }
  accounts.hosts.faults.failNext(
    { kind: 'refuse', status: 400, text: `{"message":"bad token ${token}"}` },
    '',
    4,
  );
  await call('run-operation', { operation: 'search-deals', account: crm.id, input: { query: 'x' } });
  accounts.hosts.faults.clear();

  // Propose, approve, run; once well, once refused by a server that echoes the password.
  const decide = async (verdict: string, id: string) => {
    const { payloadHash } = await queue.get(org, id);
    await get(`/actions/${id}`);
    return post(`/actions/${id}/decision`, { verdict, hash: payloadHash });
  };
  const propose = async (subject: string): Promise<string> => {
    const told = await call('send-email', { to: ['bo@b.example'], subject, text: 'hello', account: box.id });
    const id = /act_\w+/.exec(told)?.[0];
    if (id === undefined) throw new Error(told);
    return id;
  };
  const sent = await propose('One');
  await decide('approve', sent);
  await queue.runDue(org);
  expect((await queue.get(org, sent)).status).toBe('completed');
  const failing = await propose('Two');
  await decide('approve', failing);
  smtp.faults.failNext({ kind: 'refuse', status: 550, text: `no ${mail.password} here` }, 'DATA');
  await queue.runDue(org);
  expect((await queue.get(org, failing)).status).toMatch(/^(failed|unknown)$/);
  const refused = await propose('Three');
  await decide('reject', refused);
  for (const id of [sent, failing, refused]) {
    await call('action-status', { actionId: id });
    await get(`/actions/${id}`);
  }
  for (const path of [
    '/',
    '/history',
    '/connections',
    '/connect',
    '/connect/hubspot',
    '/connect/gmail',
    '/api/v1/integrations',
  ]) {
    await get(path);
  }
  hear('the record', JSON.stringify(await rooms.audit.list(org, { limit: 500 })));
  keepDatabase('connected');

  // The command line, on the same home.
  const run = promisify(execFile);
  for (const args of [
    ['doctor', '--json'],
    ['connections', '--json'],
    ['actions', '--json'],
  ]) {
    const cli = new URL('../../src/cli.ts', import.meta.url).pathname;
    const env = { PATH: process.env['PATH'] ?? '', HOME: home, ...environment };
    const { stdout, stderr } = await run(process.execPath, [cli, ...args], { env }).catch(
      (ended: { stdout: string; stderr: string }) => ended,
    );
    expect(stdout).toMatch(/^[{[]/);
    hear(`drawbridge ${args.join(' ')}`, stdout + stderr);
  }

  // Servers that throw credentials back at us where failures are logged; then disconnect, and sign out.
  imap.faults.failNext({ kind: 'refuse', status: 0, text: `${mail.password} is wrong` }, '', 3);
  await rooms.refresh(org, box.id).catch((error: unknown) => hear('a failed sync', String(error)));
  imap.faults.clear();
  keepDatabase('after a failed sync');
  await get('/connections');
  await call('list-connections', {});
  accounts.hosts.faults.failNext({ kind: 'refuse', status: 400, text: `no ${token}` }, 'revoke');
  for (const { id } of [crm, box]) expect((await post(`/connections/${id}/disconnect`, {})).status).toBe(200);
  await post('/sign-out', {});
  keepDatabase('disconnected');

  // The echo came so far, and was masked there.
  expect(said.some(({ where, text }) => where === 'the log' && text.includes('[secret]'))).toBe(true);
  expect(said.length).toBeGreaterThan(80);
  expect(said.filter(({ where }) => where === 'the log').length).toBeGreaterThan(10);
  expect(said.some(({ where }) => where.includes('.db') || where.includes('.sqlite'))).toBe(true);
  expect([...new Set(said.flatMap(({ where, text }) => hits(text, where)))]).toEqual([]);
}, 180_000);

test('the search finds each form of a secret, so that nothing found means nothing there', () => {
  for (const [name, value] of secrets) {
    for (const text of [
      `x${value}y`,
      Buffer.from(`user:${value}!`).toString('base64'),
      Buffer.from(`us:${value}!!`).toString('base64'),
      Buffer.from(`u:${value}!!!`).toString('base64url'),
      Buffer.from(value).toString('hex'),
      encodeURIComponent(value),
    ]) {
      expect(hits(text, 'here').some((hit) => hit.startsWith(`${name} (`))).toBe(true);
    }
  }
});
