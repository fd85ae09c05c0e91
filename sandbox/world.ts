// The whole story at a given present: mail by account and folder, events, listings, contacts. The same
// present gives the same world, byte for byte.
import { readdirSync, readFileSync } from 'node:fs';
import { type Composed, composeAll } from './compose.ts';
import { composeEvents, type WorldEvent } from './data/events.ts';
import { composeListings } from './data/listings.ts';
import { type Contact, contact, contacts } from './data/people.ts';
import { StoryDates } from './dates.ts';
import { parseScript } from './script.ts';
import type { SandboxListing } from './zillow-answers.ts';

export interface WorldMail {
  /** E-mail address of the account that holds it. */
  account: string;
  folder: string;
  flags: string[];
  raw: Buffer;
  /** Integer ms. */
  at: number;
  messageId: string;
}

export interface World {
  dates: StoryDates;
  user: Contact;
  colleague: Contact;
  contacts: readonly Contact[];
  /** In the order in which it was written. */
  mail: WorldMail[];
  events: WorldEvent[];
  listings: SandboxListing[];
}

const folder = new URL('./data/mail/', import.meta.url);

function copies({ script, raw, at, messageId, from, recipients }: Composed, agents: Contact[]): WorldMail[] {
  const has = (mark: string) => script.marks.has(mark);
  const held: WorldMail[] = [];
  for (const agent of agents) {
    const base = { account: agent.email, raw, at, messageId };
    if (from.key === agent.key) held.push({ ...base, folder: 'Sent', flags: ['\\Seen'] });
    else if (recipients.some((recipient) => recipient.key === agent.key)) {
      const name = has('archive') ? 'Archive' : has('junk') ? 'Junk' : 'INBOX';
      const flags = [...(has('unread') ? [] : ['\\Seen']), ...(has('flagged') ? ['\\Flagged'] : [])];
      held.push({ ...base, folder: name, flags });
    }
  }
  return held;
}

const agents = () => ({ user: contact('maren'), colleague: contact('tobias') });

/** The people and the dates, and nothing that happened. */
export function emptyWorld(now: number): World {
  return { ...agents(), dates: new StoryDates(now), contacts, mail: [], events: [], listings: [] };
}

/** @param now integer ms; the newest mail is of the day before */
export function loadWorld(now: number): World {
  const dates = new StoryDates(now);
  const { user, colleague } = agents();
  const scripts = readdirSync(folder)
    .filter((name) => name.endsWith('.txt'))
    .sort()
    .flatMap((name) => parseScript(name.slice(0, -4), readFileSync(new URL(name, folder), 'utf8')));
  return {
    dates,
    user,
    colleague,
    contacts,
    mail: composeAll(scripts, dates).flatMap((message) => copies(message, [user, colleague])),
    events: composeEvents(dates),
    listings: composeListings(dates),
  };
}
