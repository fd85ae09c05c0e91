// One claimed action is run once: verified, marked as sending before the first byte, and written down as
// what it came to. What may have been sent is never run again.
import { DrawbridgeError } from '../../errors.ts';
import { EffectRefused, type WriteContext, type WriteOutcome } from '../../providers/define.ts';
import { toJson } from '../../store/codec.ts';
import type { OrgStore } from '../../store/store.ts';
import { approvedRecord } from '../before.ts';
import type { ActionRow } from '../envelope.ts';
import { moveAction } from '../moves.ts';
import { attachmentBytes } from '../propose/attachments.ts';
import type { ActionOutcome } from '../queue.ts';
import {
  attemptBackOff,
  longestRest,
  lookUpBackOff,
  maxAttempts,
  type QueueRoom,
  restAfter,
  runLimitMs,
  seconds,
} from '../room.ts';
import { executorMover } from './claim.ts';
import { type HeldLease, holdLease } from './lease.ts';
import { changedMeanwhile, checkRecord } from './meanwhile.ts';
import { clean, completedOutcome, evidenceOf, failedOutcome } from './outcome.ts';
import { AskAgain, returned } from './return.ts';
import { testify } from './testify.ts';
import { type Verified, verify } from './verify.ts';

/** What one run came to. `again`: certainly nothing was sent, and another try is worth making. */
type Verdict =
  | { to: 'again'; error: unknown; restMs: number }
  | { to: 'final'; outcome: ActionOutcome }
  /** A person is asked again: nothing was sent. */
  | { to: 'pending'; asked: AskAgain };

/** Runs an action whose lease this process has just taken. Never throws for what the action came to. */
export async function execute(room: QueueRoom, org: OrgStore, row: ActionRow): Promise<void> {
  const lease = holdLease(room, org, row);
  try {
    const verdict = await run(room, org, row, lease);
    await room.checkpoint('before-outcome', row.id);
    await record(room, org, row, lease, verdict);
    await room.checkpoint('after-outcome', row.id);
  } finally {
    lease.release();
  }
}

async function run(room: QueueRoom, org: OrgStore, row: ActionRow, lease: HeldLease): Promise<Verdict> {
  const gate = openGate(room, row, lease);
  let verified: Verified;
  let context: WriteContext;
  try {
    verified = await verify(room, org, row, await org.now());
    await checkRecord(room, org, row, verified, lease.signal);
    context = await room.connections.writeContext(org, verified.connection, row.operation, {
      effectKey: row.effect_key,
      before: approvedRecord(row),
      attachment: (sha256) => attachmentBytes(org, row.id, sha256),
      aboutToSend: gate.aboutToSend,
      signal: lease.signal,
    });
    await room.checkpoint('after-verify', row.id);
  } catch (error) {
    if (error instanceof AskAgain) return { to: 'pending', asked: error };
    // What nobody has a name for here is our own database, and may pass.
    return notSent(room, row, error, !(error instanceof DrawbridgeError) || error.code === 'internal');
  }
  const running = (async () => verified.operation.run(context, verified.payload))();
  try {
    const outcome = await limited(room, running);
    await gate.passed();
    if (gate.refused()) {
      return unclear(
        'The operation went on although it was told not to send.',
        `It answered: ${clean(outcome.reference)}`,
      );
    }
    return { to: 'final', outcome: completedOutcome(outcome) };
  } catch (error) {
    if (error instanceof OutOfTime) {
      lease.giveUp();
      keepLateAnswer(room, org, row, running);
    }
    const sent = await gate.passed();
    const refusal = error instanceof EffectRefused && !gate.refused();
    if (refusal || !sent) {
      const asked = await changedMeanwhile(room, org, row, { verified, error, signal: lease.signal });
      if (asked !== undefined) return { to: 'pending', asked };
    }
    // A refusal from a run that was not let through is our own, and says nothing of the provider.
    if (refusal) return refused(room, org, row, error);
    room.log.warn({ err: error, action: row.id, sent }, 'A write did not come to its end');
    if (sent) return unclear('It had begun to send, and no clear answer came.', evidenceOf(error));
    tellConnection(room, org, row, error);
    return notSent(room, row, error, gate.refused() || lease.signal.aborted);
  }
}

/** The provider, or the door, said that nothing was done: that lasts, unless it was the moment that was wrong. */
function refused(room: QueueRoom, org: OrgStore, row: ActionRow, refusal: EffectRefused): Verdict {
  const { cause } = refusal;
  tellConnection(room, org, row, cause);
  if (cause instanceof DrawbridgeError && cause.retry === 'later') return notSent(room, row, cause, false);
  if (cause instanceof DrawbridgeError && cause.retry === 'reconnect') {
    return { to: 'final', outcome: failedOutcome(cause) };
  }
  return { to: 'final', outcome: { kind: 'failed', code: 'refused', message: clean(refusal.message) } };
}

/**
 * The way through which a run must pass before it sends. It opens once, when the mark is on the disk, and
 * stays shut when that failed.
 */
function openGate(room: QueueRoom, row: ActionRow, lease: HeldLease) {
  let opening: Promise<void> | undefined;
  let state: 'shut' | 'open' | 'refused' = 'shut';
  async function open(): Promise<void> {
    try {
      await room.checkpoint('before-sending-mark', row.id);
      await lease.markSending();
      state = 'open';
    } catch (error) {
      state = 'refused';
      room.log.warn({ err: error, action: row.id }, 'Nothing was sent: the record could not be written');
      throw error;
    }
    await room.checkpoint('after-sending-mark', row.id);
  }
  return {
    aboutToSend: async () => {
      opening ??= open();
      await opening;
      lease.signal.throwIfAborted();
    },
    refused: () => state === 'refused',
    /** Whether it opened; waits for an opening that is under way. */
    passed: async () => {
      await opening?.catch(() => undefined);
      return state === 'open';
    },
  };
}

class OutOfTime extends Error {
  override readonly name = 'OutOfTime';
}

/** The run's result, or OutOfTime: an operation that never ends must not hold its action for ever. */
async function limited(room: QueueRoom, running: Promise<WriteOutcome>): Promise<WriteOutcome> {
  const done = new AbortController();
  const limit = room.clock.sleep(runLimitMs, { signal: done.signal, unref: true }).then(() => {
    throw new OutOfTime(`No answer within ${runLimitMs / 60_000} minutes`);
  });
  // When the run ends first, the sleep ends by being aborted; that is no failure of anything.
  limit.catch(() => undefined);
  try {
    return await Promise.race([running, limit]);
  } finally {
    done.abort();
  }
}

/** A credential that is refused here is refused everywhere: the connection's state should say so. */
function tellConnection(room: QueueRoom, org: OrgStore, row: ActionRow, error: unknown): void {
  if (!(error instanceof DrawbridgeError) || error.retry !== 'reconnect') return;
  room.connections
    .report(org, row.connection_id, { error })
    .catch((cause) =>
      room.log.warn({ err: cause, action: row.id }, 'A connection could not be told of its state'),
    );
}

/** An answer that comes after we stopped waiting is still the best evidence there is. */
function keepLateAnswer(
  room: QueueRoom,
  org: OrgStore,
  row: ActionRow,
  running: Promise<WriteOutcome>,
): void {
  running.then(
    (outcome) => testify(room, org, row, `The provider answered late: ${clean(outcome.reference, 300)}`),
    (error) => testify(room, org, row, `The run ended late: ${evidenceOf(error)}`),
  );
}

function unclear(message: string, evidence: string): Verdict {
  return { to: 'final', outcome: { kind: 'unknown', message, evidence: [evidence] } };
}

/** Certainly nothing was sent: try again where that is worth it, or fail. */
function notSent(room: QueueRoom, row: ActionRow, error: unknown, passing: boolean): Verdict {
  const worthIt = passing || (error instanceof DrawbridgeError && error.retry === 'later');
  if (!worthIt || row.fencing >= maxAttempts) return { to: 'final', outcome: failedOutcome(error) };
  const asked = error instanceof DrawbridgeError ? (error.retryAfterMs ?? 0) : 0;
  const restMs = Math.min(Math.max(asked, restAfter(attemptBackOff, row.fencing)), longestRest);
  room.log.info({ err: error, action: row.id, restMs }, 'Nothing was sent; trying again later');
  return { to: 'again', error, restMs };
}

const writeTries = [seconds, 3 * seconds];

/**
 * Writes the verdict, only under our own lease. A database that cannot write is tried again for a little
 * while; then the lease runs out, and whoever finds the action asks the provider what became of it.
 */
async function record(
  room: QueueRoom,
  org: OrgStore,
  row: ActionRow,
  lease: HeldLease,
  verdict: Verdict,
): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      const moved = await write(room, org, row, lease, verdict);
      if (!moved) await refusedLate(room, org, row, verdict);
      return;
    } catch (error) {
      const rest = writeTries[attempt];
      room.log.error({ err: error, action: row.id, attempt }, 'What an action came to could not be written');
      if (rest === undefined) return;
      // Keeps the process alive: the record is worth a few seconds.
      await room.clock.sleep(rest);
    }
  }
}

async function write(
  room: QueueRoom,
  org: OrgStore,
  row: ActionRow,
  lease: HeldLease,
  verdict: Verdict,
): Promise<boolean> {
  const at = await org.now();
  const common = {
    actionId: row.id,
    from: 'executing' as const,
    at,
    by: executorMover(room),
    channel: 'executor' as const,
    held: { owner: lease.owner, fencing: lease.fencing },
  };
  if (verdict.to === 'again') {
    // Until then nobody holds the lease and nobody may take it: that is the back-off.
    const moved = await moveAction(room, org, {
      ...common,
      to: 'approved',
      detail: { attempt: row.fencing, restMs: verdict.restMs, reason: evidenceOf(verdict.error) },
      set: { lease_until: at + verdict.restMs, sending_at: null },
    });
    return moved !== undefined;
  }
  if (verdict.to === 'pending') {
    const moved = await moveAction(room, org, {
      ...common,
      to: 'pending',
      ...returned(room, row, verdict.asked, at),
    });
    return moved !== undefined;
  }
  const { outcome } = verdict;
  const moved = await moveAction(room, org, {
    ...common,
    to: outcome.kind,
    detail: outcome.kind === 'completed' ? { reference: outcome.reference } : { reason: outcome.message },
    set: {
      outcome: toJson(outcome),
      ...(outcome.kind === 'unknown'
        ? { look_ups: 0, next_look_up_at: at + restAfter(lookUpBackOff, 1) }
        : {}),
    },
  });
  return moved !== undefined;
}

async function refusedLate(room: QueueRoom, org: OrgStore, row: ActionRow, verdict: Verdict): Promise<void> {
  room.log.warn({ action: row.id }, 'A late write was refused: the lease belongs to someone else now');
  if (verdict.to !== 'final') return;
  const { outcome } = verdict;
  await testify(
    room,
    org,
    row,
    outcome.kind === 'completed'
      ? `The run ended after its lease was lost; the provider had answered: ${clean(outcome.reference, 300)}`
      : `The run ended after its lease was lost: ${clean(outcome.message, 300)}`,
  );
}
