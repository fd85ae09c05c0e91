// A presentation (ECMA-376-1, part PresentationML): slide by slide in its order, under number and title,
// with tables a line a row, links with their targets, and the speaker's notes.
import { cleanBlock, cleanLine } from '../clean.ts';
import type { Normalised } from '../normalised.ts';
import { createOutline } from '../outline.ts';
import { documentFacts } from './document-facts.ts';
import { drawnWords } from './drawn.ts';
import { mainPart } from './main-part.ts';
import { openPackage, type Relation } from './package.ts';
import { attribute, isOn, prefixed, readXml } from './xml.ts';

interface Slide {
  title: string;
  blocks: string[];
  hidden: boolean;
}

/** Placeholders that repeat on every slide. */
const furniture = new Set(['sldNum', 'ftr', 'hdr', 'dt', 'sldImg']);

/** @param drawn what a chart or diagram says, by its relationship */
function readSlide(
  bytes: Uint8Array,
  relations: ReadonlyMap<string, Relation>,
  drawn: (relation: Relation | undefined) => string,
): Slide {
  const slide: Slide = { title: '', blocks: [], hidden: false };
  let placeholder: string | undefined;
  let lines: string[] = [];
  let line = '';
  let level = 0;
  let link = '';
  let row: string[] | undefined;
  let rows: string[] = [];
  let passing = 0;

  const take = (): string => {
    const words = cleanBlock(lines.join('\n'));
    lines = [];
    return words;
  };

  readXml(bytes, {
    open(name, attributes, above) {
      if (passing > 0 || name === 'Fallback') {
        passing += 1;
        return;
      }
      const show = attribute(attributes, 'show');
      if (name === 'sld' && show !== undefined) slide.hidden = !isOn({ val: show });
      else if (name === 'sp' || name === 'graphicFrame') placeholder = undefined;
      else if (name === 'ph') placeholder = attribute(attributes, 'type') ?? 'body';
      else if (name === 'p' && above.at(-1) === 'txBody') {
        line = '';
        level = 0;
      } else if (name === 'pPr') level = Math.min(Number(attribute(attributes, 'lvl') ?? 0) || 0, 8);
      else if (name === 'br') line += '\n';
      else if (name === 'hlinkClick') {
        const target = relations.get(prefixed(attributes, 'id') ?? '');
        if (target?.external === true) link = target.target;
      } else if (name === 'chart' || name === 'relIds') {
        const words = drawn(relations.get(prefixed(attributes, name === 'chart' ? 'id' : 'dm') ?? ''));
        if (words !== '') slide.blocks.push(words);
      } else if (name === 'tr') row = [];
    },
    text(words, inside) {
      if (passing === 0 && inside.at(-1) === 't') line += words;
    },
    close(name, above) {
      if (passing > 0) {
        passing -= 1;
        return;
      }
      if (name === 'r' && link !== '') {
        if (line.trim() !== link) line += ` <${link}>`;
        link = '';
      } else if (name === 'p' && above.at(-1) === 'txBody') {
        if (line.trim() !== '') lines.push(level === 0 ? line : `${'  '.repeat(level)}- ${line.trim()}`);
      } else if (name === 'tc') row?.push(cleanLine(take()));
      else if (name === 'tr') {
        if (row?.some((cell) => cell !== '') === true) rows.push(row.join(' | '));
        row = undefined;
      } else if (name === 'tbl') {
        slide.blocks.push(rows.join('\n'));
        rows = [];
      } else if (name === 'sp') {
        const words = take();
        if (placeholder === 'title' || placeholder === 'ctrTitle') slide.title ||= cleanLine(words);
        else if (words !== '' && !furniture.has(placeholder ?? '')) slide.blocks.push(words);
      }
    },
  });
  return slide;
}

/** @throws UnreadableRecord for what is no presentation, or too large to open */
export function readPptx(raw: Uint8Array): Normalised {
  const file = openPackage(raw);
  const main = mainPart(file, 'presentation', 'a presentation');
  const relations = file.relations(main.name);
  const order: string[] = [];
  readXml(main.bytes, {
    open(name, attributes) {
      if (name === 'sldId') order.push(prefixed(attributes, 'id') ?? '');
    },
  });
  const outline = createOutline();
  let first = '';
  order.forEach((id, index) => {
    const part = relations.get(id)?.target;
    const bytes = part === undefined || outline.full() ? undefined : file.part(part);
    if (part === undefined || bytes === undefined) return;
    const around = file.relations(part);
    const slide = readSlide(bytes, around, (relation) => drawnWords(file, relation));
    if (index === 0) first = slide.title;
    const title = slide.title === '' ? '' : `: ${slide.title}`;
    outline.heading(1, `Slide ${index + 1}${slide.hidden ? ' (hidden)' : ''}${title}`);
    for (const block of slide.blocks) outline.block(block);
    const notes = [...around.values()].find((one) => one.type === 'notesSlide')?.target;
    const notesBytes = notes === undefined ? undefined : file.part(notes);
    const said = notesBytes === undefined ? [] : readSlide(notesBytes, new Map(), () => '').blocks;
    if (said.length > 0) outline.block(`Notes: ${said.join('\n')}`);
  });
  const { text, spans, cut } = outline.finish();
  const own = documentFacts(file);
  return {
    title: own.title === '' || /^powerpoint\b/iu.test(own.title) ? first.slice(0, 200) : own.title,
    text,
    spans,
    cut: 'sections',
    people: [],
    ...(own.writtenAt === undefined ? {} : { writtenAt: own.writtenAt }),
    facts: { ...own.facts, slides: order.length, ...(cut ? { cutShort: true } : {}) },
  };
}
