// A Word document (ECMA-376-1, part WordprocessingML): paragraphs under their headings, lists, tables a line
// a row, links with their targets, footnotes and comments where they stand. Deleted and hidden text is left out.
import { cleanLine } from '../clean.ts';
import type { Normalised } from '../normalised.ts';
import { createOutline } from '../outline.ts';
import { documentFacts } from './document-facts.ts';
import { drawnWords } from './drawn.ts';
import { mainPart } from './main-part.ts';
import { type OfficePackage, openPackage, type Relation } from './package.ts';
import { type Attributes, attribute, isOn, prefixed, readXml } from './xml.ts';

interface Styles {
  /** Heading level by style id: 1 … 6; 0 is the document's title. */
  levels: Map<string, number>;
  hidden: Set<string>;
}

function readStyles(bytes: Uint8Array | undefined): Styles {
  const styles: Styles = { levels: new Map(), hidden: new Set() };
  if (bytes === undefined) return styles;
  let id = '';
  readXml(bytes, {
    open(name, attributes, above) {
      const value = attribute(attributes, 'val') ?? '';
      if (name === 'style') id = attribute(attributes, 'styleId') ?? '';
      else if (!above.includes('style')) return;
      else if (name === 'name') {
        // Word keeps the English names of its own styles whatever its language.
        const level = /^heading ([1-6])$/iu.exec(value)?.[1];
        if (level !== undefined) styles.levels.set(id, Number(level));
        else if (/^title$/iu.test(value)) styles.levels.set(id, 0);
      } else if (name === 'outlineLvl' && /^[0-5]$/u.test(value) && !styles.levels.has(id)) {
        styles.levels.set(id, Number(value) + 1);
      } else if (name === 'vanish' && isOn(attributes)) styles.hidden.add(id);
    },
  });
  return styles;
}

/** Footnotes, endnotes or comments by their ids, each on one line. */
function readNotes(bytes: Uint8Array | undefined, element: string): Map<string, string> {
  const notes = new Map<string, string>();
  if (bytes === undefined) return notes;
  let open: { id: string; author: string; words: string } | undefined;
  let isHidden = false;
  readXml(bytes, {
    open(name, attributes) {
      if (name === element) {
        const id = attribute(attributes, 'id') ?? '';
        open = { id, author: attribute(attributes, 'author') ?? '', words: '' };
      } else if (name === 'p' && open !== undefined) open.words += ' ';
      else if (name === 'r') isHidden = false;
      else if (name === 'vanish' && isOn(attributes)) isHidden = true;
    },
    text(words, inside) {
      if (inside.at(-1) === 't' && open !== undefined && !isHidden) open.words += words;
    },
    close(name) {
      if (name !== element || open === undefined) return;
      const words = cleanLine(open.words);
      if (words !== '') notes.set(open.id, open.author === '' ? words : `${open.author}: ${words}`);
      open = undefined;
    },
  });
  return notes;
}

interface Paragraph {
  words: string;
  level: number | undefined;
  /** Depth in a list, from 0; undefined outside of one. */
  listed: number | undefined;
  hidden: boolean;
}
interface Run {
  hidden: boolean;
}
interface Table {
  rows: string[];
  row: string[];
  cell: string[];
}

/** What only appears beside the text that it stands for, or is no longer part of it. */
const passedOver = new Set(['Fallback', 'moveFrom', 'del', 'binData']);

interface Around {
  styles: Styles;
  relations: Map<string, Relation>;
  footnotes: Map<string, string>;
  comments: Map<string, string>;
  /** What a chart or diagram says, by the id of its relationship. */
  drawn(id: string): string;
}

function readBody(bytes: Uint8Array, around: Around) {
  const outline = createOutline();
  const paragraphs: Paragraph[] = [];
  const tables: Table[] = [];
  const links: { target: string; at: number }[] = [];
  let run: Run | undefined;
  let field: string | undefined;
  let passing = 0;
  let title = '';

  const write = (words: string): void => {
    const paragraph = paragraphs.at(-1);
    if (paragraph !== undefined && !paragraph.hidden && run?.hidden !== true) paragraph.words += words;
  };

  function openInRun(name: string, attributes: Attributes): void {
    const id = attribute(attributes, 'id') ?? '';
    if (name === 'tab') write('\t');
    else if (name === 'br' || name === 'cr') write('\n');
    else if (name === 'noBreakHyphen') write('-');
    else if (name === 'footnoteReference' || name === 'endnoteReference') {
      const note = around.footnotes.get(`${name[0]}${id}`);
      if (note !== undefined) write(` [note: ${note}]`);
    } else if (name === 'commentReference') {
      const comment = around.comments.get(id);
      if (comment !== undefined) write(` [comment by ${comment}]`);
    } else if (name === 'fldChar') {
      const type = attribute(attributes, 'fldCharType');
      if (type === 'begin') field = '';
      else if (type === 'end') {
        const target = /\bHYPERLINK\s+"([^"]+)"/u.exec(field ?? '')?.[1];
        if (target !== undefined && /^(?:https?|mailto):/iu.test(target)) write(` <${target}>`);
        field = undefined;
      }
    }
  }

  function openProperty(name: string, attributes: Attributes, above: readonly string[]): void {
    const value = attribute(attributes, 'val') ?? '';
    const paragraph = paragraphs.at(-1);
    if (above.includes('pPr')) {
      if (paragraph === undefined || above.includes('rPr')) return;
      if (name === 'pStyle') {
        paragraph.level = around.styles.levels.get(value);
        paragraph.hidden = around.styles.hidden.has(value);
      } else if (name === 'outlineLvl' && /^[0-5]$/u.test(value)) paragraph.level ??= Number(value) + 1;
      else if (name === 'ilvl') paragraph.listed = Math.min(Number(value) || 0, 8);
      else if (name === 'numPr') paragraph.listed ??= 0;
    } else if (run !== undefined) {
      const isHidden =
        (name === 'vanish' && isOn(attributes)) ||
        (name === 'rStyle' && around.styles.hidden.has(value)) ||
        // Half-points: one point and less is no size to read.
        (name === 'sz' && Number(value) <= 2);
      if (isHidden) run.hidden = true;
    }
  }

  function endParagraph(): void {
    const paragraph = paragraphs.pop();
    const words = paragraph?.words.trim() ?? '';
    if (paragraph === undefined || words === '') return;
    const { level, listed } = paragraph;
    const item = listed === undefined ? words : `${'  '.repeat(listed)}- ${words}`;
    const table = tables.at(-1);
    if (table !== undefined) table.cell.push(listed === undefined ? words : `- ${words}`);
    else if (level === 0 && title === '') {
      title = cleanLine(words);
      outline.block(words);
    } else if (level !== undefined) outline.heading(Math.max(level, 1), words);
    else if (listed !== undefined) outline.line(item);
    else outline.block(words);
  }

  function endTable(): void {
    const table = tables.pop();
    if (table === undefined) return;
    const outer = tables.at(-1);
    if (outer !== undefined) outer.cell.push(table.rows.join(' / '));
    else outline.block(table.rows.join('\n'));
  }

  readXml(bytes, {
    enough: () => outline.full(),
    open(name, attributes, above) {
      if (passing > 0 || passedOver.has(name)) {
        passing += 1;
        return;
      }
      if (name === 'p') paragraphs.push({ words: '', level: undefined, listed: undefined, hidden: false });
      else if (name === 'r') run = { hidden: false };
      else if (name === 'tbl') tables.push({ rows: [], row: [], cell: [] });
      else if (name === 'chart' || name === 'relIds') {
        const words = around.drawn(prefixed(attributes, name === 'chart' ? 'id' : 'dm') ?? '');
        if (words !== '') write(` ${words}`);
      } else if (name === 'hyperlink') {
        const link = around.relations.get(prefixed(attributes, 'id') ?? '');
        links.push({
          target: link?.external === true ? link.target : '',
          at: paragraphs.at(-1)?.words.length ?? 0,
        });
      } else if (above.includes('pPr') || above.at(-1) === 'rPr') openProperty(name, attributes, above);
      else if (above.at(-1) === 'r') openInRun(name, attributes);
    },
    text(words, inside) {
      if (passing > 0) return;
      const last = inside.at(-1);
      if (last === 't') write(words);
      else if (last === 'instrText' && field !== undefined) field += words;
    },
    close(name) {
      if (passing > 0) {
        passing -= 1;
        return;
      }
      const table = tables.at(-1);
      if (name === 'p') endParagraph();
      else if (name === 'r') run = undefined;
      else if (name === 'tbl') endTable();
      else if (name === 'tc' && table !== undefined) {
        table.row.push(cleanLine(table.cell.join(' ')));
        table.cell = [];
      } else if (name === 'tr' && table !== undefined) {
        if (table.row.some((cell) => cell !== '')) table.rows.push(table.row.join(' | '));
        table.row = [];
      } else if (name === 'hyperlink') {
        const link = links.pop();
        const shown = paragraphs.at(-1)?.words.slice(link?.at).trim() ?? '';
        if (link !== undefined && link.target !== '' && shown !== '' && link.target !== shown)
          write(` <${link.target}>`);
      }
    },
  });
  return { outline, title };
}

function notesOf(file: OfficePackage, folder: string): Map<string, string> {
  const notes = new Map<string, string>();
  // The references in the text tell the two by the first letter of their names.
  for (const [letter, name, element] of [
    ['f', 'footnotes', 'footnote'],
    ['e', 'endnotes', 'endnote'],
  ] as const) {
    for (const [id, words] of readNotes(file.part(`${folder}${name}.xml`), element))
      notes.set(`${letter}${id}`, words);
  }
  return notes;
}

/** What stands above and below the pages: each once, whatever the sections that show it. */
function marginsOf(file: OfficePackage, relations: ReadonlyMap<string, Relation>): string[] {
  const found = new Set<string>();
  for (const { type, target, external } of relations.values()) {
    const bytes = external || !/^(?:header|footer)$/u.test(type) ? undefined : file.part(target);
    if (bytes === undefined) continue;
    for (const words of readNotes(bytes, type === 'header' ? 'hdr' : 'ftr').values())
      if (/\p{L}{2}|\d{3}/u.test(words)) found.add(words);
  }
  return [...found];
}

/** @throws UnreadableRecord for what is no Word document, or too large to open */
export function readDocx(raw: Uint8Array): Normalised {
  const file = openPackage(raw);
  const main = mainPart(file, 'document', 'a Word document');
  const folder = main.name.slice(0, main.name.lastIndexOf('/') + 1);
  const relations = file.relations(main.name);
  const { outline, title } = readBody(main.bytes, {
    styles: readStyles(file.part(`${folder}styles.xml`)),
    relations,
    drawn: (id) => drawnWords(file, relations.get(id)),
    footnotes: notesOf(file, folder),
    comments: readNotes(file.part(`${folder}comments.xml`), 'comment'),
  });
  const margins = marginsOf(file, relations);
  if (margins.length > 0) outline.heading(1, 'Header and footer');
  for (const words of margins) outline.block(words);
  const { text, spans, cut } = outline.finish();
  const own = documentFacts(file);
  return {
    title: own.title !== '' ? own.title : title.slice(0, 200),
    text,
    spans,
    cut: 'sections',
    people: [],
    ...(own.writtenAt === undefined ? {} : { writtenAt: own.writtenAt }),
    facts: { ...own.facts, ...(cut ? { cutShort: true } : {}) },
  };
}
