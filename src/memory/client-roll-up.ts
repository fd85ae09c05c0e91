// Clients as the documents show them: one a person's address, with first and last contact and a count.
// The org's own accounts and senders that nobody answers are none.
import type { Transaction } from 'kysely';
import { newId } from '../ids.ts';
import { fromJson, toJson } from '../store/codec.ts';
import type { OrgTables } from '../store/tables.ts';
import { nameWords } from './client-names.ts';
import type { Written } from './document-rows.ts';
import { earlier, later, merge, peopleOf, type Seen } from './people-seen.ts';

type Tx = Transaction<OrgTables>;

export interface ClientRollUp {
  /** Takes documents that are about to change or go out of their clients. Their people must still be there. */
  forget(documentIds: readonly string[]): Promise<void>;
  /** Adds documents that were just written. */
  learn(documents: readonly Written[]): Promise<void>;
}

export function createClientRollUp(tx: Tx, orgId: string, now: number): ClientRollUp {
  /** The org's own addresses: accounts that are connected, as they name themselves. */
  async function ownAddresses(): Promise<Set<string>> {
    const rows = await tx
      .selectFrom('connected_sources')
      .select(['account', 'label', 'fields'])
      .where('org_id', '=', orgId)
      .execute();
    const said = rows.flatMap((row) => {
      const { email, user } = fromJson<Record<string, unknown>>(row.fields) ?? {};
      return [row.account, row.label, email, user];
    });
    return new Set(
      said
        .filter((one): one is string => typeof one === 'string' && one.includes('@'))
        .map((one) => one.toLowerCase()),
    );
  }

  async function clientsByKey(keys: readonly string[]): Promise<Map<string, string>> {
    const found = new Map<string, string>();
    for (let i = 0; i < keys.length; i += 500) {
      const rows = await tx
        .selectFrom('client_keys')
        .select(['key', 'client_id'])
        .where('org_id', '=', orgId)
        .where('key', 'in', keys.slice(i, i + 500))
        .execute();
      for (const row of rows) found.set(row.key, row.client_id);
    }
    return found;
  }

  async function addKeys(clientId: string, keys: readonly string[]): Promise<void> {
    if (keys.length === 0) return;
    await tx
      .insertInto('client_keys')
      .values([...new Set(keys)].map((key) => ({ org_id: orgId, key, client_id: clientId })))
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }

  async function rowsOf(ids: readonly string[]): Promise<Map<string, OrgTables['client_intelligence']>> {
    const found = new Map<string, OrgTables['client_intelligence']>();
    for (let i = 0; i < ids.length; i += 500) {
      const rows = await tx
        .selectFrom('client_intelligence')
        .selectAll()
        .where('org_id', '=', orgId)
        .where('id', 'in', ids.slice(i, i + 500))
        .execute();
      for (const row of rows) found.set(row.id, row);
    }
    return found;
  }

  /** A contact card that names the addresses of several clients shows that they are one: the first stays. */
  async function combine(ids: readonly string[], coming: readonly string[]): Promise<void> {
    const [kept, ...others] = ids;
    if (kept === undefined || others.length === 0) return;
    const rows = await rowsOf(ids);
    const first = rows.get(kept);
    if (first === undefined) return;
    for (const id of others) {
      const other = rows.get(id);
      if (other === undefined) continue;
      await tx.deleteFrom('client_intelligence').where('org_id', '=', orgId).where('id', '=', id).execute();
      first.emails = toJson([
        ...new Set([...fromJson<string[]>(first.emails), ...fromJson<string[]>(other.emails)]),
      ]);
      first.phones = toJson([
        ...new Set([...fromJson<string[]>(first.phones), ...fromJson<string[]>(other.phones)]),
      ]);
    }
    await tx
      .updateTable('client_intelligence')
      .set({ emails: first.emails, phones: first.phones })
      .where('org_id', '=', orgId)
      .where('id', '=', kept)
      .execute();
    await addKeys(kept, fromJson<string[]>(first.emails));
    await recount(kept, coming);
  }

  async function create(seen: Seen): Promise<string> {
    const id = newId('cli', now);
    const name = seen.name ?? seen.addresses[0] ?? '';
    await tx
      .insertInto('client_intelligence')
      .values({
        org_id: orgId,
        id,
        kind: 'person',
        name,
        emails: toJson(seen.addresses),
        phones: toJson(seen.phones),
        company: seen.company ?? null,
        first_contact_at: seen.first ?? null,
        last_contact_at: seen.last ?? null,
        document_count: seen.count,
        facts: '{}',
        updated_at: now,
      })
      .execute();
    await addKeys(id, [...seen.addresses, ...nameWords(name)]);
    return id;
  }

  async function update(row: OrgTables['client_intelligence'], seen: Seen): Promise<void> {
    const { id } = row;
    const emails = fromJson<string[]>(row.emails);
    // A contact card knows a person's name best; otherwise the first name that is more than the address.
    const name =
      seen.name !== undefined && (seen.isContact || emails.includes(row.name)) ? seen.name : row.name;
    const joined = [...new Set([...emails, ...seen.addresses])];
    await tx
      .updateTable('client_intelligence')
      .set({
        name,
        emails: toJson(joined),
        phones: toJson([...new Set([...fromJson<string[]>(row.phones), ...seen.phones])]),
        company: seen.company ?? row.company,
        first_contact_at: earlier(row.first_contact_at ?? undefined, seen.first) ?? null,
        last_contact_at: later(row.last_contact_at ?? undefined, seen.last) ?? null,
        document_count: row.document_count + seen.count,
        updated_at: now,
      })
      .where('org_id', '=', orgId)
      .where('id', '=', id)
      .execute();
    const newKeys = joined.filter((address) => !emails.includes(address));
    await addKeys(id, name === row.name ? newKeys : [...newKeys, ...nameWords(name)]);
  }

  /** Counts and times anew from what is left, for clients of documents that go. */
  async function recount(clientId: string, without: readonly string[]): Promise<void> {
    const row = await tx
      .selectFrom('client_intelligence')
      .select('emails')
      .where('org_id', '=', orgId)
      .where('id', '=', clientId)
      .executeTakeFirst();
    if (row === undefined) return;
    const emails = fromJson<string[]>(row.emails);
    const left = await tx
      .selectFrom('source_documents as d')
      .innerJoin('document_people as p', (join) =>
        join.onRef('p.org_id', '=', 'd.org_id').onRef('p.document_id', '=', 'd.id'),
      )
      .select(['d.id', 'd.kind', 'd.written_at'])
      .distinct()
      .where('d.org_id', '=', orgId)
      .where('d.deleted_at', 'is', null)
      .where('p.address', 'in', emails)
      .execute();
    const remaining = left.filter((one) => !without.includes(one.id));
    const change = tx
      .updateTable('client_intelligence')
      .where('org_id', '=', orgId)
      .where('id', '=', clientId);
    const times = remaining.filter((one) => one.kind !== 'contact').flatMap((one) => one.written_at ?? []);
    await change
      .set({
        document_count: remaining.length,
        first_contact_at: times.reduce<number | undefined>(earlier, undefined) ?? null,
        last_contact_at: times.reduce<number | undefined>(later, undefined) ?? null,
        updated_at: now,
      })
      .execute();
  }

  return {
    async forget(documentIds) {
      if (documentIds.length === 0) return;
      const addresses = new Set<string>();
      for (let i = 0; i < documentIds.length; i += 500) {
        const rows = await tx
          .selectFrom('document_people')
          .select('address')
          .distinct()
          .where('org_id', '=', orgId)
          .where('document_id', 'in', documentIds.slice(i, i + 500))
          .execute();
        for (const row of rows) addresses.add(row.address);
      }
      const clients = new Set((await clientsByKey([...addresses])).values());
      for (const client of clients) await recount(client, documentIds);
      // A client of whom nothing is left is not kept.
      await tx
        .deleteFrom('client_intelligence')
        .where('org_id', '=', orgId)
        .where('document_count', '=', 0)
        .where('id', 'in', ['', ...clients])
        .execute();
    },
    async learn(documents) {
      if (documents.length === 0) return;
      const own = await ownAddresses();
      const people = documents.flatMap((document) => peopleOf(document, own));
      const addresses = [...new Set(people.flatMap((seen) => seen.addresses))];
      const known = await clientsByKey(addresses);
      for (const { addresses: card } of people.filter((seen) => seen.isContact)) {
        const ids = new Set(card.flatMap((address) => known.get(address) ?? []));
        if (ids.size < 2) continue;
        const [kept = ''] = ids;
        await combine(
          [...ids],
          documents.map((document) => document.id),
        );
        for (const [address, id] of known) if (ids.has(id)) known.set(address, kept);
      }
      const news = new Map<string, Seen>();
      for (const seen of people) {
        const id = seen.addresses.map((address) => known.get(address)).find((one) => one !== undefined);
        const key =
          id ?? `new ${seen.addresses.find((address) => news.has(`new ${address}`)) ?? seen.addresses[0]}`;
        const before = news.get(key);
        news.set(key, before === undefined ? seen : merge(before, seen));
      }
      const rows = await rowsOf([...news.keys()]);
      for (const [key, seen] of news) {
        const row = rows.get(key);
        if (row === undefined) await create(seen);
        else await update(row, seen);
      }
    },
  };
}
