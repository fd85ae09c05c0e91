// What was written into a PDF's page after it was made: the fields of a form with their values, and comments. What
// is hidden in it, and passwords, are left out.
import { cleanBlock, cleanLine } from './clean.ts';

/** An annotation as the parser gives it (ISO 32000-1, 12.5 and 12.7); of any property nothing is certain. */
type Annotation = Readonly<Record<string, unknown>>;

/** Hidden, or not to be viewed (ISO 32000-1, table 165). */
const unseen = 2 | 32;
const comments = new Set([
  'Text',
  'FreeText',
  'Highlight',
  'Underline',
  'Squiggly',
  'StrikeOut',
  'Caret',
  'Stamp',
  'Square',
  'Circle',
  'Line',
  'Polygon',
  'PolyLine',
  'Ink',
]);

const wordsIn = (value: unknown): string => (typeof value === 'string' ? cleanBlock(value) : '');
const wordsOf = (value: unknown): string =>
  typeof value === 'object' && value !== null && 'str' in value ? wordsIn(value.str) : '';

/** What a person calls the field: its tool tip, else the last part of its name, `form[0].page[0].Name[0]`. */
function labelOf(field: Annotation): string {
  const own = cleanLine(wordsIn(field['alternativeText']));
  if (own !== '') return own;
  return cleanLine(wordsIn(field['fieldName']).split('.').at(-1) ?? '').replace(/\[\d+\]$/u, '');
}

/** The words that are shown for a choice. */
function shownOf(field: Annotation, value: string): string {
  const options = Array.isArray(field['options']) ? (field['options'] as Annotation[]) : [];
  const found = options.find((option) => option['exportValue'] === value);
  return wordsIn(found?.['displayValue']) || value;
}

function filledIn(field: Annotation): string {
  const value = field['fieldValue'];
  if (field['password'] === true) return '';
  if (field['fieldType'] === 'Tx') return wordsIn(value);
  if (field['fieldType'] === 'Ch')
    return (Array.isArray(value) ? value : [value])
      .map((one) => shownOf(field, wordsIn(one)))
      .filter((one) => one !== '')
      .join(', ');
  if (field['fieldType'] !== 'Btn' || typeof value !== 'string' || value === 'Off') return '';
  if (field['checkBox'] === true) return field['exportValue'] === value ? 'yes' : '';
  return field['radioButton'] === true && field['buttonValue'] === value ? cleanLine(value) : '';
}

/** A line a field that is filled in, `Last name: Berg`, and a line a comment. */
export function notesOf(annotations: readonly Annotation[]): string[] {
  const lines = annotations.flatMap((one) => {
    if (one['hidden'] === true || (Number(one['annotationFlags'] ?? 0) & unseen) !== 0) return [];
    if (one['subtype'] === 'Widget') {
      const value = filledIn(one);
      const label = labelOf(one);
      return value === '' ? [] : [label === '' ? value : `${label}: ${value}`];
    }
    const words = comments.has(String(one['subtype'])) ? wordsOf(one['contentsObj']) : '';
    const author = cleanLine(wordsOf(one['titleObj']));
    return words === '' ? [] : [`[comment${author === '' ? '' : ` by ${author}`}: ${words}]`];
  });
  // A field may stand in several places of a page.
  return [...new Set(lines)];
}
