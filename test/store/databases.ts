// The databases that a suite runs on: SQLite, PGlite (as PostgreSQL with pgvector), and a real PostgreSQL
// where TEST_DATABASE_URL names a server on which databases may be made.
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { PGlite } from '@electric-sql/pglite';
import { vector } from '@electric-sql/pglite-pgvector';
import pg from 'pg';
import { type Clock, systemClock } from '../../src/clock.ts';
import { createLog } from '../../src/log.ts';
import { Secret } from '../../src/secret.ts';
import { openStore } from '../../src/store/open.ts';
import { type PostgresSource, resultParsers } from '../../src/store/postgres/source.ts';
import { createQueueLock } from '../../src/store/sqlite/queue-lock.ts';
import type { Store } from '../../src/store/store.ts';

export interface OpenedDatabase {
  store: Store;
  /** Another store on the same database, as another process would open it. Close it before `close`. */
  again(): Promise<Store>;
  /** PostgreSQL: where another process finds this database. SQLite: its home is `home`. */
  url?: string;
  home?: string;
  /** Runs SQL as the administrator, beside the store (SQLite: in `orgId`'s file): what no part of the house can do. */
  admin(sql: string, orgId?: string): Promise<Record<string, unknown>[]>;
  /** Closes the store and removes the database. */
  close(): Promise<void>;
}

export interface TestDatabase {
  name: 'SQLite' | 'PGlite' | 'PostgreSQL';
  dialect: 'sqlite' | 'postgres';
  /** `clock`: also the database's own time on SQLite and PGlite; PostgreSQL keeps its own. */
  open(options?: { clock?: Clock }): Promise<OpenedDatabase>;
}

const log = createLog({ level: 'silent' });

const sqlite: TestDatabase = {
  name: 'SQLite',
  dialect: 'sqlite',
  async open({ clock = systemClock } = {}) {
    const home = await mkdtemp(join(tmpdir(), 'drawbridge-store-'));
    const again = () => openStore({ config: { home, databaseUrl: undefined }, clock, log });
    const store = await again();
    return {
      store,
      again,
      home,
      async admin(sql, orgId) {
        const db = new DatabaseSync(join(home, orgId === undefined ? 'control.db' : `orgs/${orgId}.db`));
        try {
          return db.prepare(sql).all();
        } finally {
          db.close();
        }
      },
      async close() {
        await store.close();
        await rm(home, { recursive: true });
      },
    };
  },
};

// A PGlite takes seconds to start: each worker keeps those that are idle.
const idle: PGlite[] = [];

// Making PGlite's first database costs ten times what loading one does, so one is kept between runs.
const modules = join(import.meta.dirname, '../../node_modules');
const cache = join(modules, '.cache/drawbridge');

async function startPglite(): Promise<PGlite> {
  const known = idle.pop();
  if (known !== undefined) return known;
  const { version } = JSON.parse(
    await readFile(join(modules, '@electric-sql/pglite/package.json'), 'utf8'),
  ) as {
    version: string;
  };
  const seed = join(cache, `pglite-${version}.tar`);
  const options = { extensions: { vector }, parsers: { ...resultParsers } };
  if (existsSync(seed)) return PGlite.create({ ...options, loadDataDir: new Blob([await readFile(seed)]) });
  const fresh = await PGlite.create(options);
  await mkdir(cache, { recursive: true });
  // Written beside and renamed: another worker finds it whole or not at all.
  const draft = `${seed}.${randomBytes(6).toString('hex')}`;
  await writeFile(draft, Buffer.from(await (await fresh.dumpDataDir('none')).arrayBuffer()));
  await rename(draft, seed);
  return fresh;
}

/** One connection for all: whoever asks waits for its turn. */
export function sourceOf(db: PGlite): PostgresSource {
  const turns = createQueueLock();
  return {
    inProcess: true,
    async connect() {
      const passTurn = await turns.take();
      return {
        async query(sql, parameters) {
          const { rows, affectedRows } = await db.query(sql, [...parameters]);
          // PGlite says 0, and not nothing, where no row could be touched.
          return { rows, affected: /^\s*select\b/i.test(sql) ? undefined : affectedRows };
        },
        release: passTurn,
      };
    },
    end: async () => undefined,
  };
}

const pglite: TestDatabase = {
  name: 'PGlite',
  dialect: 'postgres',
  async open({ clock = systemClock } = {}) {
    const db = await startPglite();
    const postgres = sourceOf(db);
    const again = () => openStore({ config: { home: '', databaseUrl: undefined }, clock, log, postgres });
    const store = await again();
    return {
      store,
      again,
      // Each in turn: PGlite has one connection, and the store's transactions hold it.
      admin: async (sql) => {
        const client = await postgres.connect();
        try {
          return (await db.query<Record<string, unknown>>(sql)).rows;
        } finally {
          client.release(false);
        }
      },
      async close() {
        await store.close();
        await db.exec('drop schema drawbridge cascade');
        // Its log lies in memory too, and grows to a gigabyte before it would be folded.
        await db.exec('checkpoint');
        idle.push(db);
      },
    };
  },
};

/** A database of its own on the server, owned by a user of its own that is no superuser. */
function real(serverUrl: string): TestDatabase {
  return {
    name: 'PostgreSQL',
    dialect: 'postgres',
    async open({ clock = systemClock } = {}) {
      const made = await makeDatabase(serverUrl);
      await made.permit();
      const again = () => openStore({ config: { home: '', databaseUrl: new Secret(made.url) }, clock, log });
      const store = await again();
      return {
        store,
        again,
        admin: made.admin,
        url: made.url,
        async close() {
          await store.close();
          await made.remove();
        },
      };
    },
  };
}

/** A new, empty database on `serverUrl`, whose user must be a superuser. */
export async function makeDatabase(serverUrl: string): Promise<{
  url: string;
  user: string;
  admin(sql: string): Promise<Record<string, unknown>[]>;
  /** What an administrator runs once for a user that may not make roles. */
  permit(): Promise<void>;
  remove(): Promise<void>;
}> {
  const name = `drawbridge_test_${randomBytes(6).toString('hex')}`;
  const password = randomBytes(12).toString('hex');
  const server = new pg.Client({ connectionString: serverUrl });
  await server.connect();
  await server.query(`create role ${name} login password '${password}'`);
  await server.query(`create database ${name} owner ${name}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  const adminUrl = url.href;
  url.username = name;
  url.password = password;
  // Roles belong to the whole server, so another test may be making it too.
  const permission = `do $$ begin
    begin create role drawbridge_app nologin; exception when duplicate_object or unique_violation then null; end;
    grant drawbridge_app to ${name};
  end $$`;
  return {
    url: url.href,
    user: name,
    async permit() {
      await server.query(permission);
    },
    async admin(sql) {
      const client = new pg.Client({ connectionString: adminUrl });
      await client.connect();
      try {
        return (await client.query<Record<string, unknown>>(sql)).rows;
      } finally {
        await client.end();
      }
    },
    async remove() {
      await server.query(`drop database ${name} with (force)`);
      await server.query(`drop role ${name}`);
      await server.end();
    },
  };
}

/** The server of TEST_DATABASE_URL; its user must be a superuser. */
export const serverUrl = process.env['TEST_DATABASE_URL'] || undefined;

export const databases: TestDatabase[] = [
  sqlite,
  pglite,
  ...(serverUrl === undefined ? [] : [real(serverUrl)]),
];
