// What the writer of a mail says in their own words: preferences, questions to us, homes they speak of.
import type { Claim, Rule } from './claim.ts';
import { ownWords, type Sentence, sentencesIn } from './own-words.ts';
import { preferencesIn } from './preference.ts';
import { homesIn } from './property.ts';

const mostQuestions = 4;
const mostFacts = 24;
/** Asked out of politeness, not for an answer. */
const polite =
  /^(?:(?:hi|hello|dear)\b.{0,40}[,!]\s*)?(?:how are (?:you|things)|how(?:['’]s| is) (?:it going|everything|life)|right|ok(?:ay)?|really|isn['’]t it|you know|what do you think|guess what|why not|who knows|sound good|all well)\b[^,]{0,25}\?+$/iu;

/** Marks of a program, a patch or a log: what ends in a question mark there asks nobody. */
const code = /[{}\\]|\$[a-z_]\w*|[=!]=|->|=>|::|@@|\/\*|;\s*[+-]\s|^\+|^-[^\s\p{Lu}]|\n\+\s|%\?|\w\(\)/u;

function isQuestion({ text }: Sentence): boolean {
  if (code.test(text)) return false;
  if (!text.endsWith('?') || text.length < 10 || text.length > 300 || text.includes('://')) return false;
  return text.split(/\s+/u).length >= 3 && !polite.test(text);
}

export const mailClaims: Rule = ({ externalId, text, title, people, spans, facts }) => {
  if (facts['bulk'] === true) return [];
  const writers = people.filter((one) => one.role === 'from');
  const [writer] = writers;
  if (writers.length !== 1 || writer?.address === undefined) return [];
  const who = { subject: writer.address, as: writer.name };
  const sentences = sentencesIn(text, ownWords(text, title, spans));
  const claims: Claim[] = [];
  const slots = new Set<string>();
  const say = (claim: Omit<Claim, 'subject' | 'as'>) => {
    if (claims.length >= mostFacts || slots.has(`${claim.slot} ${claim.value}`)) return;
    slots.add(`${claim.slot} ${claim.value}`);
    claims.push({ ...who, ...claim });
  };
  let asked = 0;
  for (const sentence of sentences) {
    for (const claim of preferencesIn(sentence)) say(claim);
    if (isQuestion(sentence) && asked < mostQuestions) {
      asked += 1;
      const { start, end } = sentence;
      const slot = `question:${externalId}:${asked}`;
      say({
        family: 'question',
        name: 'question',
        slot,
        value: sentence.text.replace(/\s+/gu, ' '),
        confidence: 0.7,
        start,
        end,
      });
    }
    for (const home of homesIn(sentence.text)) {
      const { start, end } = sentence;
      const slot = `property:${home.key}`;
      say({ family: 'property', name: 'property', slot, value: home.address, confidence: 0.6, start, end });
    }
  }
  // A subject that names a home is what the whole mail is about, whatever is repeated below it.
  const [first] = sentences;
  for (const home of first === undefined ? [] : homesIn(title)) {
    const span = { start: first?.start ?? 0, end: first?.end ?? 0 };
    const slot = `property:${home.key}`;
    say({ family: 'property', name: 'property', slot, value: home.address, confidence: 0.5, ...span });
  }
  return claims;
};
