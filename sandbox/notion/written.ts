// What is written to Notion: blocks as they are asked for, values by the columns that they go into.
import { invalid, rich } from './answers.ts';
import type { Given, StoredSource, Value } from './store.ts';

type Body = Record<string, unknown>;

const types = new Set([
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
  'code',
  'equation',
  'divider',
  'table',
  'table_row',
  'bookmark',
]);

/**
 * @param level of one request: two levels may stand within each other
 * @throws Refused as Notion does
 */
export function blocksFrom(given: unknown, level = 0): Given[] {
  if (!Array.isArray(given)) throw invalid('body.children should be an array.');
  if (given.length > 100) throw invalid(`body.children.length should be ≤ 100, instead was ${given.length}.`);
  if (level > 2) throw invalid('body.children: blocks may be nested two levels deep in one request.');
  return given.map((one: Body) => {
    const type = Object.keys(one).find((name) => types.has(name));
    if (type === undefined) throw invalid('body.children[0] should have a type that is known.');
    const { children, ...content } = one[type] as Body;
    for (const name of ['rich_text', 'caption']) if (content[name] !== undefined) rich(content[name]);
    if (type === 'table') {
      const rows = (children ?? []) as Body[];
      const width = Number(content['table_width']);
      const isEven = rows.every((row) => ((row['table_row'] as Body)['cells'] as unknown[]).length === width);
      if (rows.length === 0 || !isEven)
        throw invalid('table_row.cells.length should be the width of the table.');
      content['has_row_header'] ??= false;
      content['has_column_header'] ??= false;
    }
    return { type, content, children: children === undefined ? [] : blocksFrom(children, level + 1) };
  });
}

/** The values of a new row, or the title alone of a page within a page. */
export function valuesFrom(
  given: unknown,
  source: StoredSource | undefined,
): { title: string; values: Body } {
  const values: Body = {};
  let title = '';
  for (const [name, value] of Object.entries((given ?? {}) as Record<string, Body>)) {
    const type = source === undefined ? 'title' : source.columns[name]?.type;
    if (type === undefined) throw invalid(`${name} is not a property that exists.`);
    const inner = value[type];
    if (inner === undefined) throw invalid(`${name} is expected to be ${type}.`);
    if (type === 'title')
      title = rich(inner)
        .map(({ plain_text }) => plain_text)
        .join('');
    else values[name] = { type, [type]: answered(type, inner) } satisfies Omit<Value, 'id'>;
  }
  return { title, values };
}

function answered(type: string, inner: unknown): unknown {
  const option = (one: { name: string }) => ({ id: `o-${one.name}`, name: one.name, color: 'default' });
  if (inner === null) return null;
  switch (type) {
    case 'rich_text':
      return rich(inner);
    case 'select':
    case 'status':
      return option(inner as { name: string });
    case 'multi_select':
      return (inner as { name: string }[]).map(option);
    case 'date':
      return { end: null, time_zone: null, ...(inner as object) };
    case 'people':
      return (inner as { id: string }[]).map(({ id }) => ({ object: 'user', id }));
    default:
      return inner;
  }
}
