// What an answer says of accounts that cannot be asked.
import type { Connection } from '../../connections/connections.ts';
import { visibleLine } from '../../untrusted.ts';

const mostNamed = 5;

/** Accounts whose news cannot come before a person connects them again: said with every answer, hits or none. */
export function shutOut(connections: readonly Connection[], pageUrl: (path: string) => string): string[] {
  const shut = connections.filter(
    (c) => c.state === 'EXPIRED' || (c.state === 'AUTHORIZING' && c.account !== ''),
  );
  const lines = shut
    .slice(0, mostNamed)
    .map(
      (c) =>
        `${visibleLine(c.label, 120)} (${c.providerTitle}) must be connected again: nothing new comes from it, and what it holds may be out of date. A person opens ${pageUrl(`/connect/${c.provider}?account=${c.id}`)}`,
    );
  return shut.length > mostNamed
    ? [...lines, `${shut.length - mostNamed} more must be connected again; list-connections names them.`]
    : lines;
}
