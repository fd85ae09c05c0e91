// What clients are found by, looked up and added in few statements; and which client a joined one counts for.
import type { Kysely, Selectable } from 'kysely';
import type { OrgTables } from '../../store/tables.ts';
import { parts } from '../documents/known-rows.ts';

type Db = Kysely<OrgTables>;
export type ClientRow = Selectable<OrgTables['client_intelligence']>;

const atOnce = 500;

/** By key: the clients that have it, the oldest first. An address that a family shares is several clients'. */
export async function clientsByKey(
  db: Db,
  orgId: string,
  keys: readonly string[],
): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>();
  for (const some of parts([...new Set(keys)], atOnce)) {
    const rows = await db
      .selectFrom('client_keys')
      .select(['key', 'client_id'])
      .where('org_id', '=', orgId)
      .where('key', 'in', some)
      .orderBy('client_id')
      .execute();
    for (const { key, client_id } of rows) {
      const known = found.get(key);
      if (known === undefined) found.set(key, [client_id]);
      else known.push(client_id);
    }
  }
  return found;
}

export async function addKeys(
  db: Db,
  orgId: string,
  pairs: readonly { key: string; clientId: string }[],
): Promise<void> {
  const rows = pairs.map(({ key, clientId }) => ({ org_id: orgId, key, client_id: clientId }));
  for (const some of parts(rows, atOnce)) {
    await db
      .insertInto('client_keys')
      .values(some)
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }
}

export async function clientRows(
  db: Db,
  orgId: string,
  ids: readonly string[],
): Promise<Map<string, ClientRow>> {
  const found = new Map<string, ClientRow>();
  for (const some of parts([...new Set(ids)], atOnce)) {
    const rows = await db
      .selectFrom('client_intelligence')
      .selectAll()
      .where('org_id', '=', orgId)
      .where('id', 'in', some)
      .execute();
    for (const row of rows) found.set(row.id, row);
  }
  return found;
}

/** More joins in a row than people ever make. */
const deepest = 64;

/** Of each client the one that it counts for: itself, unless it was joined to another. */
export async function rootsOf(db: Db, orgId: string, ids: readonly string[]): Promise<Map<string, string>> {
  const root = new Map(ids.map((id) => [id, id]));
  let open = [...new Set(ids)];
  for (let step = 0; open.length > 0 && step < deepest; step += 1) {
    const above = new Map<string, string>();
    for (const some of parts(open, atOnce)) {
      const rows = await db
        .selectFrom('client_intelligence')
        .select(['id', 'merged_into'])
        .where('org_id', '=', orgId)
        .where('id', 'in', some)
        .where('merged_into', 'is not', null)
        .execute();
      for (const row of rows) if (row.merged_into !== null) above.set(row.id, row.merged_into);
    }
    for (const [id, at] of root) root.set(id, above.get(at) ?? at);
    open = [...new Set(above.values())];
  }
  return root;
}

/** The rows of each of these clients and of all that were joined to them, their own first. */
export async function groupsOf(
  db: Db,
  orgId: string,
  roots: readonly string[],
): Promise<Map<string, ClientRow[]>> {
  const all = await clientRows(db, orgId, roots);
  const groups = new Map([...all].map(([id, row]) => [id, [row]]));
  const rootOf = new Map([...all.keys()].map((id) => [id, id]));
  let open = [...all.keys()];
  for (let step = 0; open.length > 0 && step < deepest; step += 1) {
    const next: string[] = [];
    for (const some of parts(open, atOnce)) {
      const rows = await db
        .selectFrom('client_intelligence')
        .selectAll()
        .where('org_id', '=', orgId)
        .where('merged_into', 'in', some)
        .orderBy('id')
        .execute();
      for (const row of rows) {
        const root = rootOf.get(row.merged_into ?? '');
        if (root === undefined || rootOf.has(row.id)) continue;
        rootOf.set(row.id, root);
        groups.get(root)?.push(row);
        next.push(row.id);
      }
    }
    open = next;
  }
  return groups;
}

/** Both ids in order: names a pair of clients, whichever is told first. */
export function pairOf(a: string, b: string): string {
  return a < b ? `${a} ${b}` : `${b} ${a}`;
}
