// Whom a document shows: people with an address that somebody reads, the org's own accounts aside.
import type { Person } from '../providers/record.ts';
import type { Written } from './document-rows.ts';

const automatic =
  /^(?:(?:do[-_.]?)?not?[-_.]?reply|mailer[-_.]?daemon|postmaster|bounces?|notifications?|alerts?|newsletters?|auto(?:mated|responder)?|unsubscribe|nepasrepondre|keine?[-_.]?antwort)(?:[-_.+].*)?@|(?:^|[-_.+])no-?reply@|^bounces?[-+=]/u;

/** A person as some documents show them. */
export interface Seen {
  addresses: string[];
  name: string | undefined;
  isContact: boolean;
  phones: string[];
  company: string | undefined;
  count: number;
  first: number | undefined;
  last: number | undefined;
}

/** The earlier of two times, where known. */
export function earlier(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
}
/** The later of two times, where known. */
export function later(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.max(a, b);
}
function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];
}

/** The people of one document, an entry each; the addresses of one contact card are one person's. */
export function peopleOf(document: Written, own: ReadonlySet<string>): Seen[] {
  // A listing's agent or an event still to come is no contact that has taken place: time counts as written.
  const at = document.writtenAt ?? undefined;
  const isContact = document.kind === 'contact';
  const base = { isContact, count: 1, first: isContact ? undefined : at, last: isContact ? undefined : at };
  const phones = isContact ? strings(document.facts['phones']) : [];
  const company =
    isContact && typeof document.facts['company'] === 'string' ? document.facts['company'] : undefined;
  const usable = document.people.filter(
    (person): person is Person & { address: string } =>
      person.address !== undefined && !own.has(person.address) && !automatic.test(person.address),
  );
  if (isContact) {
    if (usable.length === 0) return [];
    const addresses = [...new Set(usable.map((person) => person.address))];
    return [
      { ...base, addresses, name: usable.find((person) => person.name !== undefined)?.name, phones, company },
    ];
  }
  const byAddress = new Map<string, Seen>();
  for (const { address, name } of usable) {
    const known = byAddress.get(address);
    if (known === undefined) byAddress.set(address, { ...base, addresses: [address], name, phones, company });
    else known.name ??= name;
  }
  return [...byAddress.values()];
}

/** What two sightings of one person come to. */
export function merge(a: Seen, b: Seen): Seen {
  return {
    addresses: [...new Set([...a.addresses, ...b.addresses])],
    name: b.isContact ? (b.name ?? a.name) : (a.name ?? b.name),
    isContact: a.isContact || b.isContact,
    phones: [...new Set([...a.phones, ...b.phones])],
    company: b.company ?? a.company,
    count: a.count + b.count,
    first: earlier(a.first, b.first),
    last: later(a.last, b.last),
  };
}
