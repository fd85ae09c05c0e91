// The log of calls that left the house: who asked, how it ended, how long it took; failures with one of the 13
// codes. Written in batches beside the calls, which never wait for it.
import type { Clock } from '../clock.ts';
import type { CallRecord } from '../egress/egress.ts';
import { codeOfStatus, type ErrorCode } from '../errors.ts';
import { newId } from '../ids.ts';
import type { Log } from '../log.ts';
import { scrub } from '../secret.ts';
import type { OrgStore, Store } from '../store/store.ts';
import { forgetOld } from './retention.ts';

/** Records that wait to be written; what comes beyond them is counted as lost. */
const mostWaiting = 10_000;
const batch = 200;
const writeAfterMs = 1000;
const forgetEveryMs = 3_600_000;

export interface CallLog {
  /** Takes note of a call. Neither waits nor throws. */
  note(record: CallRecord): void;
  /** Resolves when all that was noted is written, or counted as lost. */
  flush(): Promise<void>;
  /** Flushes, and takes no more. Before the store closes. */
  close(): Promise<void>;
  /** Records that could not be written, since this process began. */
  lost(): number;
}

interface Noted {
  record: CallRecord;
  at: number;
}

export interface CallLogOptions {
  store: Store;
  clock: Clock;
  log: Log;
  /** Milliseconds that calls are kept. Default 90 days. */
  keptMs?: number;
}

export function createCallLog({ store, clock, log, keptMs }: CallLogOptions): CallLog {
  let waiting: Noted[] = [];
  let lost = 0;
  let closed = false;
  let writing: Promise<void> = Promise.resolve();
  let due = false;
  const over = new AbortController();
  const forgotten = new Map<string, number>();

  function lose(count: number, why: unknown): void {
    lost += count;
    log.warn({ err: why, lost: count }, 'calls could not be written to the log of calls');
  }

  async function writeAll(): Promise<void> {
    const noted = waiting;
    waiting = [];
    for (const [orgId, ofOrg] of Map.groupBy(noted, ({ record }) => record.caller.orgId)) {
      for (let from = 0; from < ofOrg.length; from += batch) {
        const part = ofOrg.slice(from, from + batch);
        try {
          const org = await store.forOrg(orgId);
          await write(org, part);
          await tidy(org);
        } catch (thrown) {
          lose(part.length, thrown);
        }
      }
    }
  }

  async function tidy(org: OrgStore): Promise<void> {
    const last = forgotten.get(org.orgId);
    if (last !== undefined && clock.elapsed() - last < forgetEveryMs) return;
    forgotten.set(org.orgId, clock.elapsed());
    await forgetOld(org, keptMs);
  }

  function flush(): Promise<void> {
    writing = writing.then(writeAll);
    return writing;
  }

  function soon(): void {
    if (due) return;
    due = true;
    clock.sleep(writeAfterMs, { unref: true, signal: over.signal }).then(
      () => {
        due = false;
        return flush();
      },
      // Closed meanwhile: the close writes what is left.
      () => undefined,
    );
  }

  return {
    note(record) {
      if (closed || waiting.length >= mostWaiting) {
        // Told when the flood is over, not once for each.
        lost += 1;
        return;
      }
      waiting.push({ record, at: clock.now() });
      soon();
    },
    flush,
    async close() {
      closed = true;
      over.abort();
      await flush();
      if (lost > 0) log.warn({ lost }, 'calls are missing from the log of calls');
    },
    lost: () => lost,
  };
}

async function write(org: OrgStore, noted: Noted[]): Promise<void> {
  const { orgId } = org;
  const calls = noted.map(({ record, at }) => ({
    org_id: orgId,
    id: newId('call', at),
    connection_id: record.caller.connectionId ?? null,
    provider: record.caller.provider,
    operation: record.caller.operation,
    cause: record.caller.cause,
    method: record.method,
    host: record.host,
    outcome: record.outcome,
    attempts: record.attempts,
    ms: record.ms,
    at,
  }));
  const errors = noted.flatMap(({ record, at }) => {
    const failure = failureOf(record);
    if (failure === undefined) return [];
    const { provider, operation, connectionId } = record.caller;
    return {
      org_id: orgId,
      id: newId('err', at),
      connection_id: connectionId ?? null,
      provider,
      operation,
      code: failure.code,
      message: scrub(failure.message).slice(0, 500),
      at,
    };
  });
  await org.write(async (tx) => {
    await tx.insertInto('mcp_call_logs').values(calls).execute();
    if (errors.length > 0) await tx.insertInto('integration_errors').values(errors).execute();
  });
}

/** What was wrong with a call, in the house's codes; undefined for one that went well or was given up. */
function failureOf({ outcome, error, host }: CallRecord): { code: ErrorCode; message: string } | undefined {
  if (error !== undefined) return { code: error.code, message: error.message };
  const status = Number(outcome);
  if (Number.isInteger(status)) {
    if (status < 400) return undefined;
    return { code: codeOfStatus(status), message: `${host} answered with status ${status}.` };
  }
  if (outcome === 'ok' || outcome === 'aborted') return undefined;
  if (outcome === 'network') return { code: 'network', message: `${host} could not be reached.` };
  return { code: 'internal', message: `The conversation with ${host} failed.` };
}
