// Addresses in what people write. Precision before recall: a house number, a name and the word for a kind of
// street must stand together; what else could be meant is left alone.
import { type Address, parseAddress } from './address.ts';
import { unitWords } from './street-words.ts';

export interface FoundAddress {
  /** Half-open, UTF-16 units of the text. */
  start: number;
  end: number;
  /** As it is written. */
  words: string;
  address: Address;
}

const mostFound = 200;

const name = String.raw`(?:\p{Lu}[\p{L}'’.-]*|\d{1,3}(?:st|nd|rd|th)|of|the)`;
const plainType =
  'Street|St|Avenue|Ave|Road|Rd|Drive|Dr|Lane|Ln|Court|Ct|Place|Pl|Boulevard|Blvd|Terrace|Ter|Circle|Cir|Close|Crescent|Cres|Gardens|Gdns|Grove|Highway|Hwy|Hill|Mews|Parade|Parkway|Pkwy|Quay|Rise|Row|Square|Sq|Trail|Vale|View|Walk|Way|Wharf|Yard|Green|Heights|Ridge';
const unitBefore = String.raw`(?:(?:${unitWords}|(?:ground|first|second|third|top|upper|lower|basement|garden)(?: floor)? flat)(?:\s+#?[\da-z]{1,4})?,?\s+)?`;
const unitBehind = String.raw`(?:,?\s+(?:(?:${unitWords})\s+#?|#\s?)[\da-z]{1,4}\b)?`;
const houseNumber = String.raw`\d{1,5}(?:[a-z]\b)?(?:\s?[-–]\s?\d{1,4}[a-z]?\b)?`;
/** What may stand before a number that is a house's: no other number, no amount, no word that it is part of. */
const free = String.raw`(?<![\p{L}\p{N}_#$£€.:/+-]|[\d],)`;
/** ", Port Ansel, OR 97399": words in capitals, a state, a code. */
const codes = String.raw`(?:\d{5}(?:-\d{4})?|[A-Z]{1,2}\d[A-Z\d]?\s?\d[A-Z]{2})\b`;
const city = String.raw`\p{Lu}[\p{L}'’-]+(?:[ -]\p{Lu}[\p{L}'’-]+){0,2}`;
const place = String.raw`(?:,[ \n]${city}(?=\s*[,.;:!?)\n]|\s+[A-Z]{2}\b|\s+${codes}|\s+\p{Ll}|\s*$)){0,2}(?:,?\s+[A-Z]{2}\b)?(?:,?\s+${codes})?`;

const forms: readonly RegExp[] = [
  // "Flat 2, 12 Oak Street, Bristol BS8 1AA", "19 Foundry Lane #2, Port Ansel".
  new RegExp(
    `${free}${ci(unitBefore)}${houseNumber}[ \\t]+(?:${name}[ \\t]+){1,4}?(?:${plainType})(?:[ \\t]+(?:${plainType}))?\\b\\.?(?:[ \\t]+(?:North|South|East|West|NE|NW|SE|SW|N|S|E|W)\\b)?${ci(unitBehind)}${place}`,
    'gu',
  ),
  // In a hurry: "12 oak street".
  new RegExp(
    `${free}\\d{1,5}[a-z]?[ \\t]+(?:\\p{Ll}{3,}[ \\t]+){1,2}?(?:street|road|avenue)\\b${unitBehind}`,
    'gu',
  ),
  // "Hauptstraße 5, 10115 Berlin", "Kölner Str. 5a".
  new RegExp(
    String.raw`(?<![\p{L}\p{N}])(?:\p{Lu}[\p{L}-]*(?:straße|strasse|str\.|weg|allee|platz|gasse|ring|ufer|damm|chaussee|straat|laan|plein|gracht|gatan)|\p{Lu}[\p{L}-]+(?:er)?[ -](?:Straße|Strasse|Str\.|Allee|Platz|Weg|Ring|Damm|Ufer|Chaussee))\s+\d{1,4}(?:\s?[a-z]\b)?(?:\s?[-–]\s?\d{1,4}\b)?(?:,?\s+(?:Wohnung|Whg\.?)\s+\d{1,4})?(?:,?\s+(?:D-)?\d{5}\s+${city})?`,
    'gu',
  ),
  // "12 bis, rue de la Paix, 75002 Paris".
  new RegExp(
    String.raw`${free}\d{1,4}(?:\s?(?:bis|ter|quater))?,?\s+(?:[Rr]ue|[Aa]venue|[Bb]oulevard|[Pp]lace|[Cc]hemin|[Ii]mpasse|[Aa]llée|[Qq]uai|[Cc]ours|[Rr]oute)(?:\s+(?:de|du|des|la|le|les|l['’]|d['’]))*\s?(?:\p{Lu}[\p{L}'’-]*)(?:[ -](?:(?:de|du|des|la|le|les)[ -])*\p{Lu}[\p{L}'’-]*){0,3}(?:,?\s+\d{5}\s+${city})?`,
    'gu',
  ),
];

/** Letters of either case, for what people write in both: the whole pattern is not. */
function ci(pattern: string): string {
  return pattern.replace(/\\p\{\w+\}|\\.|\(\?:|[a-z](?![a-z]*-z)|a-z/gu, (part) =>
    /^[a-z]$/u.test(part) ? `[${part.toUpperCase()}${part}]` : part === 'a-z' ? 'A-Za-z' : part,
  );
}

/** Words in capitals that begin a clause and are no city. */
const noCity =
  /^(?:I|We|You|He|She|It|They|The|This|That|There|Can|Could|Would|Will|Shall|Is|Are|Was|Do|Does|Did|Please|Thanks?|But|And|Or|So|If|When|Which|What|Where|Who|How|Not|No|Yes|On|In|At|For|To|As|My|Our|Your|Their|Mr|Mrs|Ms|Dr|Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec|Mon|Tue|Wed|Thu|Fri|Sat|Sun)(?:[a-z]*day|uary|ch|il|e|y|ust|tember|ober|ember)?\b/u;
const noStreet = /^\d+\s+(?:minutes?|mins?|miles?|km|bed(?:room)?s?|cars?|way|day|hour|year|people|lane)\b/iu;

/** Every address in a text, in its order. Bounded: of a longer list the first two hundred. */
export function addressesIn(text: string): FoundAddress[] {
  // No street without a digit beside it: most texts end here.
  if (!/\d/u.test(text)) return [];
  const found: FoundAddress[] = [];
  for (const form of forms) {
    form.lastIndex = 0;
    for (let match = form.exec(text); match !== null && found.length < mostFound; match = form.exec(text)) {
      let written = match[0].replace(/[.,\s]+$/u, '');
      for (let cut = written.search(/,\s\p{Lu}/u); cut !== -1; ) {
        const tail = written.slice(cut).replace(/^,\s/u, '');
        // "62 Cordage Row, Tobias's favourite" names no town.
        if (noCity.test(tail) || /^\S+['’]s\b/u.test(tail)) {
          written = written.slice(0, cut);
          break;
        }
        const next = written.slice(cut + 1).search(/,\s\p{Lu}/u);
        cut = next === -1 ? -1 : cut + 1 + next;
      }
      if (noStreet.test(written)) continue;
      const address = parseAddress(written);
      const start = match.index;
      const end = start + written.length;
      if (address === undefined || found.some((one) => start < one.end && one.start < end)) continue;
      found.push({ start, end, words: written, address });
    }
  }
  return found.sort((a, b) => a.start - b.start);
}
