// Which home a sighting is of: by parcel number, by MLS number, by the whole address; never by a street alone.
// What it was joined by is kept in words, so that a person can judge it and part them again.
import type { Transaction } from 'kysely';
import type { OrgTables } from '../../store/tables.ts';
import { type Address, parseAddress, samePlace } from './address.ts';
import type { Keys } from './keys.ts';

type Tx = Transaction<OrgTables>;
export type Joined = Pick<OrgTables['property_sightings'], 'property_id' | 'joined_by' | 'joined_why'>;
type Other = Pick<
  OrgTables['property_sightings'],
  'property_id' | 'address_key' | 'line_key' | 'parcel' | 'mls_number'
>;

const mostOthers = 200;

const numberOf = (line: string | null | undefined) => line?.split(' ', 1)[0];

/** Whether two of one number can be one home: not in another town, not with another house number. */
function agree(keys: Keys, other: Other): boolean {
  const theirs = parseAddress(other.address_key);
  if (keys.address === undefined || theirs === undefined) return true;
  return (
    samePlace(keys.address, theirs) !== 'different' && numberOf(keys.address.line) === numberOf(theirs.line)
  );
}

type Verdict = 'same' | 'unsaid' | 'different';

/** What all sightings of a home together say of its place: one that differs decides. */
function verdicts(address: Address, others: readonly Other[]): Map<string, Verdict> {
  const found = new Map<string, Verdict>();
  for (const other of others) {
    const theirs = parseAddress(other.address_key);
    const verdict = theirs === undefined ? 'different' : samePlace(address, theirs);
    const before = found.get(other.property_id);
    if (before === 'different' || verdict === 'different') found.set(other.property_id, 'different');
    else found.set(other.property_id, before === 'same' || verdict === 'same' ? 'same' : 'unsaid');
  }
  return found;
}

const oldest = (ids: Iterable<string>) => [...new Set(ids)].sort()[0];

/** The home that is meant, or undefined where none is known, or several could be. `except`: a sighting left out. */
export async function findHome(
  tx: Tx,
  orgId: string,
  keys: Keys,
  except: string | undefined,
): Promise<Joined | undefined> {
  const others = async (column: 'parcel' | 'mls_number' | 'line_key', value: string): Promise<Other[]> =>
    tx
      .selectFrom('property_sightings')
      .select(['property_id', 'address_key', 'line_key', 'parcel', 'mls_number'])
      .where('org_id', '=', orgId)
      .where(column, '=', value)
      .where('id', '!=', except ?? '')
      .orderBy('id')
      .limit(mostOthers)
      .execute();

  for (const [by, column, value, called] of [
    ['parcel', 'parcel', keys.parcel, 'parcel number'],
    ['mls', 'mls_number', keys.mlsNumber, 'MLS number'],
  ] as const) {
    if (value === undefined) continue;
    const ids = (await others(column, value)).filter((other) => agree(keys, other));
    const home = oldest(ids.map((other) => other.property_id));
    if (home !== undefined) return { property_id: home, joined_by: by, joined_why: `the ${called} ${value}` };
  }

  const { address } = keys;
  if (address === undefined) return undefined;
  const known = verdicts(address, await others('line_key', address.line));
  const where = (verdict: Verdict) => [...known].filter(([, said]) => said === verdict).map(([id]) => id);
  const same = oldest(where('same'));
  if (same !== undefined) {
    return { property_id: same, joined_by: 'address', joined_why: `the address ${keys.addressKey}` };
  }
  const unsaid = where('unsaid');
  const [only] = unsaid;
  if (only === undefined || unsaid.length > 1) return undefined;
  const why = `${address.line}: one of them does not say where that is, and no other home of that number, street and flat is known`;
  return { property_id: only, joined_by: 'line', joined_why: why };
}
