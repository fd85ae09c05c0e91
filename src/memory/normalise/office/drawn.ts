// The words of what is drawn beside the text: charts (title, series, categories), diagrams (SmartArt) and the shapes
// of a sheet. Numbers of a chart stand in its table and are left out.
import { cleanLine } from '../clean.ts';
import type { OfficePackage, Relation } from './package.ts';
import { readXml } from './xml.ts';

const mostWords = 20_000;

/** Each paragraph and each name once, in the part's order. */
function wordsIn(bytes: Uint8Array): string[] {
  const found = new Set<string>();
  let words = '';
  let length = 0;
  const take = (): void => {
    const line = cleanLine(words);
    words = '';
    if (line === '' || found.has(line)) return;
    length += line.length;
    found.add(line);
  };
  readXml(bytes, {
    enough: () => length > mostWords,
    text(text, inside) {
      const last = inside.at(-1);
      if (last === 't' || (last === 'v' && (inside.includes('strCache') || inside.includes('tx'))))
        words += text;
    },
    close(name) {
      if (name === 'p' || name === 'v') take();
    },
  });
  return [...found];
}

/** What a drawing of the part says, by its relationship: one line; empty where it says nothing. */
export function drawnWords(file: OfficePackage, relation: Relation | undefined): string {
  if (relation === undefined || relation.external) return '';
  const bytes = file.part(relation.target);
  if (bytes === undefined) return '';
  const what = relation.type === 'chart' ? 'chart' : 'diagram';
  const words = wordsIn(bytes).join(' | ');
  return words === '' ? '' : `[${what}: ${words}]`;
}

/** The shapes and charts that lie on a sheet, a line each. */
export function drawnOn(file: OfficePackage, sheet: string): string[] {
  return [...file.relations(sheet).values()]
    .filter((one) => one.type === 'drawing' && !one.external)
    .flatMap(({ target }) => {
      const bytes = file.part(target);
      const charts = [...file.relations(target).values()].filter((one) => one.type === 'chart');
      return [
        ...(bytes === undefined ? [] : wordsIn(bytes)),
        ...charts.map((chart) => drawnWords(file, chart)),
      ];
    })
    .filter((line) => line !== '');
}
