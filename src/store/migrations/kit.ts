// What a migration is written in: tables described once, made alike on SQLite and PostgreSQL. Every table of
// an org begins its keys, references and indices with org_id, and on PostgreSQL is guarded by row.
import {
  type CreateTableBuilder,
  type Expression,
  type Kysely,
  type RawBuilder,
  type SqlBool,
  sql,
} from 'kysely';
import { guardTable } from './row-security.ts';

/** `?` admits null. Integers are 64 bits wide; text is ordered by its bytes in both databases. */
type Column = 'text' | 'text?' | 'integer' | 'integer?' | 'real' | 'real?' | 'blob' | 'blob?';

export interface Reference {
  /** These columns refer to `to` of `table`. */
  columns: readonly string[];
  table: string;
  to: readonly string[];
  onDelete?: 'cascade';
}

interface Index {
  columns: readonly string[];
  unique?: boolean;
  /** The index holds only the rows for which this is true. */
  where?: Expression<SqlBool>;
}

interface Table {
  columns: Record<string, Column>;
  /** Primary key. */
  key: readonly string[];
  references?: readonly Reference[];
  indexes?: readonly Index[];
  /** Rows are added and read; none is changed or removed, by no role of ours. */
  appendOnly?: boolean;
  /** True for every row. */
  check?: RawBuilder<SqlBool>;
}

export interface Kit {
  readonly dialect: 'sqlite' | 'postgres';
  /** Runs inside the migration's own transaction. */
  readonly tx: Kysely<unknown>;
  /** The org whose file is migrated; undefined for the control file, and on PostgreSQL. */
  readonly orgId: string | undefined;
  /** The `orgs` table; an org's own file admits that org alone. */
  orgsTable(): Promise<void>;
  /** A table of the control set, which no org reaches. Written as it is. */
  controlTable(name: string, table: Table): Promise<void>;
  /** A table of the org set: org_id is put in front of columns, key, references and indices. */
  orgTable(name: string, table: Table): Promise<void>;
}

const columnTypes = {
  sqlite: { text: sql`text`, integer: sql`integer`, real: sql`real`, blob: sql`blob` },
  postgres: {
    text: sql`text collate "C"`,
    integer: sql`bigint`,
    real: sql`double precision`,
    blob: sql`bytea`,
  },
} as const;

const orgs: Table = { columns: { id: 'text', name: 'text', created_at: 'integer' }, key: ['id'] };

export function createKit(
  dialect: 'sqlite' | 'postgres',
  tx: Kysely<unknown>,
  orgId: string | undefined,
): Kit {
  const create = (name: string, table: Table, check?: RawBuilder<SqlBool>) =>
    createTable(dialect, tx, { name, table, check: check ?? table.check });
  return {
    dialect,
    tx,
    orgId,
    async orgsTable() {
      await create('orgs', orgs, orgId === undefined ? undefined : sql<SqlBool>`id = ${sql.lit(orgId)}`);
      // The control set is the owner's, and lists every org; an org sees its own row and changes none.
      if (dialect === 'postgres')
        await guardTable(tx, 'orgs', { column: 'id', ownerSees: true, may: 'read' });
    },
    async controlTable(name, table) {
      await create(name, table);
    },
    async orgTable(name, table) {
      await create(name, {
        ...(table.check === undefined ? {} : { check: table.check }),
        columns: { org_id: 'text', ...table.columns },
        key: ['org_id', ...table.key],
        references: [
          { columns: ['org_id'], table: 'orgs', to: ['id'] },
          ...(table.references ?? []).map((reference) => ({
            ...reference,
            columns: ['org_id', ...reference.columns],
            to: ['org_id', ...reference.to],
          })),
        ],
        indexes: (table.indexes ?? []).map((index) => ({ ...index, columns: ['org_id', ...index.columns] })),
      });
      if (dialect === 'postgres') {
        const may = table.appendOnly === true ? 'append' : 'write';
        await guardTable(tx, name, { column: 'org_id', ownerSees: false, may });
      } else if (table.appendOnly === true) {
        for (const verb of ['update', 'delete']) {
          await sql`create trigger ${sql.id(`${name}_no_${verb}`)} before ${sql.raw(verb)} on ${sql.table(name)}
            begin select raise(abort, 'rows of this table are only ever added'); end`.execute(tx);
        }
        // REPLACE deletes without asking the trigger above (https://sqlite.org/lang_conflict.html).
        const known = sql.join(
          ['org_id', ...table.key].map((column) => sql`${sql.ref(column)} = new.${sql.ref(column)}`),
          sql` and `,
        );
        await sql`create trigger ${sql.id(`${name}_no_replace`)} before insert on ${sql.table(name)}
          when exists (select 1 from ${sql.table(name)} where ${known})
          begin select raise(abort, 'rows of this table are only ever added'); end`.execute(tx);
      }
    },
  };
}

interface Creation {
  name: string;
  table: Table;
  check: RawBuilder<SqlBool> | undefined;
}

async function createTable(
  dialect: 'sqlite' | 'postgres',
  tx: Kysely<unknown>,
  { name, table, check }: Creation,
): Promise<void> {
  let building: CreateTableBuilder<string, string> = tx.schema.createTable(name);
  for (const [column, described] of Object.entries(table.columns)) {
    const nullable = described.endsWith('?');
    const type = columnTypes[dialect][described.replace('?', '') as 'text' | 'integer' | 'real' | 'blob'];
    building = building.addColumn(column, type, (c) => (nullable ? c : c.notNull()));
  }
  building = building.addPrimaryKeyConstraint(`${name}_key`, [...table.key]);
  for (const { columns, table: other, to, onDelete } of table.references ?? []) {
    building = building.addForeignKeyConstraint(
      `${name}_${columns.join('_')}_fk`,
      [...columns],
      other,
      [...to],
      (key) => (onDelete === undefined ? key : key.onDelete(onDelete)),
    );
  }
  if (check !== undefined) building = building.addCheckConstraint(`${name}_check`, check);
  // STRICT: SQLite refuses a value of another type, as PostgreSQL does.
  await (dialect === 'sqlite' ? building.modifyEnd(sql`strict`) : building).execute();
  for (const { columns, unique = false, where } of table.indexes ?? []) {
    let index = tx.schema.createIndex(`${name}_by_${columns.slice(1).join('_') || columns[0]}`).on(name);
    index = index.columns([...columns]);
    if (unique) index = index.unique();
    await (where === undefined ? index : index.where(where)).execute();
  }
}
