// The accounts that an agent means by a name: an id, a label, or the provider's own id of the account.
import type { Connection } from '../../connections/connections.ts';
import { DrawbridgeError } from '../../errors.ts';

const mostNamed = 20;

/**
 * Several where a mailbox and a calendar of one address share their label: all of them are meant.
 * @throws DrawbridgeError `invalid_request` naming the accounts there are
 */
export function accountsNamed(connections: readonly Connection[], name: string): Connection[] {
  const wanted = name.trim().toLowerCase();
  const found = connections.filter((c) =>
    [c.id, c.account, c.label].some((value) => value.toLowerCase() === wanted),
  );
  if (found.length > 0) return found;
  const known =
    connections
      .slice(0, mostNamed)
      .map((c) => `${c.label} (${c.providerTitle}, ${c.id})`)
      .join('; ') || 'none yet; connect one with: drawbridge connect';
  const others =
    connections.length > mostNamed
      ? ` and ${connections.length - mostNamed} more, which list-connections names`
      : '';
  throw new DrawbridgeError(
    'invalid_request',
    `account: "${name.slice(0, 120)}" names no account. There are: ${known}${others}.`,
    { field: 'account' },
  );
}
