// Transcripts with speakers and times: WebVTT, SubRip, and text with a speaker before each turn.
import { cleanLine } from './clean.ts';
import { type Normalised, UnreadableRecord } from './normalised.ts';
import { decodeText } from './text.ts';
import { speakersOf, type Turn, turnsToText } from './turns.ts';

const arrow = /^\s*((?:\d{1,3}:)?\d{1,2}:\d{2}(?:[.,]\d{1,3})?)\s*-->\s*(?:\d{1,3}:)?\d{1,2}:\d{2}/u;
/** Letters, initials and titles of a name of up to five words, or `Speaker 2`. */
const name = String.raw`\p{L}[\p{L}\p{M}'’.\-]*(?:[ ][\p{L}\p{M}\d'’.()\-]+){0,4}`;
const time = String.raw`(?:\d{1,3}:)?\d{1,2}:\d{2}(?:[.,]\d{1,3})?`;
/** `Anna: …`, `[00:12:03] Anna: …`, `00:12:03 Anna: …`, `Anna [00:12]: …`. */
const inLine = new RegExp(
  String.raw`^(?:\[?\(?(${time})\)?\]?[\s–-]*)?(${name})(?:\s*[\[(](${time})[\])])?\s*:(?=\s|$)\s*(.*)$`,
  'u',
);
/** `Anna Berg  0:12` on a line of its own, the words below it. */
const onItsOwn = new RegExp(String.raw`^(${name})[\s,|–-]+\(?(${time})\)?$`, 'u');
/** What stands before a colon in a mail or a form, and speaks no word. */
const notSpeakers =
  /^(?:from|to|cc|bcc|subject|date|sent|reply-to|re|fwd|note|notes|nb|ps|warning|tip|address|phone|tel|fax|e-?mail|mobile|price|total|https?|von|an|betreff|datum|de|à|objet|para|asunto)$/iu;

/** `1:02:03.4` or `02:03` in milliseconds. */
function millis(written: string | undefined): number | undefined {
  if (written === undefined) return undefined;
  const seconds = written
    .replace(',', '.')
    .split(':')
    .reduce((sum, part) => sum * 60 + Number(part), 0);
  return Number.isFinite(seconds) ? Math.round(seconds * 1000) : undefined;
}

/** One turn a speaker: captions cut a sentence where the screen ends. */
function joined(turns: readonly Turn[]): Turn[] {
  const out: Turn[] = [];
  for (const turn of turns) {
    const last = out.at(-1);
    const isShort = (last?.text.length ?? 0) < 600;
    if (last !== undefined && last.speaker === turn.speaker && isShort) last.text += ` ${turn.text}`;
    else out.push({ ...turn });
  }
  return out;
}

/** Cues of WebVTT (W3C) or SubRip: both are a time line and the words below it. */
function cues(text: string): Turn[] {
  const turns: Turn[] = [];
  for (const block of text.split(/\n\s*\n/u)) {
    const lines = block.split('\n');
    const at = lines.findIndex((line) => arrow.test(line));
    if (at === -1) continue;
    const offset = millis(arrow.exec(lines[at] ?? '')?.[1]);
    let speaker: string | undefined;
    for (const line of lines.slice(at + 1)) {
      const voice = /<v(?:\.[^\s>]*)?\s+([^>]+)>/u.exec(line)?.[1];
      const bare = cleanLine(line.replace(/<[^>]*>|\{\\[^}]*\}/gu, ''));
      const spoken = voice === undefined ? inLine.exec(bare.replace(/^-\s*/u, '')) : null;
      if (voice !== undefined) speaker = cleanLine(voice);
      else if (spoken !== null && !notSpeakers.test(spoken[2] ?? '')) speaker = spoken[2];
      const words = spoken !== null && spoken[2] === speaker ? (spoken[4] ?? '') : bare;
      if (words !== '') turns.push({ speaker, offset, text: words });
    }
  }
  // A cue without a name goes on with whoever spoke only where names are given at all.
  const isNamed = turns.some((turn) => turn.speaker !== undefined);
  let speaker: string | undefined;
  for (const turn of turns) {
    if (isNamed) turn.speaker ??= speaker;
    speaker = turn.speaker;
  }
  return joined(turns);
}

/** Turns of a text that is a conversation; undefined where it is none. */
export function spokenTurns(text: string): Turn[] | undefined {
  const turns: Turn[] = [];
  let matched = 0;
  let timed = 0;
  let lines = 0;
  for (const line of text.split(/\r?\n/u).map(cleanLine)) {
    if (line === '') continue;
    lines += 1;
    const spoken = inLine.exec(line);
    const own = spoken === null ? onItsOwn.exec(line) : null;
    const speaker = cleanLine(spoken?.[2] ?? own?.[1] ?? '');
    const last = turns.at(-1);
    if (speaker !== '' && !notSpeakers.test(speaker)) {
      matched += 1;
      const offset = millis(spoken?.[1] ?? spoken?.[3] ?? own?.[2]);
      if (offset !== undefined) timed += 1;
      turns.push({ speaker, offset, text: spoken?.[4] ?? '' });
    } else if (last !== undefined) last.text += last.text === '' ? line : `\n${line}`;
    else turns.push({ text: line });
  }
  const speakers = new Set(turns.flatMap((turn) => turn.speaker ?? []));
  // A form has a name before each colon once; people come back. Notes have few such lines among many.
  const comeBack = matched >= 4 && speakers.size >= 2 && speakers.size <= matched / 2;
  const isTimed = timed >= 3 && timed >= matched * 0.8;
  if (!(comeBack || isTimed) || matched < lines * 0.25) return undefined;
  return turns;
}

function conversation(turns: readonly Turn[]): Normalised {
  const { text, spans } = turnsToText(turns);
  const last = turns.findLast((turn) => turn.offset !== undefined)?.offset;
  return {
    title: '',
    text,
    spans,
    cut: 'turns',
    people: speakersOf(turns, []),
    facts: last === undefined ? {} : { lastTurnAtSeconds: Math.floor(last / 1000) },
  };
}

/** WebVTT and SubRip. @throws UnreadableRecord where no cue is in it */
export function readCaptions(raw: Uint8Array): Normalised {
  const turns = cues(decodeText(raw).replace(/\r\n?/gu, '\n'));
  if (turns.length === 0) throw new UnreadableRecord('has no cue with a time in it');
  return conversation(turns);
}

/** Undefined where the text is no conversation. */
export function readSpoken(raw: Uint8Array): Normalised | undefined {
  const turns = spokenTurns(decodeText(raw));
  return turns === undefined ? undefined : conversation(turns);
}
