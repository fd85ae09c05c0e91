// A contact card (vCard 4, RFC 6350; 3, RFC 2426; and the 2.1 that phones still write) as lines of facts.
import ICAL from 'ical.js';
import { cardLines } from './card-lines.ts';
import { cleanBlock, cleanLine } from './clean.ts';
import { type Normalised, UnreadableRecord } from './normalised.ts';
import { cleanPeople } from './structured.ts';
import { decodeText, plainSpans } from './text.ts';

/** What one card says, as ical.js has it. @throws Error where a line has no form that it knows */
function componentsOf(lines: readonly string[]): ICAL.Component[] {
  const parsed: unknown = ICAL.parse(lines.join('\r\n'));
  // Several cards come as a list of them.
  const all = Array.isArray(parsed) && Array.isArray(parsed[0]) ? parsed : [parsed];
  return all.map((one) => new ICAL.Component(one as never)).filter((card) => card.name === 'vcard');
}

const isFrame = (line: string): boolean => /^(?:BEGIN|END|VERSION):/iu.test(line);

function isReadable(line: string): boolean {
  try {
    return isFrame(line) || componentsOf(['BEGIN:VCARD', line, 'END:VCARD']).length === 1;
  } catch {
    return false;
  }
}

/** The cards of a text, one at least. A line that none can read costs no other line. */
function cardsIn(text: string): ICAL.Component[] {
  const lines = cardLines(text);
  let cards: ICAL.Component[];
  try {
    cards = componentsOf(lines);
  } catch {
    try {
      cards = componentsOf(lines.filter(isReadable));
    } catch (thrown) {
      throw new UnreadableRecord(
        `is not a contact card: ${thrown instanceof Error ? thrown.message : 'malformed'}`,
      );
    }
  }
  if (cards.length === 0) throw new UnreadableRecord('is not a contact card');
  return cards;
}

function partsOf(value: unknown): string[] {
  // Apple and Google escape what needs no escape: `https\://`, `\;` in a note.
  return Array.isArray(value)
    ? value.flatMap(partsOf)
    : [cleanBlock(String(value ?? '').replace(/\\([:;,])/gu, '$1'))];
}

/**
 * A contact; where the text has several cards, the words of all under the first one's name.
 * @throws UnreadableRecord for what is no card, or names nobody
 */
export function readCards(raw: Uint8Array): Normalised {
  const [first, ...others] = cardsIn(decodeText(raw)).map(read);
  if (first === undefined) throw new UnreadableRecord('is not a contact card');
  if (others.length === 0) return first;
  const text = [first, ...others].map((card) => card.text).join('\n\n');
  return { ...first, text, spans: plainSpans(text), cut: 'sections' };
}

function read(card: ICAL.Component): Normalised {
  /** Each property of that name as its parts, in the card's order. */
  const all = (name: string): string[][] =>
    card.getAllProperties(name).map((property) => property.getValues().flatMap(partsOf));
  const words = (name: string, between = ' '): string[] =>
    all(name)
      .map((parts) => cleanLine(parts.filter((part) => part !== '').join(between)))
      .filter((part) => part !== '');

  const [family = '', given = '', additional = '', prefix = '', suffix = ''] = all('n')[0] ?? [];
  const spelled = cleanLine(
    [prefix, given, additional, family, suffix].filter((part) => part !== '').join(' '),
  );
  const name = words('fn')[0] || spelled;
  const emails = words('email').map((email) => email.replace(/^mailto:/iu, '').toLowerCase());
  const phones = words('tel').map((phone) => phone.replace(/^tel:/iu, ''));
  const [company = '', ...units] = (all('org')[0] ?? []).map(cleanLine);
  const title = name || company || (emails[0] ?? phones[0]);
  if (title === undefined || title === '') throw new UnreadableRecord('names nobody');
  const jobTitle = words('title')[0] ?? words('role')[0];
  const addresses = words('adr', ', ');
  const urls = words('url').filter((url) => /^https?:\/\//iu.test(url));
  const birthday = words('bday')[0];
  const notes = all('note').map((parts) => cleanBlock(parts.join('\n')));
  const lines: [string, string | undefined][] = [
    ['Name', name],
    ['Nickname', words('nickname', ', ').join(', ')],
    ['Company', company],
    ['Department', units.join(', ')],
    ['Job title', jobTitle],
    ['E-mail', emails.join(', ')],
    ['Phone', phones.join(', ')],
    ['Address', addresses.join('; ')],
    ['Web', urls.join(', ')],
    ['Birthday', birthday],
    ['Categories', words('categories', ', ').join(', ')],
    ['Notes', notes.join('\n')],
  ];
  const text = cleanBlock(
    lines
      .flatMap(([label, value]) => (value === undefined || value === '' ? [] : [`${label}: ${value}`]))
      .join('\n'),
  );
  const named = name === '' ? {} : { name };
  const reached = emails.filter((email) => /^[^\s@]+@[^\s@]+$/u.test(email));
  const revised = Date.parse(words('rev')[0] ?? '');
  return {
    title,
    text,
    spans: plainSpans(text),
    cut: 'record',
    people: cleanPeople(
      reached.length === 0
        ? [{ ...named, role: 'contact' }]
        : reached.map((address) => ({ address, ...named, role: 'contact' as const })),
    ),
    ...(Number.isNaN(revised) ? {} : { writtenAt: revised }),
    facts: {
      ...named,
      emails: reached,
      phones,
      ...(company === '' ? {} : { company }),
      ...(jobTitle === undefined ? {} : { jobTitle }),
      ...(addresses.length === 0 ? {} : { addresses }),
      ...(birthday === undefined ? {} : { birthday }),
    },
  };
}
