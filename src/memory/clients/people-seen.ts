// Whom a document shows: people with an address that somebody reads, the org's own accounts aside.
import type { Person } from '../../providers/record.ts';
import type { Written } from '../documents/document-rows.ts';
import { textsFact } from '../facts/claim.ts';

const automatic =
  /^(?:(?:do[-_.]?)?not?[-_.]?reply|mailer[-_.]?daemon|postmaster|bounces?|notifications?|alerts?|newsletters?|auto(?:mated|responder)?|unsubscribe|nepasrepondre|keine?[-_.]?antwort)(?:[-_.+].*)?@|(?:^|[-_.+])no-?reply@|^bounces?[-+=]/u;
/** Mailing lists and what manages them: by the domain, or by the name. */
const list =
  /@(?:lists?|groups)\.|@(?:[^@]+\.)?(?:googlegroups\.com|yahoogroups\.[a-z.]+|groups\.io|freelists\.org)$|^owner-|[-+](?:owner|request|bounces?|(?:un)?subscribe)@|^(?:majordomo|listserv|mailman|sympa)@/u;

/** "Ann Lee via DocuSign": the address is the service's, and everybody's who uses it. */
const passedOn = /\S\s+\(?via\s+\p{Lu}/u;

/** A person as some documents show them. */
export interface Seen {
  kind: 'person' | 'company';
  addresses: string[];
  /** What else is certain to be this client alone: `crm:`, `reg:`; and what they are found by: `tel:`, `dom:`. */
  keys: string[];
  name: string | undefined;
  /** From a contact or a company of an address book, the CRM or the books. */
  isContact: boolean;
  /** The card, where there is one. */
  documentId: string | undefined;
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
function said({ claims }: Written, name: string): string[] {
  return claims.facts.flatMap((claim) =>
    claim.family === 'contact' && claim.name === name ? [claim.value] : [],
  );
}

/** The key of a record of a contact or a company. */
export function crmKey(connectionId: string, externalId: string): string {
  return `crm:${connectionId}:${externalId}`;
}

/** The people of one document, an entry each; the addresses of one contact card are one person's. */
export function peopleOf(document: Written, own: ReadonlySet<string>, connectionId: string): Seen[] {
  // A listing's agent or an event still to come is no contact that has taken place: time counts as written.
  const at = document.writtenAt ?? undefined;
  const isContact = document.kind === 'contact' || document.kind === 'company';
  const kind = document.kind === 'company' ? ('company' as const) : ('person' as const);
  const base = {
    kind,
    keys: [],
    isContact,
    documentId: undefined,
    count: 1,
    first: isContact ? undefined : at,
    last: isContact ? undefined : at,
  };
  const phones = isContact ? said(document, 'phone') : [];
  const company = isContact ? said(document, 'company')[0] : undefined;
  const lists = new Set(textsFact(document.facts, 'lists'));
  // A newsletter's sender writes to everybody, and so to nobody.
  const isBulk = document.facts['bulk'] === true;
  const usable = document.people.filter(
    (person): person is Person & { address: string } =>
      person.address !== undefined &&
      !own.has(person.address) &&
      !automatic.test(person.address) &&
      (isContact || !(list.test(person.address) || lists.has(person.address))) &&
      !(person.role === 'from' && (isBulk || passedOn.test(person.name ?? ''))),
  );
  if (isContact) {
    const addresses = [
      ...new Set(usable.flatMap(({ role, address }) => (role === 'contact' ? [address] : []))),
    ];
    // The card of one of our own accounts is no client's.
    if (addresses.length === 0 && document.people.some((person) => own.has(person.address ?? ''))) return [];
    const name = usable.find((person) => person.name !== undefined)?.name ?? said(document, 'name')[0];
    const keys = [crmKey(connectionId, document.externalId), ...document.claims.keys];
    return [{ ...base, addresses, keys, name, phones, company, documentId: document.id }];
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
    kind: a.isContact ? a.kind : b.kind,
    addresses: [...new Set([...a.addresses, ...b.addresses])],
    keys: [...new Set([...a.keys, ...b.keys])],
    documentId: a.documentId ?? b.documentId,
    name: b.isContact ? (b.name ?? a.name) : (a.name ?? b.name),
    isContact: a.isContact || b.isContact,
    phones: [...new Set([...a.phones, ...b.phones])],
    company: b.company ?? a.company,
    count: a.count + b.count,
    first: earlier(a.first, b.first),
    last: later(a.last, b.last),
  };
}
