// What a person should know of each recipient before the mail leaves: nobody here has written there before, or
// the domain is nearly that of somebody else.
import type { Connection } from '../../connections/connections.ts';
import { saidAddresses } from '../../memory/clients/own-mail.ts';
import { knownAddresses, writtenTo } from '../../memory/documents/written-to.ts';
import { calendarCreate, mailSend } from '../../providers/capabilities.ts';
import { lastSentTo, sentTo } from '../../queue/sent-to.ts';
import type { OrgStore } from '../../store/store.ts';
import { lettersOf, lookAlike } from './look-alikes.ts';

export interface Flag {
  kind: 'new' | 'look-alike' | 'spelling';
  text: string;
}

/** By address, lower case. */
export type Flags = ReadonlyMap<string, readonly Flag[]>;

/** Addresses that are asked for one by one; of more, the rest is flagged as not looked up. */
const mostAsked = 100;

const domainOf = (address: string) => address.slice(address.lastIndexOf('@') + 1);

/** Whom a payload goes to, each address once, lower case. */
export function recipientsIn(payload: unknown): string[] {
  const mail = mailSend.safeParse(payload);
  const event = mail.success ? undefined : calendarCreate.safeParse(payload);
  const people = mail.success
    ? [...mail.data.to, ...mail.data.cc, ...mail.data.bcc]
    : event?.success
      ? event.data.attendees
      : [];
  return [...new Set(people.map(({ email }) => email.toLowerCase()))];
}

/** The org's own addresses, as its accounts bear them. */
function accountAddresses(connections: readonly Connection[]): string[] {
  const named = connections.flatMap(({ account, label }) => [account, label]);
  return [...new Set(named.map((one) => one.toLowerCase()).filter((one) => one.includes('@')))];
}

/** What is to be said of each recipient; nobody of whom nothing is. */
export async function flagsFor(
  org: OrgStore,
  recipients: readonly string[],
  connections: readonly Connection[],
): Promise<Flags> {
  if (recipients.length === 0) return new Map();
  const asked = recipients.slice(0, mostAsked);
  const [bySend, known, lately, said] = await Promise.all([
    sentTo(org, asked),
    knownAddresses(org),
    lastSentTo(org),
    org.read((db) => saidAddresses(db, org.orgId)),
  ]);
  const own = [...new Set([...accountAddresses(connections), ...said])];
  const byMail = await writtenTo(org, asked, own);
  const domains = new Set([...own, ...lately, ...bySend, ...byMail].map(domainOf));
  const strange = new Set(asked.map(domainOf).filter((domain) => !domains.has(domain)));
  // Who wrote to the org is known by name, and is no proof of its own domain.
  const others = known.map(domainOf).filter((domain) => !strange.has(domain));
  const reference = new Set([...domains, ...others]);
  const flags = new Map<string, Flag[]>();
  for (const address of recipients) {
    const found: Flag[] = [];
    const like = strange.has(domainOf(address)) ? lookAlike(domainOf(address), reference) : undefined;
    const letters = lettersOf(domainOf(address));
    if (like !== undefined) found.push({ kind: 'look-alike', text: `Looks like ${like}, and is not` });
    if (letters?.odd !== undefined && !own.includes(address)) {
      found.push({ kind: 'look-alike', text: `${letters.odd}; in full ${letters.ascii}` });
    } else if (letters !== undefined) {
      found.push({ kind: 'spelling', text: `In full ${letters.ascii}` });
    }
    if (!own.includes(address) && !bySend.has(address) && !byMail.has(address)) {
      found.push({
        kind: 'new',
        text: asked.includes(address) ? 'Never written to before' : 'Not looked up',
      });
    }
    if (found.length > 0) flags.set(address, found);
  }
  return flags;
}
