// An address in one form: the same home written ten ways is one key, and two flats of one house are two.
// USPS Publication 28 for the United States; number first for British and French streets, last for German ones.
import { fold } from '../language/stem.ts';
import {
  compound,
  countries,
  directions,
  otherWords,
  prefixTypes,
  stateOf,
  streetTypes,
  typeKeys,
  unitWords,
} from './street-words.ts';

export interface Address {
  /** House number, street and flat, normalised: `12 oak st #2`. What a home must have to be told from others. */
  line: string;
  /** Words of the city and what is written beside it, without state and country. */
  place: string[];
  /** Two-letter state of the United States, lower case. */
  state: string | undefined;
  /** Postal code without spaces, lower case; of a ZIP+4 the first five digits. */
  postal: string | undefined;
}

const longestAddress = 300;

const ukPostal = /\b([a-z]{1,2}\d[a-z\d]?)\s*(\d[a-z]{2})$/u;
const caPostal = /\b([a-z]\d[a-z])\s?(\d[a-z]\d)$/u;
const unitAtEdge = new RegExp(
  `(?:^|\\s)(?:(?:${unitWords})\\s*#?\\s*(\\d+[a-z]?|[a-z]\\d*)|#\\s*([a-z0-9]+))(?=\\s|$)`,
  'u',
);
const floorFlat =
  /(?:^|\s)(ground|lower ground|upper|lower|top|basement|garden|1st|2nd|3rd|4th|5th)(?: floor)? flat(?=\s|$)/u;
const numberFirst =
  /^(\d+(?:\s?(?:bis|ter|quater)(?=\s)|[a-z](?=\s))?(?:\s?-\s?\d+[a-z]?)?|\d+[a-z]?)\s+(.+)$/u;
const numberLast = /^(\p{L}.*?)\s(\d{1,4}\s?[a-z]?(?:\s?-\s?\d{1,4}[a-z]?)?)$/u;

/** Lower case, no dots or apostrophes, words of each segment by one space. */
function segmentsOf(text: string): string[] {
  return (
    text
      .slice(0, longestAddress)
      .normalize('NFKC')
      .toLowerCase()
      .replace(/[\u2010-\u2015\u2212]/gu, '-')
      .replace(/['’‘`.]/gu, '')
      // A French number before its street: "12, rue de la Paix".
      .replace(/^(\s*\d+(?:\s?(?:bis|ter|quater))?),\s*(?=\p{L})/u, '$1 ')
      .split(/[,;\n|()]+/u)
      .map((segment) =>
        segment
          .replace(/[^\p{L}\p{N}\p{M}#/-]+/gu, ' ')
          .replace(/#/gu, ' #')
          .replace(/(?<![\p{N}\p{L}])[-/]+|[-/]+(?![\p{N}\p{L}])/gu, (sign) =>
            sign.includes('-') ? ' - ' : ' ',
          )
          .trim()
          .split(/\s+/u)
          .map(fold)
          .map((word) => otherWords[word] ?? word)
          .join(' ')
          .replace(/(\d[a-z]?) - (?=\d)/gu, '$1-')
          .replace(/ -(?= |$)|^- /gu, '')
          .trim(),
      )
      .filter((segment) => segment !== '')
  );
}

/** What a segment ends with or begins with as a postal code, and the segment without it. */
function withoutPostal(segment: string): { rest: string; postal?: string } {
  const british = ukPostal.exec(segment) ?? caPostal.exec(segment);
  if (british !== null) {
    return { rest: segment.slice(0, british.index).trim(), postal: `${british[1]}${british[2]}` };
  }
  const zip = /(?:^|\s)(\d{5})(?:-\d{4})?$/u.exec(segment);
  if (zip !== null) return { rest: segment.slice(0, zip.index).trim(), postal: zip[1] ?? '' };
  // "10115 Berlin", "D-10115 Berlin": before the city.
  const before = /^(?:d-|f-|a-)?(\d{5})\s+(?=\p{L})/u.exec(segment);
  if (before !== null) return { rest: segment.slice(before[0].length), postal: before[1] ?? '' };
  return { rest: segment };
}

function withoutUnit(segment: string): { rest: string; unit?: string } {
  const floor = floorFlat.exec(segment);
  const found = floor ?? unitAtEdge.exec(segment);
  if (found === null) return { rest: segment };
  const unit = (found[1] ?? found[2] ?? '').replace(/^0+(?=\d)/u, '');
  const rest = `${segment.slice(0, found.index)} ${segment.slice(found.index + found[0].length)}`;
  return { rest: rest.replace(/\s+/gu, ' ').trim(), unit: floor === null ? unit : `${unit}floor` };
}

interface Street {
  number: string;
  street: string;
  unit?: string;
  /** What stands behind the street in the same segment. */
  after: string;
}

/** Where the street's own words end: behind its type and direction; all of them where no type is written. */
function endOfStreet(words: readonly string[]): number {
  if (prefixTypes.has(words[0] ?? '')) {
    const code = words.findIndex((word) => /^\d{5}$/u.test(word));
    return code === -1 ? words.length : code;
  }
  const isType = (i: number) => typeKeys.has(words[i] ?? '') || compound.test(words[i] ?? '');
  for (let i = 0; i < words.length; i += 1) {
    if (!isType(i) || (i === 0 && !compound.test(words[0] ?? ''))) continue;
    let end = i + 1;
    // "Tottenham Court Road"; but "Oak St St Louis" is a street and a city.
    while (isType(end) && (words[end] !== 'st' || end === words.length - 1)) end += 1;
    if (directions.has(words[end] ?? '')) end += 1;
    return end;
  }
  return words.length;
}

/** A number before the street, as it is written in most countries. */
function numberedFirst(segment: string): Street | undefined {
  const slash = /^(\d+[a-z]?)\/(\d+[a-z]?)\s/u.exec(segment);
  const text = slash === null ? segment : segment.slice((slash[1] ?? '').length + 1);
  const match = numberFirst.exec(text);
  if (match === null) return undefined;
  let number = (match[1] ?? '').replace(/\s/gu, '').replace(/^0+(?=\d)/u, '');
  let words = (match[2] ?? '').split(' ').map((word) => streetTypes[word] ?? word);
  words = words.map((word, i) => (word === 'str' && i > 0 ? 'st' : word));
  const [letter = '', next = ''] = words;
  if (/^[a-z]$/u.test(letter) && !directions.has(letter) && next !== '' && !typeKeys.has(next)) {
    number += letter;
    words = words.slice(1);
  }
  if (!words.some((word) => /\p{L}/u.test(word))) return undefined;
  // "10115 Berlin" is a code and a city.
  if (/^\d{5}/u.test(number) && !words.some((word) => typeKeys.has(word) || compound.test(word))) {
    return undefined;
  }
  const end = endOfStreet(words);
  const after = words.slice(end);
  const bare = /^(?:\d{1,4}[a-z]?|[a-z])$/u.test(after[0] ?? '') && !directions.has(after[0] ?? '');
  const unit = slash?.[1] ?? (bare ? after.shift() : undefined);
  return {
    number,
    street: words.slice(0, end).join(' '),
    after: after.join(' '),
    ...(unit === undefined ? {} : { unit }),
  };
}

/** A number behind the street: "Hauptstraße 5", "Kerkstraat 12". */
function numberedLast(segment: string): Street | undefined {
  const inside = /^(\D+?\s\d+\s?[a-z]?(?:-\d+[a-z]?)?)\s(\d{5}\s\p{L}.*)$/u.exec(segment);
  const match = numberLast.exec(inside?.[1] ?? segment);
  if (match === null) return undefined;
  const street = (match[1] ?? '').replace(/strasse(?=\s|$)/gu, 'str').replace(/(\p{L})[ -]str$/u, '$1str');
  return { number: (match[2] ?? '').replace(/\s/gu, ''), street, after: inside?.[2] ?? '' };
}

function streetIn(segment: string): Street | undefined {
  const found = numberedFirst(segment);
  if (found !== undefined) return { ...found, street: found.street.replace(/strasse(?=\s|$)/gu, 'str') };
  return numberedLast(segment);
}

/** The parts of an address as it is written, or undefined where no house number stands in it. */
export function parseAddress(text: string): Address | undefined {
  const rest: string[] = [];
  let street: Street | undefined;
  let unit: string | undefined;
  let postal: string | undefined;
  for (const segment of segmentsOf(text)) {
    const bare = withoutUnit(segment);
    unit ??= bare.unit;
    let left = bare.rest;
    if (street === undefined && left !== '') {
      const whole = streetIn(left);
      // "12 oak st springfield il 62701": a code at the end is none of the street's words.
      const coded = withoutPostal(left);
      const found = coded.postal !== undefined && coded.rest !== '' ? streetIn(coded.rest) : undefined;
      if (found !== undefined) postal ??= coded.postal;
      street = found ?? whole;
      if (street !== undefined) {
        unit ??= street.unit;
        left = street.after;
      }
    }
    if (left === '') continue;
    const coded = withoutPostal(left);
    postal ??= coded.postal;
    if (coded.rest !== '') rest.push(coded.rest);
  }
  if (street === undefined) return undefined;
  const { place, state } = placeOf(rest);
  return {
    line: `${street.number} ${street.street}${unit === undefined ? '' : ` #${unit}`}`,
    place,
    state,
    postal,
  };
}

function placeOf(segments: readonly string[]): { place: string[]; state: string | undefined } {
  let state: string | undefined;
  const place: string[] = [];
  segments.forEach((segment, i) => {
    if (countries.has(segment)) return;
    const words = segment.split(' ');
    const last = words.at(-1) ?? '';
    // "New York, NY": a city may be called as its state, and comes first.
    const whole = i > 0 || segment.length === 2 ? stateOf.get(segment) : undefined;
    if (whole !== undefined) state ??= whole;
    else if (last.length === 2 && words.length > 1 && stateOf.has(last)) {
      state ??= last;
      place.push(...words.slice(0, -1));
    } else place.push(...words);
  });
  return { place: [...new Set(place)], state };
}

/**
 * The whole of it as one string: equal for the same address however it is written. Normalising it again
 * changes nothing.
 */
export function addressKey(text: string): string {
  const seen = [writtenOut(text)];
  // What is no address at all may read differently once it is normalised: until it reads as it did before.
  for (let round = 0; round < 20; round += 1) {
    const next = writtenOut(seen.at(-1) ?? '');
    const at = seen.indexOf(next);
    if (at !== -1) return seen.slice(at).sort()[0] ?? '';
    seen.push(next);
  }
  return words(text).join(' ');
}

function writtenOut(text: string): string {
  const parsed = parseAddress(text);
  if (parsed === undefined) return words(text).join(' ');
  const { line, place, state, postal } = parsed;
  const where = [place.join(' '), state, postal].filter((part) => part !== undefined && part !== '');
  return [line, ...where].join(', ');
}

/** Words as keys have them, for what is no whole address. */
export function words(text: string): string[] {
  return segmentsOf(text)
    .flatMap((segment) => segment.split(/[^\p{L}\p{N}]+/u))
    .filter((word) => word !== '')
    .map((word) => streetTypes[word] ?? word);
}

/** Whether two addresses of one line can be one home: by code, else by city and state. */
export function samePlace(a: Address, b: Address): 'same' | 'different' | 'unsaid' {
  if (a.postal !== undefined && b.postal !== undefined) return a.postal === b.postal ? 'same' : 'different';
  if (a.state !== undefined && b.state !== undefined && a.state !== b.state) return 'different';
  if (a.place.length === 0 || b.place.length === 0) return 'unsaid';
  const [few, many] = a.place.length <= b.place.length ? [a.place, b.place] : [b.place, a.place];
  return few.every((word) => many.includes(word)) ? 'same' : 'different';
}
