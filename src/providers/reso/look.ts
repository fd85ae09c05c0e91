// Whether an MLS shows what it showed when it was last read: one question for how many listings there are, and which
// of them changed last.
import { createHash } from 'node:crypto';
import { keyOf, timeOf } from './listing.ts';
import { ask } from './odata.ts';
import { type Reader, timestampOf } from './reader.ts';

const mostRows = 100;

export interface Look {
  /** Of all listings; undefined where the MLS does not count. */
  total: number | undefined;
  /** Of those that changed last: another one where anything changed. Undefined where more may still come to light. */
  mark: string | undefined;
}

/** @throws DrawbridgeError */
export async function lookAt({ context, dialect, cursor, rows: most }: Reader): Promise<Look> {
  const { rows, total } = await ask(context, dialect, '/Property', {
    select: ['ListingKey', 'ModificationTimestamp'],
    orderBy: 'ModificationTimestamp desc',
    top: Math.min(most, mostRows),
    count: true,
  });
  const changed = rows.map((row) => ({ key: keyOf(row) ?? '', at: timeOf(timestampOf(row)) ?? 0, row }));
  const newest = Math.max(0, ...changed.map(({ at }) => at));
  const late = changed.filter(({ at }) => at >= newest - dialect.lagMs);
  const isCut = late.length === rows.length && rows.length < (total ?? Number.POSITIVE_INFINITY);
  // Of what changed just now more may come, within the same moment or with an earlier one.
  const isSettled = newest <= context.clock.now() - dialect.lagMs;
  // An MLS that does not give the newest first tells nothing.
  const isNewest = newest >= (timeOf(cursor.since) ?? 0);
  if (isCut || !isSettled || !isNewest) return { total, mark: undefined };
  const lines = late.map(({ key, row }) => `${key} ${timestampOf(row)}`).sort();
  return { total, mark: createHash('sha256').update(lines.join('\n')).digest('base64url').slice(0, 22) };
}
