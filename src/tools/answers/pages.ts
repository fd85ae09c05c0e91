// An answer holds what fits: as many rows as there is room for, and a cursor to where the rest begins.
import { DrawbridgeError } from '../../errors.ts';
import type { MemoryAnswer, Passage } from '../../memory/memory.ts';

/**
 * Characters of JSON that the rows of one answer may take. Both views of an answer say the same, so that this
 * twice over stays below 10,000 tokens at four characters a token.
 */
export const rowRoom = 18_000;

/** How many of the leading rows fit into `room` characters of JSON; at least one, so that a cursor gets on. */
export function countFitting(rows: readonly unknown[], room = rowRoom): number {
  let used = 0;
  let count = 0;
  for (const row of rows) {
    used += JSON.stringify(row).length + 1;
    if (used > room && count > 0) break;
    count += 1;
  }
  return count;
}

/** As much of an answer of memory as fits, and its rows; its cursor goes on behind the last one. */
export function fittingPart<Row>(
  answer: MemoryAnswer,
  rowOf: (passage: Passage) => Row,
): { answer: MemoryAnswer; shown: Row[] } {
  const rows = answer.passages.map(rowOf);
  const count = countFitting(rows);
  if (count === rows.length) return { answer, shown: rows };
  const passages = answer.passages.slice(0, count);
  return {
    answer: { ...answer, passages, nextCursor: answer.cursorAfter(count) },
    shown: rows.slice(0, count),
  };
}

type Lists = Record<string, readonly unknown[]>;

/**
 * The part of each list that this page shows: an even share of `room` each, and what one leaves to those behind it.
 * The cursor says where every list goes on. @throws DrawbridgeError `invalid_request` for one of another form
 */
export function pageOf<Given extends Lists>(
  lists: Given,
  cursor: string | undefined,
  room = rowRoom,
): { shown: { [Name in keyof Given]: Given[Name][number][] }; nextCursor?: string } {
  const names: (keyof Given)[] = Object.keys(lists);
  const starts = startsOf(cursor, names.length);
  const shown: Partial<{ [Name in keyof Given]: Given[Name][number][] }> = {};
  let left = room;
  const ends = names.map((name, index) => {
    const rest = (lists[name] ?? []).slice(starts[index]);
    const part = rest.slice(0, countFitting(rest, left / (names.length - index)));
    left -= JSON.stringify(part).length;
    shown[name] = part;
    return (starts[index] ?? 0) + part.length;
  });
  const isWhole = names.every((name, index) => (ends[index] ?? 0) >= (lists[name] ?? []).length);
  return {
    shown: shown as { [Name in keyof Given]: Given[Name][number][] },
    ...(isWhole ? {} : { nextCursor: `rows:${ends.join('.')}` }),
  };
}

function startsOf(cursor: string | undefined, count: number): number[] {
  if (cursor === undefined) return Array.from({ length: count }, () => 0);
  const starts = /^rows:(\d{1,7}(?:\.\d{1,7})*)$/.exec(cursor)?.[1]?.split('.').map(Number) ?? [];
  if (starts.length !== count) {
    throw new DrawbridgeError(
      'invalid_request',
      'cursor: not one that an earlier answer of this tool gave. Leave it out to begin at the first page.',
      { field: 'cursor' },
    );
  }
  return starts;
}
