// Whom the org has written to, as its own mail shows it: who merely wrote to the org is not among them.
import type { OrgStore } from '../../store/store.ts';

const idsAtOnce = 400;
const mostKnown = 20_000;

/**
 * Those of `addresses` to whom a document goes that one of `own` wrote. All lower case.
 */
export async function writtenTo(
  org: OrgStore,
  addresses: readonly string[],
  own: readonly string[],
): Promise<Set<string>> {
  if (addresses.length === 0 || own.length === 0) return new Set();
  const rows = await org.read((db) =>
    db
      .selectFrom('document_people as to')
      .innerJoin('document_people as by', (join) =>
        join.onRef('by.org_id', '=', 'to.org_id').onRef('by.document_id', '=', 'to.document_id'),
      )
      .select('to.address')
      .distinct()
      .where('to.org_id', '=', org.orgId)
      .where('to.role', 'in', ['to', 'cc'])
      .where('to.address', 'in', addresses.slice(0, idsAtOnce))
      .where('by.role', '=', 'from')
      .where('by.address', 'in', own.slice(0, idsAtOnce))
      .execute(),
  );
  return new Set(rows.map(({ address }) => address));
}

/** Addresses that the org's records know of, whoever wrote them; lower case, at most 20,000. */
export async function knownAddresses(org: OrgStore): Promise<string[]> {
  const rows = await org.read((db) =>
    db
      .selectFrom('client_keys')
      .select('key')
      .where('org_id', '=', org.orgId)
      .where('key', 'like', '%@%')
      .limit(mostKnown)
      .execute(),
  );
  return rows.map(({ key }) => key);
}
