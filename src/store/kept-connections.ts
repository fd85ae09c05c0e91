// Connections that were not disconnected, said as the index over them says it: a literal. Given as a value, SQLite
// plans the query anew each time that it runs, to see whether the index holds it (https://sqlite.org/partialindex.html).
import { type SqlBool, sql } from 'kysely';

export const isKept = sql<SqlBool>`connected_sources.state <> 'DELETED'`;
