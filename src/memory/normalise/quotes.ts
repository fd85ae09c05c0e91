// What a mail's writer wrote, told from what the mail repeats: quotes of several clients and languages,
// signatures, disclaimers. A forwarded message is no quote: it is what is being sent.
import type { Span } from './normalised.ts';
import { beginsFooter, isDevice, isFooter, isMark, signatureFrom } from './signatures.ts';

/** "On … wrote:" as Gmail, Apple Mail, Outlook, Thunderbird write it, in nine languages; may wrap over lines. */
const attributions: readonly RegExp[] = [
  /^On\b.{4,250}\bwrote:$/u,
  /^Am\b.{4,250}\bschrieb\b.{0,120}:$/u,
  /^Le\b.{4,250}\ba écrit\s*:$/u,
  /^El\b.{4,250}\bescribió\s*:$/u,
  /^Il\b.{4,250}\bha scritto\s*:$/u,
  /^(?:Em|A)\b.{4,250}\bescreveu\s*:$/u,
  /^(?:Op|Am)\b.{4,250}\b(?:schreef|het volgende geschreven)\b.{0,120}:$/u,
  /^(?:Den|På|Man|Tir|Ons|Tor|Fre|Lør|Søn)\b.{4,250}\bskrev\b.{0,120}:$/iu,
  /^.{4,120}<[^<>\s]+@[^<>\s]+>\s*(?:wrote|schrieb|a écrit|escribió|ha scritto|escreveu|skrev)\s*:$/u,
  // By its time or address and its verb, whatever the order: Polish, Czech, Finnish, Hungarian, Russian, Turkish, Chinese.
  /^(?=.*(?:\d{1,2}[:.]\d{2}|<[^<>\s]+@)).{4,250}\s(?:wrote|napisał(?:a|\(a\))?|napsal(?:a|\(a\))?|kirjoitti|írta|(?:на)?писала?|пишет|yazdı|写道)\s*[:：]$/u,
  // Gmail's bare form of many languages: a date with its year, a time, an address, a colon.
  /^(?=.*\b\d{4}\b)(?=.*\d{1,2}[:.]\d{2}).{4,250}<[^<>\s]+@[^<>\s]+>\s?:$/u,
  // Zoho's, between dashes; and one that lost its colon.
  /^-{3,}\s?.{0,120}\d.{4,250}\b(?:wrote|schrieb|a écrit|escribió|ha scritto|escreveu)\s?-{3,}$/u,
  /^On\b.*\d.{4,250}<[^<>\s]+@[^<>\s]+>\s+wrote$/u,
];
const attributionStart =
  /^(?:On|Am|Le|El|Il|Em|A|Op|Den|På|Man|Tir|Ons|Tor|Fre|Lør|Søn)\b.*\d|^(?=.*\b\d{4}\b).*\d{1,2}[:.]\d{2}/u;
const attributionEnd = /[:：-]$|\bwrote$/u;
/** What shows that an attribution speaks of a mail, and not of what somebody wrote elsewhere. */
const dated = /\d|<[^<>\s]+@[^<>\s]+>/u;

const original =
  /^[-_*\s]{3,}\s*(?:Original (?:Message|Appointment)|Ursprüngliche (?:Nachricht|E-?Mail)|Originalnachricht|Message d['’]origine|Mensaje original|Messaggio originale|Mensagem original|Oorspronkelijk bericht|Oprindelig meddelelse|Opprinnelig melding|Ursprungligt meddelande|Oprindelig besked|Alkuperäinen viesti|Oryginalna wiadomość|Wiadomość oryginalna|Исходное сообщение|Reply Message)\b.*$/iu;
const forwarded =
  /^(?:[-\s]{3,}.*(?:Forwarded (?:message|by)|Weitergeleitete Nachricht|Message transféré|Mensaje reenviado|Messaggio inoltrato|Mensagem encaminhada|Doorgestuurd bericht|Videresendt|Vidarebefordrat)|Begin forwarded message:|Anfang der weitergeleiteten|Début du message (?:réexpédié|transféré)|Inicio del mensaje reenviado|Inizio messaggio inoltrato)/iu;
const mostSignatureLines = 20;
/** A disclaimer is known by less; a list of thousands of lines is looked at line by line. */
const mostParagraphLines = 40;
const forwardSubject = /^\s*(?:(?:re|aw|sv|antw)\s*:\s*)*(?:fwd?|wg|tr|rv|enc|i|vs|vb|doorst)\s*:/iu;

/** RFC 5322, 3.6.5, and what programs write in its place. */
const answerSubject =
  /^\s*(?:\[[^\]]{1,40}\]\s*)?(?:re|aw|antw|antwort|sv|vs|odp|rif|ref|res|ynt|vá|回复|答复)\s*(?:\[\d+\])?\s*[:：]/iu;

const fromLine = /^\*?(?:From|Von|De|Da|Van|Fra|Från|Od|Lähettäjä|От)\s?:\*?\s?\S/u;
const otherHeaderLine =
  /^\*?(?:Sent|Date|To|Cc|Subject|Gesendet|Datum|An|Betreff|Envoyé(?: le)?|À|Objet|Sujet|Copie(?: à)?|Dato|Wysłano|Do|Temat|Lähetetty|Vastaanottaja|Aihe|Отправлено|Дата|Кому|Тема|Enviado(?: el)?|Fecha|Para|Asunto|Inviato|Data|A|Oggetto|Enviada em|Assunto|Verzonden|Aan|Onderwerp|Sendt|Til|Emne|Skickat|Till|Ämne)(?:\s?:\*?(?:\s|$)|\s:\S)/u;
/** Above and below the header of an attached message, as the parser writes it into the text. */
const embeddedRule = /^-{12,}$/u;
const embeddedLine = /^(?:From|Subject|Date|To|Cc|Bcc):\s/u;
const mostEmbeddedLines = 60;
/** So many lines below an attribution are looked at for the marks of its quote. */
const mostUntilMark = 6;

type Role = 'new' | 'quote' | 'tail';

interface Line {
  text: string;
  start: number;
}

function linesOf(text: string): Line[] {
  let start = 0;
  return text.split('\n').map((line) => {
    const made = { text: line.trim(), start };
    start += line.length + 1;
    return made;
  });
}

interface Attribution {
  lines: number;
  /** Its quote has marks, so that an answer may follow below; without, the quote is all that follows. */
  isMarked: boolean;
}

/** Whether the text that begins at `i` has lines with quote marks soon: an answer may stand between. */
function isMarkedFrom(lines: readonly Line[], i: number): boolean {
  return lines
    .slice(i, i + 4 * mostUntilMark)
    .filter(({ text }) => text !== '')
    .slice(0, mostUntilMark)
    .some(({ text }) => text.startsWith('>'));
}

/** The attribution at `i`; undefined when none stands there. */
function attributionAt(lines: readonly Line[], i: number): Attribution | undefined {
  const first = lines[i]?.text ?? '';
  if (first === '' || first.startsWith('>')) return undefined;
  let joined = '';
  for (let length = 1; length <= 3; length += 1) {
    const next = lines[i + length - 1]?.text;
    if (next === undefined || next === '' || next.startsWith('>')) return undefined;
    joined = joined === '' ? next : `${joined} ${next}`;
    if (attributionEnd.test(next) && attributions.some((form) => form.test(joined))) {
      const isMarked = isMarkedFrom(lines, i + length);
      // "On this point your lawyer wrote:" says what is the writer's own, up to the end.
      return isMarked || dated.test(joined) ? { lines: length, isMarked } : undefined;
    }
    if (!attributionStart.test(first)) return undefined;
  }
  return undefined;
}

/** Whether the header of an attached message stands at `i`, between its rules. */
function embeddedAt(lines: readonly Line[], i: number): boolean {
  const rule = lines[i]?.text ?? '';
  if (!embeddedRule.test(rule) || !embeddedLine.test(lines[i + 1]?.text ?? '')) return false;
  return lines.slice(i + 2, i + mostEmbeddedLines).some(({ text }) => text === rule);
}

/** Outlook's header block: From:, and at least two more header lines among the next five. */
function headerBlockAt(lines: readonly Line[], i: number): boolean {
  if (!fromLine.test(lines[i]?.text ?? '')) return false;
  let found = 0;
  for (let next = i + 1; next <= i + 6 && next < lines.length; next += 1) {
    if (otherHeaderLine.test(lines[next]?.text ?? '')) found += 1;
  }
  return found >= 2;
}

/** The lines from `i` up to the next empty one, or the first of them. */
function paragraphAt(lines: readonly Line[], i: number): string[] {
  const texts = lines.slice(i, i + mostParagraphLines).map(({ text }) => text);
  const end = texts.indexOf('');
  return end === -1 ? texts : texts.slice(0, end);
}

/** Whether the writer's words end at `i`: nothing, or what a mail repeats, stands there. */
function isEndAt(lines: readonly Line[], from: number): boolean {
  let i = from;
  while (lines[i]?.text === '') i += 1;
  const text = lines[i]?.text;
  return (
    text === undefined ||
    /^(?:>|_{5}|\[attachment: )/u.test(text) ||
    isMark(text) ||
    isDevice(text) ||
    original.test(text) ||
    forwarded.test(text) ||
    headerBlockAt(lines, i) ||
    attributionAt(lines, i) !== undefined ||
    beginsFooter(text, () => paragraphAt(lines, i))
  );
}

/** How far what stands below the writer's words goes on: to the end, or while it reads like a footer. */
type Tail = 'to the end' | 'footer';

/** What begins below the writer's words at `i`. */
function tailAt(lines: readonly Line[], i: number): Tail | undefined {
  const text = lines[i]?.text ?? '';
  if (text === '') return undefined;
  if (isMark(text)) {
    let size = 0;
    for (let next = i + 1; next < lines.length && size <= mostSignatureLines; next += 1) {
      const { text: below = '' } = lines[next] ?? {};
      if (below.startsWith('>') || isMark(below) || beginsFooter(below, () => paragraphAt(lines, next)))
        break;
      if (below !== '') size += 1;
    }
    // Longer than anybody's signature: a line of the letter.
    return size > mostSignatureLines ? undefined : 'to the end';
  }
  if (isDevice(text)) return isEndAt(lines, i + paragraphAt(lines, i).length) ? 'to the end' : undefined;
  return beginsFooter(text, () => paragraphAt(lines, i)) ? 'footer' : undefined;
}

/** The role of each line. Once a reply's quote without marks has begun, it goes on to the end. */
function rolesOf(lines: readonly Line[], isForward: boolean, isAnswer: boolean): Role[] {
  const roles: Role[] = [];
  let rest: 'quote' | Tail | undefined;
  let inForward = false;
  const signature = signatureFrom(lines.map((line) => line.text));
  for (let i = 0; i < lines.length; i += 1) {
    const text = lines[i]?.text ?? '';
    // An attached message is nobody's quote, wherever it stands.
    if (embeddedAt(lines, i)) {
      inForward = true;
      rest = undefined;
    }
    if (rest === 'quote') {
      roles.push('quote');
      continue;
    }
    if (forwarded.test(text)) {
      inForward = true;
      rest = undefined;
    }
    const attribution = inForward ? undefined : attributionAt(lines, i);
    if (attribution !== undefined) {
      for (let line = 0; line < attribution.lines; line += 1) roles.push('quote');
      i += attribution.lines - 1;
      rest = attribution.isMarked ? undefined : 'quote';
      continue;
    }
    const startsQuote = original.test(text) || headerBlockAt(lines, i);
    // What a mail that answers none repeats stands nowhere else.
    if (startsQuote && (isForward || inForward || !isAnswer)) {
      inForward = true;
      rest = undefined;
    } else if (startsQuote) {
      rest = 'quote';
      roles.push('quote');
      continue;
    }
    if (text.startsWith('>')) {
      rest = undefined;
      roles.push(inForward ? 'new' : 'quote');
      continue;
    }
    // Below a footer somebody may have written on.
    const isParagraph = text !== '' && lines[i - 1]?.text === '';
    if (rest === 'footer' && isParagraph && !isFooter(paragraphAt(lines, i))) rest = undefined;
    if (!inForward && rest !== 'to the end') {
      rest = (i === signature ? 'to the end' : tailAt(lines, i)) ?? rest;
    }
    roles.push(rest === undefined ? 'new' : 'tail');
  }
  return roles;
}

/**
 * The spans of `text` that the writer wrote, trimmed. A mail that only repeats is searched whole, so that
 * it can be found at all.
 * @param isAnswer whether the mail answers another one, which then stands elsewhere
 */
export function newWords(text: string, subject: string, isAnswer = true): Span[] {
  const lines = linesOf(text);
  const roles = rolesOf(lines, forwardSubject.test(subject), isAnswer);
  const spans: Span[] = [];
  let open: Span | undefined;
  lines.forEach((line, i) => {
    const end = (lines[i + 1]?.start ?? text.length + 1) - 1;
    if (roles[i] !== 'new') open = undefined;
    else if (open === undefined) {
      open = { start: line.start, end };
      spans.push(open);
    } else open.end = end;
  });
  const trimmed = spans.map((span) => trimSpan(text, span)).filter((span) => span.end > span.start);
  if (trimmed.some((span) => /[\p{L}\p{N}]/u.test(text.slice(span.start, span.end)))) return trimmed;
  const whole = trimSpan(text, { start: 0, end: text.length });
  return whole.end > whole.start ? [whole] : [];
}

/** The span without white space at its ends. */
export function trimSpan(text: string, span: Span): Span {
  let { start, end } = span;
  while (start < end && /\s/u.test(text.charAt(start))) start += 1;
  while (end > start && /\s/u.test(text.charAt(end - 1))) end -= 1;
  return { ...span, start, end };
}

/** Whether a mail with this subject answers another one. */
export function isAnswerSubject(subject: string): boolean {
  return answerSubject.test(subject);
}
