// A Structured record (JSON) as text: turns a line each, contacts and invoices as lines of facts, a
// listing as sentences. Facts that are not text are kept beside it.
import { z } from 'zod';
import { listing as listingShape } from '../../providers/capabilities.ts';
import type { DocumentKind, Person } from '../../providers/record.ts';
import { cleanBlock, cleanLine } from './clean.ts';
import { htmlToText } from './html.ts';
import { lasting, type Normalised, UnreadableRecord } from './normalised.ts';
import { recordAddresses, recordTime, recordTitle, recordWords } from './record-words.ts';
import { decodeText, plainSpans } from './text.ts';
import { speakersOf, type Turn, turnsToText } from './turns.ts';

const time = z.union([z.string(), z.number()]);
const shape = z.object({
  title: z.string().optional(),
  text: z.string().optional(),
  html: z.string().optional(),
  notes: z.string().optional(),
  people: z
    .array(
      z.object({
        address: z.string().optional(),
        name: z.string().optional(),
        role: z.enum(['from', 'to', 'cc', 'attendee', 'organiser', 'contact', 'speaker', 'agent']),
      }),
    )
    .optional(),
  thread: z.string().optional(),
  url: z.string().optional(),
  at: time.optional(),
  turns: z
    .array(z.object({ speaker: z.string().optional(), at: time.optional(), text: z.string() }))
    .optional(),
  facts: z.record(z.string(), z.unknown()).optional(),
});

/** ISO 8601 or integer ms; undefined where it is neither. */
function timeOf(at: string | number | undefined): number | undefined {
  if (at === undefined) return undefined;
  const value = typeof at === 'number' ? at : Date.parse(at);
  return Number.isFinite(value) ? Math.round(value) : undefined;
}

/** People with lower-case addresses and clean names; what has neither is dropped. */
export function cleanPeople(
  people: readonly { address?: string | undefined; name?: string | undefined; role: Person['role'] }[],
): Person[] {
  return people.flatMap((person) => {
    const address = cleanLine(person.address ?? '').toLowerCase();
    const name = cleanLine(person.name ?? '');
    if (address === '' && name === '') return [];
    return [{ ...(address === '' ? {} : { address }), ...(name === '' ? {} : { name }), role: person.role }];
  });
}

function listingText(facts: Record<string, unknown>): string | undefined {
  const parsed = listingShape.safeParse(facts);
  if (!parsed.success) return undefined;
  const home = parsed.data;
  const place = [home.city, home.region, home.postalCode].filter((part) => part !== undefined).join(' ');
  const parts = [
    [home.address, home.address.includes(home.city ?? '\u0000') ? '' : place]
      .filter((x) => x !== '')
      .join(', '),
    home.price === undefined ? undefined : `price ${home.price} ${home.currency ?? ''}`.trim(),
    home.beds === undefined ? undefined : `${home.beds} bedrooms`,
    home.baths === undefined ? undefined : `${home.baths} bathrooms`,
    home.areaSqft === undefined ? undefined : `${home.areaSqft} square feet`,
    home.homeType?.toLowerCase().replaceAll('_', ' '),
    home.status?.replaceAll('_', ' '),
    home.yearBuilt === undefined ? undefined : `built ${home.yearBuilt}`,
    home.agent === undefined ? undefined : `agent ${home.agent.name}`,
  ].filter((part) => part !== undefined && part !== '');
  const prices = [...(home.priceHistory ?? [])]
    .sort((a, b) => b.at - a.at)
    .map(({ at, event, price }) => `${dayOf(at)} ${event} ${price} ${home.currency ?? ''}`.trim());
  const history = prices.length === 0 ? '' : `Price history:\n${prices.join('\n')}`;
  const local = Object.entries(home.local ?? {}).map(([name, says]) => `${name}: ${says}`);
  const lines = [local.join('\n'), history, (home.attribution ?? []).join('\n')];
  return [parts.join(' · '), home.description ?? '', ...lines].filter((part) => part !== '').join('\n\n');
}

function dayOf(at: number): string {
  return Math.abs(at) > 8.64e15 ? '' : new Date(at).toISOString().slice(0, 10);
}

/** Turns with how long after the first each was said, where their times are known. */
function withOffsets(turns: readonly (Turn & { at?: string | number | undefined })[]): Turn[] {
  const times = turns.map((turn) => timeOf(turn.at));
  const begin = times.find((at) => at !== undefined) ?? 0;
  return turns.map((turn, i) => {
    const at = times[i];
    return at === undefined || at < begin ? turn : { ...turn, offset: at - begin };
  });
}

/** @throws UnreadableRecord when it is not JSON, or not a Structured record */
export function readStructured(raw: Uint8Array, kind: DocumentKind): Normalised {
  let json: unknown;
  try {
    json = JSON.parse(decodeText(raw));
  } catch {
    throw new UnreadableRecord('is not JSON');
  }
  const parsed = shape.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new UnreadableRecord(
      `${issue?.path.join('.') || 'the record'}: ${issue?.message ?? 'is malformed'}`,
    );
  }
  const record = parsed.data;
  const facts = record.facts ?? {};
  const own = cleanBlock(record.text ?? htmlToText(record.html ?? ''));
  const turns = turnsToText(kind === 'transcript' ? withOffsets(record.turns ?? []) : (record.turns ?? []));
  const described =
    (kind === 'listing' ? listingText(facts) : undefined) ?? recordWords(kind, lasting(facts));
  const notes = cleanBlock(record.notes ?? '');
  const said = own === '' ? [described, notes].filter((part) => part !== '').join('\n\n') : own;
  const text = turns.text !== '' ? turns.text : cleanBlock(said);
  const people = cleanPeople(record.people ?? []);
  if (kind === 'contact' && people.length === 0) {
    const name = typeof facts['name'] === 'string' ? { name: facts['name'] } : {};
    people.push(
      ...cleanPeople(recordAddresses(facts).map((address) => ({ address, ...name, role: 'contact' }))),
    );
  }
  people.push(...speakersOf(record.turns ?? [], people));
  const firstTurn = record.turns?.find((turn) => turn.at !== undefined)?.at;
  const writtenAt = timeOf(record.at ?? firstTurn ?? recordTime(facts));
  const longForm = kind === 'file' || kind === 'page' || kind === 'note';
  return {
    title: cleanLine(record.title ?? '').slice(0, 300) || recordTitle(kind, facts) || firstLine(text),
    text,
    spans: turns.text !== '' ? turns.spans : plainSpans(text),
    cut: turns.text !== '' ? 'turns' : longForm ? 'sections' : 'record',
    people,
    ...(record.thread === undefined ? {} : { threadId: record.thread }),
    ...(record.url === undefined ? {} : { url: record.url }),
    ...(writtenAt === undefined ? {} : { writtenAt }),
    facts,
  };
}

function firstLine(text: string): string {
  return cleanLine(text.split('\n', 1)[0] ?? '').slice(0, 120);
}
