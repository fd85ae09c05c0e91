// What has been sent cannot be called back: an approved send waits a moment in which it can still be stopped.
import type { ActionRow } from '../envelope.ts';
import type { QueueRoom } from '../room.ts';

/** When an action that is approved now may run; null: at once. */
export function holdOf(
  room: Pick<QueueRoom, 'holdMs'>,
  row: Pick<ActionRow, 'effect'>,
  now: number,
): number | null {
  return row.effect === 'send' && room.holdMs > 0 ? now + room.holdMs : null;
}
