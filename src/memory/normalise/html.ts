// HTML mail as readable text: links and tables kept, quotes marked as in plain mail, and nothing that the
// sender hid from the reader.
import { randomBytes } from 'node:crypto';
import { compile, type FormatCallback } from 'html-to-text';
import { type HtmlNode, removeHidden } from './hidden-html.ts';
import { holds, isCell, shapePage } from './page-shape.ts';

/** Beyond this a mail is a web page pasted in; the rest is left out. */
const maxHtmlLength = 1_000_000;

const maxDepth = 100;
/** Stands around the mail, under a name that the mail cannot know and so cannot close. */
const frame = `x-${randomBytes(9).toString('hex')}`;

const seen: FormatCallback = (element, walk, builder) => {
  removeHidden(element, maxDepth);
  walk(element.children, builder);
};

const convert = compile({
  wordwrap: false,
  // The mail itself is cut before it is framed.
  limits: { maxInputLength: maxHtmlLength + 100, maxDepth, maxChildNodes: 20_000 },
  baseElements: { selectors: [frame] },
  formatters: {
    seen,
    // Most tables of a mail are its layout: a line a row, cells kept apart, no columns drawn.
    cell(element, walk, builder) {
      walk(element.children, builder);
      builder.addInline(' \u00a0', { noWordTransform: true });
    },
  },
  selectors: [
    {
      selector: 'a',
      options: { hideLinkHrefIfSameAsText: true, linkBrackets: ['<', '>'], noAnchorUrl: true },
    },
    { selector: 'img', format: 'skip' },
    { selector: 'title', format: 'skip' },
    { selector: frame, format: 'seen' },
    { selector: 'table', format: 'block', options: { leadingLineBreaks: 1, trailingLineBreaks: 1 } },
    { selector: 'tr', format: 'block', options: { leadingLineBreaks: 1, trailingLineBreaks: 1 } },
    { selector: 'td', format: 'cell' },
    { selector: 'th', format: 'cell' },
    ...['h1', 'h2', 'h3', 'h4', 'h5', 'h6'].map((selector) => ({ selector, options: { uppercase: false } })),
  ],
});

/** A page may hold pictures and styles in itself; what is beyond this is left out. */
const maxPageLength = 8_000_000;

const table = new Set(['table']);
/** Elements that stand on lines of their own, and that the converter takes for words within one. */
const ownLines =
  'address caption center dd details dialog dl dt fieldset figcaption figure hgroup legend menu summary'.split(
    ' ',
  );
/** What is no text of the page: controls, drawings, readings beside signs, and what stands in for a player. */
const noText =
  'img title nav noscript svg button select textarea rt rp iframe object video audio canvas datalist'.split(
    ' ',
  );
const levels = ['h1', 'h2', 'h3', 'h4', 'h5', 'h6'];

const convertPage = compile({
  wordwrap: false,
  limits: { maxInputLength: maxPageLength + 100, maxDepth, maxChildNodes: 100_000 },
  baseElements: { selectors: [frame] },
  formatters: {
    page(element, walk, builder) {
      removeHidden(element, maxDepth);
      shapePage(element, maxDepth);
      walk(element.children, builder);
    },
    value(element, walk, builder) {
      const row = (element.parent?.children ?? []) as HtmlNode[];
      const isFirst = row.find(isCell) === element;
      if (!isFirst)
        builder.addInline(holds(element, table, 8) ? '\u00a0 ' : '\u00a0|\u00a0', { noWordTransform: true });
      walk(element.children, builder);
    },
    headed(element, walk, builder) {
      builder.openBlock({ leadingLineBreaks: 2 });
      builder.addInline(`${'#'.repeat(levels.indexOf(element.name ?? '') + 1)}\u00a0`, {
        noWordTransform: true,
      });
      walk(element.children, builder);
      builder.closeBlock({ trailingLineBreaks: 2 });
    },
  },
  selectors: [
    {
      selector: 'a',
      options: { hideLinkHrefIfSameAsText: true, linkBrackets: ['<', '>'], noAnchorUrl: true },
    },
    ...noText.map((selector) => ({ selector, format: 'skip' })),
    ...ownLines.map((selector) => ({
      selector,
      format: 'block',
      options: { leadingLineBreaks: 1, trailingLineBreaks: 1 },
    })),
    { selector: frame, format: 'page' },
    { selector: 'table', format: 'block', options: { leadingLineBreaks: 2, trailingLineBreaks: 2 } },
    { selector: 'tr', format: 'block', options: { leadingLineBreaks: 1, trailingLineBreaks: 1 } },
    { selector: 'td', format: 'value' },
    { selector: 'th', format: 'value' },
    ...levels.map((selector) => ({ selector, format: 'headed' })),
  ],
});

/** A page without the pictures and fonts that stand in its attributes and styles (`data:` addresses). */
function withoutInlineData(html: string): string {
  const parts: string[] = [];
  let from = 0;
  const end = /["')\s]/g;
  for (let at = html.indexOf('data:'); at !== -1; at = html.indexOf('data:', Math.max(at + 5, from))) {
    if (!/["'(]/.test(html.charAt(at - 1))) continue;
    end.lastIndex = at;
    const to = end.exec(html)?.index ?? html.length;
    if (to - at < 100) continue;
    parts.push(html.slice(from, at));
    from = to;
  }
  parts.push(html.slice(from));
  return parts.join('');
}

/** Readable text of a whole page, with Markdown's headings and a `|` between the values of a table's row. */
export function pageToText(html: string): { text: string; cut: boolean } {
  const light = withoutInlineData(html);
  const text = convertPage(`<${frame}>${light.slice(0, maxPageLength)}</${frame}>`);
  const rows = text.replace(/[ \u00a0]*\u00a0\|\u00a0 */gu, ' | ');
  return { text: rows.replaceAll('\u00a0', ' '), cut: light.length > maxPageLength };
}

/** Readable text of an HTML body. */
export function htmlToText(html: string): string {
  return convert(`<${frame}>${html.slice(0, maxHtmlLength)}</${frame}>`).replaceAll('\u00a0', ' ');
}
