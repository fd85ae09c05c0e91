// One provider of the catalogue with its emulator behind the real door, a store, a person, and a log whose
// lines are kept.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Emulated } from '../../sandbox/emulated.ts';
import { emulated } from '../../sandbox/emulators.ts';
import type { Fault } from '../../sandbox/faults.ts';
import { consent } from '../../sandbox/person.ts';
import { type ProviderHosts, startProviderHosts } from '../../sandbox/providers.ts';
import { loadWorld } from '../../sandbox/world.ts';
import type { Person } from '../../src/auth/principal.ts';
import { openVault } from '../../src/auth/vault.ts';
import { newBrowserToken } from '../../src/connections/connect/state.ts';
import type { Connection, Connections } from '../../src/connections/connections.ts';
import { createConnections } from '../../src/connections/create.ts';
import { createEgress } from '../../src/egress/door.ts';
import { createLog } from '../../src/log.ts';
import type { Provider, WriteContext } from '../../src/providers/define.ts';
import type { CatalogEntry } from '../../src/providers/entry.ts';
import type { OwnProvider } from '../../src/providers/own.ts';
import { Secret } from '../../src/secret.ts';
import { openStore } from '../../src/store/open.ts';
import type { OrgStore, Store } from '../../src/store/store.ts';
import { type ManualClock, manualClock } from '../egress/manual-clock.ts';
import { many } from './provider-asks.ts';
import { partsOf } from './provider-parts.ts';

export interface ProviderWorld {
  provider: Provider;
  emulated: Emulated;
  hosts: ProviderHosts;
  /** Waits of less than a time limit pass at once. */
  clock: ManualClock;
  store: Store;
  org: OrgStore;
  connections: Connections;
  /** Every line of the log so far. */
  lines: string[];
  /** The whole way, through the page of consent or the form. */
  connect(given?: { press?: 'allow' | 'deny'; wrong?: boolean }): Promise<Connection>;
  context(connection: Connection, operation?: string): Promise<WriteContext>;
  /** Whatever the provider was asked so far, a line each, in one list for each of its servers. */
  asked(): string[][];
  /** The next calls fail so; with `places`, those alone that go there; with `spare`, so many go well first. */
  fail(fault: Fault, given?: { places?: readonly string[]; spare?: number; times?: number }): void;
  /** Orders to fail that no call has met yet. */
  waiting(): number;
  /** All goes well again. */
  mend(): void;
  /** From now on every text in an answer of the provider's API passes through it. */
  taint(change: (text: string) => string): void;
}

/** Shorter than any time limit and any beat of a lease, longer than a pause between two calls. */
const pauseMs = 3_000;

/**
 * @param given.unlimited without the provider's own limits: for thousands of calls
 * @param given.other its other side; default: that of the sandbox
 */
export async function openProviderWorld(
  entry: CatalogEntry,
  { unlimited = false, other }: { unlimited?: boolean; other?: Emulated } = {},
): Promise<ProviderWorld> {
  const declaration = await entry.load();
  const make = other === undefined ? (emulated[entry.id] ?? sideOf(declaration)) : () => other;
  if (make === undefined) throw new Error(`sandbox/emulators.ts has no ${entry.id}`);
  const manual = manualClock();
  const given = await make({ clock: manual, world: loadWorld(manual.now()) });
  const clock = manual;
  let ended = false;
  async function passPauses(): Promise<void> {
    const longest = unlimited ? 4 * pauseMs : pauseMs;
    while (!ended) manual.advance(await manual.asleep((ms) => ms < longest));
  }
  void passPauses();
  let change: ((text: string) => string) | undefined;
  const hosts = await startProviderHosts(
    given.emulators.map((emulator) => ({
      ...emulator,
      handle(call) {
        const answer = emulator.handle(call);
        return change === undefined || answer.body === undefined || answer.status !== 200
          ? answer
          : { ...answer, body: tainted(answer.body, change) };
      },
    })),
  );
  const home = await mkdtemp(join(tmpdir(), 'drawbridge-provider-'));
  const lines: string[] = [];
  const log = createLog({ level: 'trace', destination: { write: (line: string) => void lines.push(line) } });
  const store = await openStore({ config: { home, databaseUrl: undefined }, clock, log });
  const egress = createEgress({
    allowLoopback: true,
    sandboxUrl: hosts.url,
    clock,
    log,
    random: () => 0,
  });
  onTestFinished(async () => {
    ended = true;
    await egress.close();
    await hosts.close();
    await given.close?.();
    await store.close();
    await rm(home, { recursive: true, force: true });
  });
  const { way } = given;
  const { appLimit: _none, ...declared } = declaration;
  const provider = unlimited
    ? { ...declared, limit: { perSecond: 100_000, burst: 100_000, concurrent: 50 } }
    : declaration;
  const connections = createConnections({
    store,
    egress,
    vault: openVault({ config: { home, key: undefined }, log }),
    clock,
    log,
    catalog: [{ ...entry, load: async () => provider }],
    apps: new Map(
      way.kind !== 'browser' || entry.app === undefined
        ? []
        : [
            [
              entry.app,
              {
                clientId: way.clientId,
                clientSecret: new Secret(way.clientSecret),
                webhookSecret: undefined,
              },
            ],
          ],
    ),
  });
  const org = await store.forOrg(await store.createOrg('Harbour Homes'));
  const person: Person = { kind: 'person', orgId: org.orgId, memberId: 'mbr_1', name: 'Maria' };
  await store.control.write((tx) =>
    tx
      .insertInto('members')
      .values({
        org_id: org.orgId,
        id: person.memberId,
        email: null,
        name: 'Maria',
        role: 'member',
        created_at: 0,
      })
      .execute(),
  );

  async function connect({ press = 'allow', wrong = false }: Parameters<ProviderWorld['connect']>[0] = {}) {
    if (way.kind === 'none') return connections.own(org, entry.id as OwnProvider);
    if (way.kind === 'form' || wrong) {
      const secrets = way.kind === 'form' && !wrong ? way.secrets : (way.wrong ?? {});
      return connections.connect(org, entry.id, { fields: given.fields, secrets });
    }
    const browser = newBrowserToken();
    const { url } = await connections.authorize(org, person, {
      provider: entry.id,
      fields: given.fields,
      access: 'write',
      via: 'api',
      redirectUri: `http://localhost:7331/api/v1/integrations/${entry.id}/callback`,
      browser,
    });
    const callback = await consent(url, hosts.url, { press });
    return connections.authorized(org, person, { provider: entry.id, callback, browser });
  }

  return {
    provider,
    emulated: given,
    hosts,
    clock,
    store,
    org,
    connections,
    lines,
    connect,
    asked: () => [
      hosts
        .calls()
        .map(({ method, host, path, query, body }) =>
          `${method} https://${host}${path}${query.size === 0 ? '' : `?${query}`} ${body}`.trim(),
        ),
      ...(given.talk?.asked() ?? []),
    ],
    waiting: () => (given.talk ?? { waiting: () => hosts.faults.waiting }).waiting(),
    fail(fault, { places = [''], spare = 0, times = many } = {}) {
      for (const place of places) hosts.faults.failNext(fault, place, times, spare);
      given.talk?.fail(fault, times, spare);
    },
    mend() {
      hosts.faults.clear();
      given.talk?.clear();
    },
    taint(given) {
      change = given;
    },
    context: (connection, operation = 'test') =>
      connections.writeContext(org, connection, operation, {
        effectKey: 'eff_01test',
        attachment: () => Promise.reject(new Error('no attachment here')),
        aboutToSend: async () => undefined,
      }),
  };
}

/** What asks nobody has nobody on its other side. */
export function sideOf(provider: Provider): (() => Emulated) | undefined {
  if (partsOf(provider).asks === undefined) return undefined;
  return () => ({ emulators: [], way: { kind: 'none' }, fields: {}, samples: {}, feeds: {} });
}

/** A JSON text with each of its texts changed; anything else as it is. */
function tainted(body: string, change: (text: string) => string): string {
  const walk = (value: unknown): unknown => {
    if (typeof value === 'string') return change(value);
    if (Array.isArray(value)) return value.map(walk);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, walk(one)]));
  };
  try {
    return JSON.stringify(walk(JSON.parse(body)));
  } catch {
    return body;
  }
}
