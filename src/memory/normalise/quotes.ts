// What a mail's writer wrote, told from what the mail repeats: quotes of several clients and languages,
// signatures, disclaimers. A forwarded message is no quote: it is what is being sent.
import type { Span } from './normalised.ts';
import { beginsTail, signatureFrom } from './signatures.ts';

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
];
const attributionStart = /^(?:On|Am|Le|El|Il|Em|A|Op|Den|På|Man|Tir|Ons|Tor|Fre|Lør|Søn)\b.*\d/u;

const original =
  /^[-_*\s]{3,}\s*(?:Original (?:Message|Appointment)|Ursprüngliche (?:Nachricht|E-?Mail)|Originalnachricht|Message d['’]origine|Mensaje original|Messaggio originale|Mensagem original|Oorspronkelijk bericht|Oprindelig meddelelse|Opprinnelig melding|Ursprungligt meddelande|Reply Message)\b.*$/iu;
const forwarded =
  /^(?:[-\s]{3,}.*(?:Forwarded message|Weitergeleitete Nachricht|Message transféré|Mensaje reenviado|Messaggio inoltrato|Mensagem encaminhada|Doorgestuurd bericht|Videresendt|Vidarebefordrat)|Begin forwarded message:|Anfang der weitergeleiteten|Début du message (?:réexpédié|transféré)|Inicio del mensaje reenviado|Inizio messaggio inoltrato)/iu;
const forwardSubject = /^\s*(?:(?:re|aw|sv|antw)\s*:\s*)*(?:fwd?|wg|tr|rv|enc|i|vs|vb|doorst)\s*:/iu;

const fromLine = /^\*?(?:From|Von|De|Da|Van|Fra|Från)\s?:\*?\s?\S/u;
const otherHeaderLine =
  /^\*?(?:Sent|Date|To|Cc|Subject|Gesendet|Datum|An|Betreff|Envoyé|À|Objet|Enviado(?: el)?|Fecha|Para|Asunto|Inviato|Data|A|Oggetto|Enviada em|Assunto|Verzonden|Aan|Onderwerp|Sendt|Til|Emne|Skickat|Till|Ämne)\s?:\*?(?:\s|$)/u;

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

/** How many lines an attribution takes at `i`: 0 when none stands there. */
function attributionAt(lines: readonly Line[], i: number): number {
  const first = lines[i]?.text ?? '';
  if (first === '' || first.startsWith('>')) return 0;
  let joined = '';
  for (let length = 1; length <= 3; length += 1) {
    const next = lines[i + length - 1]?.text;
    if (next === undefined || next === '' || next.startsWith('>')) return 0;
    joined = joined === '' ? next : `${joined} ${next}`;
    if (attributions.some((form) => form.test(joined))) return length;
    if (!attributionStart.test(first)) return 0;
  }
  return 0;
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

/** The role of each line. Once a reply's quote without marks has begun, it goes on to the end. */
function rolesOf(lines: readonly Line[], isForward: boolean): Role[] {
  const roles: Role[] = [];
  let rest: Role | undefined;
  let inForward = false;
  const signature = signatureFrom(lines.map((line) => line.text));
  for (let i = 0; i < lines.length; i += 1) {
    const text = lines[i]?.text ?? '';
    if (rest === 'quote') {
      roles.push('quote');
      continue;
    }
    if (forwarded.test(text)) {
      inForward = true;
      rest = undefined;
    }
    const attribution = inForward ? 0 : attributionAt(lines, i);
    if (attribution > 0) {
      for (let line = 0; line < attribution; line += 1) roles.push('quote');
      i += attribution - 1;
      let next = i + 1;
      while (lines[next]?.text === '') next += 1;
      // With marks, an answer may follow below the quote; without, the quote is all that follows.
      rest = (lines[next]?.text ?? '').startsWith('>') ? undefined : 'quote';
      continue;
    }
    const startsQuote = original.test(text) || headerBlockAt(lines, i);
    if (startsQuote && (isForward || inForward)) inForward = true;
    else if (startsQuote) {
      rest = 'quote';
      roles.push('quote');
      continue;
    }
    if (text.startsWith('>')) {
      if (rest === 'tail') rest = undefined;
      roles.push(inForward ? 'new' : 'quote');
      continue;
    }
    if (!inForward && beginsTail(text)) rest = 'tail';
    else if (!inForward && rest === undefined && i === signature) rest = 'tail';
    roles.push(rest ?? 'new');
  }
  return roles;
}

/**
 * The spans of `text` that the writer wrote, trimmed. A mail that only repeats is searched whole, so that
 * it can be found at all.
 */
export function newWords(text: string, subject: string): Span[] {
  const lines = linesOf(text);
  const roles = rolesOf(lines, forwardSubject.test(subject));
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
