// What a person approves is exactly one sequence of bytes: the payload with its defaults, canonical, bound
// to its org, account, operation and version by one hash.
import { createHash } from 'node:crypto';
import { canonicalJson } from '../canonical-json.ts';
import { DrawbridgeError } from '../errors.ts';
import { inputFaults } from '../input-faults.ts';
import type { WriteOperation } from '../providers/define.ts';
import { fromJson } from '../store/codec.ts';
import type { OrgTables } from '../store/tables.ts';
import { hashRecord } from './before.ts';
import type { PolicyVerdict } from './queue.ts';
import { payloadLimit } from './room.ts';

export type ActionRow = OrgTables['action_queue'];

export interface Envelope {
  org: string;
  /** The connection, and the provider's own id of the account behind it. */
  account: { connection: string; id: string };
  provider: string;
  operation: string;
  version: number;
  payload: unknown;
  /** Hash of the live record as it was read; absent where the operation changes none. */
  before?: string;
  /** Version of the rules that judged it; absent where there are none. */
  policy?: string;
}

/** SHA-256 of the canonical envelope, hex. Version 1 has neither a live record nor rules. */
export function hashEnvelope(envelope: Envelope): string {
  const v = envelope.before === undefined && envelope.policy === undefined ? 1 : 2;
  return createHash('sha256')
    .update(canonicalJson({ v, ...envelope }))
    .digest('hex');
}

/** The hash that a stored action has by what stands in its row now, or undefined when that is not JSON. */
export function hashRow(row: ActionRow): string | undefined {
  try {
    return hashEnvelope({
      ...(row.before_record === null ? {} : { before: hashRecord(row.before_record) }),
      ...(row.policy === null ? {} : { policy: fromJson<PolicyVerdict>(row.policy).version }),
      org: row.org_id,
      account: { connection: row.connection_id, id: row.account },
      provider: row.provider,
      operation: row.operation,
      version: row.operation_version,
      payload: JSON.parse(row.payload),
    });
  } catch {
    return undefined;
  }
}

/**
 * The payload with its defaults, checked, and its canonical JSON. The payload is what the JSON says: what
 * is shown, hashed and sent comes from the same text.
 * @throws DrawbridgeError `invalid_request` naming the field.
 */
export function sealPayload(
  operation: WriteOperation<unknown>,
  given: unknown,
): { payload: unknown; json: string } {
  const parsed = operation.input.safeParse(given);
  if (!parsed.success) {
    const [fault] = inputFaults(operation.input, parsed.error, given, { whole: 'payload' });
    const field = fault?.field === '' ? 'payload' : (fault?.field ?? 'payload');
    throw new DrawbridgeError('invalid_request', fault?.text ?? 'payload: is not valid', { field });
  }
  const json = payloadJson(parsed.data);
  const size = Buffer.byteLength(json);
  if (size > payloadLimit) {
    throw new DrawbridgeError(
      'invalid_request',
      `payload: is ${size.toLocaleString('en')} bytes; at most ${payloadLimit.toLocaleString('en')} are allowed. Shorten it, or attach the long part.`,
      { field: 'payload' },
    );
  }
  const payload: unknown = JSON.parse(json);
  operation.validate?.(payload);
  return { payload, json };
}

function payloadJson(value: unknown): string {
  try {
    return canonicalJson(value);
  } catch (cause) {
    throw new DrawbridgeError(
      'invalid_request',
      `payload: cannot be written as JSON (${cause instanceof Error ? cause.message : 'unknown reason'}).`,
      { field: 'payload', cause },
    );
  }
}
