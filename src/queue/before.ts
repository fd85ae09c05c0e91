// The live record that a write changes is read when it is proposed and again right before it runs: what a
// person approves is the step from the one to the other.
import { createHash } from 'node:crypto';
import { canonicalJson } from '../canonical-json.ts';
import type { Connection } from '../connections/connections.ts';
import { withDeadline } from '../egress/deadline.ts';
import { DrawbridgeError } from '../errors.ts';
import type { LiveRecord, WriteOperation } from '../providers/define.ts';
import { fromJson } from '../store/codec.ts';
import type { OrgStore } from '../store/store.ts';
import type { ActionRow } from './envelope.ts';
import { type QueueRoom, seconds } from './room.ts';

const readWithin = 15 * seconds;
const largestRecord = 256 * 1024;

export interface SealedRecord {
  record: LiveRecord;
  /** Canonical; what is stored is what was hashed. */
  json: string;
  hash: string;
}

interface Meant {
  connection: Connection;
  /** Name of the operation. */
  name: string;
  operation: WriteOperation<unknown>;
  payload: unknown;
  signal?: AbortSignal;
}

export function hashRecord(json: string): string {
  return createHash('sha256').update(json).digest('hex');
}

/**
 * The record as it stands now, or undefined where the operation changes none.
 * @throws DrawbridgeError when it cannot be read: what would change then is not known, and nothing is proposed or sent
 */
export async function readBefore(
  room: QueueRoom,
  org: OrgStore,
  { connection, name, operation, payload, signal }: Meant,
): Promise<SealedRecord | undefined> {
  const { before } = operation;
  if (before === undefined) return undefined;
  const expired = () =>
    new DrawbridgeError(
      'timeout',
      `${connection.providerTitle} did not show the record within ${readWithin / seconds} s.`,
    );
  try {
    const record = await withDeadline(
      { clock: room.clock, timeoutMs: readWithin, signal, expired },
      async (limit) => {
        const context = await room.connections.writeContext(org, connection, name, {
          effectKey: 'none',
          attachment: refused,
          aboutToSend: refused,
          signal: limit,
        });
        return before(context, payload);
      },
    );
    return record === undefined ? undefined : sealRecord(record);
  } catch (error) {
    if (!(error instanceof DrawbridgeError)) {
      room.log.warn({ err: error, operation: name }, 'A live record could not be read');
      throw new DrawbridgeError(
        'provider_unavailable',
        `What ${name} would change could not be read at ${connection.providerTitle}; nothing was sent.`,
        { cause: error },
      );
    }
    if (error.retry === 'reconnect') await room.connections.report(org, connection.id, { error });
    throw error;
  }
}

async function refused(): Promise<never> {
  throw new DrawbridgeError('internal', 'A record is read here; nothing may be sent.');
}

function sealRecord({ title, url, fields, after }: LiveRecord): SealedRecord {
  const json = canonicalJson({ title, ...(url === undefined ? {} : { url }), fields, after });
  if (Buffer.byteLength(json) > largestRecord) {
    throw new DrawbridgeError('invalid_request', 'The record is too large to be shown as it stands.');
  }
  return { record: JSON.parse(json) as LiveRecord, json, hash: hashRecord(json) };
}

/** The record as it stood when the action was last decided on. */
export function approvedRecord(row: Pick<ActionRow, 'before_record'>): LiveRecord | undefined {
  return row.before_record === null ? undefined : fromJson<LiveRecord>(row.before_record);
}

/** Names of what differs between two readings, for the one who decides again. */
export function changedIn(was: LiveRecord, is: LiveRecord): string[] {
  const names = new Set([...Object.keys(was.fields), ...Object.keys(is.fields)]);
  const changed = [...names].filter(
    (name) => canonicalJson(was.fields[name] ?? null) !== canonicalJson(is.fields[name] ?? null),
  );
  return was.title === is.title ? changed : [...new Set(['title', ...changed])];
}
