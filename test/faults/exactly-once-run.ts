// Many approved actions, several executors that are killed at random and started again, a provider that
// delays, drops and answers 503; and the count of what became of each.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../src/clock.ts';
import { createLog } from '../../src/log.ts';
import type { Action } from '../../src/queue/queue.ts';
import { openStore } from '../../src/store/open.ts';
import type { OrgStore } from '../../src/store/store.ts';
import { addConnection } from '../queue/world.ts';
import type { ExecutorTask } from './exactly-once-process.ts';
import { isSilent, type ProviderCounts, type ProviderTask } from './exactly-once-provider.ts';
import { audit, queueOf } from './exactly-once-queue.ts';
import { counted } from './executor-provider.ts';
import { fastClock, paced } from './fast-clock.ts';
import { seeded } from './seeded.ts';

export interface RunOptions {
  actions: number;
  executors: number;
  seed: number;
  /** How much faster time goes. */
  times: number;
  /** Real milliseconds from one kill to the next, on average. */
  killEveryMs: number;
  /** No more kills from outside than these: on a slow machine some process must come to work. */
  mostKills: number;
  /** Of each step of an action, the chance that its process dies there. */
  deaths: number;
  /** Real milliseconds after which what is not done counts as lost. */
  patienceMs: number;
}

export interface Run {
  approved: number;
  completed: number;
  /** Of those, found at the provider by a look-up. */
  byLookUp: number;
  /** Nothing happened, and the action says so. */
  failed: number;
  unknown: number;
  effects: number;
  doubled: number;
  lost: number;
  kills: number;
  moods: Record<string, number>;
  auditEntries: number;
  ms: number;
  /** What broke, in words. */
  broken: string[];
}

const program = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** A process that is started again whenever it ends, until it is told otherwise. */
function kept(start: () => ChildProcess): { kill(): boolean; deaths(): number; end(): Promise<void> } {
  let child = start();
  let works = false;
  let deaths = 0;
  let ending = false;
  const faults: string[] = [];
  function watch(): void {
    works = false;
    child.once('message', () => {
      works = true;
    });
    child.once('exit', (code, signal) => {
      if (ending) return;
      if (signal !== 'SIGKILL') faults.push(`an executor ended with ${signal ?? code}`);
      deaths += 1;
      child = start();
      watch();
    });
  }
  watch();
  return {
    /** Whether there was one at work to kill. */
    kill: () => works && child.kill('SIGKILL'),
    deaths: () => deaths,
    async end() {
      ending = true;
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await gone;
      if (faults.length > 0) throw new Error(faults.join('; '));
    },
  };
}

async function effectKeys(org: OrgStore): Promise<Map<string, string>> {
  const rows = await org.read((db) => db.selectFrom('action_queue').select(['id', 'effect_key']).execute());
  return new Map(rows.map((row) => [row.id, row.effect_key]));
}

/** Nothing more will happen to it by itself: final, or unknown at a provider that never tells. */
async function atRest(org: OrgStore): Promise<boolean> {
  const open = await org.read((db) =>
    db
      .selectFrom('action_queue')
      .select(['effect_key', 'status', 'look_ups'])
      .where('status', 'in', ['pending', 'approved', 'executing', 'unknown'])
      .execute(),
  );
  return open.every((row) => row.status === 'unknown' && isSilent(row.effect_key) && row.look_ups >= 2);
}

export async function exactlyOnce(options: RunOptions): Promise<Run> {
  const began = systemClock.now();
  const pace = { from: began, times: options.times };
  const clock = fastClock(pace);
  const chance = seeded(options.seed);
  const home = await mkdtemp(join(tmpdir(), 'drawbridge-once-'));
  const store = await openStore({
    config: { home, databaseUrl: undefined },
    clock: systemClock,
    log: createLog({ level: 'silent' }),
  });
  const orgId = await store.createOrg('Once');
  const org = paced(await store.forOrg(orgId), clock);
  await addConnection(org);

  const ended = new AbortController();
  // A late effect must come earlier than absence is believed, as it does at real pace.
  const provided: ProviderTask = { seed: options.seed, delayMs: 300 };
  const provider = fork(program('exactly-once-provider.ts'), [JSON.stringify(provided)]);
  const [port] = (await once(provider, 'message')) as [number];
  const queue = queueOf({ clock, connections: counted(port) });
  let started = 0;
  const executors = Array.from({ length: options.executors }, () =>
    kept(() => {
      started += 1;
      const seed = options.seed * 10_000 + started;
      const task: ExecutorTask = { home, orgId, port, pace, seed, deaths: options.deaths };
      return fork(program('exactly-once-process.ts'), [JSON.stringify(task)]);
    }),
  );

  async function propose(): Promise<Action[]> {
    const actions: Action[] = [];
    for (let i = 1; i <= options.actions; i += 1) {
      const { action } = await queue.propose(
        org,
        { kind: 'agent', orgId, agentId: 'key', name: 'agent', scopes: ['propose'] },
        { connectionId: 'con_1', operation: 'send', payload: { to: `bo${i}` } },
      );
      await queue.decide(
        org,
        { kind: 'person', orgId, memberId: 'mem', name: 'Pat' },
        { actionId: action.id, verdict: 'approve', hash: action.payloadHash, channel: 'terminal' },
      );
      actions.push(action);
    }
    return actions;
  }

  async function kill(): Promise<void> {
    for (let kills = 0; kills < options.mostKills; ) {
      const rest = options.killEveryMs * (0.5 + chance());
      await systemClock.sleep(rest, { signal: ended.signal }).catch(() => undefined);
      if (ended.signal.aborted) return;
      if (executors[Math.floor(chance() * executors.length)]?.kill() === true) kills += 1;
    }
  }

  try {
    const killing = kill();
    const actions = await propose();
    while (!(await atRest(org)) && systemClock.now() - began < options.patienceMs) {
      await systemClock.sleep(200);
    }
    ended.abort();
    await killing;
    await Promise.all(executors.map((executor) => executor.end()));
    const counts = (await (await fetch(`http://127.0.0.1:${port}/counts`)).json()) as ProviderCounts;
    const keys = await effectKeys(org);
    const found = await Promise.all(actions.map(({ id }) => queue.get(org, id)));
    const run = judge(found, keys, counts);
    const record = await audit.verify(org);
    if (record.bad !== undefined) run.broken.push(`the record: entry ${record.bad.seq}, ${record.bad.why}`);
    return {
      ...run,
      kills: executors.reduce((sum, executor) => sum + executor.deaths(), 0),
      auditEntries: record.entries,
      ms: systemClock.now() - began,
    };
  } finally {
    ended.abort();
    provider.disconnect();
    for (const executor of executors) await executor.end();
    await store.close();
    await rm(home, { recursive: true, force: true });
  }
}

function judge(
  actions: Action[],
  keys: Map<string, string>,
  { effects, moods }: ProviderCounts,
): Omit<Run, 'kills' | 'auditEntries' | 'ms'> {
  const run = { completed: 0, byLookUp: 0, failed: 0, unknown: 0, lost: 0 };
  const broken: string[] = [];
  const ours = new Set(actions.map(({ id }) => keys.get(id)));
  for (const { id, status, outcome } of actions) {
    const caused = effects[keys.get(id) ?? ''] ?? 0;
    if (caused > 1) broken.push(`${id}: ${caused} effects`);
    if (status === 'completed' && outcome?.kind === 'completed') {
      run.completed += 1;
      if (outcome.found === 'by look-up') run.byLookUp += 1;
      if (caused === 0) broken.push(`${id}: completed without an effect`);
    } else if (status === 'failed' && outcome?.kind === 'failed' && outcome.message !== '') {
      run.failed += 1;
      if (caused > 0) broken.push(`${id}: failed, though the effect is there`);
    } else if (status === 'unknown' && outcome?.kind === 'unknown' && outcome.evidence.length > 0) {
      run.unknown += 1;
    } else {
      run.lost += 1;
      broken.push(`${id}: left in ${status}`);
    }
  }
  for (const key of Object.keys(effects)) {
    if (!ours.has(key)) broken.push(`an effect that nobody approved: ${key}`);
  }
  const caused = Object.values(effects);
  return {
    ...run,
    approved: actions.length,
    effects: caused.reduce((sum, one) => sum + one, 0),
    doubled: caused.filter((one) => one > 1).length,
    moods,
    broken,
  };
}
