// The one connection that a person means by an id, a label or an account.
import type { Connection } from '../../connections/connections.ts';
import { DrawbridgeError } from '../../errors.ts';

/** What a person calls each of them: its label, with the provider behind it where several are called the same. */
export function namesOf(all: readonly Connection[]): (one: Connection) => string {
  const sharing = Map.groupBy(all, ({ label }) => label);
  return ({ label, providerTitle }) =>
    (sharing.get(label)?.length ?? 0) > 1 ? `${label} (${providerTitle})` : label;
}

/** @throws DrawbridgeError `not_found` naming the accounts there are; `invalid_request` when several fit */
export function findConnection(all: readonly Connection[], name: string): Connection {
  const fits = all.filter((each) => [each.id, each.label, each.account].includes(name));
  const [one, another] = fits;
  if (one === undefined) {
    const known = all.map(namesOf(all)).join(', ') || 'none is connected yet';
    throw new DrawbridgeError('not_found', `There is no account "${name}". There are: ${known}.`, {
      field: 'account',
    });
  }
  if (another !== undefined) {
    const ids = fits.map((each) => `${each.id} (${each.providerTitle})`).join(', ');
    throw new DrawbridgeError(
      'invalid_request',
      `Several accounts are called "${name}": ${ids}. Give the id.`,
      {
        field: 'account',
        retry: 'ask',
      },
    );
  }
  return one;
}
