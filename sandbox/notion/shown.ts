// Pages, blocks and databases as Notion answers them.
import { rich } from './answers.ts';
import type { NotionStore, Parent, StoredBlock, StoredPage, StoredSource } from './store.ts';

const iso = (ms: number): string => new Date(ms).toISOString();
const bare = (id: string): string => id.replaceAll('-', '');
const user = (id: string) => ({ object: 'user', id });

function stamps(one: { created: number; edited: number; by: string; trash: boolean }) {
  return {
    created_time: iso(one.created),
    last_edited_time: iso(one.edited),
    created_by: user(one.by),
    last_edited_by: user(one.by),
    in_trash: one.trash,
    archived: one.trash,
  };
}

export function shownPage(store: NotionStore, page: StoredPage) {
  const slug = store.titleOf(page).replace(/[^A-Za-z0-9]+/g, '-');
  return {
    object: 'page',
    id: page.id,
    ...stamps(page),
    is_archived: false,
    is_locked: false,
    cover: null,
    icon: null,
    parent: page.parent,
    properties: page.properties,
    url: `https://www.notion.so/${slug === '' ? '' : `${slug}-`}${bare(page.id)}`,
    public_url: null,
  };
}

/** A child page or database is a block of its parent, too. */
export function shownBlock(store: NotionStore, id: string) {
  const page = store.pages.get(id);
  if (page !== undefined) {
    const content = { title: store.titleOf(page) };
    return asBlock({ ...page, type: 'child_page', content }, page.children.length > 0);
  }
  const source = store.databaseOf(id);
  if (source !== undefined) {
    const content = { title: source.title };
    return asBlock({ ...source, id, type: 'child_database', content, children: [] }, false);
  }
  const block = store.blocks.get(id);
  return block === undefined ? undefined : asBlock(block, block.children.length > 0);
}

function asBlock(block: StoredBlock, hasChildren: boolean) {
  const { id, type, content, parent } = block;
  return {
    object: 'block',
    id,
    parent,
    ...stamps(block),
    has_children: hasChildren,
    type,
    [type]: answered(type, content),
  };
}

/** What Notion adds to what was written. */
function answered(type: string, content: Record<string, unknown>): Record<string, unknown> {
  const texts = ['rich_text', 'caption'].filter((name) => content[name] !== undefined);
  const whole = {
    ...content,
    ...Object.fromEntries(texts.map((name) => [name, rich(content[name])])),
  } as Record<string, unknown>;
  if (type === 'table_row') whole['cells'] = (content['cells'] as unknown[]).map(rich);
  if (type === 'code') whole['caption'] ??= [];
  if (colored.has(type)) whole['color'] ??= 'default';
  if (/^heading_/.test(type)) whole['is_toggleable'] ??= false;
  if (type === 'paragraph' || type === 'callout') whole['icon'] ??= null;
  return whole;
}

const colored = new Set([
  'paragraph',
  'heading_1',
  'heading_2',
  'heading_3',
  'bulleted_list_item',
  'numbered_list_item',
  'to_do',
  'toggle',
  'quote',
  'callout',
  'table_of_contents',
]);

export function shownSource(source: StoredSource) {
  const columns = Object.entries(source.columns).map(([name, { type, options }]) => [
    name,
    {
      id: type === 'title' ? 'title' : encodeURIComponent(name.slice(0, 4)),
      name,
      type,
      description: null,
      [type]: configOf(type, options),
    },
  ]);
  const parent: Parent = source.parent;
  return {
    object: 'data_source',
    id: source.id,
    title: rich(source.title),
    description: [],
    parent: { type: 'database_id', database_id: source.databaseId },
    database_parent: parent,
    is_inline: false,
    ...stamps(source),
    properties: Object.fromEntries(columns),
    icon: null,
    cover: null,
    url: `https://www.notion.so/${bare(source.databaseId)}`,
    public_url: null,
  };
}

function configOf(type: string, options: readonly string[] = []): Record<string, unknown> {
  if (type === 'number') return { format: 'number' };
  if (type !== 'select' && type !== 'multi_select' && type !== 'status') return {};
  const choices = options.map((name, at) => ({ id: `o${at}`, name, color: 'default', description: null }));
  return type === 'status' ? { options: choices, groups: [] } : { options: choices };
}

export function shownDatabase(source: StoredSource, sources: readonly StoredSource[]) {
  return {
    object: 'database',
    id: source.databaseId,
    title: rich(source.title),
    description: [],
    parent: source.parent,
    is_inline: false,
    ...stamps(source),
    is_locked: false,
    data_sources: sources.map(({ id, title }) => ({ id, name: title })),
    icon: null,
    cover: null,
    url: `https://www.notion.so/${bare(source.databaseId)}`,
    public_url: null,
  };
}
