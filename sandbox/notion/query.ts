// Rows of a data source, filtered and ordered as Notion does it, for the columns that the story has.
import { invalid, plainOf, type Rich } from './answers.ts';
import type { NotionStore, StoredPage, StoredSource, Value } from './store.ts';

interface Filter {
  and?: Filter[];
  or?: Filter[];
  property?: string;
  timestamp?: string;
  [kind: string]: unknown;
}

type Plain = string | number | boolean | string[] | undefined;

export function rowsOf(
  store: NotionStore,
  source: StoredSource,
  asked: { filter?: Filter; sorts?: { property?: string; timestamp?: string; direction: string }[] },
): StoredPage[] {
  const rows = source.rows.flatMap((id) => store.pages.get(id) ?? []).filter(({ trash }) => !trash);
  const kept = rows.filter((row) => asked.filter === undefined || fits(row, source, asked.filter));
  for (const { property, timestamp, direction } of (asked.sorts ?? []).toReversed()) {
    if (property !== undefined && source.columns[property] === undefined) throw unknown(property);
    const sign = direction === 'descending' ? -1 : 1;
    const keyOf = (row: StoredPage) =>
      property === undefined
        ? timestamp === 'created_time'
          ? row.created
          : row.edited
        : (plainValue(row.properties[property]) ?? '');
    kept.sort((a, b) => sign * (keyOf(a) < keyOf(b) ? -1 : keyOf(a) > keyOf(b) ? 1 : 0));
  }
  return kept;
}

const unknown = (name: string) => invalid(`Could not find property with name or id: ${name}`);

function fits(row: StoredPage, source: StoredSource, filter: Filter): boolean {
  if (filter.and !== undefined) return filter.and.every((one) => fits(row, source, one));
  if (filter.or !== undefined) return filter.or.some((one) => fits(row, source, one));
  if (filter.timestamp !== undefined) {
    const at = filter.timestamp === 'created_time' ? row.created : row.edited;
    return compared(new Date(at).toISOString(), filter[filter.timestamp] as Record<string, unknown>);
  }
  const column = source.columns[filter.property ?? ''];
  if (column === undefined) throw unknown(filter.property ?? '');
  const asked = filter[column.type];
  if (asked === undefined) throw invalid(`database property ${column.type} does not match filter`);
  return compared(plainValue(row.properties[filter.property ?? '']), asked as Record<string, unknown>);
}

function compared(value: Plain, asked: Record<string, unknown>): boolean {
  const [operator = '', wanted] = Object.entries(asked)[0] ?? [];
  const isEmpty = value === undefined || value === '' || (Array.isArray(value) && value.length === 0);
  const text = String(value ?? '').toLowerCase();
  const words = String(wanted).toLowerCase();
  switch (operator) {
    case 'equals':
      return value === wanted || (typeof value === 'string' && text === words);
    case 'does_not_equal':
      return !compared(value, { equals: wanted });
    case 'contains':
      return Array.isArray(value) ? value.includes(String(wanted)) : text.includes(words);
    case 'does_not_contain':
      return !compared(value, { contains: wanted });
    case 'starts_with':
      return text.startsWith(words);
    case 'greater_than':
    case 'after':
      return value !== undefined && value > (wanted as string | number);
    case 'less_than':
    case 'before':
      return value !== undefined && value < (wanted as string | number);
    case 'greater_than_or_equal_to':
    case 'on_or_after':
      return value !== undefined && value >= (wanted as string | number);
    case 'less_than_or_equal_to':
    case 'on_or_before':
      return value !== undefined && value <= (wanted as string | number);
    case 'is_empty':
      return isEmpty;
    case 'is_not_empty':
      return !isEmpty;
    default:
      throw invalid(`${operator} is no condition.`);
  }
}

function plainValue(value: Value | undefined): Plain {
  const inner = value?.[value.type];
  if (inner == null) return undefined;
  switch (value?.type) {
    case 'title':
    case 'rich_text':
      return plainOf(inner as Rich[]);
    case 'select':
    case 'status':
      return (inner as { name: string }).name;
    case 'multi_select':
      return (inner as { name: string }[]).map(({ name }) => name);
    case 'people':
    case 'relation':
      return (inner as { id: string }[]).map(({ id }) => id);
    case 'date':
      return (inner as { start: string }).start;
    default:
      return inner as string | number | boolean;
  }
}
