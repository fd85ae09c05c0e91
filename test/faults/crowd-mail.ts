// The mails of a crowd: each holds a word that no other holds, and the question that only it answers.
import { generateRecords } from '../../bench/corpus.ts';
import type { SourceRecord } from '../../src/providers/record.ts';

export const idOf = (worker: number, n: number) => `<w${worker}.${n}@crowd.test>`;

// Consonants alone: nothing that a stemmer could take for an ending.
const letters = 'bcdfghjklm';
/** It stands in the text of one passage. */
export const wordOf = (worker: number, n: number) =>
  `zq${[...`${worker}x${n}`].map((digit) => letters[Number(digit)] ?? 'x').join('')}`;

/** Mails without end, the same for the same worker. */
export function* mailsOf(worker: number): Generator<SourceRecord, never> {
  let n = 0;
  for (let seed = 1; ; seed += 1) {
    for (const record of generateRecords(1_000 * (worker + 1) + seed, 1_000)) {
      const text = Buffer.from(record.raw).toString();
      const marked = text.replace('\r\n\r\n', `\r\n\r\nYour reference is ${wordOf(worker, n)}. `);
      yield { ...record, externalId: idOf(worker, n), raw: Buffer.from(marked) };
      n += 1;
    }
  }
}

/** A whole question about one mail. */
export const questionAbout = (worker: number, n: number) =>
  `What did they say about the house, and what is in the mail with the reference ${wordOf(worker, n)}?`;
