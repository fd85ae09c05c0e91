// Whether a stored text names somebody's address: the whole address, and not the end of a longer one.

/** What may stand in an address before or after the part that is looked for: then it is another address. */
const before = String.raw`(?<![\p{L}\p{N}._%+'\-])`;
const after = String.raw`(?![\p{L}\p{N}\-]|\.[\p{L}\p{N}])`;

/** Each string of a JSON text, its names too; of what is no JSON the text itself. */
function stringsOf(text: string): string[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return [text];
  }
  const found: string[] = [];
  const open: unknown[] = [value];
  while (open.length > 0) {
    const next = open.pop();
    if (typeof next === 'string') found.push(next);
    else if (typeof next === 'object' && next !== null) {
      found.push(...(Array.isArray(next) ? [] : Object.keys(next)));
      open.push(...Object.values(next));
    }
  }
  return found;
}

/** @returns what says of a stored text (JSON or not) whether it names the address, in whatever case */
export function mentions(address: string): (text: string | null) => boolean {
  const literal = address.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');
  const pattern = new RegExp(`${before}${literal}${after}`, 'iu');
  // A text of our own JSON may hold JSON again (what an outcome was, in an event's detail).
  const holds = (text: string, depth: number): boolean =>
    stringsOf(text).some(
      (one) =>
        pattern.test(one) || (depth < 3 && one !== text && /^\s*[[{"]/.test(one) && holds(one, depth + 1)),
    );
  return (text) => text !== null && holds(text, 0);
}

/** As both databases lower a text: letters of ASCII alone. */
export function lowerAscii(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}
