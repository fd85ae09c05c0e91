// Whether an extension of PostgreSQL may be used by this user; asked in SQL, so that functions can ask it, too.
import { type RawBuilder, sql } from 'kysely';

/** True where it is there and this user may call these of its functions, which are in `schema`. */
export function usable(name: string, schema: string, functions: readonly string[]): RawBuilder<unknown> {
  const callable = functions.map((each) => {
    const signature = sql.lit(`${schema}.${each}`);
    return sql`coalesce(has_function_privilege(to_regprocedure(${signature}), 'execute'), false)`;
  });
  // A name in a schema that is closed to the user cannot even be looked for: a case keeps that order.
  return sql`(case when exists (select 1 from pg_extension where extname = ${sql.lit(name)})
      and coalesce(has_schema_privilege(to_regnamespace(${sql.lit(schema)}), 'usage'), false)
    then ${sql.join(callable, sql` and `)} else false end)`;
}
