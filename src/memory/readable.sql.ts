// Which documents a viewer may see, as one condition: for the rooms' own statements, and for the search worker,
// which has no query builder.
import { type RawBuilder, type SqlBool, sql } from 'kysely';
import { seesAll, type Viewer } from '../viewer.ts';

interface Condition {
  /** A ? for each of `values`. */
  text: string;
  values: string[];
}

/** Finds `name` in a JSON array of strings, which is stored as text. */
function holds(column: string, name: string): Condition {
  const quoted = JSON.stringify(name).replace(/[\\%_]/g, '\\$&');
  return { text: `${column} like ? escape '\\'`, values: [`%${quoted}%`] };
}

function anyOf(column: string, names: readonly string[]): Condition {
  const each = names.map((name) => holds(column, name));
  return {
    text: each.length === 0 ? '1 = 0' : each.map(({ text }) => text).join(' or '),
    values: each.flatMap(({ values }) => values),
  };
}

/** By what stands in a document's own row: its readers and its labels. */
export function openByRow(viewer: Viewer, alias: string): Condition {
  const parts: Condition[] = [];
  if (viewer.readerNames !== undefined) {
    const { text, values } = anyOf(`${alias}.readers`, viewer.readerNames);
    parts.push({ text: `(${alias}.readers is null or ${text})`, values });
  }
  if (viewer.hidden.labels.length > 0) {
    const { text, values } = anyOf(`${alias}.labels`, viewer.hidden.labels);
    parts.push({ text: `(${alias}.labels is null or not (${text}))`, values });
  }
  return {
    text: parts.length === 0 ? '1 = 1' : parts.map(({ text }) => text).join(' and '),
    values: parts.flatMap(({ values }) => values),
  };
}

const listed = (column: string, names: readonly string[]): Condition =>
  names.length === 0
    ? { text: '1 = 1', values: [] }
    : { text: `${column} not in (${names.map(() => '?').join(', ')})`, values: [...names] };

/** `alias`: of `source_documents` in the statement that this stands in. */
export function readable(org: { viewer?: Viewer | undefined }, alias: string): RawBuilder<SqlBool> {
  const { viewer } = org;
  if (viewer === undefined || seesAll(viewer)) return sql<SqlBool>`1 = 1`;
  const parts = [
    openByRow(viewer, alias),
    listed(`${alias}.kind`, viewer.hidden.kinds),
    listed(`${alias}.connection_id`, viewer.hidden.connections),
  ];
  const values = parts.flatMap((part) => part.values);
  const words = parts
    .map(({ text }) => `(${text})`)
    .join(' and ')
    .split('?');
  return sql<SqlBool>`${sql.join(
    words.map((word, i) => (i === 0 ? sql.raw(word) : sql`${values[i - 1]}${sql.raw(word)}`)),
    sql.raw(''),
  )}`;
}
