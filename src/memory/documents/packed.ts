// Texts and terms as they are stored: packed where that makes a row smaller and costs no more to read. A chunk's terms
// are its passage once more, stemmed, so the passage serves as their dictionary.
import { deflateRawSync, deflateSync, inflateRawSync, inflateSync } from 'node:zlib';

/** A quarter of what zlib sets up by default: quicker, for what is no longer than its window. */
export const short = { windowBits: 13, memLevel: 6, chunkSize: 4_096 } as const;
/** In bytes. */
export const shortWindow = 2 ** short.windowBits - 262;
/** Shorter ones are left as they are. */
const least = 64;
/** In UTF-16 units. A longer text is read quickly enough as it is, and slowly where it is packed. */
const longest = 100_000;
/** In bytes: behind a longer payload the packed text would cost its whole length to reach. */
const longestPayload = 8_000;
/** In UTF-16 units. The terms of a chunk need the text, and a long one would be unpacked again for each of its chunks. */
const longestForWords = 4_000;
/** Nothing that was packed here is longer. Half the time goes into what zlib sets up. */
const reading = { windowBits: short.windowBits, chunkSize: 4_096, maxOutputLength: 1_000_000 } as const;

/** The text as the database gives it back: a NUL is no text there (store/codec.ts). */
export const asStored = (text: string): string => text.replaceAll('\0', '\uFFFD');

/** zlib hands out a view of a larger buffer, all of which would be copied from thread to thread. */
export const alone = (bytes: Uint8Array): Uint8Array => new Uint8Array(bytes);

/** `undefined` where it is better left as it is. `payload`: bytes that stand before it in the row. */
export function packText(text: string, payload: number): Uint8Array | undefined {
  if (text.length < least || text.length > longest || payload > longestPayload) return undefined;
  const plain = Buffer.from(asStored(text));
  const packed = deflateRawSync(plain, short);
  return packed.length < plain.length ? alone(packed) : undefined;
}

export function textOf(row: { text: string; text_packed: Uint8Array | null }): string {
  return row.text_packed === null ? row.text : inflateRawSync(row.text_packed, reading).toString();
}

/** Terms, each list joined by spaces. */
export interface Words {
  header: string;
  body: string;
}

/** What stands in other columns: all of it as it is stored. `passage`: the chunk's part of the document's text. */
export interface Beside {
  /** As JSON. */
  people: string;
  title: string;
  passage: string;
}

const dictionaryOf = ({ people, title, passage }: Beside) =>
  Buffer.from(asStored(`${people} ${title} ${passage}`));

/** `undefined` where they are better left as they are. `text`: the document's whole. */
export function packWords({ header, body }: Words, text: string, beside: Beside): Uint8Array | undefined {
  if (text.length > longestForWords || header.includes('\n')) return undefined;
  const plain = Buffer.from(asStored(`${header}\n${body}`));
  const packed = deflateSync(plain, { ...short, dictionary: dictionaryOf(beside) });
  return packed.length < plain.length ? alone(packed) : undefined;
}

/** @throws where what stands beside is not what they were packed with: never other terms */
export function unpackWords(words: Uint8Array, beside: Beside): Words {
  const plain = inflateSync(words, { ...reading, dictionary: dictionaryOf(beside) }).toString();
  const end = plain.indexOf('\n');
  return { header: plain.slice(0, end), body: plain.slice(end + 1) };
}

/** A chunk and what of its document its terms need: `text` and `text_packed` may be null where `words` is. */
export interface WordsRow extends Words {
  words: Uint8Array | null;
  start_at: number;
  end_at: number;
  people: string;
  title: string;
  text: string | null;
  text_packed: Uint8Array | null;
}

export function wordsOf(row: WordsRow): Words {
  const { header, body, words, text, text_packed, people, title } = row;
  if (words === null) return { header, body };
  const whole = textOf({ text: text ?? '', text_packed });
  return unpackWords(words, {
    people,
    title,
    passage: whole.slice(Number(row.start_at), Number(row.end_at)),
  });
}
