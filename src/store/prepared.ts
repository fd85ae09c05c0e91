// A query that every call asks in the same words: built and compiled once a database, then only given its values.
import type { Compilable, CompiledQuery, Kysely } from 'kysely';

class Place {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

type Given = Record<string, string | number>;

/**
 * @param build hands the values on as they are: it is called once, before there are any, so it must not look at them
 * @returns the rows of `build`'s query with these values
 */
export function prepared<Tables, Values extends Given, Row>(
  build: (db: Kysely<Tables>, values: Values) => Compilable<Row>,
): (db: Kysely<Tables>, values: Values) => Promise<Row[]> {
  // One a database: as many as are open, and gone with them.
  const compiled = new WeakMap<object, CompiledQuery<Row>>();
  // Each value that is asked for is a place, so what it compiles to says where which value goes.
  const places = new Proxy({}, { get: (_, name) => new Place(String(name)) }) as Values;
  return async (db, values) => {
    const { adapter } = db.getExecutor();
    let query = compiled.get(adapter);
    if (query === undefined) {
      query = build(db, places).compile();
      compiled.set(adapter, query);
    }
    const parameters = query.parameters.map((one) => (one instanceof Place ? values[one.name] : one));
    return (await db.executeQuery<Row>({ ...query, parameters })).rows;
  };
}
