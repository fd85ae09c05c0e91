// HTML mail as readable text: links and tables kept, quotes marked as in plain mail, and nothing that the
// sender hid from the reader.
import { randomBytes } from 'node:crypto';
import { compile } from 'html-to-text';
import { removeHidden } from './hidden-html.ts';

/** Beyond this a mail is a web page pasted in; the rest is left out. */
const maxHtmlLength = 1_000_000;

const maxDepth = 100;
/** Stands around the mail, under a name that the mail cannot know and so cannot close. */
const frame = `x-${randomBytes(9).toString('hex')}`;

const convert = compile({
  wordwrap: false,
  // The mail itself is cut before it is framed.
  limits: { maxInputLength: maxHtmlLength + 100, maxDepth, maxChildNodes: 20_000 },
  baseElements: { selectors: [frame] },
  formatters: {
    seen(element, walk, builder) {
      removeHidden(element, maxDepth);
      walk(element.children, builder);
    },
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

/** Readable text of an HTML body. */
export function htmlToText(html: string): string {
  return convert(`<${frame}>${html.slice(0, maxHtmlLength)}</${frame}>`).replaceAll('\u00a0', ' ');
}
