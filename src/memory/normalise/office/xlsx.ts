// A workbook (ECMA-376-1, part SpreadsheetML): a line a row, each value beside the name of its column, so
// that a row is found by its words. Formulas by their last values, dates in ISO 8601.
import { cleanLine } from '../clean.ts';
import type { Normalised } from '../normalised.ts';
import { createOutline, type Outline } from '../outline.ts';
import { cellFormats, type Format, shownNumber } from './cell-format.ts';
import { documentFacts } from './document-facts.ts';
import { drawnOn } from './drawn.ts';
import { mainPart } from './main-part.ts';
import { type OfficePackage, openPackage } from './package.ts';
import { attribute, isOn, prefixed, readXml } from './xml.ts';

const mostColumns = 400;
const longestCell = 20_000;

/** The words of a cell on one line; characters that XML cannot hold are written `_x000D_` (ECMA-376-1, 22.9.2.19). */
function cellWords(value: string): string {
  const plain = value.includes('_x')
    ? value.replace(/_x([0-9A-F]{4})_/giu, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    : value;
  return cleanLine(plain).slice(0, longestCell);
}

function sharedStrings(bytes: Uint8Array | undefined): string[] {
  const strings: string[] = [];
  if (bytes === undefined) return strings;
  let words = '';
  readXml(bytes, {
    open(name) {
      if (name === 'si') words = '';
    },
    text(text, inside) {
      // Phonetic guides (rPh) repeat the word in another script.
      if (inside.at(-1) === 't' && !inside.includes('rPh')) words += text;
    },
    close(name) {
      if (name === 'si') strings.push(cellWords(words));
    },
  });
  return strings;
}

/** `C12` is column 2, from 0; undefined where the reference is none. */
function columnOf(reference: string | undefined): number | undefined {
  const letters = /^([A-Z]{1,3})\d*$/u.exec(reference ?? '')?.[1];
  if (letters === undefined) return undefined;
  return [...letters].reduce((sum, letter) => sum * 26 + letter.charCodeAt(0) - 64, 0) - 1;
}

interface Cell {
  words: string;
  isNumber: boolean;
}
interface Book {
  strings: readonly string[];
  formats: readonly Format[];
  /** Days are counted from 1904 (ECMA-376-1, 18.17.4.1). */
  from1904: boolean;
}

/** The value of one cell, as a person sees it. */
function shown(type: string, value: string, format: Format, book: Book): Cell {
  if (type === 's') return { words: book.strings[Number(value)] ?? '', isNumber: false };
  if (type === 'b') return { words: value === '1' ? 'true' : 'false', isNumber: false };
  if (type === 'e' || type === 'str' || type === 'inlineStr' || type === 'd')
    return { words: cellWords(value), isNumber: false };
  const number = Number(value);
  if (value.trim() === '' || !Number.isFinite(number)) return { words: cleanLine(value), isNumber: false };
  return {
    words: shownNumber(number, format, book.from1904),
    isNumber: format === 'number' || format === 'percent',
  };
}

/** Names for the columns: the first row that has several values and no number among them. */
function isHeader(cells: readonly (Cell | undefined)[]): boolean {
  const filled = cells.filter((cell) => cell !== undefined && cell.words !== '');
  return filled.length > 1 && filled.every((cell) => cell?.isNumber === false && cell.words.length <= 80);
}

function lineOf(cells: readonly (Cell | undefined)[], names: readonly string[] | undefined): string {
  return cells
    .flatMap((cell, column) => {
      if (cell === undefined || cell.words === '') return [];
      const name = names?.[column] ?? '';
      return [name === '' ? cell.words : `${name}: ${cell.words}`];
    })
    .join(' | ');
}

function readSheet(bytes: Uint8Array, book: Book, outline: Outline): void {
  let cells: (Cell | undefined)[] = [];
  let names: string[] | undefined;
  let rows = 0;
  let column = -1;
  let type = 'n';
  let format: Format = 'number';
  let value = '';

  readXml(bytes, {
    enough: () => outline.full(),
    open(name, attributes) {
      if (name === 'row') {
        cells = [];
        column = -1;
      } else if (name === 'c') {
        column = columnOf(attribute(attributes, 'r')) ?? column + 1;
        type = attribute(attributes, 't') ?? 'n';
        format = book.formats[Number(attribute(attributes, 's') ?? 0)] ?? 'number';
        value = '';
      }
    },
    text(text, inside) {
      const last = inside.at(-1);
      if (last === 'v' || (last === 't' && inside.includes('is') && !inside.includes('rPh'))) value += text;
    },
    close(name) {
      if (name === 'c') {
        if (column < mostColumns && value !== '') cells[column] = shown(type, value, format, book);
      } else if (name === 'row') {
        // A sparse row has holes, which `map` passes over and Array.from does not.
        const row = Array.from(cells);
        if (row.every((cell) => cell === undefined || cell.words === '')) return;
        rows += 1;
        if (names === undefined && rows <= 10 && isHeader(row)) {
          names = row.map((cell) => cell?.words ?? '');
          outline.line(names.filter((one) => one !== '').join(' | '));
        } else outline.line(lineOf(row, names));
      }
    },
  });
}

/** The notes at a sheet's cells: `Note at B2 by Anna: …` */
function notesOf(file: OfficePackage, sheet: string): string[] {
  const part = [...file.relations(sheet).values()].find((one) => one.type === 'comments' && !one.external);
  const bytes = part === undefined ? undefined : file.part(part.target);
  if (bytes === undefined) return [];
  const authors: string[] = [];
  const notes: string[] = [];
  let words = '';
  let place = '';
  readXml(bytes, {
    open(name, attributes) {
      if (name === 'author' || name === 'comment') words = '';
      if (name !== 'comment') return;
      const author = authors[Number(attribute(attributes, 'authorId') ?? -1)] ?? '';
      place = `Note at ${attribute(attributes, 'ref') ?? ''}${author === '' ? '' : ` by ${author}`}`;
    },
    text(text, inside) {
      const last = inside.at(-1);
      if (last === 'author' || (last === 't' && !inside.includes('rPh'))) words += text;
    },
    close(name) {
      if (name === 'author') authors.push(cleanLine(words));
      else if (name === 'comment' && words.trim() !== '') notes.push(`${place}: ${cellWords(words)}`);
    },
  });
  return notes;
}

interface Sheet {
  name: string;
  part: string;
  hidden: boolean;
}

function sheetsOf(bytes: Uint8Array, targets: ReadonlyMap<string, { target: string }>) {
  const sheets: Sheet[] = [];
  let from1904 = false;
  readXml(bytes, {
    open(name, attributes) {
      if (name === 'workbookPr') {
        const value = attribute(attributes, 'date1904');
        from1904 = value !== undefined && isOn({ val: value });
      } else if (name === 'sheet') {
        const part = targets.get(prefixed(attributes, 'id') ?? '')?.target;
        const hidden = (attribute(attributes, 'state') ?? 'visible') !== 'visible';
        if (part !== undefined) sheets.push({ name: attribute(attributes, 'name') ?? '', part, hidden });
      }
    },
  });
  return { sheets, from1904 };
}

/** @throws UnreadableRecord for what is no workbook, or too large to open */
export function readXlsx(raw: Uint8Array): Normalised {
  const file = openPackage(raw);
  const main = mainPart(file, 'workbook', 'a workbook');
  const relations = file.relations(main.name);
  const target = (type: string) => [...relations.values()].find((one) => one.type === type)?.target ?? '';
  const { sheets, from1904 } = sheetsOf(main.bytes, relations);
  const book: Book = {
    strings: sharedStrings(file.part(target('sharedStrings'))),
    formats: cellFormats(file.part(target('styles'))),
    from1904,
  };
  const outline = createOutline();
  for (const { name, part, hidden } of sheets) {
    const bytes = outline.full() ? undefined : file.part(part);
    if (bytes === undefined) continue;
    outline.heading(1, `Sheet: ${name}${hidden ? ' (hidden)' : ''}`);
    readSheet(bytes, book, outline);
    for (const line of [...notesOf(file, part), ...drawnOn(file, part)]) outline.block(line);
  }
  const { text, spans, cut } = outline.finish();
  const own = documentFacts(file);
  return {
    title: own.title,
    text,
    spans,
    cut: 'sections',
    people: [],
    ...(own.writtenAt === undefined ? {} : { writtenAt: own.writtenAt }),
    facts: { ...own.facts, sheets: sheets.map((sheet) => sheet.name), ...(cut ? { cutShort: true } : {}) },
  };
}
