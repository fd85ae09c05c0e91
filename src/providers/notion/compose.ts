// Markdown as blocks of Notion, and those in the portions that it takes: 100 in a list, 1,000 in a request, two
// levels within each other, 2,000 characters in a piece of text. What lies deeper is lifted, nothing is left out.
// https://developers.notion.com/reference/request-limits
import type { MarkedToken, Token, Tokens } from 'marked';
import { languageOf } from './languages.ts';

export interface TextItem {
  type: 'text';
  text: { content: string; link?: { url: string } };
  annotations?: Marks;
}
type Marks = Partial<Record<'bold' | 'italic' | 'strikethrough' | 'code', true>>;

/** `{ type, [type]: content }`, as a request has it; its children stand in the content. */
export type BlockRequest = { type: string } & Record<string, unknown>;

interface Made {
  type: string;
  content: Record<string, unknown>;
  children: Made[];
}

const longestPiece = 2_000;
const mostItems = 100;
const mostInList = 100;
/** Under Notion's 1,000 blocks and 500 KB of a request. */
const mostInRequest = 900;
const largestRequest = 350_000;
const deepest = 2;

/** The library is loaded with the first call: the catalog reads this provider, and needs none of it. */
export async function blocksFrom(markdown: string): Promise<BlockRequest[]> {
  const { Marked } = await import('marked');
  const made = blocks(new Marked({ gfm: true }).lexer(markdown));
  return made.flatMap((one) => requested(one, 0));
}

/** In the order in which they are sent, a request each. */
export function portions(all: readonly BlockRequest[]): BlockRequest[][] {
  const made: BlockRequest[][] = [];
  let [count, size] = [0, 0];
  for (const one of all) {
    const [more, bytes] = [countOf(one), Buffer.byteLength(JSON.stringify(one))];
    const last = made.at(-1);
    const fits =
      last !== undefined &&
      last.length < mostInList &&
      count + more <= mostInRequest &&
      size + bytes <= largestRequest;
    if (fits) last.push(one);
    else {
      made.push([one]);
      [count, size] = [0, 0];
    }
    count += more;
    size += bytes;
  }
  return made;
}

function childrenOf(one: BlockRequest): BlockRequest[] {
  return ((one[one.type] as { children?: BlockRequest[] }).children ?? []) as BlockRequest[];
}

function countOf(one: BlockRequest): number {
  return 1 + childrenOf(one).reduce((sum, child) => sum + countOf(child), 0);
}

/** What cannot stand within it at that level follows it. */
function requested({ type, content, children }: Made, level: number): BlockRequest[] {
  const below = children.flatMap((child) => requested(child, level + 1));
  const [within, after] =
    level < deepest ? [below.slice(0, mostInList), below.slice(mostInList)] : [[], below];
  const whole = within.length === 0 ? content : { ...content, children: within };
  return [{ type, [type]: whole }, ...after];
}

function blocks(tokens: readonly Token[]): Made[] {
  return tokens.flatMap((token): Made[] => {
    // Without extensions there are no tokens but marked's own.
    const known = token as MarkedToken;
    switch (known.type) {
      case 'heading':
        return worded(`heading_${Math.min(known.depth, 3)}`, known.tokens);
      case 'paragraph': {
        const equation = /^\$\$\s*([\s\S]+?)\s*\$\$$/.exec(known.text)?.[1];
        if (equation === undefined) return worded('paragraph', known.tokens);
        return [{ type: 'equation', content: { expression: equation }, children: [] }];
      }
      case 'text':
        return worded('paragraph', known.tokens ?? [known]);
      case 'list':
        return known.items.flatMap((item) => listItem(known, item));
      case 'blockquote': {
        const [first, ...rest] = blocks(known.tokens);
        if (first?.type === 'paragraph')
          return [{ ...first, type: 'quote', children: [...first.children, ...rest] }];
        const all = first === undefined ? [] : [first, ...rest];
        return [{ type: 'quote', content: { rich_text: [] }, children: all }];
      }
      case 'code': {
        const content = { rich_text: pieces(known.text, {}), language: languageOf(known.lang) };
        return [{ type: 'code', content, children: [] }];
      }
      case 'hr':
        return [{ type: 'divider', content: {}, children: [] }];
      case 'table':
        return tables(known);
      case 'html':
        return texted('paragraph', pieces(known.text.trim(), {}));
      default:
        return [];
    }
  });
}

function listItem(list: Tokens.List, item: Tokens.ListItem): Made[] {
  const type = item.task ? 'to_do' : list.ordered ? 'numbered_list_item' : 'bulleted_list_item';
  // A box that is to be ticked is a token of its own, or a mark of the item, by version.
  const [first, ...rest] = blocks(item.tokens.filter(({ type: kind }) => kind !== 'checkbox'));
  const own = first?.type === 'paragraph' ? first : undefined;
  const within = own === undefined && first !== undefined ? [first, ...rest] : rest;
  const content = {
    rich_text: own?.content['rich_text'] ?? [],
    ...(item.task ? { checked: item.checked === true } : {}),
  };
  return [{ type, content, children: [...(own?.children ?? []), ...within] }];
}

/** More rows than a list takes are tables with the same head. */
function tables({ header, rows }: Tokens.Table): Made[] {
  const row = (cells: readonly Tokens.TableCell[]): Made => ({
    type: 'table_row',
    content: { cells: cells.map(({ tokens }) => inline(tokens).slice(0, mostItems)) },
    children: [],
  });
  const parts = rows.length === 0 ? [[]] : chunks(rows, mostInList - 1);
  return parts.map((part) => ({
    type: 'table',
    content: { table_width: header.length, has_column_header: true },
    children: [row(header), ...part.map(row)],
  }));
}

const worded = (type: string, tokens: readonly Token[] = []): Made[] => texted(type, inline(tokens));

/** More pieces than a block takes go on in paragraphs. */
function texted(type: string, items: TextItem[]): Made[] {
  const [first = [], ...rest] = chunks(items, mostItems);
  const made = (kind: string, rich_text: TextItem[]): Made => ({
    type: kind,
    content: { rich_text },
    children: [],
  });
  return [made(type, first), ...rest.map((more) => made('paragraph', more))];
}

function inline(tokens: readonly Token[], marks: Marks = {}, link?: string): TextItem[] {
  return tokens.flatMap((token): TextItem[] => {
    const known = token as MarkedToken;
    switch (known.type) {
      case 'strong':
        return inline(known.tokens, { ...marks, bold: true }, link);
      case 'em':
        return inline(known.tokens, { ...marks, italic: true }, link);
      case 'del':
        return inline(known.tokens, { ...marks, strikethrough: true }, link);
      case 'codespan':
        return pieces(known.text, { ...marks, code: true }, link);
      case 'link':
        return inline(known.tokens, marks, webAddress(known.href) ?? link);
      case 'image':
        return pieces(known.text === '' ? known.href : known.text, marks, webAddress(known.href) ?? link);
      case 'br':
        return pieces('\n', marks, link);
      case 'text':
        return known.tokens === undefined
          ? pieces(known.text, marks, link)
          : inline(known.tokens, marks, link);
      case 'escape':
      case 'html':
        return pieces(known.text, marks, link);
      default:
        return [];
    }
  });
}

/** Notion refuses a link that is none. */
function webAddress(href: string): string | undefined {
  const url = URL.parse(href);
  const known = url !== null && /^(https?|mailto):$/.test(url.protocol);
  return known && href.length <= longestPiece ? href : undefined;
}

function pieces(text: string, marks: Marks, link?: string): TextItem[] {
  const parts: string[] = [];
  for (let at = 0; at < text.length; ) {
    let end = Math.min(at + longestPiece, text.length);
    // Between characters, never within one.
    if (/[\uDC00-\uDFFF]/.test(text.charAt(end))) end -= 1;
    parts.push(text.slice(at, end));
    at = end;
  }
  return parts.map((content) => ({
    type: 'text',
    text: { content, ...(link === undefined ? {} : { link: { url: link } }) },
    ...(Object.keys(marks).length === 0 ? {} : { annotations: marks }),
  }));
}

function chunks<T>(all: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, at) =>
    all.slice(at * size, (at + 1) * size),
  );
}
