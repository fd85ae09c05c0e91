// Puts the queue's verbs together over one set of rooms.
import type { Audit } from '../audit/audit.ts';
import type { Clock } from '../clock.ts';
import type { Connections } from '../connections/connections.ts';
import { newToken } from '../ids.ts';
import type { Log } from '../log.ts';
import { cancel } from './decide/cancel.ts';
import { carrierOf } from './decide/carriers.ts';
import { decide, previewEdit } from './decide/decide.ts';
import { handOver, snooze } from './decide/later.ts';
import { settle } from './decide/settle.ts';
import { eraseAction, erasePerson } from './erase.ts';
import { type Executor, startExecutor } from './execute/executor.ts';
import { runDue } from './execute/run-due.ts';
import { propose } from './propose/propose.ts';
import { getAction, undo } from './propose/undo.ts';
import type { Action, Queue } from './queue.ts';
import { eventsOf, listActions } from './read.ts';
import { type Checkpoint, type Policy, type Presence, type QueueRoom, seconds } from './room.ts';
import { createSteady } from './steady.ts';

export interface QueueOptions {
  connections: Connections;
  clock: Clock;
  log: Log;
  /** Milliseconds until a pending action expires. */
  actionTtlMs: number;
  /** Where every move is recorded, in its own transaction; default: nowhere. */
  audit?: Pick<Audit, 'append'>;
  /** Names this process in leases; default: random. */
  owner?: string;
  /** Bytes that all attachments of one action may hold together. Default 10 MB. */
  attachmentLimit?: number;
  /** Milliseconds that an executor's lease lasts unless renewed. Default 30,000. */
  leaseMs?: number;
  /** Milliseconds that an approved send is held before it leaves. Default 10,000. */
  holdMs?: number;
  /** New actions of one principal a minute. Default 60. */
  proposalsPerMinute?: number;
  policy?: Policy;
  presence?: Presence;
  /** Who a member is, for handing an action over. Default: nobody is known. */
  member?: QueueRoom['member'];
  /**
   * For fault tests: called at each named step of the executor, and waited for. What it throws is thrown
   * there. Default: nothing.
   */
  checkpoint?: (step: Checkpoint, actionId: string | undefined) => void | Promise<void>;
}

export function createQueue(options: QueueOptions): Queue {
  const { clock, connections, actionTtlMs } = options;
  const log = options.log.child({ room: 'queue' });
  const listeners = new Set<(orgId: string, action: Action) => void>();
  const executors = new Set<Executor>();

  function announce(orgId: string, action: Action): void {
    for (const listener of [...listeners]) {
      try {
        listener(orgId, action);
      } catch (error) {
        log.error({ err: error, action: action.id }, 'A listener failed');
      }
    }
    if (action.status === 'approved') for (const executor of executors) executor.wake();
  }

  const room: QueueRoom = {
    connections,
    clock,
    log,
    steady: createSteady(clock),
    actionTtlMs,
    attachmentLimit: options.attachmentLimit ?? 10 * 1024 * 1024,
    audit: options.audit,
    owner: options.owner ?? newToken(12),
    leaseMs: options.leaseMs ?? 30 * seconds,
    holdMs: options.holdMs ?? 10 * seconds,
    proposalsPerMinute: options.proposalsPerMinute ?? 60,
    policy: options.policy,
    presence: options.presence,
    member: options.member,
    checkpoint: options.checkpoint ?? (() => undefined),
    announce,
  };

  return {
    propose: (org, principal, proposal) => propose(room, org, principal, proposal),
    get: (org, id) => getAction(room, org, id),
    list: listActions,
    events: eventsOf,
    decide: (org, person, decision) => decide(room, org, person, decision),
    carrier: (org, agent, action) => carrierOf(room, org, agent, action),
    previewEdit: (org, person, given) => previewEdit(room, org, person, given),
    snooze: (org, person, given) => snooze(room, org, person, given),
    handOver: (org, person, given) => handOver(room, org, person, given),
    undo: (org, principal, id) => undo(room, org, principal, id),
    cancel: (org, principal, id, channel) => cancel(room, org, principal, id, channel),
    settle: (org, person, settlement) => settle(room, org, person, settlement),
    erase: (org, person, given) => eraseAction(room, org, person, given),
    erasePerson: (org, person, given) => erasePerson(room, org, person, given),
    runDue: (org, given = {}) => runDue(room, org, given.signal),
    startExecutor(orgs) {
      const executor = startExecutor(room, orgs);
      executors.add(executor);
      return {
        wake: executor.wake,
        async stop() {
          executors.delete(executor);
          await executor.stop();
        },
      };
    },
    onMove(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
