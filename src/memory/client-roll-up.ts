// Clients as the documents show them: one a person's address, with first and last contact and a count.
// The org's own accounts and senders that nobody answers are none.
import type { Transaction } from 'kysely';
import { newId } from '../ids.ts';
import type { Person } from '../providers/record.ts';
import { fromJson, toJson } from '../store/codec.ts';
import type { OrgTables } from '../store/tables.ts';
import { nameWords } from './client-names.ts';
import type { Written } from './document-rows.ts';

type Tx = Transaction<OrgTables>;

const automatic =
  /^(?:(?:do[-_.]?)?not?[-_.]?reply|mailer[-_.]?daemon|postmaster|bounces?|notifications?|alerts?|newsletters?|auto(?:mated|responder)?|unsubscribe|nepasrepondre|keine?[-_.]?antwort)(?:[-_.+].*)?@|(?:^|[-_.+])no-?reply@|^bounces?[-+=]/u;

export interface ClientRollUp {
  /** Takes documents that are about to change or go out of their clients. Their people must still be there. */
  forget(documentIds: readonly string[]): Promise<void>;
  /** Adds documents that were just written. */
  learn(documents: readonly Written[]): Promise<void>;
}

interface Seen {
  addresses: string[];
  name: string | undefined;
  isContact: boolean;
  phones: string[];
  company: string | undefined;
  count: number;
  first: number | undefined;
  last: number | undefined;
}

function earlier(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
}
function later(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.max(a, b);
}
function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];
}

/** The people of one document, an entry each; the addresses of one contact card are one person's. */
function peopleOf(document: Written, own: ReadonlySet<string>): Seen[] {
  // A listing's agent or an event still to come is no contact that has taken place: time counts as written.
  const at = document.writtenAt ?? undefined;
  const isContact = document.kind === 'contact';
  const base = { isContact, count: 1, first: isContact ? undefined : at, last: isContact ? undefined : at };
  const phones = isContact ? strings(document.facts['phones']) : [];
  const company =
    isContact && typeof document.facts['company'] === 'string' ? document.facts['company'] : undefined;
  const usable = document.people.filter(
    (person): person is Person & { address: string } =>
      person.address !== undefined && !own.has(person.address) && !automatic.test(person.address),
  );
  if (isContact) {
    if (usable.length === 0) return [];
    const addresses = [...new Set(usable.map((person) => person.address))];
    return [
      { ...base, addresses, name: usable.find((person) => person.name !== undefined)?.name, phones, company },
    ];
  }
  const byAddress = new Map<string, Seen>();
  for (const { address, name } of usable) {
    const known = byAddress.get(address);
    if (known === undefined) byAddress.set(address, { ...base, addresses: [address], name, phones, company });
    else known.name ??= name;
  }
  return [...byAddress.values()];
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

  async function update(id: string, seen: Seen): Promise<void> {
    const row = await tx
      .selectFrom('client_intelligence')
      .selectAll()
      .where('org_id', '=', orgId)
      .where('id', '=', id)
      .executeTakeFirst();
    if (row === undefined) return;
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
      const known = await clientsByKey([...new Set(people.flatMap((seen) => seen.addresses))]);
      const news = new Map<string, Seen>();
      for (const seen of people) {
        const id = seen.addresses.map((address) => known.get(address)).find((one) => one !== undefined);
        const key =
          id ?? `new ${seen.addresses.find((address) => news.has(`new ${address}`)) ?? seen.addresses[0]}`;
        const before = news.get(key);
        news.set(key, before === undefined ? seen : merge(before, seen));
      }
      for (const [key, seen] of news) {
        if (key.startsWith('new ')) await create(seen);
        else await update(key, seen);
      }
    },
  };
}

function merge(a: Seen, b: Seen): Seen {
  return {
    addresses: [...new Set([...a.addresses, ...b.addresses])],
    name: b.isContact ? (b.name ?? a.name) : (a.name ?? b.name),
    isContact: a.isContact || b.isContact,
    phones: [...new Set([...a.phones, ...b.phones])],
    company: b.company ?? a.company,
    count: a.count + b.count,
    first: earlier(a.first, b.first),
    last: later(a.last, b.last),
  };
}
