// Parting a client: one that was joined goes free again, or addresses leave with all that was said under them.
import type { Transaction } from 'kysely';
import { DrawbridgeError } from '../../errors.ts';
import { newId } from '../../ids.ts';
import { fromJson, toJson } from '../../store/codec.ts';
import type { OrgTables } from '../../store/tables.ts';
import { groupOf } from './clients.ts';
import { addKeys, type ClientRow } from './keys.ts';
import { domainOf, isFreeMail } from './mail-domains.ts';
import { newMerge } from './merge-rows.ts';
import { nameKey, nameWords } from './names.ts';
import { createClientRecount } from './recount.ts';

type Tx = Transaction<OrgTables>;

/** @throws DrawbridgeError `not_found`, `invalid_request` naming the key that is not the client's */
export async function splitOff(
  tx: Tx,
  given: { orgId: string; at: number; id: string; keys: readonly string[]; by: string },
): Promise<OrgTables['client_merges']> {
  const { orgId, at, id, by } = given;
  const rows = await groupOf(tx, orgId, id);
  const [root] = rows;
  const keys = [...new Set(given.keys.map((key) => key.trim().toLowerCase()))].filter((key) => key !== '');
  if (root === undefined || keys.length === 0)
    throw new DrawbridgeError('invalid_request', 'keys: name the addresses that belong to somebody else.', {
      field: 'keys',
    });
  const rowOf = (key: string) =>
    rows.find((row) => row.id === key || fromJson<string[]>(row.emails).includes(key));
  const stranger = keys.find((key) => rowOf(key) === undefined);
  if (stranger !== undefined)
    throw new DrawbridgeError('invalid_request', `keys: "${stranger.slice(0, 80)}" is not this client's.`, {
      field: 'keys',
    });
  const owners = new Set(keys.flatMap((key) => rowOf(key) ?? []));
  const [owner] = owners;
  if (owner === undefined || owners.size > 1)
    throw new DrawbridgeError(
      'invalid_request',
      'keys: they came from several clients; part one at a time.',
      {
        field: 'keys',
      },
    );
  const stays = fromJson<string[]>(owner.emails).filter((address) => !keys.includes(address));
  if (owner.id !== root.id && (stays.length === 0 || keys.includes(owner.id))) {
    return free(tx, { orgId, at, owner, by });
  }
  if (stays.length === 0)
    throw new DrawbridgeError(
      'invalid_request',
      'keys: that is all there is of this client. Leave one address.',
      {
        field: 'keys',
      },
    );
  const made = await carveOut(tx, { orgId, at, owner, keys, stays });
  return newMerge(tx, {
    orgId,
    at,
    kind: 'split',
    clientId: owner.id,
    otherId: made,
    rule: 'a person',
    evidence: [{ text: `${keys.join(', ')} belongs to somebody else` }],
    keys,
    by,
  });
}

/** A joined client counts for itself again, and the join is on record as taken back by a person. */
async function free(
  tx: Tx,
  { orgId, at, owner, by }: { orgId: string; at: number; owner: ClientRow; by: string },
): Promise<OrgTables['client_merges']> {
  const into = owner.merged_into ?? '';
  await tx
    .updateTable('client_intelligence')
    .set({ merged_into: null })
    .where('org_id', '=', orgId)
    .where('id', '=', owner.id)
    .execute();
  await tx
    .updateTable('client_merges')
    .set({ state: 'undone', decided_at: at, decided_by: by })
    .where('org_id', '=', orgId)
    .where('client_id', '=', into)
    .where('other_id', '=', owner.id)
    .where('state', '=', 'accepted')
    .where('kind', '=', 'merge')
    .execute();
  const evidence = [{ text: 'joined before, and parted by a person' }];
  const given = { orgId, at, clientId: into, otherId: owner.id, rule: 'a person', evidence, by };
  return newMerge(tx, { ...given, kind: 'split', keys: fromJson<string[]>(owner.emails) });
}

async function carveOut(
  tx: Tx,
  given: { orgId: string; at: number; owner: ClientRow; keys: readonly string[]; stays: readonly string[] },
): Promise<string> {
  const { orgId, at, owner, keys, stays } = given;
  const named = await tx
    .selectFrom('document_people')
    .select('name')
    .where('org_id', '=', orgId)
    .where('address', 'in', keys)
    .where('role', '!=', 'contact')
    .where('name', 'is not', null)
    .orderBy('document_id', 'desc')
    .limit(1)
    .executeTakeFirst();
  const name = named?.name ?? keys[0] ?? '';
  const id = newId('cli', at);
  await tx
    .insertInto('client_intelligence')
    .values({
      org_id: orgId,
      id,
      kind: owner.kind,
      name,
      emails: toJson(keys),
      phones: '[]',
      company: null,
      first_contact_at: null,
      last_contact_at: null,
      document_count: 0,
      facts: '{}',
      updated_at: at,
    })
    .execute();
  const whole = nameKey(name);
  const domains = keys.flatMap((key) => domainOf(key) ?? []).filter((domain) => !isFreeMail(domain));
  const found = [
    ...keys,
    ...nameWords(name),
    ...(whole === undefined ? [] : [whole]),
    ...domains.map((one) => `at:${one}`),
  ];
  await tx
    .deleteFrom('client_keys')
    .where('org_id', '=', orgId)
    .where('client_id', '=', owner.id)
    .where('key', 'in', keys)
    .execute();
  await addKeys(
    tx,
    orgId,
    [...new Set(found)].map((key) => ({ key, clientId: id })),
  );
  await tx
    .updateTable('client_intelligence')
    .set({ emails: toJson(stays) })
    .where('org_id', '=', orgId)
    .where('id', '=', owner.id)
    .execute();
  await tx
    .updateTable('client_facts')
    .set({ client_id: id })
    .where('org_id', '=', orgId)
    .where('client_id', '=', owner.id)
    .where('subject', 'in', keys)
    .execute();
  const recount = createClientRecount(tx, orgId, at);
  await recount.anew([owner.id, id]);
  return id;
}
