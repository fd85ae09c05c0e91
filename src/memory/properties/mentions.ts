// The homes that a document's words speak of, found while it is read: each address once, with the price that
// stands beside it. Runs in the parse worker.
import type { DocumentKind } from '../../providers/record.ts';
import type { Span } from '../normalise/normalised.ts';
import { addressesIn } from './addresses-in-text.ts';
import { keyOf } from './keys.ts';
import { priceBeside, type SaidPrice } from './prices-in-text.ts';

export interface Mention {
  addressKey: string;
  line: string;
  /** As it is written, and its span in the document's text; -1 in the title alone. */
  words: string;
  start: number;
  end: number;
  price?: SaidPrice;
}

const longestRead = 200_000;
const mostMentions = 100;
/** What these say of a price is the world's word, or our own: a listing's facts say it better. */
const withPrices: ReadonlySet<DocumentKind> = new Set([
  'mail',
  'file',
  'note',
  'page',
  'chat',
  'transcript',
  'listing',
]);

/** `spans`: what the writer wrote, without quotes of others. */
export function mentionsIn(document: {
  kind: DocumentKind;
  title: string;
  text: string;
  spans: readonly Span[];
}): Mention[] {
  const { kind, title, text, spans } = document;
  const found = new Map<string, Mention>();
  const add = (words: string, offset: number | undefined, mayPrice: boolean) => {
    const all = addressesIn(words);
    for (const one of all) {
      const addressKey = keyOf(one.address);
      const price = mayPrice
        ? priceBeside(
            words,
            one,
            all.filter((other) => other !== one),
          )
        : undefined;
      const before = found.get(addressKey);
      if (before !== undefined && (price === undefined || before.price !== undefined)) continue;
      if (before === undefined && found.size >= mostMentions) return;
      const span =
        offset === undefined
          ? { start: before?.start ?? -1, end: before?.end ?? -1 }
          : { start: offset + one.start, end: offset + one.end };
      found.set(addressKey, {
        addressKey,
        line: one.address.line,
        words: one.words.replace(/\s+/gu, ' ').slice(0, 300),
        ...span,
        ...(price === undefined ? {} : { price }),
      });
    }
  };
  const prices = withPrices.has(kind);
  let left = longestRead;
  for (const { start, end } of spans) {
    if (left <= 0) break;
    const words = text.slice(start, Math.min(end, start + left));
    left -= words.length;
    add(words, start, prices);
  }
  // The subject of an answer is the other's, and of another day.
  add(title, undefined, prices && !/^\s*(?:re|aw|sv|fwd?|wg|tr)\s*:/iu.test(title));
  return dropRepeats([...found.values()]);
}

/** "12 Oak Street, Springfield" and later "12 Oak Street" in one document are one mention: the fuller one. */
function dropRepeats(mentions: readonly Mention[]): Mention[] {
  const fuller = new Map<string, Mention>();
  for (const mention of mentions) {
    const known = fuller.get(mention.line);
    if (known === undefined) {
      fuller.set(mention.line, mention);
      continue;
    }
    const [long, short] = mention.addressKey.startsWith(known.addressKey)
      ? [mention, known]
      : known.addressKey.startsWith(mention.addressKey)
        ? [known, mention]
        : [undefined, undefined];
    if (long === undefined || short === undefined) {
      fuller.set(mention.addressKey, mention);
      continue;
    }
    const price = short.price ?? long.price;
    const span =
      long.start === -1 ? { start: short.start, end: short.end } : { start: long.start, end: long.end };
    fuller.set(mention.line, { ...long, ...span, ...(price === undefined ? {} : { price }) });
  }
  return [...fuller.values()];
}
