// Values of a new row as Notion takes them, by the types of the columns that they go into.
// https://developers.notion.com/reference/page-property-values
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import { columnNamed } from './databases.ts';
import { idIn } from './http.ts';
import type { Column, DataSource } from './shapes.ts';

export const rowValues = z
  .record(
    z.string().min(1).max(500),
    z.union([z.string().max(20_000), z.number(), z.boolean(), z.array(z.string().max(2000)).max(100)]),
  )
  .describe(
    'Column → value: a text, a number, true or false, a choice by its name, several of them as a list; a date as 2026-03-01 or 2026-03-01/2026-03-04; people and relations as ids',
  );
type Value = z.infer<typeof rowValues>[string];

/** @throws DrawbridgeError `invalid_request` with `field` */
export function valuesFor(
  source: DataSource,
  given: z.infer<typeof rowValues>,
  title: string,
): Record<string, unknown> {
  const named = Object.entries(source.properties).find(([, { type }]) => type === 'title')?.[0] ?? 'title';
  const rest = Object.entries(given).map(([name, value]) => {
    const field = `properties.${name}`;
    const column = columnNamed(source, name, field);
    return [name, { [column.type]: valueIn(column, value, field) }];
  });
  return { ...Object.fromEntries(rest), [named]: { title: textItems(title) } };
}

/** In pieces of 2,000 characters. */
export function textItems(text: string): unknown[] {
  const parts = text.match(/[\s\S]{1,1999}/gu) ?? [];
  return parts.map((content) => ({ type: 'text', text: { content } }));
}

function valueIn(column: Column, value: Value, field: string): unknown {
  const { type } = column;
  const wrong = (needed: string): DrawbridgeError =>
    new DrawbridgeError('invalid_request', `${field}: the column is of type ${type}: give ${needed}`, {
      field,
    });
  const text = (): string => {
    if (typeof value !== 'string') throw wrong('a text');
    return value;
  };
  const chosen = (name: string): { name: string } => {
    const { options } = column.select ?? column.status ?? column.multi_select ?? {};
    // A choice that is not there would be added to the database for everybody.
    if (options?.some((one) => one.name === name) !== true) {
      throw wrong(`one of ${options?.map((one) => one.name).join(', ') ?? 'its choices'}`);
    }
    return { name };
  };
  const ids = (): { id: string }[] =>
    (typeof value === 'string' ? [value] : Array.isArray(value) ? value : []).map((one) => {
      const id = idIn(one);
      if (id === undefined) throw wrong('ids of Notion');
      return { id };
    });
  switch (type) {
    case 'rich_text':
      return textItems(text());
    case 'number':
      if (typeof value !== 'number') throw wrong('a number');
      return value;
    case 'checkbox':
      if (typeof value !== 'boolean') throw wrong('true or false');
      return value;
    case 'select':
    case 'status':
      return chosen(text());
    case 'multi_select':
      return (Array.isArray(value) ? value : [text()]).map(chosen);
    case 'date': {
      const [start = '', end] = text().split('/');
      if (![start, end ?? start].every((one) => /^\d{4}-\d\d-\d\d(T\S+)?$/.test(one))) {
        throw wrong('a date such as 2026-03-01');
      }
      return end === undefined ? { start } : { start, end };
    }
    case 'url':
    case 'email':
    case 'phone_number':
      return text();
    case 'people':
      return ids();
    case 'relation':
      return ids();
    default:
      throw wrong(type === 'title' ? 'it as `title`' : 'nothing: Notion fills it in by itself');
  }
}
