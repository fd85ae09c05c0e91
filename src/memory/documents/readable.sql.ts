// Which documents a viewer may see, as one condition: for the rooms' own statements, and for the search worker,
// which has no query builder.
import { type RawBuilder, type SqlBool, sql } from 'kysely';
import { seesAll, type Viewer } from '../../viewer.ts';

interface Condition {
  /** A ? for each of `values`. */
  text: string;
  values: string[];
}

/** Finds `name` in a JSON array of strings, which is stored as text. */
function patternOf(name: string): string {
  return `%${JSON.stringify(name).replace(/[\\%_]/g, '\\$&')}%`;
}

function anyOf(column: string, names: readonly string[]): Condition {
  return {
    text: names.length === 0 ? '1 = 0' : names.map(() => `${column} like ? escape '\\'`).join(' or '),
    values: names.map(patternOf),
  };
}

/** What shuts this viewer out of a document, by a column of the document's own row that is not null. */
export function shutBy(viewer: Viewer, alias: string): (Condition & { column: 'readers' | 'labels' })[] {
  const { readerNames, hidden } = viewer;
  const shut: (Condition & { column: 'readers' | 'labels' })[] = [];
  if (readerNames !== undefined) {
    const { text, values } = anyOf(`${alias}.readers`, readerNames);
    shut.push({ column: 'readers', text: `not (${text})`, values });
  }
  if (hidden.labels.length > 0) {
    shut.push({ column: 'labels', ...anyOf(`${alias}.labels`, hidden.labels) });
  }
  return shut;
}

const heldIn = (column: string, names: readonly string[]): RawBuilder<SqlBool>[] =>
  names.map((name) => sql<SqlBool>`${sql.ref(column)} like ${patternOf(name)} escape '\\'`);

const either = (parts: readonly RawBuilder<SqlBool>[]): RawBuilder<SqlBool> =>
  parts.length === 0 ? sql<SqlBool>`1 = 0` : sql<SqlBool>`(${sql.join(parts, sql` or `)})`;

/** `alias`: of `source_documents` in the statement that this stands in. */
export function readable(org: { viewer?: Viewer | undefined }, alias: string): RawBuilder<SqlBool> {
  const { viewer } = org;
  if (viewer === undefined || seesAll(viewer)) return sql<SqlBool>`1 = 1`;
  const { readerNames, hidden } = viewer;
  const column = (name: string) => `${alias}.${name}`;
  const readers = sql.ref(column('readers'));
  const labels = sql.ref(column('labels'));
  const parts = [
    sql<SqlBool>`1 = 1`,
    ...(readerNames === undefined
      ? []
      : [sql<SqlBool>`(${readers} is null or ${either(heldIn(column('readers'), readerNames))})`]),
    ...(hidden.labels.length === 0
      ? []
      : [sql<SqlBool>`(${labels} is null or not ${either(heldIn(column('labels'), hidden.labels))})`]),
    ...(hidden.kinds.length === 0
      ? []
      : [sql<SqlBool>`${sql.ref(column('kind'))} not in (${sql.join([...hidden.kinds])})`]),
    ...(hidden.connections.length === 0
      ? []
      : [sql<SqlBool>`${sql.ref(column('connection_id'))} not in (${sql.join([...hidden.connections])})`]),
  ];
  return sql<SqlBool>`(${sql.join(parts, sql` and `)})`;
}
