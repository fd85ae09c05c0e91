// Clients found: those that a filter names, and the one that a question means. A name that two people share
// means both until an address tells them apart.
import type { Kysely } from 'kysely';
import { DrawbridgeError } from '../../errors.ts';
import type { DocumentKind } from '../../providers/record.ts';
import { fromJson } from '../../store/codec.ts';
import type { OrgStore } from '../../store/store.ts';
import type { OrgTables } from '../../store/tables.ts';
import { readable } from '../documents/readable.sql.ts';
import type { Client } from '../memory.ts';
import { type ClientRow, groupsOf, rootsOf } from './keys.ts';
import { nameWords } from './names.ts';
import { earlier, later } from './people-seen.ts';
import { readableClients } from './readable.ts';

type Db = Kysely<OrgTables>;

/** A word that more clients share says nothing about which is meant. */
const mostSharing = 200;
const recentDocuments = 10;

/** A client with all that were joined to it; the first row is its own. */
export function toClient(rows: readonly ClientRow[]): Client {
  const [own] = rows;
  if (own === undefined) throw new Error('a client has a row at least');
  const all = (column: 'emails' | 'phones') => [
    ...new Set(rows.flatMap((row) => fromJson<string[]>(row[column]))),
  ];
  const named = own.name.includes('@') ? rows.find(({ name }) => !name.includes('@')) : undefined;
  return {
    id: own.id,
    kind: own.kind,
    name: named?.name ?? own.name,
    emails: all('emails'),
    phones: all('phones'),
    company: rows.find(({ company }) => company !== null)?.company ?? undefined,
    firstContactAt: rows.reduce<number | undefined>(
      (at, row) => earlier(at, row.first_contact_at ?? undefined),
      undefined,
    ),
    lastContactAt: rows.reduce<number | undefined>(
      (at, row) => later(at, row.last_contact_at ?? undefined),
      undefined,
    ),
    documentCount: rows.reduce((sum, row) => sum + row.document_count, 0),
  };
}

/** Clients by key (an address or a word of a name): for each client, the keys that it was found by. */
async function findByKeys(
  db: Db,
  orgId: string,
  keys: readonly string[],
): Promise<{ client: Client; keys: Set<string> }[]> {
  if (keys.length === 0) return [];
  const rows = await db
    .selectFrom('client_keys')
    .select(['key', 'client_id'])
    .where('org_id', '=', orgId)
    .where('key', 'in', keys.slice(0, 400))
    .limit(5000)
    .execute();
  const sharing = new Map<string, number>();
  for (const row of rows) sharing.set(row.key, (sharing.get(row.key) ?? 0) + 1);
  const found = new Map<string, Set<string>>();
  for (const row of rows) {
    const known = found.get(row.client_id);
    if (known === undefined) found.set(row.client_id, new Set([row.key]));
    else known.add(row.key);
  }
  // Who shares only a common word is looked up no further.
  const ids = [...found].filter(
    ([, by]) => by.size > 1 || [...by].some((key) => (sharing.get(key) ?? 0) <= mostSharing),
  );
  if (ids.length === 0) return [];
  const keysOf = new Map<string, Set<string>>();
  const roots = await rootsOf(
    db,
    orgId,
    ids.map(([id]) => id),
  );
  for (const [id, by] of ids) {
    const root = roots.get(id) ?? id;
    const known = keysOf.get(root);
    if (known === undefined) keysOf.set(root, new Set(by));
    else for (const key of by) known.add(key);
  }
  const groups = await groupsOf(db, orgId, [...keysOf.keys()].sort());
  return [...groups.values()].map((rows) => {
    const client = toClient(rows);
    return { client, keys: keysOf.get(client.id) ?? new Set() };
  });
}

export interface Scope {
  addresses: string[];
  /** Where a name means several. */
  candidates: Client[];
}

/**
 * The addresses that names or addresses stand for. A name that several clients bear means all of them, and
 * they are told.
 * @throws DrawbridgeError `not_found` naming the entry that no client answers to
 */
export async function resolveClients(db: Db, orgId: string, wanted: readonly string[]): Promise<Scope> {
  const addresses = new Set<string>();
  const candidates = new Map<string, Client>();
  for (const [i, entry] of wanted.entries()) {
    const written = entry.trim();
    if (written.includes('@')) {
      const address = (/<([^<>]+)>/u.exec(written)?.[1] ?? written).toLowerCase();
      addresses.add(address);
      for (const { client } of await findByKeys(db, orgId, [address])) {
        for (const email of client.emails) addresses.add(email);
      }
      continue;
    }
    const named = nameWords(written);
    const found = (await findByKeys(db, orgId, named)).filter(({ keys }) =>
      named.every((word) => keys.has(word)),
    );
    const exact = found.filter(({ client }) => nameWords(client.name).length === named.length);
    const meant = exact.length > 0 ? exact : found;
    if (meant.length === 0) {
      throw new DrawbridgeError(
        'not_found',
        `clients.${i}: no client is called "${written.slice(0, 80)}". Name one by e-mail address, or leave the filter out.`,
        { field: `clients.${i}` },
      );
    }
    if (meant.length > 1) for (const { client } of meant) candidates.set(client.id, client);
    for (const { client } of meant) for (const email of client.emails) addresses.add(email);
  }
  return { addresses: [...addresses], candidates: [...candidates.values()] };
}

export interface Meant {
  client: Client | undefined;
  candidates: Client[];
}

/** The client that a question means: by address, by full name, or by one name written with a capital. */
export async function clientMeant(db: Db, orgId: string, question: string): Promise<Meant> {
  const text = question.slice(0, 2000);
  const inQuestion = new Set(nameWords(text));
  const asked = (text.match(/[^\s<>,;:"']+@[^\s<>,;:"']+/gu) ?? []).map((one) =>
    one.toLowerCase().replace(/[.?!)]+$/u, ''),
  );
  const capital = new Set(nameWords((text.match(/\p{Lu}[\p{L}\p{M}'’-]*/gu) ?? []).join(' ')));
  const found = await findByKeys(db, orgId, [...asked, ...inQuestion]);
  const byAddress = found.filter(({ keys }) => asked.some((address) => keys.has(address)));
  const byName = found.filter(({ client }) => {
    const name = nameWords(client.name);
    return name.length > 1 && !client.name.includes('@') && name.every((word) => inQuestion.has(word));
  });
  const byPart = found.filter(({ keys }) => [...keys].some((key) => capital.has(key)));
  const meant = [byAddress, byName, byPart].find((some) => some.length > 0) ?? [];
  const clients = meant.map(({ client }) => client);
  if (clients.length === 1) return { client: clients[0], candidates: [] };
  // Full names that differ are several clients asked about, not one that is unclear.
  const oneName = new Set(byName.map(({ client }) => nameWords(client.name).join(' '))).size === 1;
  return { client: undefined, candidates: meant === byName && oneName ? clients : [] };
}

/** Clients whose name or address begins with each of the words; without words, those last in contact. */
export async function listClients(
  org: OrgStore,
  filter: { words?: string; limit: number },
): Promise<Client[]> {
  return org.read(async (db) => {
    let query = db
      .selectFrom('client_intelligence as c')
      .selectAll()
      .where('c.org_id', '=', org.orgId)
      .where('c.merged_into', 'is', null)
      .where('c.document_count', '>', 0)
      .orderBy('c.last_contact_at', 'desc')
      .orderBy('c.id')
      .limit(filter.limit);
    const wanted = (filter.words ?? '').trim().toLowerCase();
    const prefixes = wanted.includes('@') ? [wanted] : nameWords(wanted);
    for (const prefix of prefixes) {
      query = query.where((is) =>
        is.exists(
          is
            .selectFrom('client_keys as k')
            .innerJoin('client_intelligence as m', (join) =>
              join.onRef('m.org_id', '=', 'k.org_id').onRef('m.id', '=', 'k.client_id'),
            )
            .select('k.key')
            .whereRef('k.org_id', '=', 'c.org_id')
            .where((either) =>
              either.or([
                either('m.id', '=', either.ref('c.id')),
                either('m.merged_into', '=', either.ref('c.id')),
              ]),
            )
            .where('k.key', '>=', prefix)
            .where('k.key', '<', `${prefix}\u{10ffff}`),
        ),
      );
    }
    const found = await query.execute();
    const groups = await groupsOf(
      db,
      org.orgId,
      found.map((row) => row.id),
    );
    const clients = found.flatMap((row) => {
      const rows = groups.get(row.id);
      return rows === undefined ? [] : [toClient(rows)];
    });
    return readableClients(org, db, clients);
  });
}

/**
 * The rows of a client and of all that were joined to it; of a joined one those of the client that it counts for.
 * @throws DrawbridgeError `not_found`
 */
export async function groupOf(db: Db, orgId: string, id: string): Promise<ClientRow[]> {
  const root = (await rootsOf(db, orgId, [id])).get(id) ?? id;
  const rows = (await groupsOf(db, orgId, [root])).get(root);
  if (rows === undefined) throw noSuchClient();
  return rows;
}

export function noSuchClient(): DrawbridgeError {
  return new DrawbridgeError('not_found', 'There is no such client. Ask ime-search for one by name.');
}

/**
 * The clients that are called so: by id, by address or phone in E.164, or by name; several where a name is several's.
 */
export async function clientsCalled(org: OrgStore, words: string): Promise<Client[]> {
  const written = words.trim().replace(/^ime:\/\/clients\//u, '');
  const called = async (db: Db): Promise<Client[]> => {
    if (/^cli_[a-z0-9]{1,60}$/u.test(written)) return [toClient(await groupOf(db, org.orgId, written))];
    const address = (/<([^<>]+)>/u.exec(written)?.[1] ?? written).toLowerCase();
    const key = address.includes('@') ? address : `tel:${written.replace(/[^+\d]/gu, '')}`;
    const certain = await findByKeys(db, org.orgId, [key]);
    if (certain.length > 0 || address.includes('@')) return certain.map(({ client }) => client);
    const named = nameWords(written);
    const found = (await findByKeys(db, org.orgId, named)).filter(({ keys }) =>
      named.every((word) => keys.has(word)),
    );
    const exact = found.filter(({ client }) => nameWords(client.name).length === named.length);
    return (exact.length > 0 ? exact : found).map(({ client }) => client);
  };
  return org.read(async (db) => readableClients(org, db, await called(db)));
}

/** @throws DrawbridgeError `not_found` */
export async function readClient(
  org: OrgStore,
  id: string,
): Promise<
  Client & { recent: { id: string; kind: DocumentKind; title: string; writtenAt: number | undefined }[] }
> {
  return org.read(async (db) => {
    const [client] = await readableClients(org, db, [toClient(await groupOf(db, org.orgId, id))]);
    if (client === undefined) throw noSuchClient();
    const recent = await db
      .selectFrom('source_documents as d')
      .select(['d.id', 'd.kind', 'd.title', 'd.written_at'])
      .where('d.org_id', '=', org.orgId)
      .where('d.deleted_at', 'is', null)
      .where(readable(org, 'd'))
      .where((is) =>
        is.exists(
          is
            .selectFrom('document_people as p')
            .select('p.address')
            .whereRef('p.org_id', '=', 'd.org_id')
            .whereRef('p.document_id', '=', 'd.id')
            .where('p.address', 'in', ['', ...client.emails]),
        ),
      )
      .orderBy('d.written_at', 'desc')
      .orderBy('d.id')
      .limit(recentDocuments)
      .execute();
    return {
      ...client,
      recent: recent.map((one) => ({
        id: one.id,
        kind: one.kind as DocumentKind,
        title: one.title,
        writtenAt: one.written_at ?? undefined,
      })),
    };
  });
}
