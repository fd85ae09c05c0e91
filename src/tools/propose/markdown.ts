// Markdown to the two bodies of a mail: HTML with structure and links, nothing that runs, loads or tracks,
// and the plain text that says the same to who reads no HTML.
import type { MarkedToken, Token, Tokens } from 'marked';

const linkSchemes = /^(https?:|mailto:|tel:)/i;

/** HTML from markdown. Raw HTML in it is shown as text, images become their links, other schemes lose theirs. */
export async function renderMarkdown(source: string): Promise<string> {
  const { Marked } = await import('marked');
  const marked = new Marked({
    gfm: true,
    renderer: {
      html: ({ text }) => escapeHtml(text),
      link({ href, tokens }) {
        const label = this.parser.parseInline(tokens);
        return linkSchemes.test(href) ? `<a href="${escapeHtml(href)}">${label}</a>` : label;
      },
      image: ({ href, text }) =>
        linkSchemes.test(href)
          ? `<a href="${escapeHtml(href)}">${escapeHtml(text || href)}</a>`
          : escapeHtml(text),
    },
  });
  return marked.parse(source);
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}

/** Plain text from markdown: no marks of emphasis, a link as `text (url)`, a list or table a line an entry. */
export async function plainMarkdown(source: string): Promise<string> {
  const { Marked } = await import('marked');
  return blocks(new Marked({ gfm: true }).lexer(source));
}

function blocks(tokens: readonly Token[], between = '\n\n'): string {
  return tokens
    .map(block)
    .filter((text) => text !== '')
    .join(between);
}

function block(token: Token): string {
  // Without extensions there are no tokens but marked's own.
  const known = token as MarkedToken;
  switch (known.type) {
    case 'heading':
    case 'paragraph':
      return inline(known.tokens);
    case 'text':
      return known.tokens === undefined ? known.text : inline(known.tokens);
    case 'list':
      return known.items.map((item, index) => listItem(known, item, index)).join('\n');
    case 'blockquote':
      return prefixed(blocks(known.tokens), '> ', '> ');
    case 'code':
      return prefixed(known.text, '    ', '    ');
    case 'table':
      return [known.header, ...known.rows]
        .map((row) => row.map((cell) => inline(cell.tokens)).join(' | '))
        .join('\n');
    case 'hr':
      return '---';
    case 'html':
      return known.text.trim();
    default:
      return '';
  }
}

function listItem(list: Tokens.List, item: Tokens.ListItem, index: number): string {
  const mark = list.ordered ? `${Number(list.start || 1) + index}. ` : '- ';
  const task = item.task ? `[${item.checked === true ? 'x' : ' '}] ` : '';
  return prefixed(`${task}${blocks(item.tokens, '\n')}`, mark, ' '.repeat(mark.length));
}

function prefixed(text: string, first: string, others: string): string {
  return text
    .split('\n')
    .map((line, index) => `${index === 0 ? first : others}${line}`.trimEnd())
    .join('\n');
}

function inline(tokens: readonly Token[]): string {
  return tokens
    .map((token) => {
      const known = token as MarkedToken;
      switch (known.type) {
        case 'strong':
        case 'em':
        case 'del':
          return inline(known.tokens);
        case 'link':
          return linked(inline(known.tokens), known.href);
        case 'image':
          return linked(known.text, known.href);
        case 'br':
          return '\n';
        case 'text':
          return known.tokens === undefined ? known.text : inline(known.tokens);
        case 'codespan':
        case 'escape':
        case 'html':
          return known.text;
        default:
          return '';
      }
    })
    .join('');
}

function linked(label: string, href: string): string {
  if (!linkSchemes.test(href)) return label;
  if (label === '') return href;
  return href === label || href === `mailto:${label}` ? label : `${label} (${href})`;
}
