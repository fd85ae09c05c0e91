// A table as text for spreadsheets (RFC 4180). Attack: a summary that a spreadsheet would run as a formula.

// Also behind blanks, and in the wide forms that a spreadsheet folds to the narrow ones.
const formula = /^[\s\u200B\uFEFF]*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20]|^[\t\r\n]/u;

/** A cell in quotes; one that would be a formula begins with an apostrophe, which makes it text. */
export function csvCell(value: string | number | undefined): string {
  const text = value === undefined ? '' : String(value);
  const safe = formula.test(text) ? `'${text}` : text;
  return `"${safe.replaceAll('"', '""')}"`;
}

export function csvLine(values: readonly (string | number | undefined)[]): string {
  return `${values.map(csvCell).join(',')}\r\n`;
}
