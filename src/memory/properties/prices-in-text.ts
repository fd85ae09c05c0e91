// What a text says that a home costs: beside its address, with a word that makes it a price. A budget, an
// offer, a rent, a tax or a guess is none.

export interface SaidPrice {
  price: number;
  /** ISO 4217, or undefined where the text does not say. */
  currency: string | undefined;
  event: PriceEvent;
}
export const priceEvents = ['listed', 'price change', 'sold', 'seen'] as const;
export type PriceEvent = (typeof priceEvents)[number];

const amount =
  /(?<![\p{L}\p{N}.,-])(?:(US\$|A\$|C\$|[£€$]|USD|GBP|EUR|CHF)\s?)?(\d{1,3}(?:[,.’']\d{3})+(?:[.,]\d{2}(?!\d))?|\d+(?:[.,]\d{1,3})?)(?:\s?(k|m|mn|million|mio\.?)\b)?(?:\s?([£€$]|USD\b|GBP\b|EUR\b|CHF\b|dollars\b|pounds\b|euros?\b))?/giu;
const currencies: Readonly<Record<string, string>> = {
  us$: 'USD',
  a$: 'AUD',
  c$: 'CAD',
  '£': 'GBP',
  '€': 'EUR',
  $: 'USD',
  dollars: 'USD',
  pounds: 'GBP',
  euro: 'EUR',
  euros: 'EUR',
};

const cue =
  /\b(?:asking|asks?|pric(?:e|ed)|list(?:ed|ing)?|on (?:the market )?(?:at|for)|guide|reduced|down to|came down|come down|dropped|lowered|raised|now|is at|offers (?:over|in excess of|around)|oieo|oiro|selling|sold|for sale|kaufpreis|preis|verkauft|prix|vendue?)\b/iu;
const hypothetical =
  /\b(?:if|would|could|should|might|imagine|suppose|perhaps|maybe|wenn|würden|könnten)\b/iu;
/** What a sentence is about that names sums of its own. */
const otherMatter =
  /\b(?:commissions?|invoices?|deposits?|earnest|escrow|insurance|premiums?|tax(?:es)?|repairs?|mortgage|provision|rechnung|anzahlung|facture)\b/iu;
const otherMoney =
  /(?:\b(?:budget|limit|up to|under|below|above|max(?:imum)?|at most|afford|stretch|offer(?:ed|ing)?(?: of| at)?|offer is|bids?|counter|deposit|earnest|rent|tax(?:es)?|fees?|hoa|repairs?|mortgage|loan|approv\w*|worth|valu\w*|apprais\w*|assess\w*|than|between|from|was|were|instead of|save|commission)\s*(?:is|at|of|:)?\s*(?:US|[A-Z])?$)/iu;
const perTime =
  /^\s?(?:\/|%|m²|-\s?[$£€\d]|(?:per|a|pcm|pw|each|monthly|sq|ft|feet|square|m2|acres?|percent|miles?|km|people|beds?|years?|days?)\b)/iu;

const changeWords =
  /\b(?:price change|reduc\w+|down (?:to|from)|c(?:a|o)me down|dropp?ed|lowered|raised|increased|preissenkung|baisse)\b|\bfrom\s+\S+\s+to\b/iu;
const soldWords = /\b(?:sold|verkauft|vendue?)\b/iu;
const listedWords =
  /\b(?:new listing|just listed|newly listed|new to (?:the )?market|listed (?:at|for|today))\b|^new:/iu;

/** A sentence's bounds around `at`; a dot between digits or behind a short word ends none. */
function sentenceAround(text: string, at: { start: number; end: number }): { start: number; end: number } {
  const before = text.slice(Math.max(0, at.start - 300), at.start);
  const begun = [...before.matchAll(/[.!?]\s+(?=\p{Lu})|\n/gu)].at(-1);
  const behind = text.slice(at.end, at.end + 300);
  const ended = /[.!?](?=\s|$)|\n/u.exec(behind);
  return {
    start:
      begun === undefined
        ? at.start - before.length
        : at.start - before.length + begun.index + begun[0].length,
    end: ended === null ? at.end + behind.length : at.end + ended.index + 1,
  };
}

function numberOf(digits: string, scale: string | undefined): number {
  const plain = /[,.’']\d{3}(?:\D|$)/u.test(digits)
    ? digits.replace(/[.,]\d{2}$/u, '').replace(/[,.’']/gu, '')
    : digits.replace(',', '.');
  const times = scale === undefined ? 1 : scale.toLowerCase() === 'k' ? 1_000 : 1_000_000;
  // A decimal in front of a scale: "1.250m" is a million and a quarter.
  const value = times === 1 ? Number(plain) : Number(digits.replace(',', '.')) * times;
  return Math.round(value);
}

interface Amount {
  index: number;
  end: number;
  price: number;
  currency: string | undefined;
}

function amountsIn(sentence: string): Amount[] {
  return [...sentence.matchAll(amount)].flatMap((match) => {
    const [whole, before, digits = '', scale, behind] = match;
    const price = numberOf(digits, scale);
    const sign = (before ?? behind)?.toLowerCase();
    const currency = sign === undefined ? undefined : (currencies[sign] ?? sign.toUpperCase());
    const isWritten = currency !== undefined || scale !== undefined || /[,.’']\d{3}/u.test(digits);
    if (!isWritten || price < 10_000 || price > 1_000_000_000) return [];
    return [{ index: match.index, end: match.index + whole.length, price, currency }];
  });
}

/** The price that the text says of the address at `at`; `others` are the other addresses in it. */
export function priceBeside(
  text: string,
  at: { start: number; end: number },
  others: readonly { start: number; end: number }[],
): SaidPrice | undefined {
  const bounds = sentenceAround(text, at);
  // Another address in the sentence: what stands on its far side is its own.
  for (const other of others) {
    if (other.end <= at.start) bounds.start = Math.max(bounds.start, other.end);
    else if (other.start >= at.end) bounds.end = Math.min(bounds.end, other.start);
  }
  const own = { start: at.start - bounds.start, end: at.end - bounds.start };
  const said = priceIn(text.slice(bounds.start, bounds.end), own);
  if (said !== undefined) return said;
  // "12 Oak Street is back on the market. Now asking £450,000."
  const next =
    /^\s*(?:(?:now|they(?: are|['’]re)?|it is|it['’]s)?\s*asking|(?:the )?(?:asking |guide )?price)\b[^.!?\n]*(?:[.!?]|$)/iu.exec(
      text.slice(bounds.end, bounds.end + 200),
    );
  if (
    next === null ||
    others.some((other) => other.start < bounds.end + next[0].length && other.end > bounds.end)
  )
    return undefined;
  return priceIn(next[0], { start: 0, end: 0 });
}

function priceIn(sentence: string, own: { start: number; end: number }): SaidPrice | undefined {
  if (sentence.trimEnd().endsWith('?') || hypothetical.test(sentence)) return undefined;
  if (otherMatter.test(sentence)) return undefined;
  // The address's own numbers are none.
  const blank = sentence.slice(0, own.start) + ' '.repeat(own.end - own.start) + sentence.slice(own.end);
  const amounts = amountsIn(blank);
  // What stands behind an address is more surely its own than what stands before it.
  const ordered = [
    ...amounts.filter((one) => one.index >= own.end),
    ...amounts.filter((one) => one.index < own.end),
  ];
  for (const { index, end, price, currency } of ordered) {
    const before = blank.slice(Math.max(0, index - 60), index);
    if (otherMoney.test(before.trimEnd()) || perTime.test(blank.slice(end, end + 20))) continue;
    const close =
      index >= own.end && /^[\s,:(—–-]*(?:(?:at|for|is)\s+)?$/u.test(sentence.slice(own.end, index));
    const hasCue =
      cue.test(blank.slice(Math.max(0, index - 80), index)) || cue.test(blank.slice(end, end + 20));
    if (!(close && own.end > 0) && !hasCue) continue;
    const event = soldWords.test(sentence)
      ? 'sold'
      : changeWords.test(sentence)
        ? 'price change'
        : listedWords.test(sentence.trim())
          ? 'listed'
          : 'seen';
    return { price, currency, event };
  }
  return undefined;
}
