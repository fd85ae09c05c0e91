// Contact cards (.vcf): one record a card, from a file of any length. RFC 6350, RFC 2426, vCard 2.1.
import { decodeText } from './byte-source.ts';
import { type Item, mebibytes, type ReadRequest, sha256 } from './item.ts';
import { readLines } from './lines.ts';

/** Above what a card with a picture in it has. Bytes. */
const largestCard = 8 * 1024 * 1024;

/** Pictures, sounds and keys are no words, and most of a card's bytes. */
const withoutPictures = (card: string): string =>
  card.replace(/^(?:[\w-]+\.)?(?:PHOTO|LOGO|SOUND|KEY)[;:].*(?:\r?\n[ \t].*)*\r?\n/gimu, '');

/**
 * A card is known by its UID; else by its first address and name, so that a newer export replaces the older;
 * else by its content.
 */
function identityOf(card: string): string {
  const value = (name: string) =>
    new RegExp(`^(?:[\\w-]+\\.)?${name}(?:;[^:\\n]*)?:(.*(?:\\r?\\n[ \\t].*)*)`, 'imu')
      .exec(card)?.[1]
      ?.replace(/\r?\n[ \t]/gu, '')
      .trim();
  const uid = value('UID');
  if (uid !== undefined && uid !== '') return `card:${uid}`;
  const address = value('EMAIL');
  const name = value('FN') ?? value('N');
  if (address === undefined || name === undefined) return `card:${sha256(card)}`;
  return `card:${address.toLowerCase()}:${name.toLowerCase()}`;
}

/** Goes on at a card whose first byte is at or after `from`. */
export async function* readCards({ file, source, from }: ReadRequest): AsyncIterable<Item> {
  const seen = new Set<string>();
  let lines: string[] | undefined;
  let size = 0;
  let start = { number: 0, at: 0 };
  let depth = 0;
  let number = 0;
  for await (const line of readLines(source, 0, largestCard)) {
    number += 1;
    const text = line.bytes === undefined ? undefined : decodeText(line.bytes);
    const mark = /^\uFEFF?(BEGIN|END):[ \t]*VCARD[ \t]*$/iu.exec(text ?? '')?.[1]?.toUpperCase();
    if (mark === 'BEGIN' && lines === undefined) {
      lines = [];
      size = 0;
      start = { number, at: line.start };
    }
    if (lines === undefined) continue;
    // A 2.1 card may hold another one (AGENT).
    if (mark === 'BEGIN') depth += 1;
    if (mark === 'END') depth -= 1;
    size += line.end - line.start;
    if (text !== undefined && size <= largestCard) lines.push(text.replace(/^\uFEFF/u, ''));
    if (depth > 0) continue;
    const place = `${file}: line ${start.number}`;
    const card = withoutPictures(`${lines.join('\r\n')}\r\n`);
    lines = undefined;
    const known = identityOf(card);
    const externalId = seen.has(known) ? `card:${sha256(card)}` : known;
    seen.add(known);
    if (line.end <= from) continue;
    if (size > largestCard) yield { place, reason: `larger than ${mebibytes(largestCard)}`, next: line.end };
    else {
      const raw = Buffer.from(card);
      yield { record: { externalId, kind: 'contact', mediaType: 'text/vcard', raw }, place, next: line.end };
    }
  }
  if (seen.size === 0 && lines === undefined)
    yield { place: file, reason: 'holds no contact card', next: source.size };
  if (lines !== undefined) {
    yield { place: `${file}: line ${start.number}`, reason: 'VCARD has no END', next: source.size };
  }
}
