// What a read costs more through the door than without it: Gmail's official client asks a server in another
// process, bare and through the door by turns, the shared limits and the log of calls on a real database.
// Usage: npm run bench:door [-- --calls 400 --rounds 9]
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { gmail } from '@googleapis/gmail';
import { Agent, fetch as undiciFetch } from 'undici';
import { systemClock } from '../src/clock.ts';
import { createEgress } from '../src/egress/door.ts';
import type { CallLimit } from '../src/egress/egress.ts';
import { createLog } from '../src/log.ts';
import { createCallLog } from '../src/observe/calls.ts';
import { openStore } from '../src/store/open.ts';
import { createSharedLimits } from '../src/store/shared-limits.ts';
import { percentile } from './figures.ts';

type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

/** The other process: answers every request with 4 kB of JSON. */
function serve(): void {
  const messages = Array.from({ length: 60 }, (_, i) => ({
    id: `19a2b3c4d5e6f7${i}`,
    threadId: `19a2b3c4${i}`,
  }));
  const body = JSON.stringify({ messages, resultSizeEstimate: messages.length });
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(body);
  });
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
}

async function measure(): Promise<void> {
  const { values } = parseArgs({
    options: { calls: { type: 'string', default: '400' }, rounds: { type: 'string', default: '9' } },
  });
  const server = fork(import.meta.filename, ['serve']);
  const [port] = (await once(server, 'message')) as [number];
  const url = `http://127.0.0.1:${port}`;
  const home = await mkdtemp(join(tmpdir(), 'drawbridge-door-'));
  const log = createLog({ level: 'error' });
  const store = await openStore({ config: { home, databaseUrl: undefined }, clock: systemClock, log });
  const orgId = await store.createOrg('Bench');
  const calls = createCallLog({ store, clock: systemClock, log });
  const egress = createEgress({
    allowLoopback: true,
    sandboxUrl: url,
    limits: createSharedLimits(store),
    toolLimit: async () => undefined,
    onCall: calls.note,
    clock: systemClock,
    log,
  });
  const agent = new Agent();
  const through = (connectionId: string, limit: CallLimit): Fetch =>
    egress.fetchFor({ orgId, provider: 'gmail', connectionId, operation: 'list', cause: 'tool', limit });
  const bare = ((input: string, init?: object) =>
    undiciFetch(input, { ...init, dispatcher: agent })) as Fetch;
  const client = (fetchImplementation: Fetch, rootUrl: string) => {
    const made = gmail({ version: 'v1', retry: false, rootUrl, fetchImplementation });
    return () => made.users.messages.list({ userId: 'me' });
  };
  const official = 'https://gmail.googleapis.com/';
  const ways = {
    bare: client(bare, `${url}/gmail.googleapis.com/`),
    // A burst of one: nothing can be taken ahead, so that every call writes to the shared limits.
    'door, a write each call': client(
      through('con_a', { perSecond: 1e6, burst: 1, concurrent: 4 }),
      official,
    ),
    'door, calls taken ahead': client(
      through('con_b', { perSecond: 250, burst: 5000, concurrent: 4 }),
      official,
    ),
  };
  const names = Object.keys(ways) as (keyof typeof ways)[];
  const rounds: Record<string, number>[] = [];
  const all = new Map<string, number[]>(names.map((name) => [name, []]));
  // Round 0 warms up.
  for (let round = 0; round <= Number(values.rounds); round += 1) {
    const times = new Map<string, number[]>(names.map((name) => [name, []]));
    for (let call = 0; call < Number(values.calls); call += 1) {
      for (let i = 0; i < names.length; i += 1) {
        // Each goes first as often as the others.
        const name = names[(i + call) % names.length] ?? 'bare';
        const began = performance.now();
        await ways[name]();
        times.get(name)?.push(performance.now() - began);
      }
    }
    if (round === 0) continue;
    rounds.push(Object.fromEntries(names.map((name) => [name, percentile(times.get(name) ?? [], 0.5)])));
    for (const name of names) all.get(name)?.push(...(times.get(name) ?? []));
  }
  await egress.close();
  await calls.close();
  await store.close();
  await agent.close();
  server.disconnect();
  server.kill();
  await rm(home, { recursive: true });
  const median = (name: string): number =>
    percentile(
      rounds.map((round) => round[name] ?? 0),
      0.5,
    );
  for (const name of names) {
    const more = median(name) - median('bare');
    const p95 = percentile(all.get(name) ?? [], 0.95);
    const beside = name === 'bare' ? '' : `, ${more.toFixed(2)} ms more than bare`;
    console.log(`${name}: p50 ${median(name).toFixed(2)} ms${beside}; p95 ${p95.toFixed(2)} ms`);
  }
  console.log(`(medians of ${rounds.length} rounds of ${values.calls} calls each, by turns)`);
}

if (process.argv[2] === 'serve') serve();
else await measure();
