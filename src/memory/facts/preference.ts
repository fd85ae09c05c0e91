// What a client says that they need, want or will pay, in their own words of a mail. Only what is said of oneself, in
// a statement, counts: a question, a condition, or what others want is none. English.
import type { Claim } from './claim.ts';
import type { Sentence } from './own-words.ts';

type Topic = Pick<Claim, 'name' | 'slot' | 'value'> & { index: number };

const we = '(?:we|i|my (?:wife|husband|partner) and i|both of us)';
const filler =
  "(?:\\s+(?:really|still|now|also|both|just|would|do|definitely|only|all|certainly|will|'d|’d|ideally|must))*";
const wish =
  'need|want|require|prefer|like|love|have to have|must have|insist on|hope for|wish for|are after|am after';
const wanting = new RegExp(
  `\\b${we}${filler}(?:['’]d)?${filler}\\s+(?:${wish}|(?:are|am|['’]re|['’]m) (?:still |now )?(?:looking for|searching for|hoping for|interested in))\\b|\\b(?:we['’]re|i['’]m) (?:still |now )?(?:looking for|searching for|after)\\b|\\b${we}['’]d (?:like|love|prefer|want)\\b`,
  'iu',
);
const refusing = new RegExp(
  `\\b${we}\\s+(?:really\\s+)?(?:do not|don['’]?t|would not|wouldn['’]?t|cannot|can['’]?t|could not|couldn['’]?t)\\s+(?:really\\s+|ever\\s+)?(?:want|like|have|live (?:on|with|in)|stand|do|accept|take)\\b`,
  'iu',
);
const notNeeding = new RegExp(
  `\\b${we}\\s+(?:(?:really\\s+)?(?:do not|don['’]?t|won['’]?t|will not)\\s+(?:really\\s+|actually\\s+)?(?:need|require|insist)|no longer (?:need|want|require)|never (?:need|wanted|asked))\\b`,
  'iu',
);
const noLonger = new RegExp(
  `\\b${we}\\s+no longer (?:need|want|require)\\b|\\bany ?more\\b|\\bany longer\\b`,
  'iu',
);
/** A line of a list of wishes: `Must: …`, `Budget: …`. */
const labelled =
  /^\s*(?:[-*•]\s*)?(?:must(?: have)?s?|needs?|requirements?|would like|nice to have|wish(?:es|list)?|budget|our budget|max(?:imum)?|limit|looking for)\s*:/iu;
const refusedLabel = /^\s*(?:[-*•]\s*)?(?:never(?: again)?|no-?gos?|must not|deal-?breakers?)\s*:/iu;
/** What is no statement of the writer about themselves now. */
const elsewhere =
  /\b(?:if|unless|in case|suppose|would have|used to|last time|back then|years? ago|joking|kidding|said|says|(?<!all )told|asked|thinks?|claims?|wrote|remember that|the (?:client|buyer|seller|customer|tenant)s?['’]?s?\b.{0,20}\b(?:budget|needs?|wants?))\b/iu;

/** What is said to a machine that reads along. */
const toMachines =
  /^\s*(?:assistant|ai|agent|system|drawbridge|note to self)\b\s*[,:]|\b(?:ignore|disregard|forget) (?:all|any|the|your|previous|prior)\b|\bsystem prompt\b/iu;

const numbers: Readonly<Record<string, number>> = {
  one: 1,
  two: 2,
  three: 3,
  four: 4,
  five: 5,
  six: 6,
  seven: 7,
  eight: 8,
};
const count = '(\\d{1,2}|one|two|three|four|five|six|seven|eight)';
const numberOf = (said: string) => numbers[said.toLowerCase()] ?? Number(said);

function rooms(text: string, kind: 'bedroom' | 'bathroom'): Topic[] {
  const noun = kind === 'bedroom' ? '(?:bed ?rooms?|beds?|br)' : '(?:bath ?rooms?|baths?)';
  const form = new RegExp(
    `\\b(at least |minimum(?: of)? |min\\.? |no (?:less|fewer) than )?${count}(?:\\s*(?:-|–|to|or)\\s*${count})?[\\s-]+${noun}\\b(\\s+(?:at least|minimum|or more))?`,
    'iu',
  );
  const found = form.exec(text);
  if (found === null) return [];
  const [, before, low = '', high, after] = found;
  const least = before !== undefined || after !== undefined;
  const value = high === undefined ? `${numberOf(low)}` : `${numberOf(low)} to ${numberOf(high)}`;
  const many = value === '1' ? kind : `${kind}s`;
  return [
    {
      name: `${kind}s`,
      slot: `preference:${kind}s`,
      value: `${least ? 'at least ' : ''}${value} ${many}`,
      index: found.index,
    },
  ];
}

const amount =
  "(?:(?<sign>[$€£])|(?<code>USD|EUR|GBP|CHF|CAD|AUD)\\s?)?(?<number>\\d{1,3}(?:[,.’' ]\\d{3})+|\\d+(?:[.,]\\d{1,2})?)\\s?(?<scale>k|m|mio|million|thousand)?\\b\\s?(?<after>€|£|\\$|USD|EUR|GBP|CHF|euros?|dollars?|pounds?)?(?<month>\\s?(?:a|per|/)\\s?month|\\s?pcm\\b)?";
const cue =
  '(?:budget|up to|as much as|max(?:imum)?\\.?|no more than|not more than|not over|not above|under|below|limit|ceiling|spend|afford|go to|stretch to)';
const budgetForm = new RegExp(`\\b${cue}(?<between>[^.\\d;!?]{0,40}?)${amount}`, 'iu');
const ourMoney =
  /\b(?:our|my) (?:budget|limit|maximum|max|ceiling)\b|\b(?:we|i)\s+(?:can|could|will|would|are able to|am able to)\s+(?:go|spend|afford|pay|stretch)\b|\b(?:we|i) (?:have|['’]ve got) (?:a budget|up to)\b|^\s*(?:[-*•]\s*)?(?:our |my )?(?:budget|max(?:imum)?|limit)\s*(?::|is|of|up to)/iu;
const unit: Readonly<Record<string, string>> = {
  $: 'USD',
  '€': 'EUR',
  '£': 'GBP',
  euro: 'EUR',
  euros: 'EUR',
  dollar: 'USD',
  dollars: 'USD',
  pound: 'GBP',
  pounds: 'GBP',
};
const scales: Readonly<Record<string, number>> = { k: 1e3, thousand: 1e3, m: 1e6, mio: 1e6, million: 1e6 };

function budget(text: string): Topic[] {
  const found = budgetForm.exec(text);
  const parts = found?.groups;
  if (found === null || parts === undefined) return [];
  const before = `${text.slice(Math.max(0, found.index - 30), found.index)}${parts['between'] ?? ''}`;
  if (/\b(?:not|no longer|never|cannot|can['’]?t|isn['’]?t|wasn['’]?t|won['’]?t)\b/iu.test(before)) return [];
  const written = parts['number'] ?? '';
  const plain = /[,.’' ]\d{3}(?:\D|$)/u.test(written)
    ? written.replace(/[,.’' ]/gu, '')
    : written.replace(',', '.');
  const scale = scales[parts['scale']?.toLowerCase() ?? ''] ?? 1;
  const value = Math.round(Number(plain) * scale);
  const said = parts['sign'] ?? parts['code'] ?? parts['after'];
  const monthly = parts['month'] !== undefined;
  if (!(value >= (said !== undefined || monthly ? 100 : 10_000)) || value > 1e9) return [];
  const currency = said === undefined ? '' : ` ${unit[said.toLowerCase()] ?? said.toUpperCase()}`;
  return [
    {
      name: 'budget',
      slot: monthly ? 'preference:rent' : 'preference:budget',
      value: `up to ${value.toLocaleString('en-US')}${currency}${monthly ? ' a month' : ''}`,
      index: found.index,
    },
  ];
}

const features: readonly [string, RegExp][] = [
  ['ground floor', /\bground[- ]floor\b/iu],
  ['top floor', /\btop[- ]floor\b/iu],
  ['one level', /\b(?:one|single)[- ](?:level|storey|story|floor)\b|\bno stairs\b|\bno steps?\b/iu],
  ['lift', /\b(?:lift|elevator)\b/iu],
  ['garden', /\b(?:garden|back ?yard)\b/iu],
  ['garage', /\bgarage\b/iu],
  ['parking', /\bparking\b/iu],
  ['balcony', /\bbalcony\b/iu],
  ['terrace', /\b(?:terrace|patio)\b/iu],
  ['pool', /\b(?:swimming )?pool\b/iu],
  ['home office', /\b(?:home office|study)\b/iu],
  ['fireplace', /\bfire ?place\b/iu],
  ['quiet street', /\bquiet (?:street|road|area|neighbou?rhood|location)\b/iu],
  ['main road', /\b(?:main|busy) (?:road|street)\b/iu],
  ['sea view', /\b(?:sea|ocean|harbou?r|water) views?\b/iu],
  ['pets allowed', /\b(?:pets? (?:allowed|friendly)|pet-friendly|allows? (?:pets|dogs|cats))\b/iu],
  ['furnished', /\bfurnished\b/iu],
  ['good schools', /\bgood schools?\b/iu],
];

function wishes(text: string): Topic[] {
  const found: Topic[] = [];
  for (const [feature, form] of features) {
    const at = form.exec(text);
    if (at === null) continue;
    // "No stairs" is itself the wish for one level.
    const isItself = /^no /iu.test(at[0]);
    const before = text.slice(Math.max(0, at.index - 24), at.index);
    const refused =
      !isItself &&
      /\b(?:no|not|without|never|avoid|nothing on)\s+(?:(?:a|an|the|on|any|in|near)\s+){0,2}$/iu.test(before);
    found.push({
      name: feature,
      slot: `preference:feature:${feature}`,
      value: refused ? `no ${feature}` : feature,
      index: at.index,
    });
  }
  return found;
}

const monthOrDay =
  /^(?:January|February|March|April|May|June|July|August|September|October|November|December|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday|Spring|Summer|Autumn|Fall|Winter|English|German|French|Spanish|Dear|Hi)\b/u;

function areas(text: string): Topic[] {
  const form =
    /\b(?:in|near|around|close to)\s+(?:the\s+)?(?<place>\p{Lu}[\p{L}'’-]*\p{L}(?:\s+\p{Lu}[\p{L}'’-]*\p{L}){0,3})(?![\p{L}\p{N}'’_/-]|\.\p{L})/gu;
  return [...text.matchAll(form)].flatMap((found) => {
    const place = found.groups?.['place'] ?? '';
    if (monthOrDay.test(place)) return [];
    return [
      { name: 'area', slot: `preference:area:${place.toLowerCase()}`, value: place, index: found.index },
    ];
  });
}

const confident = 0.8;

export function preferencesIn(sentence: Sentence): Omit<Claim, 'subject' | 'as'>[] {
  const { text, before, start, end } = sentence;
  if (text.endsWith('?') || elsewhere.test(text) || toMachines.test(`${before}${text}`)) return [];
  const line = `${before}${text}`;
  const lists = labelled.test(line);
  const refuses = refusing.test(text) || (refusedLabel.test(line) && !wanting.test(text));
  const needless = notNeeding.test(text);
  const wants = wanting.test(text) || lists;
  const money = ourMoney.test(text) || wants ? budget(text) : [];
  const bare =
    /^(?:and |but |please[, ]+)?no (?:ground floor|stairs|main road|busy (?:road|street))\b/iu.test(text);
  const topics =
    wants || refuses || needless || bare
      ? [...rooms(text, 'bedroom'), ...rooms(text, 'bathroom'), ...wishes(text), ...areas(text)]
      : [];
  const said = (topic: Topic): string | undefined => {
    if (needless) return noLonger.test(text) ? `no longer: ${topic.value}` : undefined;
    if (refuses && !topic.value.startsWith('no ')) {
      // "We don't want the ground floor" refuses what comes behind it; of a count it says nothing sure.
      return topic.slot.startsWith('preference:feature:') ? `no ${topic.value}` : undefined;
    }
    return topic.value;
  };
  return [...money, ...topics].flatMap((topic) => {
    const value = said(topic);
    if (value === undefined) return [];
    const { name, slot } = topic;
    const confidence = wanting.test(text) || refuses || money.length > 0 ? confident : 0.6;
    return [{ family: 'preference' as const, name, slot, value, confidence, start, end }];
  });
}
