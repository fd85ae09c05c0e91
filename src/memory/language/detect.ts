// Which language a text is written in: by script, then by its function words. A guess from too little
// evidence is not made.
import { type StopWordLanguage, stopWords } from './stop-words.ts';

/** Characters looked at; more would not change the answer. */
const sampleLength = 4000;
const minHits = 2;
const minShare = 0.08;

const scripts: readonly (readonly [string, RegExp])[] = [
  ['ja', /[\p{Script=Hiragana}\p{Script=Katakana}]/gu],
  ['zh', /\p{Script=Han}/gu],
  ['ko', /\p{Script=Hangul}/gu],
  ['ru', /\p{Script=Cyrillic}/gu],
  ['el', /\p{Script=Greek}/gu],
  ['ar', /\p{Script=Arabic}/gu],
  ['he', /\p{Script=Hebrew}/gu],
  ['th', /\p{Script=Thai}/gu],
  ['hi', /\p{Script=Devanagari}/gu],
];
const onlyLatin = /^[\p{Script=Latin}\p{Script=Common}\p{Script=Inherited}]*$/u;

function byScript(sample: string): string | undefined {
  if (onlyLatin.test(sample)) return undefined;
  const letters = sample.match(/\p{L}/gu)?.length ?? 0;
  for (const [language, script] of scripts) {
    const count = sample.match(script)?.length ?? 0;
    // Japanese mixes scripts: a tenth of kana decides; others need to be what most of the text is.
    if (count > letters * (language === 'ja' ? 0.1 : 0.4)) return language;
  }
  return undefined;
}

/** Words that a likely language is ahead by: few words of a question may be some other language's by chance (IL-6, "a"). */
const ahead = 1.5;

function byWords(sample: string, likely: readonly string[]): string | undefined {
  const words = sample.toLowerCase().match(/[\p{L}\p{M}]+/gu) ?? [];
  if (words.length === 0) return undefined;
  let best: StopWordLanguage | undefined;
  let bestHits = 0;
  let most = 0;
  let second = 0;
  for (const [language, list] of stopWords) {
    let hits = 0;
    for (const word of words) if (list.has(word)) hits += 1;
    const weighed = hits > 0 && likely.includes(language) ? hits + ahead : hits;
    if (weighed > most) {
      second = most;
      most = weighed;
      bestHits = hits;
      best = language;
    } else if (weighed > second) second = weighed;
  }
  if (bestHits < minHits || most === second || bestHits / words.length < minShare) return undefined;
  return best;
}

/**
 * ISO 639-1 code, or undefined where the text does not say. `likely`: codes that it is more likely in, as a question is in
 * a language of what is asked.
 */
export function detectLanguage(text: string, likely: readonly string[] = []): string | undefined {
  const sample = text.length > sampleLength ? text.slice(0, sampleLength) : text;
  return byScript(sample) ?? byWords(sample, likely);
}
