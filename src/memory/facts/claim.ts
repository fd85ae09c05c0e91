// What a record says of a client, with the place where it says so. Rules make claims out of one record alone; whose
// they are, and what of them still stands, is settled where they are stored.
import type { DocumentKind, Person } from '../../providers/record.ts';
import type { Span } from '../normalise/normalised.ts';

/** In the order in which a reader needs them. */
export const factFamilies = [
  'contact',
  'deal',
  'invoice',
  'question',
  'meeting',
  'property',
  'preference',
  'note',
] as const;
export type FactFamily = (typeof factFamilies)[number];

export interface Claim {
  /** An address, or `crm:` and an external id of the same connection. */
  subject: string;
  /** The name that it stands under there: tells people apart who share an address. */
  as?: string | undefined;
  family: FactFamily;
  /** What it says something about, as a reader calls it: `phone`, `deal stage`. */
  name: string;
  /** Of one slot the newest stands. */
  slot: string;
  value: string;
  data?: Record<string, unknown>;
  /** In the record's text. */
  start: number;
  end: number;
  /** 0..1 */
  confidence: number;
  /** Where it holds from another time than the record's own. */
  at?: number;
}

/** What one record says of clients. */
export interface Claims {
  facts: Claim[];
  /** What the client of a contact or a company is found by, beside addresses: `tel:`, `dom:`, `reg:`. */
  keys: string[];
}

/** A record as rules read it. */
export interface ReadRecord {
  externalId: string;
  kind: DocumentKind;
  title: string;
  text: string;
  /** The parts of the text that reading took for new. */
  spans: readonly Span[];
  people: readonly Person[];
  facts: Readonly<Record<string, unknown>>;
  writtenAt: number | null;
}

export type Rule = (record: ReadRecord) => Claim[];

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/gu, '\\$&');

/** The first line of `text` with `value` in it, one whose label is among `labels` before others; else its first line. */
export function lineWith(text: string, value: string, labels: readonly string[] = []): Span {
  const at = (index: number): Span => {
    const start = text.lastIndexOf('\n', index) + 1;
    const end = text.indexOf('\n', index);
    return { start, end: end === -1 ? text.length : end };
  };
  if (labels.length > 0) {
    const labelled = new RegExp(`^(?:${labels.map(escaped).join('|')})\\b[^:\\n]*:`, 'imu').exec(text);
    if (labelled !== null) return at(labelled.index);
  }
  const found = value === '' ? -1 : text.indexOf(value);
  return at(Math.max(0, found));
}

/** The first of these facts that is text or a number, as text; `properties` of a CRM's object count as facts. */
export function textFact(facts: Readonly<Record<string, unknown>>, ...names: string[]): string | undefined {
  const inner = facts['properties'];
  const all = typeof inner === 'object' && inner !== null ? { ...inner, ...facts } : facts;
  for (const name of names) {
    const value = (all as Record<string, unknown>)[name];
    if (typeof value === 'string' && value.trim() !== '') return value.trim();
    if (typeof value === 'number' && Number.isFinite(value)) return String(value);
  }
  return undefined;
}

export function textsFact(facts: Readonly<Record<string, unknown>>, name: string): string[] {
  const value = facts[name];
  if (!Array.isArray(value)) return [];
  return value.filter((one): one is string => typeof one === 'string' && one.trim() !== '');
}

/** A day of a date or a time in ISO 8601; undefined for what is none. */
export function dayOf(said: string | undefined): string | undefined {
  const day = said === undefined ? null : /^\d{4}-\d\d-\d\d/u.exec(said);
  return day?.[0];
}

/** `548000` as `548,000 USD`; text that is no number as it is. */
export function moneyInWords(amount: string, currency: string | undefined): string {
  const value = Number(amount);
  if (amount.trim() === '' || !Number.isFinite(value)) return amount;
  const said = value.toLocaleString('en-US', {
    minimumFractionDigits: Number.isInteger(value) ? 0 : 2,
    maximumFractionDigits: 2,
  });
  return currency === undefined ? said : `${said} ${currency}`;
}

/** Whom a record of the CRM or the books concerns: what it is associated with there, and whom it names by address. */
export function subjectsOf({ facts, people }: ReadRecord): { subject: string; as?: string | undefined }[] {
  const found = new Map<string, string | undefined>();
  const associations = facts['associations'];
  for (const one of Array.isArray(associations) ? associations : []) {
    const { type, id, name } = (one ?? {}) as Record<string, unknown>;
    if ((type === 'contacts' || type === 'companies') && typeof id === 'string')
      found.set(`crm:${type}/${id}`, typeof name === 'string' ? name : undefined);
  }
  const customer = facts['customer'];
  if (typeof customer === 'object' && customer !== null) {
    const { id, name } = customer as Record<string, unknown>;
    if (typeof id === 'string') found.set(`crm:customer/${id}`, typeof name === 'string' ? name : undefined);
  }
  for (const { address, name, role } of people) {
    if (address !== undefined && ['contact', 'to', 'from'].includes(role)) found.set(address, name);
  }
  return [...found].map(([subject, as]) => ({ subject, as }));
}
