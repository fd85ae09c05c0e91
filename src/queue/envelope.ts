// What a person approves is exactly one sequence of bytes: the payload with its defaults, canonical, bound
// to its org, account, operation and version by one hash.
import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { DrawbridgeError } from '../errors.ts';
import { inputFaults } from '../input-faults.ts';
import type { WriteOperation } from '../providers/define.ts';
import type { OrgTables } from '../store/tables.ts';
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
}

/**
 * JSON in the one form of RFC 8785: sorted keys, no spaces, ECMAScript numbers.
 * @throws Error for what JSON cannot hold: NaN, infinities, lone surrogates, cycles.
 */
export function canonicalJson(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new Error('There is nothing to write as JSON');
  return text;
}

/** SHA-256 of the canonical envelope, hex. */
export function hashEnvelope(envelope: Envelope): string {
  return createHash('sha256')
    .update(canonicalJson({ v: 1, ...envelope }))
    .digest('hex');
}

/** The hash that a stored action has by what stands in its row now, or undefined when its payload is not JSON. */
export function hashRow(row: ActionRow): string | undefined {
  try {
    return hashEnvelope({
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
