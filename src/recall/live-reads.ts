// The few live reads of one answer: a record by its id, or what is new in an account. Callers that want the same at
// the same time share one read, and what it brings goes through memory's one door, for the next answer, too.
import type { Clock } from '../clock.ts';
import type { Connection, Connections } from '../connections/connections.ts';
import { toDrawbridgeError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Memory, Passage } from '../memory/memory.ts';
import type { OrgStore } from '../store/store.ts';
import type { UnderWay } from '../under-way.ts';

export interface LiveRooms {
  clock: Clock;
  log: Log;
  connections: Pick<Connections, 'list' | 'record'>;
  memory: Pick<Memory, 'search' | 'ingest'>;
  /** Brings what is new; a second call while one runs joins it. */
  refresh(org: OrgStore, connectionId: string, signal?: AbortSignal): Promise<void>;
  underWay: UnderWay;
}

/** So many at most for one answer, and so long together, ms. */
export const liveReads = 2;
const timeBox = 3_000;

export interface LiveRead {
  connection: Connection;
  /** The record; left out: what is new in the account. */
  record?: Pick<Passage, 'kind' | 'externalId'>;
}

/** Of this process: by org, account and record. */
const underWay = new Map<string, Promise<void>>();

async function readRecord(
  { connections, memory, log }: LiveRooms,
  org: OrgStore,
  connection: Connection,
  record: Pick<Passage, 'kind' | 'externalId'>,
): Promise<void> {
  const found = await connections.record(org, connection, record);
  if (found === undefined) return;
  const source = { connectionId: connection.id, provider: connection.provider };
  const live = await found.read();
  const { rejected } = await memory.ingest(
    org,
    source,
    live === undefined ? { records: [], deleted: [record.externalId] } : { records: [live] },
  );
  for (const { externalId, reason } of rejected)
    log.warn({ externalId, reason }, 'a record that was read live could not be kept');
}

async function once(rooms: LiveRooms, org: OrgStore, { connection, record }: LiveRead): Promise<void> {
  if (record === undefined) return rooms.refresh(org, connection.id);
  const key = `${org.orgId}/${connection.id}/${record.externalId}`;
  const running = underWay.get(key);
  if (running !== undefined) return running;
  const run = rooms.underWay
    .run(() => readRecord(rooms, org, connection, record))
    .finally(() => underWay.delete(key));
  underWay.set(key, run);
  return run;
}

/**
 * Makes the reads side by side; what takes longer goes on behind the answer.
 * @returns why the answer may be incomplete, and whether any read came to its end
 */
export async function readLive(
  rooms: LiveRooms,
  org: OrgStore,
  reads: readonly LiveRead[],
): Promise<{ reasons: string[]; ended: boolean }> {
  const reasons: string[] = [];
  let ended = false;
  const runs = reads.map(async (read) => {
    try {
      await once(rooms, org, read);
      return undefined;
    } catch (thrown) {
      const { connection, record } = read;
      rooms.log.info({ err: thrown, connection: connection.id }, 'a live read for an answer failed');
      const message = toDrawbridgeError(thrown).message.slice(0, 500);
      return record === undefined
        ? `${connection.label} could not be asked for news: ${message}`
        : `${connection.label} could not be asked how a ${record.kind} stands now: ${message}`;
    }
  });
  const late = rooms.clock.sleep(timeBox, { unref: true }).then(() => 'late' as const);
  for (const [index, run] of runs.entries()) {
    const result = await Promise.race([run, late]);
    if (result === undefined) ended = true;
    else if (result !== 'late') reasons.push(result);
    else
      reasons.push(
        `${reads[index]?.connection.label} is still being asked for news; newer records may be missing.`,
      );
  }
  return { reasons: [...new Set(reasons)], ended };
}
