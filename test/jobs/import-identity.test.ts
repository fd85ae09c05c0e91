// What a stored mail is known by: the same hash for the same mail, however it is read and whatever its size.
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mailRecord } from '../../src/jobs/import/mail.ts';

/** The rule in one go over the whole text, as the first imports were stored by. */
function wholeIdentity(raw: Uint8Array): string {
  const text = Buffer.from(raw).toString('latin1').replaceAll('\r\n', '\n');
  const split = text.indexOf('\n\n');
  const head = split === -1 ? text : text.slice(0, split);
  const body = split === -1 ? '' : text.slice(split + 2);
  const headers = new Map<string, string>();
  for (const line of head.replace(/\n[ \t]+/g, ' ').split('\n')) {
    const name = line.slice(0, line.indexOf(':')).toLowerCase();
    const value = line.slice(line.indexOf(':') + 1).replace(/\s+/g, ' ');
    if (!headers.has(name)) headers.set(name, value.trim());
  }
  const seen = ['message-id', 'date', 'from', 'subject'].map((name) => headers.get(name) ?? '');
  const settled = body.replace(/^>*From /gm, 'From ').trimEnd();
  return `mail:${createHash('sha256')
    .update(`${JSON.stringify(seen)}\n${settled}`)
    .digest('hex')}`;
}

const lineEnd = fc.constantFrom('\n', '\r\n', '\r', '\n\n', '\r\n\r\n', '\n\r\n');
const line = fc.oneof(
  fc.constantFrom('', ' ', '>From here', '>>From ', 'From there', '\u00a0', '\t', 'Subject: x', ' folded'),
  fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) }),
);
const lines = fc.array(fc.tuple(line, lineEnd)).map((pairs) => pairs.flat().join(''));

test('a mail is known by the same hash as ever, with any line ends, quoting and white space', () => {
  fc.assert(
    fc.property(fc.constantFrom('', 'Message-ID: <a@b>\nFrom: x\r\n'), lines, (head, rest) => {
      const raw = Buffer.from(head + rest, 'latin1');
      expect(mailRecord(raw).externalId).toBe(wholeIdentity(raw));
    }),
    { numRuns: 2_000 },
  );
});

test('a mail of many stretches is known by the hash of its whole text', () => {
  // Stretches are cut near 64 KiB: line ends, quoting and white space meet every place of a cut.
  fc.assert(
    fc.property(lines, fc.constantFrom('\n', '\r\n'), (inner, end) => {
      const filler = `${'word '.repeat(12)}${end}`;
      const body = Array.from({ length: 6 }, (_, n) => filler.repeat(1_040 + n * 3) + inner).join('');
      const raw = Buffer.from(`Subject: long${end}${end}${body}${' '.repeat(70_000)}`, 'latin1');
      expect(mailRecord(raw).externalId).toBe(wholeIdentity(raw));
    }),
    { numRuns: 40 },
  );
});
