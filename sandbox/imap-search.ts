// SEARCH of the sandbox's IMAP server (RFC 3501 6.4.4): what a client may ask, as one predicate.
import { BadCommand, inSet, parseDateTime, type Token, word } from './imap-syntax.ts';
import type { StoredMessage } from './mailboxes.ts';
import { fieldOf, parseFields, splitHeader } from './mime.ts';

type Test = (message: StoredMessage, sequence: number) => boolean;

const dayMs = 86_400_000;
const flagKeys: Record<string, [string, boolean]> = {
  ANSWERED: ['\\Answered', true],
  UNANSWERED: ['\\Answered', false],
  DELETED: ['\\Deleted', true],
  UNDELETED: ['\\Deleted', false],
  DRAFT: ['\\Draft', true],
  UNDRAFT: ['\\Draft', false],
  FLAGGED: ['\\Flagged', true],
  UNFLAGGED: ['\\Flagged', false],
  SEEN: ['\\Seen', true],
  UNSEEN: ['\\Seen', false],
};

const utf8 = (text: string) => Buffer.from(text, 'latin1').toString('utf8').toLowerCase();
const headerOf = (message: StoredMessage) => splitHeader(message.raw).header;

function headerContains(message: StoredMessage, name: string, wanted: string): boolean {
  const value = fieldOf(parseFields(headerOf(message)), name);
  return value !== undefined && utf8(value).includes(wanted);
}

function sentDay(message: StoredMessage): number {
  const sent = Date.parse(fieldOf(parseFields(headerOf(message)), 'date') ?? '');
  return Math.floor((Number.isNaN(sent) ? message.internalDate : sent) / dayMs) * dayMs;
}

const day = (message: StoredMessage) => Math.floor(message.internalDate / dayMs) * dayMs;

/** The test that `tokens` describe; `messages` gives `*` its meaning. @throws BadCommand */
export function compileSearch(tokens: Token[], messages: StoredMessage[]): Test {
  const largestUid = messages.at(-1)?.uid ?? 0;
  let at = 0;
  const next = (what: string) => {
    at += 1;
    return word(tokens[at - 1], what);
  };

  function dated(of: (message: StoredMessage) => number, compare: (a: number, b: number) => boolean): Test {
    const date = parseDateTime(next('a date'));
    return (message) => compare(of(message), date);
  }

  const before = (a: number, b: number) => a < b;
  const on = (a: number, b: number) => a === b;
  const since = (a: number, b: number) => a >= b;

  function key(): Test {
    const token = tokens[at];
    at += 1;
    if (Array.isArray(token)) return compileSearch(token, messages);
    const name = word(token, 'a search key').toUpperCase();
    const flag = flagKeys[name];
    if (flag !== undefined) return (message) => message.flags.has(flag[0]) === flag[1];
    switch (name) {
      case 'ALL':
        return () => true;
      case 'NEW':
      case 'RECENT':
        return () => false;
      case 'OLD':
        return () => true;
      case 'KEYWORD':
      case 'UNKEYWORD': {
        const keyword = next('a keyword');
        return (message) => message.flags.has(keyword) === (name === 'KEYWORD');
      }
      case 'HEADER': {
        const field = next('a header name');
        const wanted = utf8(next('a string'));
        return (message) => headerContains(message, field, wanted);
      }
      case 'FROM':
      case 'TO':
      case 'CC':
      case 'BCC':
      case 'SUBJECT': {
        const wanted = utf8(next('a string'));
        return (message) => headerContains(message, name, wanted);
      }
      case 'TEXT':
      case 'BODY': {
        const wanted = utf8(next('a string'));
        const searched = (message: StoredMessage) =>
          name === 'TEXT' ? message.raw : splitHeader(message.raw).body;
        return (message) => searched(message).toString('utf8').toLowerCase().includes(wanted);
      }
      case 'BEFORE':
        return dated(day, before);
      case 'ON':
        return dated(day, on);
      case 'SINCE':
        return dated(day, since);
      case 'SENTBEFORE':
        return dated(sentDay, before);
      case 'SENTON':
        return dated(sentDay, on);
      case 'SENTSINCE':
        return dated(sentDay, since);
      case 'LARGER':
      case 'SMALLER': {
        const size = Number(next('a size'));
        return (message) => (name === 'LARGER' ? message.raw.length > size : message.raw.length < size);
      }
      case 'MODSEQ': {
        const from = Number(next('a mod-sequence'));
        return (message) => message.modseq >= from;
      }
      case 'UID': {
        const wanted = inSet(next('a UID set'), largestUid);
        return (message) => wanted(message.uid);
      }
      case 'NOT': {
        const inner = key();
        return (message, sequence) => !inner(message, sequence);
      }
      case 'OR': {
        const left = key();
        const right = key();
        return (message, sequence) => left(message, sequence) || right(message, sequence);
      }
      default: {
        if (!/^[\d*]/.test(name)) throw new BadCommand(`unknown search key ${name}`);
        const wanted = inSet(name, messages.length);
        return (_message, sequence) => wanted(sequence);
      }
    }
  }

  if (typeof tokens[at] === 'string' && tokens[at]?.toString().toUpperCase() === 'CHARSET') at += 2;
  const tests: Test[] = [];
  while (at < tokens.length) tests.push(key());
  if (tests.length === 0) throw new BadCommand('nothing to search for');
  return (message, sequence) => tests.every((test) => test(message, sequence));
}
