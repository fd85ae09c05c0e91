// Dates as people write them, English first, and the commonest of German, Spanish and French.
import { day } from '../../time.ts';
import { type Day, dayOf, isDay, type Span, spanOf, type Unit, weekday } from './calendar.ts';

export interface SaidTime extends Span {
  /** As it stands in the question. */
  words: string;
  /** Where in the question. */
  start: number;
  end: number;
}

const months: readonly (readonly string[])[] = [
  ['january', 'jan', 'januar', 'jänner', 'enero', 'janvier'],
  ['february', 'feb', 'februar', 'febrero', 'février', 'fevrier'],
  ['march', 'mar', 'märz', 'maerz', 'marzo', 'mars'],
  ['april', 'apr', 'abril', 'avril'],
  ['may', 'mai', 'mayo'],
  ['june', 'jun', 'juni', 'junio', 'juin'],
  ['july', 'jul', 'juli', 'julio', 'juillet'],
  ['august', 'aug', 'agosto', 'août', 'aout'],
  ['september', 'sept', 'sep', 'septiembre', 'septembre'],
  ['october', 'oct', 'oktober', 'octubre', 'octobre'],
  ['november', 'nov', 'noviembre', 'novembre'],
  ['december', 'dec', 'dezember', 'diciembre', 'décembre', 'decembre'],
];
const monthNumber = new Map(months.flatMap((names, i) => names.map((name) => [name, i + 1] as const)));
/** Words that mean something else, too: alone they are no month. */
const doubtful = new Set(['may', 'march', 'mar', 'mars', 'sep', 'dec', 'jan', 'mai']);

const weekdays: readonly (readonly string[])[] = [
  ['monday', 'montag', 'lunes', 'lundi'],
  ['tuesday', 'dienstag', 'martes', 'mardi'],
  ['wednesday', 'mittwoch', 'miércoles', 'mercredi'],
  ['thursday', 'donnerstag', 'jueves', 'jeudi'],
  ['friday', 'freitag', 'viernes', 'vendredi'],
  ['saturday', 'samstag', 'sábado', 'samedi'],
  ['sunday', 'sonntag', 'domingo', 'dimanche'],
];
const weekdayNumber = new Map(weekdays.flatMap((names, i) => names.map((name) => [name, i] as const)));

const units: readonly [Unit, string][] = [
  ['day', 'days?|tag(?:en?|e)?|d[ií]as?|jours?'],
  ['week', 'weeks?|wochen?|semanas?|semaines?'],
  ['month', 'months?|monat(?:en?|e)?|mes(?:es)?|mois'],
  ['quarter', 'quarters?|quartal(?:en?|e)?|trimestres?'],
  ['year', 'years?|jahr(?:en?|e)?|años?|ans?|années?'],
];
const anyUnit = units.map(([, words]) => words).join('|');
const unitOf = (word: string): Unit =>
  units.find(([, words]) => new RegExp(`^(?:${words})$`, 'iu').test(word))?.[0] ?? 'day';

const numbers = new Map(
  Object.entries({
    a: 1,
    an: 1,
    one: 1,
    two: 2,
    three: 3,
    four: 4,
    five: 5,
    six: 6,
    seven: 7,
    eight: 8,
    nine: 9,
    ten: 10,
    einem: 1,
    einer: 1,
    zwei: 2,
    drei: 3,
    vier: 4,
    un: 1,
    una: 1,
    dos: 2,
    tres: 3,
    une: 1,
    deux: 2,
    trois: 3,
    couple: 2,
    'a couple of': 2,
  }),
);
const anyNumber = `\\d{1,3}|${[...numbers.keys()].sort((a, b) => b.length - a.length).join('|')}`;
const countOf = (word: string): number => numbers.get(word.toLowerCase()) ?? Number(word);
const month = [...monthNumber.keys()].sort((a, b) => b.length - a.length).join('|');
const dayName = [...weekdayNumber.keys()].join('|');
const year = '(?:19|20)\\d{2}';
const last = 'last|past|previous|letzte[nrs]?|vorige[nrs]?';
const within = '(?<![\\p{L}\\p{N}])';
const ending = '(?![\\p{L}\\p{N}])';

interface Now {
  today: Day;
  zone: string;
}
type Rule = [RegExp, (found: RegExpExecArray, now: Now) => Span | undefined];

const rule = (pattern: string, read: Rule[1]): Rule => [
  new RegExp(`${within}(?:${pattern})${ending}`, 'giu'),
  read,
];
const named = (found: RegExpExecArray, name: string): string => found.groups?.[name]?.toLowerCase() ?? '';

/** The last month of that name that has begun; `before`: and has ended. */
function recentMonth(number: number, { today, zone }: Now, before: boolean): Span {
  const past = before ? number < today.month : number <= today.month;
  return spanOf('month', { year: past ? today.year : today.year - 1, month: number, day: 1 }, 0, zone);
}

function oneDay(day: Day, zone: string): Span | undefined {
  return isDay(day) ? spanOf('day', day, 0, zone) : undefined;
}

/** The longest readings first: what a rule has read is not read again. */
const rules: readonly Rule[] = [
  rule(`(?<y>${year})-(?<m>\\d{2})-(?<d>\\d{2})`, (f, { zone }) =>
    oneDay({ year: Number(named(f, 'y')), month: Number(named(f, 'm')), day: Number(named(f, 'd')) }, zone),
  ),
  rule(`(?<d>\\d{1,2})\\.(?<m>\\d{1,2})\\.(?<y>${year})`, (f, { zone }) =>
    oneDay({ year: Number(named(f, 'y')), month: Number(named(f, 'm')), day: Number(named(f, 'd')) }, zone),
  ),
  rule(
    `(?:(?<d>\\d{1,2})(?:st|nd|rd|th|\\.)?(?:\\s+(?:of|de))?\\s+(?<m>${month})|(?<m2>${month})\\s+(?<d2>\\d{1,2})(?:st|nd|rd|th)?)(?:,?\\s+(?:de\\s+)?(?<y>${year}))?`,
    (f, now) => {
      const number = monthNumber.get(named(f, 'm') || named(f, 'm2')) ?? 0;
      const day = Number(named(f, 'd') || named(f, 'd2'));
      const said = named(f, 'y');
      const { today, zone } = now;
      const isPast = number < today.month || (number === today.month && day <= today.day);
      const inYear = said === '' ? (isPast ? today.year : today.year - 1) : Number(said);
      return oneDay({ year: inYear, month: number, day }, zone);
    },
  ),
  rule(`(?<m>${month})\\s+(?:de\\s+)?(?<y>${year})`, (f, { zone }) =>
    spanOf(
      'month',
      { year: Number(named(f, 'y')), month: monthNumber.get(named(f, 'm')) ?? 1, day: 1 },
      0,
      zone,
    ),
  ),
  rule(`q(?<q>[1-4])(?:\\s*(?:of\\s+)?(?<y>${year}))?`, (f, { today, zone }) => {
    const first = (Number(named(f, 'q')) - 1) * 3 + 1;
    const said = named(f, 'y');
    const inYear = said === '' ? (first <= today.month ? today.year : today.year - 1) : Number(said);
    return spanOf('quarter', { year: inYear, month: first, day: 1 }, 0, zone);
  }),
  rule(`(?:${last})\\s+(?<m>${month})`, (f, now) =>
    recentMonth(monthNumber.get(named(f, 'm')) ?? 1, now, true),
  ),
  rule(
    `(?:this|in|from|since|during|until|before|after|im|seit|en|desde|depuis)\\s+(?<m>${month})`,
    (f, now) => recentMonth(monthNumber.get(named(f, 'm')) ?? 1, now, false),
  ),
  rule(`(?<m>${month})`, (f, now) =>
    doubtful.has(named(f, 'm')) ? undefined : recentMonth(monthNumber.get(named(f, 'm')) ?? 1, now, false),
  ),
  rule(
    `(?:(?<n>${anyNumber})\\s+(?<u>${anyUnit})\\s+ago|vor\\s+(?<n2>${anyNumber})\\s+(?<u2>${anyUnit})|(?:hace|il\\s+y\\s+a)\\s+(?<n3>${anyNumber})\\s+(?<u3>${anyUnit}))`,
    (f, { today, zone }) => {
      const word = named(f, 'u') || named(f, 'u2') || named(f, 'u3');
      const count = countOf(named(f, 'n') || named(f, 'n2') || named(f, 'n3'));
      return spanOf(unitOf(word), today, -count, zone);
    },
  ),
  rule(`(?:${last}|letzten)\\s+(?<n>${anyNumber})\\s+(?<u>${anyUnit})`, (f, { today, zone }) => {
    const unit = unitOf(named(f, 'u'));
    const count = countOf(named(f, 'n'));
    return { since: spanOf(unit, today, -count, zone).since, until: spanOf('day', today, 1, zone).since };
  }),
  rule(
    `(?:(?:${last})\\s+(?<u>${anyUnit})|(?:la\\s+|el\\s+|le\\s+|l['’])(?<u2>${anyUnit})\\s+(?:pasad[oa]|derni[eè]re?|pass[ée]e?))`,
    (f, { today, zone }) => spanOf(unitOf(named(f, 'u') || named(f, 'u2')), today, -1, zone),
  ),
  rule(`(?:this|current|diese[nrsm]?|est[ae]|cette|ce)\\s+(?<u>${anyUnit})`, (f, { today, zone }) =>
    spanOf(unitOf(named(f, 'u')), today, 0, zone),
  ),
  rule(`(?:next|nächste[nrs]?)\\s+(?<u>${anyUnit})`, (f, { today, zone }) =>
    spanOf(unitOf(named(f, 'u')), today, 1, zone),
  ),
  rule(`(?:the\\s+day\\s+before\\s+yesterday|vorgestern|anteayer|avant-hier)`, (_, { today, zone }) =>
    spanOf('day', today, -2, zone),
  ),
  rule('yesterday|gestern|ayer|hier', (_, { today, zone }) => spanOf('day', today, -1, zone)),
  rule(`today|heute|hoy|aujourd['’]hui`, (_, { today, zone }) => spanOf('day', today, 0, zone)),
  rule('tomorrow|mañana|demain', (_, { today, zone }) => spanOf('day', today, 1, zone)),
  rule(`(?:(?:on|${last}|am|since|before|after|until)\\s+)(?<w>${dayName})`, (f, { today, zone }) => {
    const back = (weekday(today) - (weekdayNumber.get(named(f, 'w')) ?? 0) + 7) % 7 || 7;
    return spanOf('day', today, -back, zone);
  }),
  rule(`(?:in|since|during|seit|en|desde|depuis|before|after|until|from)\\s+(?<y>${year})`, (f, { zone }) =>
    spanOf('year', { year: Number(named(f, 'y')), month: 1, day: 1 }, 0, zone),
  ),
];

/** In the order of the question; none overlaps another. */
export function timesIn(question: string, now: number, zone: string): SaidTime[] {
  let here: Now | undefined;
  const found: SaidTime[] = [];
  /** Read as a day that there is not. */
  const spoilt: { start: number; end: number }[] = [];
  for (const [pattern, read] of rules) {
    for (const match of question.matchAll(pattern)) {
      const start = match.index;
      const end = start + match[0].length;
      if ([...found, ...spoilt].some((one) => one.start < end && start < one.end)) continue;
      // Most questions say no time, and to know what day it is costs more than to see that.
      here ??= { today: dayOf(now, zone), zone };
      const span = read(match, here);
      if (span !== undefined) found.push({ ...span, words: match[0], start, end });
      else if (/\d/u.test(match[0])) spoilt.push({ start, end });
    }
  }
  return found.sort((a, b) => a.start - b.start);
}

/** What is pasted behind a question may hold hundreds. */
const longestForDays = 1_000;
const withYear = new RegExp(year, 'u');

/** Days that a question names with their year: as it stands there, and as ISO 8601 has it. */
export function daysIn(question: string): { words: string; iso: string }[] {
  const read = question.slice(0, longestForDays);
  if (!withYear.test(read)) return [];
  return timesIn(read, 0, 'UTC')
    .filter(({ since, until, words }) => until - since === day && withYear.test(words))
    .map(({ since, words }) => ({ words, iso: new Date(since).toISOString().slice(0, 10) }));
}
