// Counts and times of clients anew from what is left, when documents of theirs change or go.
import type { Transaction } from 'kysely';
import { fromJson, toJson } from '../../store/codec.ts';
import type { OrgTables } from '../../store/tables.ts';
import { parts } from '../documents/known-rows.ts';
import { addKeys, clientRows, clientsByKey } from './keys.ts';
import { earlier, later } from './people-seen.ts';

type Tx = Transaction<OrgTables>;

export interface ClientRecount {
  without(documentIds: readonly string[]): Promise<void>;
  anew(ids: readonly string[]): Promise<void>;
  settle(): Promise<void>;
}

export function createClientRecount(tx: Tx, orgId: string, now: number): ClientRecount {
  const affected = new Set<string>();

  async function clientsOf(documentIds: readonly string[]): Promise<string[]> {
    const addresses = new Set<string>();
    const found = new Set<string>();
    for (const some of parts(documentIds, 500)) {
      const people = await tx
        .selectFrom('document_people')
        .select('address')
        .distinct()
        .where('org_id', '=', orgId)
        .where('document_id', 'in', some)
        .execute();
      for (const row of people) addresses.add(row.address);
      const facts = await tx
        .selectFrom('client_facts')
        .select('client_id')
        .distinct()
        .where('org_id', '=', orgId)
        .where('document_id', 'in', some)
        .where('client_id', 'is not', null)
        .execute();
      for (const row of facts) if (row.client_id !== null) found.add(row.client_id);
    }
    for (const ids of (await clientsByKey(tx, orgId, [...addresses])).values())
      for (const id of ids) found.add(id);
    return [...found];
  }

  async function recount(id: string, emails: readonly string[], without: ReadonlySet<string>): Promise<void> {
    const named = await tx
      .selectFrom('source_documents as d')
      .innerJoin('document_people as p', (join) =>
        join.onRef('p.org_id', '=', 'd.org_id').onRef('p.document_id', '=', 'd.id'),
      )
      .select(['d.id', 'd.kind', 'd.written_at'])
      .distinct()
      .where('d.org_id', '=', orgId)
      .where('d.deleted_at', 'is', null)
      .where('p.address', 'in', ['', ...emails])
      .execute();
    const facts = await tx
      .selectFrom('client_facts')
      .select(['document_id', 'name', 'value'])
      .where('org_id', '=', orgId)
      .where('client_id', '=', id)
      .where('family', '=', 'contact')
      .where('document_id', 'is not', null)
      .where('valid_until', 'is', null)
      .execute();
    const left = facts.filter((fact) => !without.has(fact.document_id ?? ''));
    const remaining = named.filter((one) => !without.has(one.id));
    const count = new Set([...remaining.map((one) => one.id), ...left.map((fact) => fact.document_id)]).size;
    const times = remaining
      .filter((one) => one.kind !== 'contact' && one.kind !== 'company')
      .flatMap((one) => one.written_at ?? []);
    const phones = [...new Set(left.flatMap(({ name, value }) => (name === 'phone' ? [value] : [])))];
    await tx
      .updateTable('client_intelligence')
      .set({
        document_count: count,
        phones: toJson(phones),
        first_contact_at: times.reduce<number | undefined>(earlier, undefined) ?? null,
        last_contact_at: times.reduce<number | undefined>(later, undefined) ?? null,
        updated_at: now,
      })
      .where('org_id', '=', orgId)
      .where('id', '=', id)
      .execute();
    await tx
      .deleteFrom('client_keys')
      .where('org_id', '=', orgId)
      .where('client_id', '=', id)
      .where('key', '>=', 'tel:')
      .where('key', '<', 'tel;')
      .execute();
    const numbers = phones.filter((phone) => phone.startsWith('+'));
    await addKeys(
      tx,
      orgId,
      numbers.map((number) => ({ key: `tel:${number}`, clientId: id })),
    );
  }

  return {
    async without(documentIds) {
      if (documentIds.length === 0) return;
      const ids = await clientsOf(documentIds);
      const going = new Set(documentIds);
      for (const [id, row] of await clientRows(tx, orgId, ids)) {
        affected.add(id);
        await recount(id, fromJson<string[]>(row.emails), going);
      }
    },
    async anew(ids) {
      for (const [id, row] of await clientRows(tx, orgId, ids)) {
        affected.add(id);
        await recount(id, fromJson<string[]>(row.emails), new Set());
      }
    },
    async settle() {
      for (const some of parts([...affected], 500)) {
        await tx
          .deleteFrom('client_intelligence')
          .where('org_id', '=', orgId)
          .where('document_count', '=', 0)
          .where('id', 'in', some)
          .where((is) =>
            is.not(
              is.exists(
                is
                  .selectFrom('client_facts as f')
                  .select('f.id')
                  .whereRef('f.org_id', '=', 'client_intelligence.org_id')
                  .whereRef('f.client_id', '=', 'client_intelligence.id')
                  .where('f.origin', '=', 'person'),
              ),
            ),
          )
          .where((is) =>
            is.not(
              is.exists(
                is
                  .selectFrom('client_merges as m')
                  .select('m.id')
                  .whereRef('m.org_id', '=', 'client_intelligence.org_id')
                  .where('m.decided_by', 'is not', null)
                  .where((either) =>
                    either.or([
                      either('m.client_id', '=', either.ref('client_intelligence.id')),
                      either('m.other_id', '=', either.ref('client_intelligence.id')),
                    ]),
                  ),
              ),
            ),
          )
          .execute();
      }
    },
  };
}
