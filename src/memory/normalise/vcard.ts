// A contact card (vCard 4, RFC 6350; 3, RFC 2426; and the 2.1 that phones still write) as lines of facts.
import ICAL from 'ical.js';
import { cleanBlock, cleanLine } from './clean.ts';
import { type Normalised, UnreadableRecord } from './normalised.ts';
import { cleanPeople } from './structured.ts';
import { decodeText, plainSpans } from './text.ts';

/** Parameters that a 2.1 card writes without their names: encodings, and else types. */
const encodings = new Set(['QUOTED-PRINTABLE', 'BASE64', '8BIT', '7BIT']);

function unquoted(text: string, charset: string): string {
  const bytes = Buffer.from(
    text
      .replace(/=\r?\n[ \t]?/gu, '')
      .replace(/=([0-9A-F]{2})/giu, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  );
  return /^utf-?8$/iu.test(charset) || charset === ''
    ? decodeText(bytes)
    : new TextDecoder(charset).decode(bytes);
}

/** One line of a 2.1 card as 3.0 writes it. */
function modernLine(line: string): string {
  const colon = line.indexOf(':');
  const [name = '', ...parameters] = line.slice(0, colon).split(';');
  let value = line.slice(colon + 1);
  let charset = '';
  let quoted = false;
  const kept = parameters.flatMap((parameter) => {
    const [key = '', setting = ''] = parameter.split('=', 2);
    if (/^charset$/iu.test(key)) charset = setting;
    else if (encodings.has((setting || key).toUpperCase())) {
      quoted ||= /^quoted-printable$/iu.test(setting || key);
      return /^base64$/iu.test(setting || key) ? ['ENCODING=b'] : [];
    } else if (setting === '') return key === '' ? [] : [`TYPE=${key}`];
    else return [parameter];
    return [];
  });
  if (quoted) value = unquoted(value, charset).replace(/\r?\n/gu, '\\n');
  return `${[name, ...kept].join(';')}:${value}`;
}

/** A 2.1 card (no parameter names, quoted-printable over several lines) as a 3.0 one. */
function modern(text: string): string {
  const lines = text
    .replace(/^(?=[^:\n]*;(?:ENCODING=)?QUOTED-PRINTABLE)(.*(?:=\r?\n.*)+)/gimu, (block) =>
      block.replace(/=\r?\n[ \t]?/gu, ''),
    )
    .replace(/\r?\n[ \t]/gu, '')
    .split(/\r?\n/u);
  return lines
    .map((line) => {
      if (/^VERSION:/iu.test(line)) return 'VERSION:3.0';
      return /^[A-Z.\d-]+[;:]/iu.test(line) && !/^(?:BEGIN|END):/iu.test(line) ? modernLine(line) : line;
    })
    .filter((line) => line.includes(':'))
    .join('\r\n');
}

/** The cards of a text, one at least. */
function cardsIn(text: string): ICAL.Component[] {
  try {
    const whole = /^VERSION:\s*2\.1/imu.test(text) ? modern(text) : text;
    const parsed: unknown = ICAL.parse(whole);
    // Several cards come as a list of them.
    const all = Array.isArray(parsed) && Array.isArray(parsed[0]) ? parsed : [parsed];
    const cards = all.map((one) => new ICAL.Component(one as never)).filter((card) => card.name === 'vcard');
    if (cards.length > 0) return cards;
  } catch (thrown) {
    throw new UnreadableRecord(
      `is not a contact card: ${thrown instanceof Error ? thrown.message : 'malformed'}`,
    );
  }
  throw new UnreadableRecord('is not a contact card');
}

function partsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.flatMap(partsOf) : [cleanBlock(String(value ?? ''))];
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
