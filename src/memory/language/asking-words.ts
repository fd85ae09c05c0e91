// Words by which people ask about what was said: "summarize the discussion about …", "what did she say". In a memory of
// mails, chats and meetings all was said, so that they tell no passage from another, and meet where they are rare by
// chance. Tuned to no collection.
import type { StopWordLanguage } from './stop-words.ts';

interface Asking {
  /** Of saying and summing up, wherever they stand. */
  verbs: string;
  /** Only before one of `about`: a legal opinion is a thing, an opinion on something is not. */
  nouns: string;
  about: string;
}

const lists: Partial<Record<StopWordLanguage, Asking>> = {
  en: {
    verbs: `summarize summarizes summarized summarise summarises summarised discuss discusses discussed discussing
      think thinks thought say says saying said talked talking mention mentions mentioned mentioning`,
    nouns: 'discussion discussions opinion opinions thoughts talk talks',
    about: 'about concerning of on over regarding',
  },
  de: {
    verbs: `besprochen besprach besprachen diskutiert diskutierte diskutierten erwähnt erwähnte erwähnten gesagt sagt
      sagte sagten meint meinte meinten denkt dachte dachten zusammenfassen`,
    nouns: 'besprechung diskussion gespräch meinung',
    about: 'über von zu zum zur',
  },
  fr: {
    verbs: `discuté discutent dit disait disent mentionné mentionne pense pensait pensent résume résumer résumez`,
    nouns: 'avis discussion discussions opinion',
    about: "à au autour concernant d' de des du sur",
  },
  es: {
    verbs: `dice dicen dicho dijo dijeron discutido discutió discutieron mencionó mencionado opina opinan piensa piensan
      resume resumir`,
    nouns: 'discusión opinión',
    about: 'acerca de del sobre',
  },
  it: {
    verbs: 'detto dice dicono disse discusso menzionato pensa pensano riassumere riassumi',
    nouns: 'discussione opinione',
    about: 'di del della su sul sulla',
  },
  nl: {
    verbs: 'besproken denkt dacht genoemd gezegd zegt zei zeiden samenvatten',
    nouns: 'bespreking discussie mening',
    about: 'over van',
  },
};

const set = (words: string): ReadonlySet<string> => new Set(words.split(/\s+/u));
const byLanguage = new Map(
  Object.entries(lists).map(([language, { verbs, nouns, about }]) => [
    language,
    { verbs: set(verbs), nouns: set(nouns), about: set(about) },
  ]),
);

/** Whether the word (lower case) asks rather than is asked for; `next` is the word behind it. */
export function isAskingWord(word: string, next: string | undefined, languages: readonly string[]): boolean {
  return languages.some((language) => {
    const asking = byLanguage.get(language);
    if (asking === undefined) return false;
    return asking.verbs.has(word) || (next !== undefined && asking.nouns.has(word) && asking.about.has(next));
  });
}
