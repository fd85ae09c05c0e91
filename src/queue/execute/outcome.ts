// What a provider says of a write is untrusted and of any size: it is kept bounded, scrubbed and storable,
// because a record that cannot be written would turn a finished send into an unclear one.
import { DrawbridgeError } from '../../errors.ts';
import type { WriteOutcome } from '../../providers/define.ts';
import { scrub } from '../../secret.ts';
import type { ActionOutcome } from '../queue.ts';

const longestDetails = 8 * 1024;
const longestText = 1_000;
const mostEvidence = 12;

export function clean(text: unknown, max = longestText): string {
  // PostgreSQL stores no NUL, and nobody reads one.
  const line = scrub(String(text)).replaceAll('\u0000', '');
  return line.length > max ? `${line.slice(0, max - 1)}…` : line;
}

/** A provider's outcome as it is stored. */
export function completedOutcome(
  given: WriteOutcome,
  found?: 'by look-up',
): Extract<ActionOutcome, { kind: 'completed' }> {
  return {
    kind: 'completed',
    reference: clean(given.reference),
    ...(given.url === undefined ? {} : { url: clean(given.url, 2_000) }),
    details: boundedDetails(given.details),
    ...(given.warning === undefined ? {} : { warning: clean(given.warning) }),
    ...(found === undefined ? {} : { found }),
  };
}

function boundedDetails(details: Record<string, unknown>): Record<string, unknown> {
  try {
    const json = scrub(JSON.stringify(details)).replaceAll('\\u0000', '');
    if (Buffer.byteLength(json) <= longestDetails) return JSON.parse(json) as Record<string, unknown>;
    return {
      note: `The provider's details were ${Buffer.byteLength(json)} bytes long; this is their beginning.`,
      beginning: json.slice(0, longestDetails / 4),
    };
  } catch {
    return { note: "The provider's details could not be stored." };
  }
}

export function failedOutcome(thrown: unknown): Extract<ActionOutcome, { kind: 'failed' }> {
  if (thrown instanceof DrawbridgeError) {
    return { kind: 'failed', code: thrown.code, message: clean(thrown.message) };
  }
  return {
    kind: 'failed',
    code: 'internal',
    message: 'Something went wrong inside Drawbridge before anything was sent; the log has the details.',
  };
}

/** What an error tells a person who has to judge an unclear outcome. */
export function evidenceOf(thrown: unknown): string {
  if (thrown instanceof DrawbridgeError) return clean(`${thrown.code}: ${thrown.message}`, 500);
  return clean(thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : thrown, 500);
}

/** An unknown outcome with one more line of evidence, stamped; the first lines and the latest are kept. */
export function withEvidence(
  before: Extract<ActionOutcome, { kind: 'unknown' }>,
  now: number,
  line: string,
): Extract<ActionOutcome, { kind: 'unknown' }> {
  const evidence = [...before.evidence, `${new Date(now).toISOString()} ${line}`];
  return {
    ...before,
    evidence:
      evidence.length > mostEvidence
        ? [...evidence.slice(0, 2), ...evidence.slice(2 - mostEvidence)]
        : evidence,
  };
}
