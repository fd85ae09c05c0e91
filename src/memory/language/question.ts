// A question to the terms it is searched by: the languages it may be meant in, without function words.
import { daysIn } from '../question/time-words.ts';
import { isAskingWord } from './asking-words.ts';
import { detectLanguage } from './detect.ts';
import { fallbackLanguage, fold } from './stem.ts';
import { cyrillicStopWords, stopWords } from './stop-words.ts';
import { terms, termsByWord, words } from './terms.ts';

/** Longer questions are cut: what is pasted behind them is not the question. */
const maxQuestionLength = 4000;

const lowered = (word: string) => word.toLowerCase().replaceAll('’', "'");

function isFunctionWord(word: string, languages: readonly string[]): boolean {
  const lower = lowered(word);
  if (cyrillicStopWords.has(lower)) return true;
  return languages.some((language) => stopWords.get(language as 'en')?.has(lower) === true);
}

/**
 * The terms of a question in order of appearance; one asked for twice stands there twice. `collection`: the languages most documents are
 * written in, most frequent first; a word is looked up under the stem of each.
 */
export function questionTerms(question: string, collection: readonly string[]): string[] {
  return questionWords(question, collection).flat();
}

/** The same by word: what stands in one list are ways to find one word of the question. */
export function questionWords(question: string, collection: readonly string[]): string[][] {
  const text = question.slice(0, maxQuestionLength).normalize('NFC');
  const own = detectLanguage(text, collection);
  const languages = [...new Set([...(own === undefined ? [] : [own]), ...collection])];
  if (languages.length === 0) languages.push(fallbackLanguage);
  // A word that is a function word only in another language of the collection (German "die" in English) stays.
  const spoken = own === undefined ? languages : [own];
  let kept = '';
  let at = 0;
  const written = [...words(text)];
  written.forEach((word, i) => {
    kept += text.slice(at, word.start);
    at = word.start + word.text.length;
    const next = written[i + 1]?.text;
    const asks = isAskingWord(lowered(word.text), next === undefined ? undefined : lowered(next), spoken);
    if (!asks && !isFunctionWord(word.text, spoken)) kept += word.text;
  });
  kept += text.slice(at);
  // In another language a name may stem to a function word (Lee, French: le): that is not what was asked.
  const asked = new Set([...words(kept)].map((word) => fold(word.text.toLowerCase())));
  const found = termsByWord(kept, languages)
    .map((word) => word.filter((term) => asked.has(term) || !isFunctionWord(term, languages)))
    .filter((word) => word.length > 0);
  return withDays(found.length > 0 ? found : termsByWord(text, languages), text);
}

/** A day ("8 May 2023") is found as the headers of its records have it, too: 2023-05-08. */
function withDays(found: string[][], text: string): string[][] {
  for (const { words: said, iso } of daysIn(text)) {
    if (found.some((word) => word.includes(iso))) continue;
    const named = terms(said, [fallbackLanguage]);
    const ofDay = found.find((word) =>
      word.some((term) => /\d/u.test(term) && term !== iso.slice(0, 4) && named.includes(term)),
    );
    ofDay?.push(iso);
  }
  return found;
}

const quoted = /["“„«]([^"“”„«»]{2,200})["“”»]/gu;
const maxPhrases = 5;

/** Terms of what stands in quotes, a list a phrase, function words included: they stand in the passage, too. */
export function questionPhrases(question: string, collection: readonly string[]): string[][] {
  const text = question.slice(0, maxQuestionLength).normalize('NFC');
  const phrases = [...text.matchAll(quoted)].slice(0, maxPhrases);
  if (phrases.length === 0) return [];
  const language = detectLanguage(text, collection) ?? collection[0] ?? fallbackLanguage;
  return phrases.map(([, phrase = '']) => terms(phrase, [language])).filter((phrase) => phrase.length > 1);
}
