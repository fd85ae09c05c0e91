// Which account a capability means. One that fits is taken; several are a question; none is a command.
import { DrawbridgeError } from '../../errors.ts';
import type { Capability } from '../../providers/capabilities.ts';
import type { CatalogEntry } from '../../providers/entry.ts';
import type { Connection } from '../connections.ts';
import { isUsable } from '../states.ts';

const deeds: Record<Capability, string> = {
  'mail.send': 'send mail',
  'calendar.create': 'create events',
  'calendar.free-busy': 'tell when you are free',
  'listing.search': 'search listings',
  'listing.get': 'look up a listing',
};

/** @throws DrawbridgeError as `Connections.resolve` says */
export function chooseConnection(
  connections: readonly Connection[],
  catalog: readonly CatalogEntry[],
  capability: Capability,
  { account, reconnect }: { account?: string | undefined; reconnect(connection: Connection): string },
): Connection {
  const able = connections.filter((connection) => connection.capabilities.includes(capability));
  const deed = deeds[capability];
  if (able.length === 0) {
    const commands = catalog
      .filter((entry) => entry.connectable && entry.capabilities.includes(capability))
      .map((entry) => entry.command);
    throw new DrawbridgeError(
      'not_found',
      `No account can ${deed} yet. Connect one: ${commands.join(' or ')}`,
      {
        retry: 'ask',
      },
    );
  }
  const meant = account === undefined ? able : able.filter((connection) => isMeant(connection, account));
  if (meant.length === 0) {
    throw question(`no account called "${account}" can ${deed}. Accounts that can: ${labels(able)}.`);
  }
  const [first, ...others] = meant.filter((connection) => isUsable(connection.state));
  if (first === undefined) throw needsReconnect(meant, reconnect);
  if (others.length > 0) {
    throw question(`several accounts can ${deed}. Say which one: ${labels([first, ...others])}.`);
  }
  return first;
}

/** @throws DrawbridgeError `auth_expired` with the link, unless calls may be made. */
export function assertUsable(connection: Connection, reconnect: (connection: Connection) => string): void {
  if (!isUsable(connection.state)) throw needsReconnect([connection], reconnect);
}

function needsReconnect(
  connections: readonly Connection[],
  reconnect: (connection: Connection) => string,
): DrawbridgeError {
  const links = connections.slice(0, 5).map((one) => reconnect(one));
  return new DrawbridgeError(
    'auth_expired',
    `${labels(connections)} must be connected again before it can be used: ${links.join(' or ')}`,
  );
}

/**
 * What work on an account throws, with the link that mends it where it must be connected again.
 * @param link of that account
 */
export async function withLink<Result>(link: () => string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (thrown) {
    if (!(thrown instanceof DrawbridgeError) || thrown.retry !== 'reconnect') throw thrown;
    if (thrown.message.includes('/connect/')) throw thrown;
    const { code, message, retry, field } = thrown;
    throw new DrawbridgeError(code, `${message} A person connects it again: ${link()}`, {
      retry,
      cause: thrown,
      ...(field === undefined ? {} : { field }),
    });
  }
}

function isMeant(connection: Connection, account: string): boolean {
  const wanted = account.trim().toLowerCase();
  return [connection.id, connection.account, connection.label].some((name) => name.toLowerCase() === wanted);
}

/** Labels as a person can repeat them: with the id where two accounts have the same. */
function labels(connections: readonly Connection[]): string {
  return connections
    .map(({ id, label }) => {
      const twin = connections.some(
        (other) => other.id !== id && other.label.toLowerCase() === label.toLowerCase(),
      );
      return twin ? `${label} (${id})` : label;
    })
    .join(', ');
}

function question(message: string): DrawbridgeError {
  return new DrawbridgeError('invalid_request', `account: ${message}`, { retry: 'ask', field: 'account' });
}
