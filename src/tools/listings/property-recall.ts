// One home as it is known: from memory where every source that has it was looked at lately, else by asking those
// that were not, two at most; what they say is kept beside what the others said.
import type { Connection } from '../../connections/connections.ts';
import { DrawbridgeError, toDrawbridgeError } from '../../errors.ts';
import type { Property, PropertySighting } from '../../memory/memory.ts';
import type { ListingGet } from '../../providers/capabilities.ts';
import { allowedAge } from '../../recall/thresholds.ts';
import { visibleLine } from '../../untrusted.ts';
import type { ToolContext } from '../define.ts';
import { accountsAtOnce, isAbsence, listingAccounts, type Refused, refusedLine } from './accounts.ts';
import { rememberListings } from './remember.ts';

const liveTimeout = 10_000;

interface Key {
  id?: string | undefined;
  url?: string | undefined;
  address?: string | undefined;
  account?: string | undefined;
}

export interface RecalledProperty {
  property: Property;
  live: boolean;
  note?: string;
}

/** @throws DrawbridgeError where neither memory nor any account has it */
export async function recallProperty(
  context: ToolContext,
  key: Key,
  maxAgeMs: number | undefined,
): Promise<RecalledProperty> {
  const { rooms, org } = context;
  const wanted = {
    ...(key.id === undefined ? {} : { id: key.id }),
    ...(key.url === undefined ? {} : { url: key.url }),
    ...(key.address === undefined ? {} : { address: key.address }),
  };
  const remembered = await rooms.memory.property(org, wanted);
  const isFresh = (sighting: PropertySighting) =>
    sighting.detailedAt !== undefined &&
    !sighting.said &&
    rooms.clock.now() - sighting.detailedAt <= allowedAge('listing', { maxAgeMs });
  let accounts: Connection[];
  try {
    accounts = await listingAccounts(context, 'listing.get', key.account);
  } catch (thrown) {
    if (remembered?.sightings.some(isFresh) === true) return { property: remembered, live: false };
    return fromMemory(remembered, toDrawbridgeError(thrown));
  }
  const ownOf = ({ id }: Connection) =>
    remembered?.sightings.find((one) => one.connectionId === id && !one.said);
  const having = accounts.filter((one) => ownOf(one) !== undefined);
  const due = having.filter((one) => {
    const own = ownOf(one);
    return own !== undefined && !isFresh(own);
  });
  if (remembered !== undefined && having.length > 0 && due.length === 0)
    return { property: remembered, live: false };
  // Those whose word is old first; where one is asked anyway, the others may know the home, too.
  const asked = [...due, ...accounts.filter((one) => !having.includes(one))].slice(0, accountsAtOnce);
  const refused: Refused[] = [];
  const notes: string[] = [];
  let answered: string | undefined;
  const answers = await Promise.all(
    asked.map(async (connection) => {
      const own = ownOf(connection);
      const ask = own !== undefined ? { id: own.externalId } : liveKey(wanted, remembered);
      return answerOf(context, connection, ask).then(
        (listing) => ({ connection, listing }),
        (thrown: unknown) => ({ connection, error: toDrawbridgeError(thrown) }),
      );
    }),
  );
  for (const answer of answers) {
    const { connection } = answer;
    if ('error' in answer) {
      refused.push(answer);
      continue;
    }
    await rememberListings(context, connection, [answer.listing], true);
    const kept = await rooms.memory.property(org, { id: answer.listing.id });
    if (kept === undefined)
      throw new DrawbridgeError('internal', 'The listing was fetched but could not be kept.');
    if (remembered !== undefined && kept.id !== remembered.id) {
      notes.push(
        `${visibleLine(connection.label, 80)} knows another home under that, ${visibleLine(answer.listing.address)} (id ${visibleLine(answer.listing.id, 120)}), so this is from memory.`,
      );
    } else answered ??= kept.id;
  }
  if (answered === undefined) {
    if (remembered !== undefined && notes.length > 0)
      return { property: remembered, live: false, note: notes.join(' ') };
    const worst = refused.find(({ error }) => !isAbsence(error)) ?? refused[0];
    return fromMemory(remembered, worst?.error ?? new DrawbridgeError('not_found', 'No account has it.'));
  }
  // Read once all have answered: a home that both know is then one.
  const property = (await rooms.memory.property(org, { id: answered })) ?? remembered;
  if (property === undefined) throw new DrawbridgeError('internal', 'The listing could not be read back.');
  notes.push(...refused.filter(({ error }) => !isAbsence(error)).map(refusedLine));
  return { property, live: true, ...(notes.length === 0 ? {} : { note: notes.join(' ') }) };
}

function answerOf({ rooms, org, signal }: ToolContext, connection: Connection, ask: ListingGet) {
  return rooms.connections.read(org, connection, 'listing.get', ask, { signal, timeoutMs: liveTimeout });
}

/** A home that was met elsewhere is asked for by its address: its id is another source's. */
function liveKey(wanted: ListingGet, remembered: Property | undefined): ListingGet {
  if (remembered === undefined) return wanted;
  const { address, city, region, postalCode } = remembered.listing;
  const place = [city, [region, postalCode].filter((part) => part !== undefined).join(' ')];
  const more = place.filter(
    (part) => part !== undefined && part !== '' && !address.toLowerCase().includes(part.toLowerCase()),
  );
  return { address: [address, ...more].join(', ') };
}

/** @throws what was thrown, where nothing is remembered */
function fromMemory(remembered: Property | undefined, error: DrawbridgeError): RecalledProperty {
  if (remembered === undefined) throw error;
  return {
    property: remembered,
    live: false,
    note: `The provider could not be asked, so this is from memory: ${error.message.slice(0, 500)}`,
  };
}
