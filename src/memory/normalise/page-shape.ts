// What a page's elements are made ready for reading with, in place: a table's cell on one line though its words stand
// in paragraphs (Word, Google Docs and LibreOffice write them so), links that lead somewhere.
import type { HtmlNode } from './hidden-html.ts';

/** A cell with more characters is a place on the page and not a value. */
const longestValue = 400;
const blocks = new Set(
  'address article blockquote center dd details div dl dt figcaption figure footer form header li main menu ol p pre section ul'.split(
    ' ',
  ),
);
const places = new Set(['table', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6']);

export const isCell = (node: HtmlNode): boolean => node.name === 'td' || node.name === 'th';

/** Whether an element of these names is inside. */
export function holds(node: HtmlNode, names: ReadonlySet<string>, depth: number): boolean {
  if (depth === 0) return false;
  return (node.children ?? []).some((child) => names.has(child.name ?? '') || holds(child, names, depth - 1));
}

function lengthOf(node: HtmlNode, depth: number): number {
  if (depth === 0) return longestValue;
  let length = node.data?.length ?? 0;
  for (const child of node.children ?? []) {
    length += lengthOf(child, depth - 1);
    if (length > longestValue) break;
  }
  return length;
}

const blank = (): HtmlNode => ({ type: 'text', data: ' ' });

function flatten(node: HtmlNode): void {
  node.children = (node.children ?? []).flatMap((child) => {
    if (child.name === 'br') return [blank()];
    flatten(child);
    if (!blocks.has(child.name ?? '')) return [child];
    child.name = 'span';
    return [blank(), child, blank()];
  });
}

/** The cell of a row with several, where it is a value: then its blocks become words with blanks between them. */
function shapeCell(cell: HtmlNode, row: readonly HtmlNode[], depth: number): void {
  const isValue =
    row.filter(isCell).length > 1 && !holds(cell, places, depth) && lengthOf(cell, depth) <= longestValue;
  if (isValue) flatten(cell);
}

/** Where a link leads, seen from the page's own base where it names one; nothing for a script or a file of the machine that saved it. */
function targetOf(href: string, base: string): string {
  if (/^\s*(?:javascript|vbscript|data|file|cid|about):/iu.test(href)) return '';
  return base !== '' && !href.startsWith('#') && URL.canParse(href, base) ? new URL(href, base).href : href;
}

function baseOf(node: HtmlNode, depth: number): string {
  if (node.name === 'base') return node.attribs?.['href'] ?? '';
  if (depth === 0 || node.name === 'body') return '';
  for (const child of node.children ?? []) {
    const found = baseOf(child, depth - 1);
    if (/^https?:\/\//iu.test(found)) return found;
  }
  return '';
}

/** @param depth levels below this one are left alone: nobody reads them */
export function shapePage(root: HtmlNode, depth: number, base = baseOf(root, depth)): void {
  if (depth === 0) return;
  const children = root.children ?? [];
  for (const child of children) {
    const href = child.name === 'a' ? child.attribs?.['href'] : undefined;
    if (href !== undefined && child.attribs !== undefined) child.attribs['href'] = targetOf(href, base);
    if (isCell(child)) shapeCell(child, children, depth);
    shapePage(child, depth - 1, base);
  }
}
