// What an IMAP client says, as values (RFC 3501 chapter 9): atoms, quoted strings, literals, lists.

export type Token = string | Token[];

/** A command line that is not IMAP; its message goes into the BAD answer. */
export class BadCommand extends Error {
  override readonly name = 'BadCommand';
}

/**
 * The tokens of a command. `text` is latin1, so that a character is a byte; literals stand inline as
 * `{n}\r\n` and n bytes.
 */
export function tokenize(text: string): Token[] {
  let at = 0;

  function quoted(): string {
    let value = '';
    for (at += 1; at < text.length; at += 1) {
      const char = text.charAt(at);
      if (char === '"') {
        at += 1;
        return value;
      }
      if (char === '\\') at += 1;
      value += text.charAt(at);
    }
    throw new BadCommand('unterminated string');
  }

  // BODY[HEADER.FIELDS (DATE FROM)]<0.100> is one token, brackets and blanks included.
  function atom(): string {
    const from = at;
    let depth = 0;
    while (at < text.length) {
      const char = text.charAt(at);
      if (char === '[') depth += 1;
      if (char === ']') depth -= 1;
      if (depth <= 0 && /[\s()]/.test(char)) break;
      at += 1;
    }
    return text.slice(from, at);
  }

  function sequence(closed: boolean): Token[] {
    const tokens: Token[] = [];
    while (at < text.length) {
      const char = text.charAt(at);
      const literal = /^~?\{(\d+)\+?\}\r\n/.exec(text.slice(at, at + 24));
      if (/\s/.test(char)) at += 1;
      else if (char === ')') {
        if (!closed) throw new BadCommand('unexpected )');
        at += 1;
        return tokens;
      } else if (char === '(') {
        at += 1;
        tokens.push(sequence(true));
      } else if (char === '"') tokens.push(quoted());
      else if (literal !== null) {
        const start = at + literal[0].length;
        at = start + Number(literal[1]);
        tokens.push(text.slice(start, at));
      } else tokens.push(atom());
    }
    if (closed) throw new BadCommand('missing )');
    return tokens;
  }

  return sequence(false);
}

export function word(token: Token | undefined, what: string): string {
  if (typeof token !== 'string') throw new BadCommand(`expected ${what}`);
  return token;
}

/** Whether `number` is in the set `1,3:5,8:*`; `*` is `largest`. */
export function inSet(set: string, largest: number): (number: number) => boolean {
  const ranges = set.split(',').map((piece) => {
    const [a = '', b = a] = piece.split(':');
    const bounds = [a, b].map((end) => (end === '*' ? largest : Number(end)));
    if (bounds.some((bound) => !Number.isInteger(bound) || bound < 0))
      throw new BadCommand('bad sequence set');
    return [Math.min(...bounds), Math.max(...bounds)] as const;
  });
  return (number) => ranges.some(([low, high]) => number >= low && number <= high);
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const two = (number: number) => String(number).padStart(2, '0');

/** `17-Jul-1996 02:44:25 +0000` */
export function formatDateTime(ms: number): string {
  const date = new Date(ms);
  const day = `${two(date.getUTCDate())}-${months[date.getUTCMonth()]}-${date.getUTCFullYear()}`;
  return `${day} ${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())} +0000`;
}

/** Integer ms of an IMAP date or date-time. */
export function parseDateTime(text: string): number {
  const match = /^\s?(\d{1,2})-([A-Za-z]{3})-(\d{4})(?: (\d\d:\d\d:\d\d) ([+-]\d{4}))?$/.exec(text);
  const month = months.findIndex((name) => name.toLowerCase() === match?.[2]?.toLowerCase());
  if (match === null || month < 0) throw new BadCommand('bad date');
  const zone = (match[5] ?? '+0000').replace(/(..)$/, ':$1');
  const day = `${match[3]}-${two(month + 1)}-${two(Number(match[1]))}`;
  return Date.parse(`${day}T${match[4] ?? '00:00:00'}${zone}`);
}

/** LIST patterns: `*` is anything, `%` anything but the delimiter. */
export function matchesPattern(name: string, pattern: string): boolean {
  const source = pattern
    .replace(/[.+?^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('%', '[^/]*');
  return new RegExp(`^${source}$`, 'i').test(name);
}
