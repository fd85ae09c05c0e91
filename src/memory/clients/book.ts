// What people say of clients: which are one and which are not, and facts of their own. Each decision is recorded, lasts
// through later syncs, and can be taken back.
import type { Transaction } from 'kysely';
import type { Audit } from '../../audit/audit.ts';
import type { Person } from '../../auth/principal.ts';
import { DrawbridgeError } from '../../errors.ts';
import { fromJson, toJson } from '../../store/codec.ts';
import type { OrgStore } from '../../store/store.ts';
import type { OrgTables } from '../../store/tables.ts';
import { lockIngest } from '../index/lock.sql.ts';
import type { Client } from '../memory.ts';
import { groupOf, toClient } from './clients.ts';
import { createFactWords, type FactWords } from './fact-words.ts';
import { clientRows, groupsOf, rootsOf } from './keys.ts';
import { newMerge } from './merge-rows.ts';
import type { Evidence } from './proposals.ts';
import { readableClients } from './readable.ts';
import { splitOff } from './split.ts';

export interface ClientMerge {
  id: string;
  kind: 'merge' | 'split';
  state: 'proposed' | 'accepted' | 'rejected' | 'undone';
  /** The one that stays, and the one that is joined to it or was parted from it. */
  client: Client;
  other: Client;
  rule: string;
  /** 0..1 */
  score: number;
  evidence: Evidence[];
  /** What a split took along. */
  keys: string[];
  at: number;
  /** Undefined: nobody; a record says so. */
  by: string | undefined;
}

export interface ClientBook extends FactWords {
  /** Proposals by how likely they are; with `client` all that was decided about it, newest first. */
  merges(org: OrgStore, filter: { client?: string; limit: number }): Promise<ClientMerge[]>;
  /** Joins two clients. @throws DrawbridgeError `not_found`, `conflict` */
  merge(
    org: OrgStore,
    person: Person,
    given: { into: string; other: string; channel: string },
  ): Promise<ClientMerge>;
  /** Decides on a proposal. @throws DrawbridgeError `not_found`, `conflict` */
  decide(
    org: OrgStore,
    person: Person,
    given: { id: string; accept: boolean; channel: string },
  ): Promise<ClientMerge>;
  /** Parts addresses, or a client that was joined, from a client. @throws DrawbridgeError `not_found`, `invalid_request` */
  split(
    org: OrgStore,
    person: Person,
    given: { id: string; keys: readonly string[]; channel: string },
  ): Promise<ClientMerge>;
  /** Takes a merge, a split or a rejection back. @throws DrawbridgeError `not_found`, `conflict` */
  undo(org: OrgStore, person: Person, given: { id: string; channel: string }): Promise<ClientMerge>;
}

type Tx = Transaction<OrgTables>;
type MergeRow = OrgTables['client_merges'];

function makerOf(person: Person): string {
  return toJson({ kind: person.kind, id: person.memberId, name: person.name });
}

/** @throws DrawbridgeError `permission_denied` */
function mustBePerson(org: OrgStore, person: Person): void {
  if (person.kind === 'person' && person.orgId === org.orgId) return;
  throw new DrawbridgeError('permission_denied', 'Only people of the org decide about its clients.');
}

async function mergeRow(tx: Tx, orgId: string, id: string): Promise<MergeRow> {
  const row = await tx
    .selectFrom('client_merges')
    .selectAll()
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .executeTakeFirst();
  if (row !== undefined) return row;
  throw new DrawbridgeError(
    'not_found',
    'There is no such merge. `drawbridge clients proposals` lists them.',
  );
}

async function setJoin(tx: Tx, orgId: string, id: string, into: string | null): Promise<void> {
  await tx
    .updateTable('client_intelligence')
    .set({ merged_into: into })
    .where('org_id', '=', orgId)
    .where('id', '=', id)
    .execute();
}

async function show(tx: Tx, orgId: string, rows: readonly MergeRow[]): Promise<ClientMerge[]> {
  const groups = await groupsOf(tx, orgId, [
    ...new Set(rows.flatMap((row) => [row.client_id, row.other_id])),
  ]);
  return rows.flatMap((row): ClientMerge[] => {
    const [client, other] = [groups.get(row.client_id), groups.get(row.other_id)];
    if (client === undefined || other === undefined) return [];
    return [
      {
        id: row.id,
        kind: row.kind,
        state: row.state,
        client: toClient(client),
        other: toClient(other),
        rule: row.rule,
        score: row.score,
        evidence: fromJson<Evidence[]>(row.evidence),
        keys: fromJson<string[]>(row.keys),
        at: row.decided_at ?? row.proposed_at,
        by: row.decided_by === null ? undefined : fromJson<{ name: string }>(row.decided_by).name,
      },
    ];
  });
}

export function createClientBook({ audit }: { audit: Pick<Audit, 'append'> }): ClientBook {
  /** One decision in one transaction, with its entry in the record. */
  async function decided(
    org: OrgStore,
    person: Person,
    channel: string,
    work: (tx: Tx, at: number) => Promise<{ row: MergeRow; deed: string }>,
  ): Promise<ClientMerge> {
    mustBePerson(org, person);
    const at = await org.now();
    return org.write(async (tx) => {
      await lockIngest(tx, org.dialect, org.orgId);
      const { row, deed } = await work(tx, at);
      await audit.append(tx, org.orgId, at, {
        kind: `client.${deed}`,
        subject: row.client_id,
        by: { kind: 'person', id: person.memberId, name: person.name },
        channel,
        facts: { merge: row.id, other: row.other_id, rule: row.rule },
      });
      const [made] = await show(tx, org.orgId, [row]);
      if (made === undefined) throw new DrawbridgeError('not_found', 'There is no such client any more.');
      return made;
    });
  }

  async function set(tx: Tx, row: MergeRow, change: Partial<MergeRow>): Promise<MergeRow> {
    await tx
      .updateTable('client_merges')
      .set(change)
      .where('org_id', '=', row.org_id)
      .where('id', '=', row.id)
      .execute();
    return { ...row, ...change };
  }

  async function join(tx: Tx, orgId: string, a: string, b: string): Promise<{ into: string; from: string }> {
    const roots = await rootsOf(tx, orgId, [a, b]);
    const [into, from] = [roots.get(a) ?? a, roots.get(b) ?? b];
    const rows = await clientRows(tx, orgId, [into, from]);
    const [one, other] = [rows.get(into), rows.get(from)];
    if (one === undefined || other === undefined)
      throw new DrawbridgeError('not_found', 'There is no such client.');
    if (into === from) throw new DrawbridgeError('conflict', 'They are one client already.');
    if (one.kind !== other.kind)
      throw new DrawbridgeError(
        'conflict',
        'One is a person and the other a company: they are not one client.',
      );
    await setJoin(tx, orgId, from, into);
    return { into, from };
  }

  return {
    ...createFactWords({ audit }),
    async merges(org, { client, limit }) {
      return org.read(async (db) => {
        let query = db.selectFrom('client_merges').selectAll().where('org_id', '=', org.orgId).limit(limit);
        if (client === undefined) {
          query = query.where('state', '=', 'proposed').orderBy('score', 'desc').orderBy('id');
        } else {
          const ids = (await groupOf(db, org.orgId, client)).map((row) => row.id);
          query = query
            .where((is) => is.or([is('client_id', 'in', ids), is('other_id', 'in', ids)]))
            .orderBy('id', 'desc');
        }
        const rows = await query.execute();
        const roots = await rootsOf(
          db,
          org.orgId,
          rows.flatMap((row) => [row.client_id, row.other_id]),
        );
        const open = rows.filter(
          (row) => row.state !== 'proposed' || roots.get(row.client_id) !== roots.get(row.other_id),
        );
        const shown = await show(db as Tx, org.orgId, open);
        const seen = new Set(
          (
            await readableClients(
              org,
              db,
              shown.flatMap(({ client: one, other }) => [one, other]),
            )
          ).map(({ id }) => id),
        );
        return shown.filter(({ client: one, other }) => seen.has(one.id) && seen.has(other.id));
      });
    },
    merge(org, person, { into: a, other: b, channel }) {
      return decided(org, person, channel, async (tx, at) => {
        const { into, from } = await join(tx, org.orgId, a, b);
        const given = { orgId: org.orgId, at, clientId: into, otherId: from, by: makerOf(person) };
        const evidence = [{ text: `${person.name} says that they are one` }];
        return {
          deed: 'merged',
          row: await newMerge(tx, { ...given, kind: 'merge', rule: 'a person', evidence, keys: [] }),
        };
      });
    },
    decide(org, person, { id, accept, channel }) {
      return decided(org, person, channel, async (tx, at) => {
        const row = await mergeRow(tx, org.orgId, id);
        if (row.state !== 'proposed')
          throw new DrawbridgeError('conflict', `This is ${row.state} already. Undo it to decide anew.`);
        const by = { decided_at: at, decided_by: makerOf(person) };
        if (!accept) return { deed: 'kept_apart', row: await set(tx, row, { state: 'rejected', ...by }) };
        const { into, from } = await join(tx, org.orgId, row.client_id, row.other_id);
        const change = { state: 'accepted' as const, client_id: into, other_id: from, ...by };
        return { deed: 'merged', row: await set(tx, row, change) };
      });
    },
    split(org, person, { id, keys, channel }) {
      return decided(org, person, channel, async (tx, at) => {
        const row = await splitOff(tx, { orgId: org.orgId, at, id, keys, by: makerOf(person) });
        return { deed: 'split', row };
      });
    },
    undo(org, person, { id, channel }) {
      return decided(org, person, channel, async (tx, at) => {
        const row = await mergeRow(tx, org.orgId, id);
        const by = { decided_at: at, decided_by: makerOf(person) };
        if (row.state === 'rejected') {
          const open = { state: 'proposed' as const, decided_at: null, decided_by: null };
          return { deed: 'undone', row: await set(tx, row, open) };
        }
        if (row.state !== 'accepted')
          throw new DrawbridgeError('conflict', `This is ${row.state}: there is nothing to take back.`);
        const rows = await clientRows(tx, org.orgId, [row.client_id, row.other_id]);
        if (row.kind === 'merge') {
          if (rows.get(row.other_id)?.merged_into !== row.client_id)
            throw new DrawbridgeError(
              'conflict',
              'They were parted meanwhile: there is nothing to take back.',
            );
          await setJoin(tx, org.orgId, row.other_id, null);
        } else {
          const roots = await rootsOf(tx, org.orgId, [row.client_id, row.other_id]);
          const into = roots.get(row.client_id) ?? row.client_id;
          const from = roots.get(row.other_id) ?? row.other_id;
          // Joined again, not poured together: what each learnt meanwhile stays its own.
          if (into !== from) await setJoin(tx, org.orgId, from, into);
        }
        return { deed: 'undone', row: await set(tx, row, { state: 'undone', ...by }) };
      });
    },
  };
}
