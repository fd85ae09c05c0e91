// The ground of the refresh test: an authorization server with rotation and reuse detection, one connected
// account, and processes that all want its token at once.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AuthorizationServer } from '../../sandbox/authorization.ts';
import { createAuthorizationServer } from '../../sandbox/authorization-server.ts';
import { consent } from '../../sandbox/person.ts';
import { type ProviderHosts, startProviderHosts } from '../../sandbox/providers.ts';
import { systemClock } from '../../src/clock.ts';
import { newBrowserToken } from '../../src/connections/connect/state.ts';
import type { Connections } from '../../src/connections/connections.ts';
import type { OrgStore } from '../../src/store/store.ts';
import type { RefreshTask, Told } from './refresh-process.ts';
import { apiHost, harbourApp, loginHost } from './refresh-provider.ts';
import { openHarbour } from './refresh-rooms.ts';

const program = fileURLToPath(new URL('refresh-process.ts', import.meta.url));

export interface Ground {
  home: string;
  org: OrgStore;
  connections: Connections;
  server: AuthorizationServer;
  hosts: ProviderHosts;
  connectionId: string;
  /** Of the refresh grant, so far. */
  refreshes(): { ok: boolean }[];
  /** The token's end has come: by its age, or because the provider no longer takes it. */
  expire(how: 'age' | 'refused'): Promise<void>;
  state(): Promise<string>;
  /** A new grant for the same account. */
  connect(): Promise<string>;
  start(count: number, more?: Partial<RefreshTask>): Promise<Reader[]>;
  close(): Promise<void>;
}

/** A process that reads when it is told. */
export interface Reader {
  process: ChildProcess;
  /** @returns undefined when the process died instead of answering */
  read(round: number): Promise<Told | undefined>;
}

/** `databaseUrl`: an empty PostgreSQL; default: embedded. */
export async function openGround(
  given: { graceS?: number; leaseMs?: number; databaseUrl?: string | undefined } = {},
): Promise<Ground> {
  const { databaseUrl } = given;
  const leaseMs = given.leaseMs ?? 30_000;
  const home = await mkdtemp(join(tmpdir(), 'drawbridge-refresh-'));
  const server = createAuthorizationServer(
    {
      authorizePath: '/authorize',
      tokenPath: '/token',
      revokePath: '/revoke',
      app: harbourApp,
      pkce: 'required',
      clientAuthentication: 'basic',
      accessLivesS: 3_600,
      rotation: 'always',
      ...(given.graceS === undefined ? {} : { graceS: given.graceS }),
    },
    systemClock,
  );
  const hosts = await startProviderHosts([
    {
      provider: 'harbour',
      hosts: [loginHost, apiHost],
      handle: (call) =>
        server.handle(call) ??
        (server.scopesOf(call.headers['authorization']) === undefined
          ? { status: 401, body: '{}' }
          : { status: 200, body: JSON.stringify({ account: 'maria@harbour.example' }) }),
    },
  ]);
  const rooms = await openHarbour(home, { sandboxUrl: hosts.url, databaseUrl, leaseMs });
  const { store, connections } = rooms;
  const org = await store.forOrg(await store.createOrg('Faults'));
  const person = { kind: 'person', orgId: org.orgId, memberId: 'mbr_1', name: 'Maria' } as const;
  await store.control.write((tx) =>
    tx
      .insertInto('members')
      .values({ org_id: org.orgId, id: 'mbr_1', email: null, name: 'Maria', role: 'owner', created_at: 0 })
      .execute(),
  );

  async function connect(): Promise<string> {
    const browser = newBrowserToken();
    const { url } = await connections.authorize(org, person, {
      provider: 'harbour',
      fields: {},
      access: 'read',
      via: 'api',
      redirectUri: 'http://localhost:7331/api/v1/integrations/harbour/callback',
      browser,
    });
    const callback = await consent(url, hosts.url);
    return (await connections.authorized(org, person, { provider: 'harbour', callback, browser })).id;
  }

  const connectionId = await connect();
  const started: ChildProcess[] = [];

  async function startOne(task: RefreshTask): Promise<Reader> {
    const child = fork(program, [JSON.stringify(task)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    started.push(child);
    const waiting = new Map<number, (told: Told | undefined) => void>();
    child.on('message', (told: Told) => {
      waiting.get(told.round)?.(told);
      waiting.delete(told.round);
    });
    child.on('exit', () => {
      for (const settle of waiting.values()) settle(undefined);
    });
    const told = (round: number) => new Promise<Told | undefined>((resolve) => waiting.set(round, resolve));
    if ((await told(0)) === undefined) throw new Error('a reading process ended before it was ready');
    return {
      process: child,
      async read(round) {
        const answer = told(round);
        child.send(round);
        return answer;
      },
    };
  }

  return {
    home,
    org,
    connections,
    server,
    hosts,
    connectionId,
    connect,
    refreshes: () => server.tokenCalls().filter(({ grant }) => grant === 'refresh_token'),
    async expire(how) {
      if (how === 'refused') server.expireAccess();
      else {
        await org.write((tx) =>
          tx
            .updateTable('oauth_tokens')
            .set({ access_expires_at: systemClock.now() - 1 })
            .where('connection_id', '=', connectionId)
            .execute(),
        );
      }
    },
    state: async () => (await connections.get(org, connectionId)).state,
    start: (count, more = {}) =>
      Promise.all(
        Array.from({ length: count }, () =>
          startOne({
            home,
            databaseUrl,
            sandboxUrl: hosts.url,
            orgId: org.orgId,
            connectionId,
            leaseMs,
            diesAfterRotation: false,
            ...more,
          }),
        ),
      ),
    async close() {
      for (const child of started) {
        if (child.exitCode !== null || child.signalCode !== null) continue;
        const ended = once(child, 'exit');
        child.disconnect();
        await ended;
      }
      await rooms.close();
      await hosts.close();
      await rm(home, { recursive: true, force: true });
    },
  };
}

export interface Round {
  tokenCalls: number;
  /** Token calls that the server refused. */
  refused: number;
  successes: number;
  errors: string[];
  /** Until the last process had its answer. */
  ms: number;
}

/** One expired token, and every process wants it. */
export async function round(
  ground: Ground,
  readers: readonly Reader[],
  number: number,
  how: 'age' | 'refused',
): Promise<Round> {
  const before = ground.refreshes().length;
  await ground.expire(how);
  const told = await Promise.all(readers.map((reader) => reader.read(number)));
  const calls = ground.refreshes().slice(before);
  return {
    tokenCalls: calls.length,
    refused: calls.filter(({ ok }) => !ok).length,
    successes: told.filter((one) => one !== undefined && one.error === undefined).length,
    errors: told.flatMap((one) => (one === undefined ? ['the process died'] : (one.error ?? []))),
    ms: Math.max(...told.map((one) => one?.ms ?? 0)),
  };
}
