// Text that others wrote, on its way to a terminal: what a terminal would obey, and what nobody would see,
// is written out. Nothing is left out, as a person decides on what stands here.

// Control characters (tab and line feed aside), and code points that are drawn as nothing or turn the
// direction of what follows: bidi controls, zero-width marks, variation selectors, the tag block.
const unseen =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
  /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u2028\u2029\uFFF9-\uFFFB]|\p{Default_Ignorable_Code_Point}|\p{Bidi_Control}/gu;

function spelled(character: string): string {
  return `<U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}>`;
}

/** `text` with every control and invisible character as `<U+001B>`; a CR LF is a line end. */
export function shown(text: string): string {
  return text.replace(/\r\n/g, '\n').replace(unseen, spelled);
}

/** The same on one line: line ends and tabs are spelled out too. */
export function shownLine(text: string): string {
  return shown(text).replace(/[\n\t]/g, spelled);
}
