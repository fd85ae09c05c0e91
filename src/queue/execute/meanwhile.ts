// The live record between the approval and the write: looked at right before, and again when the provider
// refused because it found another one. Changed by somebody: a person is asked again, and nothing was sent.
import { DrawbridgeError } from '../../errors.ts';
import { EffectRefused } from '../../providers/define.ts';
import type { OrgStore } from '../../store/store.ts';
import { readBefore } from '../before.ts';
import type { ActionRow } from '../envelope.ts';
import type { QueueRoom } from '../room.ts';
import { AskAgain } from './return.ts';
import type { Verified } from './verify.ts';

/** What was approved is the step from the record that was shown. @throws AskAgain when it stands otherwise now */
export async function checkRecord(
  room: QueueRoom,
  org: OrgStore,
  row: ActionRow,
  verified: Verified,
  signal: AbortSignal,
): Promise<void> {
  const live = await readBefore(room, org, { ...verified, name: row.operation, signal });
  if ((live?.json ?? null) !== row.before_record) throw new AskAgain('the live record changed', { live });
}

interface Refused {
  verified: Verified;
  /** With which the run ended, after which nothing has happened at the provider. */
  error: unknown;
  signal: AbortSignal;
}

/** With what the person is asked again, where the record was changed after our last look and the write refused for that. */
export async function changedMeanwhile(
  room: QueueRoom,
  org: OrgStore,
  row: ActionRow,
  { verified, error, signal }: Refused,
): Promise<AskAgain | undefined> {
  if (!isConflict(error)) return undefined;
  try {
    await checkRecord(room, org, row, verified, signal);
    return undefined;
  } catch (thrown) {
    if (thrown instanceof AskAgain) return thrown;
    // What the provider said first stands.
    room.log.warn({ err: thrown, action: row.id }, 'A record could not be read after the write was refused');
    return undefined;
  }
}

function isConflict(error: unknown): boolean {
  const why = error instanceof EffectRefused ? error.cause : error;
  return why instanceof DrawbridgeError && why.code === 'conflict';
}
