// Text as people see it: one Unicode form, no invisible characters that could hide words or orders in it.

/**
 * Zero-width, bidirectional controls, tag characters, soft hyphens, variation-selector supplements, the
 * byte order mark, and C0/C1 controls other than tab and newline. The zero-width joiner stays between
 * letters and emoji that need it only where it cannot hide anything: it is dropped too, as search ignores it.
 */
const invisible =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is being removed
  // biome-ignore lint/suspicious/noMisleadingCharacterClass: each is removed wherever it stands
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u0084\u0086-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}]/gu;

/** NFC, `\n` line ends, lone surrogates replaced, invisible characters gone. */
export function clean(text: string): string {
  return text
    .toWellFormed()
    .replace(/\r\n?|\u0085|\u2028|\u2029/gu, '\n')
    .replace(invisible, '')
    .normalize('NFC');
}

/** `clean`, on one line. */
export function cleanLine(text: string): string {
  return clean(text).replace(/\s+/gu, ' ').trim();
}

/** `clean`, with line ends trimmed and no more than one empty line in a row. */
export function cleanBlock(text: string): string {
  return clean(text)
    .replace(/[^\S\n]+$/gmu, '')
    .replace(/\n{3,}/gu, '\n\n')
    .trim();
}
