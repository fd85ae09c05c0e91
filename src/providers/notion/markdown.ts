// Blocks as markdown. What has no form there keeps its words: a toggle is a list entry, columns follow each
// other, a file is its name. Addresses of files that Notion keeps end after an hour and are left out.
import type { Node } from './blocks.ts';
import { pageAddress } from './http.ts';
import { inline, linked, plain } from './rich-text.ts';
import { type BlockContent, contentOf } from './shapes.ts';

/** `depth`: of lists, in entries above. */
export function markdownOf(nodes: readonly Node[]): string {
  const parts: { text: string; list: string | undefined }[] = [];
  let number = 0;
  for (const node of nodes) {
    const { type } = node.block;
    const content = contentOf(node.block);
    number = type === 'numbered_list_item' ? (content.list_start_index ?? number + 1) : 0;
    const text = blockOf(node, content, number);
    if (text !== '') parts.push({ text, list: listOf(type) });
  }
  return parts
    .map(({ text, list }, index) => {
      const before = parts[index - 1];
      if (before === undefined) return text;
      return `${list !== undefined && list === before.list ? '\n' : '\n\n'}${text}`;
    })
    .join('');
}

const entries = new Set(['bulleted_list_item', 'numbered_list_item', 'to_do', 'toggle']);
/** Which list it is an entry of: with numbers or without. */
const listOf = (type = ''): string | undefined =>
  entries.has(type) ? (type === 'numbered_list_item' ? type : 'points') : undefined;

function blockOf(node: Node, content: BlockContent, number: number): string {
  const { type = '', id } = node.block;
  const words = inline(content.rich_text);
  const heading = /^heading_([1-4])$/.exec(type)?.[1];
  if (heading !== undefined) return joined(`${'#'.repeat(Number(heading))} ${flat(words)}`, node);
  switch (type) {
    case 'bulleted_list_item':
    case 'toggle':
      return entry('- ', words, node);
    case 'numbered_list_item':
      return entry(`${number}. `, words, node);
    case 'to_do':
      return entry(content.checked === true ? '- [x] ' : '- [ ] ', words, node);
    case 'quote':
      return prefixed(joined(words, node), '> ');
    case 'callout': {
      const sign = content.icon?.emoji === undefined ? '' : `${content.icon.emoji} `;
      return prefixed(joined(`${sign}${words}`, node), '> ');
    }
    case 'code':
      return joined(code(content), node, inline(content.caption));
    case 'equation':
      return `$$\n${content.expression ?? ''}\n$$`;
    case 'divider':
      return '---';
    case 'table':
      return table(node, content);
    case 'child_page':
    case 'child_database':
      return linked(plainTitle(content) || 'Untitled', pageAddress(id));
    case 'link_to_page': {
      const target = content.page_id ?? content.database_id;
      return target === undefined ? '' : linked('Page', pageAddress(target));
    }
    case 'bookmark':
    case 'embed':
    case 'link_preview':
      return linked(inline(content.caption) || content.url || '', content.url);
    case 'image':
    case 'video':
    case 'audio':
    case 'pdf':
    case 'file':
      return media(type, content);
    case 'synced_block':
      return markdownOf(node.within) || '(A synced block that is empty, or whose original is not shared.)';
    case 'meeting_notes':
    case 'transcription':
      return joined(plainTitle(content), node);
    case 'unsupported':
      return `(Not shown: ${content.block_type ?? 'a block that Notion does not give out'}.)`;
    case 'breadcrumb':
    case 'table_of_contents':
      return '';
    default:
      // Paragraphs, columns, tabs, templates, and what comes later.
      return joined(words, node);
  }
}

/** What stands within follows as blocks of their own. */
function joined(words: string, { within }: Node, between = ''): string {
  return [words, between, markdownOf(within)].filter((part) => part !== '').join('\n\n');
}

function entry(mark: string, words: string, { within }: Node): string {
  const first = `${mark}${words.replaceAll('\n', '\n  ')}`;
  if (within.length === 0) return first;
  // Within an entry is what begins under its words.
  const inset = ' '.repeat(/^\d/.test(mark) ? mark.length : 2);
  const below = prefixed(markdownOf(within), inset);
  return below.trim() === ''
    ? first
    : `${first}${listOf(within[0]?.block.type) === undefined ? '\n\n' : '\n'}${below}`;
}

function prefixed(text: string, mark: string): string {
  return text
    .split('\n')
    .map((line) => (line === '' ? mark.trimEnd() : `${mark}${line}`))
    .join('\n');
}

function code({ rich_text, language }: BlockContent): string {
  const text = plain(rich_text);
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  const named = language === undefined || language === 'plain text' ? '' : language.replace(/\s+/g, '-');
  return `${fence}${named}\n${text}\n${fence}`;
}

/** A table needs a head in markdown: an empty one where it has none. */
function table({ within }: Node, { has_column_header: hasHead }: BlockContent): string {
  const rows = within.map(({ block }) => (contentOf(block).cells ?? []).map((cell) => cellOf(inline(cell))));
  const width = Math.max(0, ...rows.map((row) => row.length));
  if (width === 0) return '';
  const empty = Array.from({ length: width }, () => '');
  const [head = empty, ...body] = hasHead === true ? rows : [empty, ...rows];
  const line = (cells: readonly string[]) => `| ${empty.map((_, at) => cells[at] ?? '').join(' | ')} |`;
  return [line(head), line(empty.map(() => '---')), ...body.map(line)].join('\n');
}

const flat = (words: string): string => words.replace(/\s*\n\s*/g, ' ');
const cellOf = (words: string): string => flat(words).replaceAll('|', '\\|');

function media(type: string, { caption, external, name }: BlockContent): string {
  const kind = type === 'pdf' ? 'PDF' : `${type.charAt(0).toUpperCase()}${type.slice(1)}`;
  const shown = [name, inline(caption)].filter((part) => part !== undefined && part !== '').join(', ');
  if (external !== undefined) return linked(shown || kind, external.url);
  return shown === '' ? `(${kind})` : `(${kind}: ${shown})`;
}

function plainTitle({ title }: BlockContent): string {
  return typeof title === 'string' ? title : plain(title);
}
