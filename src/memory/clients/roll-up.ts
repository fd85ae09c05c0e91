// Clients as the documents show them: one a person's address or a record of the CRM, with first and last contact and
// a count. The org's own accounts and senders that nobody answers are none. What is certain joins at once: the same
// address, the same record; two cards of one address that bear different names stay two.
import type { Transaction } from 'kysely';
import { newId } from '../../ids.ts';
import { fromJson, toJson } from '../../store/codec.ts';
import type { OrgTables } from '../../store/tables.ts';
import type { Written } from '../documents/document-rows.ts';
import { addKeys, type ClientRow, clientRows, clientsByKey } from './keys.ts';
import { domainOf, isFreeMail } from './mail-domains.ts';
import { nameKey, namesAgree, nameWords } from './names.ts';
import { ownAddresses } from './own-mail.ts';
import { partOwn } from './part-own.ts';
import { earlier, later, merge, peopleOf, type Seen } from './people-seen.ts';
import { proposeMerges } from './proposals.ts';
import { joinByRecord, partFromRecords } from './record-joins.ts';
import { createClientRecount } from './recount.ts';

type Tx = Transaction<OrgTables>;

export interface ClientRollUp {
  /** Takes documents that are about to change or go out of their clients. Their people must still be there. */
  forget(documentIds: readonly string[]): Promise<void>;
  /** Adds documents that were just written. */
  learn(documents: readonly Written[]): Promise<void>;
  /** Lets go of clients of whom nothing is left; a person's word about one keeps it. */
  settle(): Promise<void>;
  /** The org's own addresses: accounts that are connected, as they name themselves, and what a person said. */
  own(): Promise<ReadonlySet<string>>;
}

/** A client of this batch: there already, or new. */
interface Group {
  row: ClientRow | undefined;
  seen: Seen | undefined;
  kind: 'person' | 'company';
  name: string | undefined;
  /** A card names it. */
  carded: boolean;
}

const isCertain = (key: string) => /^(?:crm|reg|dom):/u.test(key);

export function createClientRollUp(tx: Tx, orgId: string, now: number, connectionId: string): ClientRollUp {
  const recounts = createClientRecount(tx, orgId, now);
  let own: Promise<Set<string>> | undefined;
  const mine = () => {
    own ??= ownAddresses(tx, orgId);
    return own;
  };

  /** Of these clients those that a card names. */
  async function cardedAmong(ids: readonly string[]): Promise<Set<string>> {
    if (ids.length === 0) return new Set();
    const rows = await tx
      .selectFrom('client_keys')
      .select('client_id')
      .distinct()
      .where('org_id', '=', orgId)
      .where('client_id', 'in', ids.slice(0, 2000))
      .where('key', '>=', 'crm:')
      .where('key', '<', 'crm;')
      .execute();
    return new Set(rows.map((row) => row.client_id));
  }

  function keysOf(seen: Seen, name: string): string[] {
    const whole = nameKey(name);
    const domains = seen.addresses.flatMap((address) => domainOf(address) ?? []);
    return [
      ...seen.addresses,
      ...nameWords(name),
      ...(whole === undefined ? [] : [whole]),
      ...seen.keys,
      ...(seen.kind === 'person' ? domains.filter((one) => !isFreeMail(one)).map((one) => `at:${one}`) : []),
    ];
  }

  async function create(news: readonly Seen[]): Promise<string[]> {
    const made = news.map((seen) => ({
      seen,
      id: newId('cli', now),
      name: seen.name ?? seen.addresses[0] ?? '',
    }));
    for (let i = 0; i < made.length; i += 100) {
      await tx
        .insertInto('client_intelligence')
        .values(
          made.slice(i, i + 100).map(({ seen, id, name }) => ({
            org_id: orgId,
            id,
            kind: seen.kind,
            name,
            emails: toJson(seen.addresses),
            phones: toJson(seen.phones),
            company: seen.company ?? null,
            first_contact_at: seen.first ?? null,
            last_contact_at: seen.last ?? null,
            document_count: seen.count,
            facts: '{}',
            updated_at: now,
          })),
        )
        .execute();
    }
    await addKeys(
      tx,
      orgId,
      made.flatMap(({ seen, id, name }) =>
        [...new Set(keysOf(seen, name))].map((key) => ({ key, clientId: id })),
      ),
    );
    return made.map(({ id }) => id);
  }

  async function update(
    row: ClientRow,
    seen: Seen,
    owners: ReadonlyMap<string, readonly string[]>,
  ): Promise<void> {
    const { id } = row;
    const emails = fromJson<string[]>(row.emails);
    // A contact card knows a person's name best; otherwise the first name that is more than the address.
    const name =
      seen.name !== undefined && (seen.isContact || emails.includes(row.name)) ? seen.name : row.name;
    // An address that is another client's by now is left to them: a person or a card told them apart.
    const free = seen.addresses.filter((address) => {
      const its = owners.get(address) ?? [];
      return its.length === 0 || its.includes(id);
    });
    const joined = [...new Set([...emails, ...free])];
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
    const added = joined.filter((address) => !emails.includes(address));
    if (added.length === 0 && name === row.name && seen.keys.length === 0) return;
    const keys = keysOf({ ...seen, addresses: added }, name);
    await addKeys(
      tx,
      orgId,
      [...new Set(keys)].map((key) => ({ key, clientId: id })),
    );
  }

  return {
    own: mine,
    async forget(documentIds) {
      await partFromRecords(tx, orgId, documentIds);
      await recounts.without(documentIds);
    },
    settle: recounts.settle,
    async learn(documents) {
      if (documents.length === 0) return;
      const ours = await mine();
      const people = documents.flatMap((document) => peopleOf(document, ours, connectionId));
      const look = () =>
        clientsByKey(tx, orgId, [
          ...people.flatMap((seen) => [...seen.addresses, ...seen.keys.filter(isCertain)]),
          ...ours,
        ]);
      let known = await look();
      // An account was connected after mail of its own had been imported.
      if ([...ours].some((address) => known.has(address))) {
        await partOwn(tx, { orgId, now, own: ours });
        known = await look();
      }
      const ids = [...new Set([...known.values()].flat())];
      const rows = await clientRows(tx, orgId, ids);
      const carded = people.some((seen) => seen.isContact) ? await cardedAmong(ids) : new Set<string>();
      const groups = new Map<string, Group>();
      for (const [id, row] of rows) {
        const { kind, name } = row;
        groups.set(id, { row, seen: undefined, kind, name, carded: carded.has(id) });
      }
      const owners = new Map([...known].map(([key, its]) => [key, [...its]]));
      const joins: { kept: string; other: string; seen: Seen }[] = [];
      for (const seen of people) {
        const [first, ...others] = matches(seen, owners, groups);
        const key = first ?? `new ${groups.size}`;
        const group: Group = groups.get(key) ?? {
          row: undefined,
          seen: undefined,
          kind: seen.kind,
          name: undefined,
          carded: false,
        };
        groups.set(key, group);
        group.seen = group.seen === undefined ? seen : merge(group.seen, seen);
        group.carded ||= seen.isContact;
        group.name = seen.isContact ? (seen.name ?? group.name) : (group.name ?? seen.name);
        for (const one of [...seen.addresses, ...seen.keys.filter(isCertain)]) {
          const its = owners.get(one);
          if (its === undefined) owners.set(one, [key]);
          else if (its.length === 0 || (seen.isContact && first === undefined && !its.includes(key)))
            its.push(key);
        }
        if (seen.isContact) for (const other of others) joins.push({ kept: key, other, seen });
      }
      const news = [...groups].filter(([, group]) => group.row === undefined);
      const made = await create(news.flatMap(([, group]) => group.seen ?? []));
      const idOf = new Map(news.map(([key], i) => [key, made[i] ?? key]));
      for (const [id, { row, seen }] of groups) {
        if (row !== undefined && seen !== undefined) await update(row, seen, known);
        else idOf.set(id, idOf.get(id) ?? id);
      }
      const real = (key: string) => idOf.get(key) ?? key;
      for (const { kept, other, seen } of joins) {
        await joinByRecord(tx, { orgId, now, kept: real(kept), other: real(other), seen });
      }
      const touched = [...groups].flatMap(([key, { row, seen, name, kind }]) => {
        if (seen === undefined) return [];
        const before = row?.document_count ?? 0;
        return [
          {
            id: real(key),
            name: name ?? row?.name ?? '',
            kind,
            seen,
            isNew: row === undefined,
            // Twice as much is known as when it was last looked at.
            hasGrown: Math.clz32(before) !== Math.clz32(before + seen.count),
          },
        ];
      });
      await proposeMerges(tx, { orgId, now, own: ours, touched });
    },
  };
}

/** The clients that a sighting certainly is, the likeliest first; of one that is no card, one at most. */
function matches(
  seen: Seen,
  owners: ReadonlyMap<string, readonly string[]>,
  groups: ReadonlyMap<string, Group>,
): string[] {
  const at = (key: string) => (owners.get(key) ?? []).filter((id) => groups.has(id));
  const agrees = (id: string) => namesAgree(groups.get(id)?.name, seen.name);
  if (!seen.isContact) {
    const all = seen.addresses.flatMap(at);
    return [all.find((id) => groups.get(id)?.name !== undefined && agrees(id)) ?? all[0]].filter(
      (id) => id !== undefined,
    );
  }
  const ofKind = (id: string) => groups.get(id)?.kind === seen.kind || groups.get(id)?.carded === false;
  const byRecord = seen.keys.filter((key) => key.startsWith('crm:')).flatMap(at);
  const byRegister = seen.keys.filter((key) => key.startsWith('reg:')).flatMap(at);
  // Who merely wrote from an address is the one whose card has it; a second card must bear the same name.
  const byAddress = seen.addresses
    .flatMap(at)
    .filter((id) => ofKind(id) && (agrees(id) || groups.get(id)?.carded === false));
  const byDomain = seen.keys
    .filter((key) => key.startsWith('dom:'))
    .flatMap(at)
    .filter((id) => groups.get(id)?.kind === 'company' && seen.kind === 'company' && agrees(id));
  return [...new Set([...byRecord, ...byRegister, ...byAddress, ...byDomain])];
}
