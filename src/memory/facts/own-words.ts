// What the writer of a mail says in it themselves: no quote, no signature, nothing that is passed on.
import type { Span } from '../normalise/normalised.ts';
import { newWords, trimSpan } from '../normalise/quotes.ts';

/** A word of the writer's in front: of a mail that only repeats, nothing else is left. */
const sentinel = '0\n\n';
const passedOn =
  /^(?:[-_*\s]{2,}.*(?:forward|weitergeleitet|transf[eé]r|reenviad|inoltrat|encaminhad|doorgestuurd|original message|ursprüngliche)|begin forwarded message|anfang der weitergeleiteten|\*?(?:from|von|de|da|van)\s?:\*?\s.*@)/imu;

/** Marks of something that is not the writer's: without one, all of a mail is. */
const marks =
  /^>|^-|^_|^\*?(?:from|von|de|da|van|fra|från)\s?:|\b(?:wrote|schrieb|écrit|escribió|scritto|escreveu|schreef|geschreven|skrev)\b/imu;
const forwardSubject = /^\s*(?:(?:re|aw|sv|antw)\s*:\s*)*(?:fwd?|wg|tr|rv|enc|i|vs|vb|doorst)\s*:/iu;

/**
 * `spans`: what reading the mail took for its new words. Of a mail that only repeats they are all of it, and of one
 * that passes something on that, too.
 */
export function ownWords(text: string, title: string, spans: readonly Span[]): Span[] {
  return forwardSubject.test(title) || passedOn.test(text) || marks.test(text) ? strictly(text) : [...spans];
}

function strictly(text: string): Span[] {
  const shift = sentinel.length;
  return newWords(`${sentinel}${text}`, '')
    .map(({ start, end }) => ({ start: Math.max(0, start - shift), end: end - shift }))
    .flatMap(({ start, end }) => {
      if (end <= start) return [];
      // What is passed on was written by others, to the end.
      const cut = passedOn.exec(text.slice(start, end));
      const own = trimSpan(text, { start, end: cut === null ? end : start + cut.index });
      return own.end > own.start ? [{ start: own.start, end: own.end }] : [];
    })
    .filter((span, i, all) =>
      all.slice(0, i).every((before) => !passedOn.test(text.slice(before.end, span.start))),
    );
}

export interface Sentence extends Span {
  text: string;
  /** The line or paragraph that it stands in, up to it. */
  before: string;
}

const mostSentences = 400;
const longest = 600;

/** The sentences of spans, with their place. What ends no sentence, such as "min. 3" or "No. 4", does not cut one. */
export function sentencesIn(text: string, spans: readonly Span[]): Sentence[] {
  const found: Sentence[] = [];
  for (const { start, end } of spans) {
    for (const paragraph of text.slice(start, end).matchAll(/[^\n]+(?:\n(?!\s*(?:[-*•\d]|\n))[^\n]+)*/gu)) {
      const whole = paragraph[0];
      let from = 0;
      const ends = [
        ...whole.matchAll(
          /(?<!\b(?:min|max|approx|no|nr|st|mr|mrs|ms|dr|incl|ca|e\.g|i\.e))[.!?]+(?=\s|$)/giu,
        ),
      ].map((match) => match.index + match[0].length);
      for (const to of [...ends, whole.length]) {
        const span = trimSpan(whole, { start: from, end: to });
        if (span.end > span.start && span.end - span.start <= longest) {
          const base = start + paragraph.index;
          found.push({
            start: base + span.start,
            end: base + span.end,
            text: whole.slice(span.start, span.end),
            before: whole.slice(0, span.start),
          });
        }
        from = to;
        if (found.length >= mostSentences) return found;
      }
    }
  }
  return found;
}
