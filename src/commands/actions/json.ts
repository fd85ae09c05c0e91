// An action as --json gives it: times as ISO 8601, nothing left out.
import type { Action } from '../../queue/queue.ts';
import { iso } from '../../time.ts';

export function jsonOf(action: Action) {
  const time = (ms: number | undefined) => (ms === undefined ? null : iso(ms));
  return {
    ...action,
    proposedAt: iso(action.proposedAt),
    expiresAt: iso(action.expiresAt),
    decidedAt: time(action.decidedAt),
    finishedAt: time(action.finishedAt),
    snoozedUntil: time(action.snoozedUntil),
    holdUntil: time(action.holdUntil),
    erasedAt: time(action.erasedAt),
    outcome: action.outcome ?? null,
  };
}
