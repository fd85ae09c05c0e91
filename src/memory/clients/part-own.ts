// The org's own addresses out of its clients, where they were taken for a client's before anybody knew: an import that
// came first, an account that was connected later. A client of whom nothing else is left goes, unless a person said
// something of it; its own words are no facts, and questions that it was not asked are none that wait.
import type { Transaction } from 'kysely';
import { fromJson, toJson } from '../../store/codec.ts';
import type { OrgTables } from '../../store/tables.ts';
import { parts } from '../documents/known-rows.ts';
import { addKeys, clientRows, clientsByKey } from './keys.ts';
import { domainOf, isFreeMail } from './mail-domains.ts';
import { crmKey } from './people-seen.ts';
import { partFromRecords } from './record-joins.ts';
import { createClientRecount } from './recount.ts';

type Tx = Transaction<OrgTables>;

interface Given {
  orgId: string;
  now: number;
  /** All that are the org's own by now, lower case. */
  own: ReadonlySet<string>;
}

/** Cards that name nobody but us. */
async function ownCards(tx: Tx, orgId: string, own: readonly string[]) {
  return tx
    .selectFrom('source_documents as d')
    .select(['d.id', 'd.connection_id', 'd.external_id'])
    .where('d.org_id', '=', orgId)
    .where('d.kind', 'in', ['contact', 'company'])
    .where('d.deleted_at', 'is', null)
    .where((is) => {
      const named = is
        .selectFrom('document_people as p')
        .select('p.address')
        .whereRef('p.org_id', '=', 'd.org_id')
        .whereRef('p.document_id', '=', 'd.id');
      return is.and([
        is.exists(named.where('p.address', 'in', own)),
        is.not(is.exists(named.where('p.role', '=', 'contact').where('p.address', 'not in', own))),
      ]);
    })
    .execute();
}

/** Their facts wait for a client, as those of a card that came when its address was known to be ours. */
async function leaveCards(tx: Tx, orgId: string, own: readonly string[]): Promise<void> {
  const cards = await ownCards(tx, orgId, own);
  const ids = cards.map(({ id }) => id);
  await partFromRecords(tx, orgId, ids);
  for (const some of parts(cards, 400)) {
    await tx
      .updateTable('client_facts')
      .set({ client_id: null })
      .where('org_id', '=', orgId)
      .where('origin', '=', 'computed')
      .where(
        'document_id',
        'in',
        some.map(({ id }) => id),
      )
      .execute();
    await tx
      .deleteFrom('client_keys')
      .where('org_id', '=', orgId)
      .where(
        'key',
        'in',
        some.map((card) => crmKey(card.connection_id, card.external_id)),
      )
      .execute();
  }
}

/** What we say ourselves, and questions that were put to others. */
async function dropFacts(tx: Tx, orgId: string, own: readonly string[]): Promise<void> {
  const computed = () =>
    tx.deleteFrom('client_facts').where('org_id', '=', orgId).where('origin', '=', 'computed');
  await computed().where('subject', 'in', own).execute();
  const domains = new Set(own.flatMap((address) => domainOf(address) ?? []));
  for (const domain of domains) {
    if (isFreeMail(domain)) continue;
    await computed().where('family', '<>', 'contact').where('subject', 'like', `%@${domain}`).execute();
  }
  await computed()
    .where('family', '=', 'question')
    .where((is) =>
      is.not(
        is.exists(
          is
            .selectFrom('document_people as p')
            .select('p.address')
            .whereRef('p.org_id', '=', 'client_facts.org_id')
            .whereRef('p.document_id', '=', 'client_facts.document_id')
            .where('p.role', '=', 'to')
            .where('p.address', 'in', own),
        ),
      ),
    )
    .execute();
}

/** Takes `own` out of the clients that bear any of it. */
export async function partOwn(tx: Tx, { orgId, now, own: all }: Given): Promise<void> {
  const own = [...all];
  const owners = await clientsByKey(tx, orgId, own);
  const rows = await clientRows(tx, orgId, [...owners.values()].flat());
  await leaveCards(tx, orgId, own);
  await dropFacts(tx, orgId, own);
  const recounts = createClientRecount(tx, orgId, now);
  for (const [id, row] of rows) {
    const emails = fromJson<string[]>(row.emails);
    const others = emails.filter((address) => !all.has(address));
    const domains = new Set(others.map(domainOf));
    const gone = emails.filter((address) => all.has(address));
    const at = gone.flatMap((address) => {
      const domain = domainOf(address);
      return domain === undefined || domains.has(domain) ? [] : [`at:${domain}`];
    });
    await tx
      .deleteFrom('client_keys')
      .where('org_id', '=', orgId)
      .where('client_id', '=', id)
      .where('key', 'in', [...gone, ...at])
      .execute();
    await tx
      .updateTable('client_intelligence')
      .set({ emails: toJson(others) })
      .where('org_id', '=', orgId)
      .where('id', '=', id)
      .execute();
  }
  await recounts.anew([...rows.keys()]);
  await recounts.settle();
  for (const [id, row] of rows) {
    // Whom a person's word keeps is known by its addresses again when they turn out to be nobody's of ours.
    await tx
      .updateTable('client_intelligence')
      .set({ emails: row.emails })
      .where('org_id', '=', orgId)
      .where('id', '=', id)
      .where('emails', '=', '[]')
      .execute();
  }
}

/** Clients that a person's word kept are found by these addresses again. */
export async function takeBack(tx: Tx, orgId: string, addresses: readonly string[]): Promise<void> {
  const kept = await tx
    .selectFrom('client_intelligence')
    .select(['id', 'emails'])
    .where('org_id', '=', orgId)
    .where('document_count', '=', 0)
    .execute();
  await addKeys(
    tx,
    orgId,
    kept.flatMap(({ id, emails }) => {
      const its = fromJson<string[]>(emails);
      return addresses.filter((one) => its.includes(one)).map((key) => ({ key, clientId: id }));
    }),
  );
}
