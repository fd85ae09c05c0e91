// Databases of Notion: their columns, and their rows by what stands in them. Since 2025 the rows are in data
// sources, of which a database has one or more; the id of either will do.
// https://developers.notion.com/reference/query-a-data-source
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import { type ProviderContext, readOperation } from '../define.ts';
import { send } from '../request.ts';
import { http, listOf, notionId } from './http.ts';
import { propertiesOf } from './properties.ts';
import { hitOf } from './reads.ts';
import { plain } from './rich-text.ts';
import { type Column, type DataSource, database, dataSource, found } from './shapes.ts';

const either = notionId.describe('Id or address of the database, or id of one of its data sources');

/**
 * The data source of that id, or the only one of the database of that id.
 * @throws DrawbridgeError `not_found`; `invalid_request` with `field` where the database has several
 */
export async function sourceOf(context: ProviderContext, id: string, field: string): Promise<DataSource> {
  const sources = await sourcesIn(context, id);
  const [only] = sources;
  if (sources.length === 1 && only !== undefined) {
    return only.known ?? (await getSource(context, only.id));
  }
  const named = sources.map((one) => `${one.name} (${one.id})`).join(', ');
  throw new DrawbridgeError(
    'invalid_request',
    `${field}: that database has ${sources.length} data sources; name one of them: ${named}`,
    { field },
  );
}

interface Source {
  id: string;
  name: string;
  known?: DataSource;
}

async function sourcesIn(context: ProviderContext, id: string): Promise<Source[]> {
  try {
    const known = await getSource(context, id);
    return [{ id: known.id, name: plain(known.title), known }];
  } catch (error) {
    if (!(error instanceof DrawbridgeError) || error.code !== 'not_found') throw error;
  }
  const whole = await send(context, http, {
    method: 'GET',
    path: '/v1/databases/{id}',
    params: { id },
    output: database,
  });
  return whole.data_sources;
}

function getSource(context: ProviderContext, id: string): Promise<DataSource> {
  return send(context, http, {
    method: 'GET',
    path: '/v1/data_sources/{id}',
    params: { id },
    output: dataSource,
  });
}

const columns = z.record(z.string(), z.object({ type: z.string(), choices: z.array(z.string()).optional() }));

function columnOf(column: Column): z.infer<typeof columns>[string] {
  const { options } = column.select ?? column.status ?? column.multi_select ?? {};
  return {
    type: column.type,
    ...(options === undefined ? {} : { choices: options.map(({ name }) => name) }),
  };
}

export const getDatabase = readOperation({
  effect: 'read',
  title: 'Look at a database',
  description: 'The data sources of a database with their columns: types, and what may be chosen in them.',
  input: z.object({ id: either }),
  output: z.object({
    sources: z.array(z.object({ id: z.string(), title: z.string(), url: z.string().optional(), columns })),
  }),
  async run(context, { id }) {
    const sources = await sourcesIn(context, id);
    const whole = await Promise.all(
      sources.slice(0, mostSources).map((one) => one.known ?? getSource(context, one.id)),
    );
    return {
      sources: whole.map((one) => ({
        id: one.id,
        title: plain(one.title) || 'Untitled',
        ...(one.url === undefined ? {} : { url: one.url }),
        columns: Object.fromEntries(
          Object.entries(one.properties).map(([name, column]) => [name, columnOf(column)]),
        ),
      })),
    };
  },
});

const mostSources = 10;

const operators = [
  'equals',
  'does_not_equal',
  'contains',
  'does_not_contain',
  'starts_with',
  'greater_than',
  'less_than',
  'greater_than_or_equal_to',
  'less_than_or_equal_to',
  'before',
  'after',
  'on_or_before',
  'on_or_after',
  'is_empty',
  'is_not_empty',
] as const;

const condition = z.object({
  column: z.string().min(1).max(500),
  is: z.enum(operators),
  value: z.union([z.string().max(2000), z.number(), z.boolean()]).optional(),
});
type Condition = z.infer<typeof condition>;

const row = z.object({
  id: z.string(),
  title: z.string(),
  url: z.string().optional(),
  editedAt: z.string().optional(),
  properties: z.record(z.string(), z.string()),
});

export const queryDatabase = readOperation({
  effect: 'read',
  title: 'Query a database',
  description: 'Rows of a database that fulfil all conditions, in an order, with their values.',
  input: z.object({
    database: either,
    where: z.array(condition).max(20).default([]),
    sort: z
      .array(z.object({ column: z.string().min(1).max(500), descending: z.boolean().default(false) }))
      .max(5)
      .default([]),
    limit: z.number().int().min(1).max(100).default(25),
    cursor: z.string().max(500).optional().describe('nextCursor of the answer before'),
  }),
  output: z.object({ rows: z.array(row), nextCursor: z.string().optional() }),
  async run(context, input) {
    const source = await sourceOf(context, input.database, 'database');
    const conditions = input.where.map((one, at) => filterOf(one, source, at));
    const sorts = input.sort.map(({ column, descending }, at) => {
      columnNamed(source, column, `sort.${at}.column`);
      return { property: column, direction: descending ? 'descending' : 'ascending' };
    });
    const { results, next_cursor: next } = await send(context, http, {
      method: 'POST',
      path: '/v1/data_sources/{id}/query',
      params: { id: source.id },
      body: {
        ...(conditions.length === 0 ? {} : { filter: { and: conditions } }),
        ...(sorts.length === 0 ? {} : { sorts }),
        page_size: input.limit,
        ...(input.cursor === undefined ? {} : { start_cursor: input.cursor }),
      },
      output: listOf(found),
      idempotent: true,
    });
    return {
      rows: results.map((one) => {
        const { kind: _kind, ...shown } = hitOf(one);
        return { ...shown, properties: one.object === 'page' ? propertiesOf(one) : {} };
      }),
      ...(next === null ? {} : { nextCursor: next }),
    };
  },
});

/** @throws DrawbridgeError `invalid_request` with `field`, and the columns that there are */
export function columnNamed(source: DataSource, name: string, field: string): Column {
  const column = Object.hasOwn(source.properties, name) ? source.properties[name] : undefined;
  if (column !== undefined) return column;
  const known = Object.keys(source.properties).join(', ');
  throw new DrawbridgeError('invalid_request', `${field}: there is no column ${name}; there are: ${known}`, {
    field,
  });
}

/** Columns whose values are asked for under the name of another kind. */
const askedAs: Record<string, string> = { created_by: 'people', last_edited_by: 'people' };

function filterOf({ column, is, value }: Condition, source: DataSource, at: number): Record<string, unknown> {
  const field = `where.${at}`;
  const { type } = columnNamed(source, column, `${field}.column`);
  const isEmptiness = is === 'is_empty' || is === 'is_not_empty';
  if (!isEmptiness && value === undefined) {
    throw new DrawbridgeError('invalid_request', `${field}.value: is missing`, { field: `${field}.value` });
  }
  const asked = { [is]: isEmptiness ? true : value };
  if (type === 'created_time' || type === 'last_edited_time') return { timestamp: type, [type]: asked };
  return { property: column, [askedAs[type] ?? type]: asked };
}
