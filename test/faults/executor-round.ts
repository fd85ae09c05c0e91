// One round of the kill test: propose, approve, let a process run it and die, then see what a second
// executor makes of what it left.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../src/clock.ts';
import { createLog } from '../../src/log.ts';
import { createQueue } from '../../src/queue/create.ts';
import type { Action, Queue } from '../../src/queue/queue.ts';
import { openStore } from '../../src/store/open.ts';
import type { OrgStore, Store } from '../../src/store/store.ts';
import { addConnection } from '../queue/world.ts';
import { type Counter, counted, startCounter } from './executor-provider.ts';

/** Where the process dies, in the order in which an action passes. */
export const steps = [
  'before-claim',
  'after-claim',
  'after-verify',
  'before-sending-mark',
  'after-sending-mark',
  'before-effect',
  'before-answer',
  'before-outcome',
  'after-outcome',
  'any-moment',
] as const;
export type Step = (typeof steps)[number];

const leaseMs = 30_000;
const longestRandomMs = 60;
const program = fileURLToPath(new URL('executor-process.ts', import.meta.url));

export interface Ground {
  home: string;
  store: Store;
  org: OrgStore;
  queue: Queue;
  counter: Counter;
  close(): Promise<void>;
}

export async function openGround(): Promise<Ground> {
  const home = await mkdtemp(join(tmpdir(), 'drawbridge-faults-'));
  const log = createLog({ level: 'silent' });
  const store = await openStore({ config: { home, databaseUrl: undefined }, clock: systemClock, log });
  const org = await store.forOrg(await store.createOrg('Faults'));
  await addConnection(org);
  const counter = await startCounter();
  const queue = createQueue({
    connections: counted(counter.port),
    clock: systemClock,
    log,
    actionTtlMs: 3_600_000,
    holdMs: 0,
  });
  return {
    home,
    store,
    org,
    queue,
    counter,
    async close() {
      await counter.close();
      await store.close();
      await rm(home, { recursive: true, force: true });
    },
  };
}

let letters = 0;

export async function approved({ org, queue }: Ground): Promise<Action> {
  letters += 1;
  const { action } = await queue.propose(
    org,
    { kind: 'agent', orgId: org.orgId, agentId: 'key', name: 'agent', scopes: ['propose'] },
    { connectionId: 'con_1', operation: 'send', payload: { to: `bo${letters}` } },
  );
  return queue.decide(
    org,
    { kind: 'person', orgId: org.orgId, memberId: 'mem', name: 'Pat' },
    { actionId: action.id, verdict: 'approve', hash: action.payloadHash, channel: 'terminal' },
  );
}

/** `blocks`: largest file that the process may write, in units of 512 bytes. */
export function startExecutor({ home, org, counter }: Ground, step: string, blocks?: number): ChildProcess {
  const task = JSON.stringify({ home, orgId: org.orgId, port: counter.port, step });
  const options = { stdio: ['ignore', 'pipe', 'inherit'] as ['ignore', 'pipe', 'inherit'] };
  if (blocks === undefined) return spawn(process.execPath, [program, task], options);
  return spawn('sh', ['-c', `ulimit -f ${blocks}; exec "$0" "$@"`, process.execPath, program, task], options);
}

/** Runs an executor to its end. @returns the signal that ended it, or undefined when it ended by itself. */
export async function runExecutor(
  ground: Ground,
  step: string,
  blocks?: number,
): Promise<string | undefined> {
  const child = startExecutor(ground, step, blocks);
  const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  if (step === 'any-moment') {
    if (child.stdout !== null) await once(child.stdout, 'data');
    await systemClock.sleep(Math.random() * longestRandomMs);
    child.kill('SIGKILL');
  }
  const [code, signal] = await ended;
  if (signal === null && code !== 0) throw new Error(`The executor ended with code ${code}`);
  return signal ?? undefined;
}

export interface Found {
  /** Status that the dead process left. */
  left: string;
  /** Status one lease later, after one run of a second executor. */
  afterLease: string;
  /** Status at the end, look-ups made. */
  end: string;
  found: boolean;
  effects: number;
}

/** A second executor, which begins one lease later by the database's time, and goes on until nothing is open. */
export async function recoverFrom(ground: Ground, action: Action): Promise<Found> {
  const { queue, counter, org: real } = ground;
  const left = (await queue.get(real, action.id)).status;
  let later = leaseMs + 1_000;
  const org: OrgStore = { ...real, now: async () => (await real.now()) + later };
  const second = createQueue({
    connections: counted(counter.port),
    clock: systemClock,
    log: createLog({ level: 'silent' }),
    actionTtlMs: 3_600_000,
    holdMs: 0,
  });
  await second.runDue(org);
  const afterLease = (await queue.get(real, action.id)).status;
  let now = await queue.get(real, action.id);
  for (let i = 0; i < 10 && !['completed', 'failed'].includes(now.status); i += 1) {
    later += 40_000;
    await second.runDue(org);
    now = await queue.get(real, action.id);
  }
  const keys = await real.read((db) =>
    db.selectFrom('action_queue').select('effect_key').where('id', '=', action.id).executeTakeFirstOrThrow(),
  );
  return {
    left,
    afterLease,
    end: now.status,
    found: now.outcome?.kind === 'completed' && now.outcome.found === 'by look-up',
    effects: counter.effects.get(keys.effect_key) ?? 0,
  };
}

/** What must hold wherever the process died. @returns what does not, in words. */
export function faultsOf(found: Found): string[] {
  const faults: string[] = [];
  if (found.effects > 1) faults.push(`${found.effects} effects`);
  if (!['completed', 'failed', 'unknown'].includes(found.afterLease)) {
    faults.push(`left hanging in ${found.afterLease} beyond its lease`);
  }
  if (found.end === 'completed' && found.effects !== 1) faults.push('completed without an effect');
  if (found.end === 'failed' && found.effects !== 0) faults.push('failed, though the effect is there');
  if (!['completed', 'failed'].includes(found.end)) faults.push(`ended in ${found.end}`);
  return faults;
}
