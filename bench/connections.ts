// Many connections: all health-checked, all renewed, against a provider that answers in 50 ms; and our own
// time of a connect, a move between states, a health check and a renewal, beside bare calls.
// `npm run bench:connections [-- --connections 10000 --samples 200]`.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { consent } from '../sandbox/person.ts';
import { systemClock } from '../src/clock.ts';
import { storeConnection } from '../src/connections/connect/connect.ts';
import { newBrowserToken } from '../src/connections/connect/state.ts';
import { DrawbridgeError } from '../src/errors.ts';
import { Secret } from '../src/secret.ts';
import type { OrgStore } from '../src/store/store.ts';
import { apiHost } from '../test/faults/refresh-provider.ts';
import { type HarbourRooms, openHarbour } from '../test/faults/refresh-rooms.ts';
import type { Answered, Order } from './connections-provider.ts';
import { median, percentile } from './figures.ts';

const { values } = parseArgs({
  options: {
    connections: { type: 'string', default: '10000' },
    samples: { type: 'string', default: '200' },
  },
});
const many = Number(values.connections);
const samples = Number(values.samples);
const answerMs = 50;
const hour = 3_600_000;
const home = mkdtempSync(join(tmpdir(), 'drawbridge-bench-'));
const provider = fork(join(import.meta.dirname, 'connections-provider.ts'), {
  stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
});

async function told(child: ChildProcess): Promise<Answered> {
  const [answer] = (await once(child, 'message')) as [Answered];
  return answer;
}

async function order(what: Order): Promise<Answered> {
  provider.send(what);
  return told(provider);
}

/** Grants that the provider knows, stored as the callback stores them. */
async function store({ vault, store: database }: HarbourRooms, org: OrgStore, count: number) {
  const answer = await order({ mint: count });
  if (!('minted' in answer)) throw new Error('the provider minted nothing');
  const at = systemClock.now();
  const parts = { vault, clock: systemClock, plan: 'local' } as const;
  for (const [index, { access, refresh }] of answer.minted.entries()) {
    await storeConnection(org, parts, {
      provider: 'harbour',
      account: `account-${index}`,
      label: `account-${index}`,
      fields: {},
      secrets: new Map([
        ['access_token', new Secret(access)],
        ['refresh_token', new Secret(refresh)],
      ]),
      authorised: {
        connectionId: '',
        ages: { accessExpiresAt: at + hour, refreshExpiresAt: null, scopes: ['berths.read'], obtainedAt: at },
      },
    });
  }
  return database;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

async function series(count: number, work: (index: number) => Promise<unknown>): Promise<number[]> {
  const took: number[] = [];
  for (let index = 0; index < count; index += 1) took.push(await timed(() => work(index)));
  return took;
}

const line = (what: string, ours: number[], reference: string, goal: string): void =>
  console.log(
    `${what.padEnd(46)} p50 ${median(ours).toFixed(2).padStart(7)} ms  p99 ${percentile(ours, 0.99).toFixed(2).padStart(7)} ms  ${reference}  (goal: ${goal})`,
  );

async function ownTime(rooms: HarbourRooms, org: OrgStore, url: string): Promise<void> {
  const { connections, store: database } = rooms;
  const person = { kind: 'person', orgId: org.orgId, memberId: 'mbr_1', name: 'Maria' } as const;
  await database.control.write((tx) =>
    tx
      .insertInto('members')
      .values({ org_id: org.orgId, id: 'mbr_1', email: null, name: 'Maria', role: 'owner', created_at: 0 })
      .execute(),
  );
  const bare = await series(samples, () => fetch(`${url}/${apiHost}/me`).then((answer) => answer.text()));
  const reference = `a bare call: ${median(bare).toFixed(2)} ms`;

  const connects = await series(Math.min(samples, 100), async () => {
    const browser = newBrowserToken();
    const start = await connections.authorize(org, person, {
      provider: 'harbour',
      fields: {},
      access: 'read',
      via: 'api',
      redirectUri: 'http://localhost:7331/back',
      browser,
    });
    const callback = await consent(start.url, url);
    await connections.authorized(org, person, { provider: 'harbour', callback, browser });
  });
  line('a connect, the person in no time', connects, reference, '< 500 ms');

  const [one] = (await connections.list(org)).filter(({ account }) => account.startsWith('account-'));
  if (one === undefined) throw new Error('no connection');
  const trouble = new DrawbridgeError('network', 'The bench says so.');
  const moves = await series(samples, (index) =>
    connections.report(org, one.id, index % 2 === 0 ? { error: trouble } : { synced: true }),
  );
  line('a move between states', moves, '', '< 5 ms');

  const checks = await series(samples, () => connections.check(org, one.id));
  line('a health check, its call in it', checks, reference, '< 100 ms');

  const read = () => connections.runRead(org, one, 'berths', {});
  const reads = await series(samples, read);
  const renewals: number[] = [];
  for (let index = 0; index < samples; index += 1) {
    await org.write((tx) =>
      tx
        .updateTable('oauth_tokens')
        .set({ access_expires_at: systemClock.now() - 1 })
        .where('connection_id', '=', one.id)
        .execute(),
    );
    renewals.push(await timed(read));
  }
  line('a read', reads, reference, '');
  line(
    'a read that renews its token first',
    renewals,
    `two bare calls: ${(2 * median(bare)).toFixed(2)} ms`,
    '< 500 ms',
  );
}

/** What is in use, MB, after the garbage was collected: the heap, and what lies beside it. */
function inUse(): number {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / 1e6;
}

/** At the beginning and after each fifth. */
function fifths(values: readonly number[]): string {
  return [0, 1, 2, 3, 4, 5]
    .map((n) => values[Math.round(((values.length - 1) * n) / 5)]?.toFixed(0))
    .join(' → ');
}

/**
 * Prints how long `work` took; and at each fifth of that time resident memory, and what was in use once the
 * garbage was collected: resident memory tells how lazily that is done, too.
 */
async function watched(what: string, work: () => Promise<void>): Promise<void> {
  const rss: number[] = [];
  const used: number[] = [];
  const look = (): void => {
    rss.push(process.memoryUsage.rss() / 1e6);
    used.push(inUse());
  };
  look();
  const timer = setInterval(look, 2_000);
  const ms = await timed(work);
  clearInterval(timer);
  look();
  console.log(
    `${what}: ${(ms / 1000).toFixed(1)} s, ${(many / (ms / 1000)).toFixed(0)} a second  (goal: within 300 s); in use ${fifths(used)} MB; resident ${fifths(rss)} MB, highest ${Math.max(...rss).toFixed(0)} MB`,
  );
}

async function count(org: OrgStore, table: 'health_checks' | 'oauth_tokens'): Promise<number> {
  const rows = await org.read((db) =>
    table === 'health_checks'
      ? db.selectFrom('health_checks').select('connection_id').where('outcome', '=', 'ok').execute()
      : db.selectFrom('oauth_tokens').select('connection_id').where('version', '>', 1).execute(),
  );
  return rows.length;
}

try {
  const ready = await told(provider);
  if (!('url' in ready)) throw new Error('the provider did not say where it is');
  const rooms = await openHarbour(home, { sandboxUrl: ready.url });
  const small = await rooms.store.forOrg(await rooms.store.createOrg('One'));
  await store(rooms, small, 1);
  await ownTime(rooms, small, ready.url);

  const org = await rooms.store.forOrg(await rooms.store.createOrg('Many'));
  await store(rooms, org, many);
  await order({ delayMs: answerMs });
  const { signal } = new AbortController();
  console.log(`${many} connections, a provider that answers in ${answerMs} ms`);

  const longAgo = systemClock.now() - 2 * hour;
  await org.write((tx) => tx.updateTable('connected_sources').set({ created_at: longAgo }).execute());
  await watched('health-checked', () => rooms.connections.lookAfter(org, signal));
  console.log(`  ${await count(org, 'health_checks')} answered`);

  await org.write((tx) =>
    tx
      .updateTable('oauth_tokens')
      .set({ access_expires_at: systemClock.now() + 60_000, obtained_at: longAgo })
      .execute(),
  );
  await watched('renewed', () => rooms.connections.lookAfter(org, signal));
  console.log(`  ${await count(org, 'oauth_tokens')} renewed`);

  await watched('looked after again, nothing due', () => rooms.connections.lookAfter(org, signal));
  await rooms.close();
} finally {
  provider.disconnect();
  rmSync(home, { recursive: true, force: true });
}
