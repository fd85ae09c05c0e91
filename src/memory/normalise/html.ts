// HTML mail as readable text: links and tables kept, quotes marked as in plain mail, and nothing that the
// sender hid from the reader.
import { compile } from 'html-to-text';

/** Beyond this a mail is a web page pasted in; the rest is left out. */
const maxHtmlLength = 1_000_000;

/** Ways of hiding text that mail uses (preheaders, and orders meant for machines only). */
const hiddenStyles = [
  'display:none',
  'display: none',
  'visibility:hidden',
  'visibility: hidden',
  'opacity:0;',
  'opacity: 0;',
  'font-size:0;',
  'font-size: 0;',
  'font-size:0px',
  'font-size: 0px',
  'font-size:1px',
  'font-size: 1px',
  'max-height:0',
  'max-height: 0',
  'mso-hide:all',
  'mso-hide: all',
];

const convert = compile({
  wordwrap: false,
  limits: { maxInputLength: maxHtmlLength, maxDepth: 100, maxChildNodes: 20_000 },
  formatters: {
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
    { selector: '[hidden]', format: 'skip' },
    ...hiddenStyles.map((style) => ({ selector: `[style*="${style}" i]`, format: 'skip' })),
    { selector: 'table', format: 'block', options: { leadingLineBreaks: 1, trailingLineBreaks: 1 } },
    { selector: 'tr', format: 'block', options: { leadingLineBreaks: 1, trailingLineBreaks: 1 } },
    { selector: 'td', format: 'cell' },
    { selector: 'th', format: 'cell' },
    ...['h1', 'h2', 'h3', 'h4', 'h5', 'h6'].map((selector) => ({ selector, options: { uppercase: false } })),
  ],
});

/** Readable text of an HTML body. */
export function htmlToText(html: string): string {
  return convert(html.slice(0, maxHtmlLength)).replaceAll('\u00a0', ' ');
}
