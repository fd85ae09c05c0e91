// When a token is renewed: 24 hours before its end where it lives long enough, else when a fifth of its
// life is left.
import type { HeldTokens } from './rows.ts';

const aheadMs = 24 * 3_600_000;
const partLeft = 0.2;
/** A call that begins now should end before the token does. */
const overMs = 30_000;
const overPart = 0.05;

type Ages = Pick<HeldTokens, 'accessExpiresAt' | 'since'>;

/** Whether it is time to renew. */
export function isDue({ accessExpiresAt, since }: Ages, now: number): boolean {
  if (accessExpiresAt === null) return false;
  return now >= accessExpiresAt - Math.min(aheadMs, partLeft * (accessExpiresAt - since));
}

/** Whether it can no longer be used. */
export function isOver({ accessExpiresAt, since }: Ages, now: number): boolean {
  if (accessExpiresAt === null) return false;
  return now >= accessExpiresAt - Math.min(overMs, overPart * (accessExpiresAt - since));
}
