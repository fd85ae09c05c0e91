// What a question says beside its words: when, from whom, of which kind, how much, where. Only what is said outright
// narrows a search; all else lifts what fits.
import type { DocumentKind } from '../../providers/record.ts';
import { addressesIn } from '../properties/addresses-in-text.ts';
import { type SaidTime, timesIn } from './time-words.ts';

export interface Amount {
  least: number;
  most: number;
  words: string;
}

export interface Understood {
  /** Written in it; `outright`: said with since, before, between …, and so a bound. */
  time: { since?: number; until?: number; outright: boolean; words: string } | undefined;
  /** "since the offer": the newest record about that is looked for. */
  anchor: { edge: 'since' | 'until'; about: string; words: string } | undefined;
  /** Names of who wrote it, as they stand there. */
  senders: string[];
  kinds: DocumentKind[];
  amounts: Amount[];
  /** As written. */
  addresses: string[];
  /** The newest is asked for. */
  newest: boolean;
}

const bounds: readonly [RegExp, 'since' | 'after' | 'before' | 'until' | 'span'][] = [
  [/(?:since|starting|seit|ab|desde|depuis|à partir de)\s+(?:the\s+|dem\s+|el\s+|le\s+)?$/iu, 'since'],
  [/(?:after|nach|después del?|après)\s+(?:the\s+|dem\s+|le\s+)?$/iu, 'after'],
  [/(?:before|earlier than|vor dem|antes del?|avant)\s+(?:the\s+|le\s+)?$/iu, 'before'],
  [/(?:until|till|up to|bis|hasta|jusqu['’]à|jusqu['’]en)\s+(?:zum\s+)?$/iu, 'until'],
  [/(?:written|sent|received|e?-?mails?|messages?|dated)\s+(?:(?:in|on|from|during)\s+)?$/iu, 'span'],
];
/** The word stands within the time's own words, too: "since March". */
const ownBound = /^(since|seit|desde|depuis|after|before|until)\s/iu;
const meant: Record<string, 'since' | 'after' | 'before' | 'until'> = {
  since: 'since',
  seit: 'since',
  desde: 'since',
  depuis: 'since',
  after: 'after',
  before: 'before',
  until: 'until',
};

function boundOf(question: string, { start, words }: SaidTime) {
  const own = ownBound.exec(words)?.[1]?.toLowerCase();
  if (own !== undefined) return meant[own];
  const ahead = question.slice(Math.max(0, start - 40), start);
  return bounds.find(([pattern]) => pattern.test(ahead))?.[1];
}

function timeOf(question: string, times: readonly SaidTime[]): Understood['time'] {
  const [first, second] = times;
  if (first === undefined) return undefined;
  const between = /(?:between|from|zwischen|entre)\s+$/iu.test(question.slice(0, first.start));
  const joined =
    second !== undefined &&
    /^\s*(?:and|to|until|und|bis|y|et|[-–])\s*$/iu.test(question.slice(first.end, second.start));
  if (second !== undefined && joined && between) {
    const words = question.slice(first.start, second.end);
    return { since: first.since, until: second.until, outright: true, words };
  }
  const { since, until, words } = first;
  switch (boundOf(question, first)) {
    case 'since':
      return { since, outright: true, words };
    case 'after':
      return { since: until, outright: true, words };
    case 'before':
      return { until: since, outright: true, words };
    case 'until':
      return { until, outright: true, words };
    case 'span':
      return { since, until, outright: true, words };
    default:
      return { since, until, outright: false, words };
  }
}

const anchored =
  /(?<![\p{L}])(since|after|before|until)\s+(?:the|our|their|his|her)\s+(?:last\s+|latest\s+)?([\p{L}][\p{L}-]*)/iu;

function anchorOf(question: string, times: readonly SaidTime[]): Understood['anchor'] {
  const found = anchored.exec(question);
  if (
    found === null ||
    times.some(({ start, end }) => start < found.index + found[0].length && found.index < end)
  )
    return undefined;
  const [words, edge = '', about = ''] = found;
  return { edge: /since|after/iu.test(edge) ? 'since' : 'until', about, words };
}

const name =
  "\\p{Lu}[\\p{L}\\p{M}'’.-]*(?:\\s+(?:(?:von|van|de|der|di|da|la)\\s+)?\\p{Lu}[\\p{L}\\p{M}'’.-]*){0,3}";
const sendersSaid = [
  new RegExp(`(?:\\b[Ff]rom|\\b[Vv]on|\\b[Dd]e la part de)\\s+(${name})`, 'gu'),
  new RegExp(
    `(?:mail|mails|email|emails|message|messages|note|letter)s?\\s+(?:that\\s+|which\\s+)?(${name})\\s+(?:sent|wrote|has sent|has written)`,
    'gu',
  ),
  new RegExp(`(?:[Ww]hat|[Ww]hen)\\s+did\\s+(${name})\\s+(?:write|send|say|ask|reply|answer)`, 'gu'),
  new RegExp(`(?:sent|written)\\s+by\\s+(${name})`, 'gu'),
];
const addressSaid = /(?:from|by|von|de)\s+([^\s<>,;:"']+@[^\s<>,;:"']+\.[^\s<>,;:"'?!.]+)/giu;

function sendersOf(question: string, times: readonly SaidTime[]): string[] {
  const found = new Set<string>();
  for (const pattern of [...sendersSaid, addressSaid]) {
    for (const match of question.matchAll(pattern)) {
      const said = match[1] ?? '';
      const at = match.index + match[0].indexOf(said);
      if (times.some(({ start, end }) => start < at + said.length && at < end)) continue;
      found.add(said.replace(/['’]s$/u, '').replace(/[.'’]+$/u, ''));
    }
  }
  return [...found].slice(0, 5);
}

const kindWords: readonly [DocumentKind, RegExp][] = [
  ['mail', /(?<!\p{L})(?:e-?mails?|mails?|correos?|courriels?)(?!\p{L})/iu],
  [
    'event',
    /(?<!\p{L})(?:meetings?|appointments?|viewings?|calendar|termine?|reuni[oó]n|réunions?|rendez-vous)(?!\p{L})/iu,
  ],
  ['transcript', /(?<!\p{L})(?:transcripts?|calls? notes?|recordings?)(?!\p{L})/iu],
  ['invoice', /(?<!\p{L})(?:invoices?|bills?|rechnung(?:en)?|facturas?|factures?)(?!\p{L})/iu],
  ['payment', /(?<!\p{L})(?:payments?|zahlung(?:en)?|pagos?|paiements?)(?!\p{L})/iu],
  ['deal', /(?<!\p{L})(?:deals?|opportunit(?:y|ies)|pipeline)(?!\p{L})/iu],
  ['listing', /(?<!\p{L})(?:listings?)(?!\p{L})/iu],
  ['file', /(?<!\p{L})(?:files?|documents?|pdfs?|spreadsheets?|attachments?|dateien?|fichiers?)(?!\p{L})/iu],
  ['ticket', /(?<!\p{L})(?:tickets?)(?!\p{L})/iu],
  ['contact', /(?<!\p{L})(?:phone number|contact details|telephone|address book)(?!\p{L})/iu],
  ['chat', /(?<!\p{L})(?:chats?|slack)(?!\p{L})/iu],
];

const times: Record<string, number> = { k: 1e3, thousand: 1e3, m: 1e6, mn: 1e6, mio: 1e6, million: 1e6 };
const money =
  /(?<![\p{L}\p{N}.,])(?:(over|above|more than|at least|under|below|less than|up to|at most|about|around|über|unter)\s+)?(?:([$£€])\s?)?(\d{1,3}(?:[.,]\d{3})+|\d+(?:\.\d{1,2})?)\s?(k|thousand|mn|mio|million|m)?(?![\p{L}\p{N}])(?:\s?(usd|eur|gbp|chf|euros?|dollars?|pounds?|€|£))?/giu;

function amountsOf(question: string): Amount[] {
  const found: Amount[] = [];
  for (const match of question.matchAll(money)) {
    const [words, said = '', sign, digits = '', size, currency] = match;
    // A number alone is a house number or a count.
    if (sign === undefined && size === undefined && currency === undefined && !/[.,]\d{3}/.test(digits))
      continue;
    const plain = /^\d{1,3}(?:[.,]\d{3})+$/.test(digits) ? digits.replace(/[.,]/g, '') : digits;
    const value = Number(plain) * (times[size?.toLowerCase() ?? ''] ?? 1);
    if (!Number.isFinite(value) || value <= 0) continue;
    const word = said.toLowerCase();
    const range = /over|above|more|least|über/.test(word)
      ? { least: value, most: Number.POSITIVE_INFINITY }
      : /under|below|less|most|up to|unter/.test(word)
        ? { least: 1, most: value }
        : {
            least: value * (/about|around/.test(word) ? 0.9 : 1),
            most: value * (/about|around/.test(word) ? 1.1 : 1),
          };
    found.push({ ...range, words: words.trim() });
  }
  return found.slice(0, 5);
}

const longest = 1_000;

/** `zone`: IANA, in which days begin. */
export function understand(asked: string, { now, zone }: { now: number; zone: string }): Understood {
  const question = asked.slice(0, longest);
  // What is quoted is looked for as it stands.
  const open = question.replace(/["“„«][^"“”„«»]{2,200}["“”»]/gu, (quoted) => ' '.repeat(quoted.length));
  const said = timesIn(open, now, zone);
  return {
    time: timeOf(open, said),
    anchor: anchorOf(open, said),
    senders: sendersOf(open, said),
    kinds: kindWords.filter(([, words]) => words.test(open)).map(([kind]) => kind),
    amounts: amountsOf(open),
    addresses: addressesIn(open).map(({ words }) => words),
    newest:
      /(?<!\p{L})(?:latest|newest|most recent|recently|current(?:ly)?|neueste[nrs]?|últim[oa]s?|dernier|dernière)(?!\p{L})/iu.test(
        open,
      ),
  };
}
