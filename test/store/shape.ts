// The stored tables as the database itself describes them, so that a suite over all tables needs no list.
import type { OpenedDatabase } from './databases.ts';

export interface Column {
  name: string;
  type: string;
}

export interface Shape {
  table: string;
  /** Those that can be written. */
  columns: Column[];
  /** The file says whose all rows are: org_id is none of the columns. */
  ofOneOrg?: boolean;
}

/** Tables with a column org_id that an org's rows live in, and `orgs`; the others apart. */
export async function shapes(
  opened: OpenedDatabase,
  orgId: string,
): Promise<{ org: Shape[]; control: string[] }> {
  return opened.store.dialect === 'sqlite' ? sqliteShapes(opened, orgId) : postgresShapes(opened);
}

async function sqliteShapes(opened: OpenedDatabase, orgId: string) {
  const names = async (id?: string) =>
    (await opened.admin("select name from sqlite_schema where type = 'table'", id)).map((row) =>
      String(row['name']),
    );
  const org: Shape[] = [];
  for (const table of await names(orgId)) {
    const rows = await opened.admin(`select name, type, hidden from pragma_table_xinfo('${table}')`, orgId);
    const columns = rows
      .filter((row) => Number(row['hidden']) === 0)
      .map((row) => ({ name: String(row['name']), type: String(row['type']).toLowerCase() }));
    const ofOneOrg = columns.every((column) => column.name !== 'org_id');
    if (rows.some((row) => row['name'] === 'org_id')) org.push({ table, columns, ofOneOrg });
  }
  const own = new Set(org.map((shape) => shape.table));
  return { org, control: (await names()).filter((name) => !own.has(name) && name !== 'orgs') };
}

async function postgresShapes(opened: OpenedDatabase) {
  const rows = await opened.admin(`
    select c.relname as table, a.attname as column, t.typname as type
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 join pg_type t on t.oid = a.atttypid
    where n.nspname = 'drawbridge' and c.relkind in ('r', 'p', 'v', 'm', 'f') order by a.attnum`);
  const all = new Map<string, Column[]>();
  for (const row of rows) {
    const table = String(row['table']);
    const columns = all.get(table) ?? [];
    columns.push({ name: String(row['column']), type: String(row['type']) });
    all.set(table, columns);
  }
  const controlTables = [
    'oauth_states',
    'sign_in_states',
    'app_limits',
    'identities',
    'members',
    'api_keys',
    'sign_in_links',
    'sessions',
    'processes',
    'schema_migrations',
  ];
  const org: Shape[] = [];
  for (const [table, columns] of all) {
    if (table !== 'orgs' && !controlTables.includes(table)) org.push({ table, columns });
  }
  return { org, control: controlTables };
}

/** A value for a column; the same for every org, so that ids collide wherever they can. */
export function sample(column: Column, orgId: string): unknown {
  if (column.name === 'org_id') return orgId;
  if (/int/.test(column.type)) return 7;
  if (/real|float/.test(column.type)) return 7.5;
  if (/blob|bytea/.test(column.type)) return new Uint8Array([7]);
  if (column.type === 'halfvec') return JSON.stringify(new Array(256).fill(7));
  return 'same';
}
