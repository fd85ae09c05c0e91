// Which clients a viewer learns of: those whom a record that they may see names, or says something of. Of all others
// not even the name.
import type { Kysely } from 'kysely';
import type { OrgStore } from '../../store/store.ts';
import type { OrgTables } from '../../store/tables.ts';
import { seesAll } from '../../viewer.ts';
import { parts } from '../documents/known-rows.ts';
import { readable } from '../documents/readable.sql.ts';
import type { Client } from '../memory.ts';

const atOnce = 400;

/**
 * Of `clients` those that the org's viewer may know of, in their order. Of one who does not see everything, phones and
 * company are left to the facts: a client's row has them from records that may be hidden.
 */
export async function readableClients<One extends Pick<Client, 'id' | 'emails'>>(
  org: Pick<OrgStore, 'orgId' | 'viewer'>,
  db: Kysely<OrgTables>,
  clients: readonly One[],
): Promise<One[]> {
  if (seesAll(org.viewer) || clients.length === 0) return [...clients];
  const addresses = new Set<string>();
  for (const some of parts([...new Set(clients.flatMap(({ emails }) => emails))], atOnce)) {
    const rows = await db
      .selectFrom('document_people as p')
      .innerJoin('source_documents as d', (join) =>
        join.onRef('d.org_id', '=', 'p.org_id').onRef('d.id', '=', 'p.document_id'),
      )
      .select('p.address')
      .distinct()
      .where('p.org_id', '=', org.orgId)
      .where('p.address', 'in', some)
      .where('d.deleted_at', 'is', null)
      .where(readable(org, 'd'))
      .execute();
    for (const { address } of rows) addresses.add(address);
  }
  const told = new Set<string>();
  const ids = clients.map(({ id }) => id);
  for (const some of parts(ids, atOnce)) {
    const rows = await db
      .selectFrom('client_facts as f')
      .innerJoin('source_documents as d', (join) =>
        join.onRef('d.org_id', '=', 'f.org_id').onRef('d.id', '=', 'f.document_id'),
      )
      .select('f.client_id')
      .distinct()
      .where('f.org_id', '=', org.orgId)
      .where('f.client_id', 'in', some)
      .where('d.deleted_at', 'is', null)
      .where(readable(org, 'd'))
      .execute();
    for (const { client_id: id } of rows) if (id !== null) told.add(id);
  }
  return clients
    .filter(({ id, emails }) => told.has(id) || emails.some((email) => addresses.has(email)))
    .map((one) => ({ ...one, ...('phones' in one ? { phones: [], company: undefined } : {}) }));
}
