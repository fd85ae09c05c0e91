// Text in an encoding from before UTF-8, of which nothing but its bytes tells. East Asian and Cyrillic encodings are
// told by how often their commonest characters stand in any text of the language; where none fits it is Windows-1252.

const enough = 64 * 1024;

/** Windows-1252 is never far: what is claimed must be the rule and not a chance. */
interface Claim {
  label: string;
  /** Whether the bytes, which this encoding has a character for each of, are text in it. */
  fits(text: string, bytes: Uint8Array): boolean;
}

function share(text: string, of: RegExp, among: RegExp): number {
  const all = text.match(among)?.length ?? 0;
  return all < 4 ? 0 : (text.match(of)?.length ?? 0) / all;
}

/** The share of two-byte characters whose first byte lies in a range, and whose second is at least `second`. */
function leading(bytes: Uint8Array, from: number, to: number, second: number): number {
  let all = 0;
  let within = 0;
  for (let at = 0; at + 1 < bytes.length; at += 1) {
    const [lead = 0, trail = 0] = [bytes[at], bytes[at + 1]];
    if (lead < 0x81) continue;
    all += 1;
    if (lead >= from && lead <= to && trail >= second) within += 1;
    at += 1;
  }
  return all < 4 ? 0 : within / all;
}

const beyondAscii = /[^\0-\x7f]/gu;
const kana = /[\u3041-\u30ff]/gu;

const claims: readonly Claim[] = [
  {
    label: 'shift_jis',
    fits: (text) =>
      share(text, kana, beyondAscii) > 0.15 && share(text, /[\uff61-\uff9f]/gu, beyondAscii) < 0.2,
  },
  { label: 'euc-jp', fits: (text) => share(text, kana, beyondAscii) > 0.15 },
  { label: 'euc-kr', fits: (text) => share(text, /[\uac00-\ud7a3]/gu, beyondAscii) > 0.9 },
  // The first level of each, its commonest characters, and the punctuation before it.
  { label: 'big5', fits: (_, bytes) => leading(bytes, 0xa1, 0xc6, 0x40) > 0.95 },
  { label: 'gb18030', fits: (_, bytes) => leading(bytes, 0xa1, 0xd7, 0xa1) > 0.9 },
  // The letters that make half of any Slavic text in Cyrillic, at the places where each has them.
  { label: 'windows-1251', fits: isCyrillic },
  { label: 'koi8-r', fits: isCyrillic },
];

function isCyrillic(text: string): boolean {
  const letters = /\p{L}/gu;
  const few = /[\u0400-\u040f\u0452-\u045f]/gu;
  return (
    share(text, /[\u0410-\u044f]/gu, letters) > 0.5 &&
    share(text, few, letters) < 0.1 &&
    share(text, /[а-яії]/gu, /[А-Яа-яії]/gu) > 0.5 &&
    share(text, /[оаеиінт]/giu, letters) > 0.36
  );
}

/** Signs of the East within Latin words: these are accents of the West, two of them beside each other. */
function isScattered(text: string): boolean {
  const beside = text.match(/[a-z][^\0-\x7f]|[^\0-\x7f][a-z]/giu)?.length ?? 0;
  return beside > 0.3 * (text.match(beyondAscii)?.length ?? 0);
}

function decoded(bytes: Uint8Array, label: string): string | undefined {
  try {
    return new TextDecoder(label, { fatal: true }).decode(bytes);
  } catch (thrown) {
    if (thrown instanceof TypeError) return undefined;
    throw thrown;
  }
}

/** UTF-16 without a mark: of the letters of most languages every other byte is the same, and zero of Latin ones. */
export function unmarkedUtf16(bytes: Uint8Array): 'utf-16le' | 'utf-16be' | undefined {
  const head = bytes.subarray(0, 4096);
  const pairs = head.length >> 1;
  let [even, odd] = [0, 0];
  for (let at = 0; at + 1 < head.length; at += 2) {
    if (head[at] === 0) even += 1;
    if (head[at + 1] === 0) odd += 1;
  }
  if (pairs < 4 || bytes.length % 2 === 1) return undefined;
  if (odd > 0.6 * pairs && even < 0.02 * pairs) return 'utf-16le';
  return even > 0.6 * pairs && odd < 0.02 * pairs ? 'utf-16be' : undefined;
}

/** @param bytes what is not UTF-8 */
export function decodeLegacy(bytes: Uint8Array): string {
  const head = bytes.subarray(0, enough);
  for (const { label, fits } of claims) {
    // Cut anywhere, the head may end within a character.
    const text = decoded(head, label) ?? decoded(head.subarray(0, -1), label);
    if (text === undefined || !fits(text, head) || isScattered(text)) continue;
    const whole = decoded(bytes, label);
    if (whole !== undefined) return whole;
  }
  return new TextDecoder('windows-1252').decode(bytes);
}
