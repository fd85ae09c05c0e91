// The facts of a record (a deal, an invoice, a ticket …) said in words, a line each, so that it is found and
// read by them: amounts with their currency, days in ISO 8601, names of fields as people write them.
import type { DocumentKind } from '../../providers/record.ts';
import { cleanBlock, cleanLine } from './clean.ts';

/** What a reader looks for first, by kind; the other facts follow in their own order. */
const first: Partial<Record<DocumentKind, readonly string[]>> = {
  contact: [
    'name',
    'firstName',
    'lastName',
    'jobTitle',
    'company',
    'email',
    'emails',
    'phone',
    'phones',
    'address',
  ],
  company: ['name', 'domain', 'website', 'industry', 'phone', 'address'],
  deal: ['name', 'stage', 'status', 'amount', 'value', 'company', 'contact', 'closeDate', 'owner'],
  invoice: [
    'number',
    'customer',
    'status',
    'total',
    'amount',
    'balance',
    'issued',
    'due',
    'paid',
    'lines',
    'items',
  ],
  payment: [
    'number',
    'amount',
    'total',
    'customer',
    'payer',
    'method',
    'date',
    'invoice',
    'invoices',
    'status',
  ],
  ticket: ['number', 'subject', 'status', 'priority', 'requester', 'assignee', 'created', 'closed'],
  order: [
    'number',
    'customer',
    'status',
    'total',
    'amount',
    'ordered',
    'shipped',
    'delivered',
    'items',
    'lines',
  ],
  page: ['url', 'author', 'published', 'updated'],
  metric: ['name', 'metric', 'site', 'value', 'unit', 'from', 'to', 'period', 'date'],
};
const mostDepth = 3;
const mostLines = 500;
/** Facts that name the record itself and tell a reader nothing. */
const unsaid = new Set(['id', 'uuid', 'guid', 'currency', 'currencyCode', 'fetchedAt', 'syncedAt', 'etag']);

const money =
  /^(?:amount|total|sub ?total|balance|price|value|cost|revenue|budget|fee|deposit|tax|discount|paid|due|unit price|annual revenue)(?: (?:amount|due|paid|total|price|value))?$/iu;
const time =
  /(?:^|\s)(?:at|on|date|day|time|from|to|until|since|due|issued|paid|ordered|shipped|delivered|created|updated|modified|closed|opened|resolved|published|birthday|start|end)$/iu;

/** `closeDate`, `close_date` and `close-date` as `Close date`. */
function labelOf(key: string): string {
  const words = key
    .replace(/([\p{Ll}\p{N}])(\p{Lu})/gu, '$1 $2')
    .replace(/[_\-.]+/gu, ' ')
    .trim();
  const lower = /\p{Ll}/u.test(words) ? words.toLowerCase() : words;
  return cleanLine(lower.charAt(0).toUpperCase() + lower.slice(1));
}

const earliest = Date.UTC(1990, 0);
const latest = Date.UTC(2100, 0);

/** A time as a day, or as a day and a time where it has one; undefined for what is none. */
function dayOf(value: string | number): string | undefined {
  const at = typeof value === 'number' ? value : Date.parse(value);
  if (typeof value === 'string' && !/^\d{4}-\d\d-\d\dT/u.test(value)) return undefined;
  if (!Number.isInteger(at) || at < earliest || at > latest) return undefined;
  const iso = new Date(at).toISOString();
  return iso.endsWith('T00:00:00.000Z') ? iso.slice(0, 10) : `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`;
}

function currencyOf(facts: Record<string, unknown>): string {
  const said = facts['currency'] ?? facts['currencyCode'];
  return typeof said === 'string' && /^[A-Z]{3}$/iu.test(said) ? said.toUpperCase() : '';
}

function shown(value: string | number | boolean, label: string, currency: string): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (time.test(label)) {
    const day = dayOf(value);
    if (day !== undefined) return day;
  }
  const isAmount = money.test(label) && /^-?\d+(?:[.,]\d+)?$/u.test(String(value));
  return isAmount && currency !== '' ? `${value} ${currency}` : cleanBlock(String(value));
}

type Plain = string | number | boolean;
const isPlain = (value: unknown): value is Plain => ['string', 'number', 'boolean'].includes(typeof value);
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** An object on one line: an amount with its currency, a person, a line of an invoice. */
function onOneLine(value: Record<string, unknown>, currency: string): string {
  const own = currencyOf(value) || currency;
  const entries = Object.entries(value).filter(
    ([key, inner]) => !unsaid.has(key) && isPlain(inner) && inner !== '',
  );
  const [only] = entries;
  if (only !== undefined && entries.length === 1 && isPlain(only[1]))
    return shown(only[1], labelOf(only[0]), own);
  return entries
    .map(([key, inner]) => `${labelOf(key)} ${shown(inner as Plain, labelOf(key), own)}`)
    .join(', ');
}

/**
 * Lines of `Label: value`. What is nested deeper than three levels, and identifiers that say nothing, are
 * left to the facts themselves.
 */
export function recordWords(kind: DocumentKind, facts: Record<string, unknown>): string {
  const lines: string[] = [];
  const say = (label: string, value: unknown, currency: string, depth: number): void => {
    if (lines.length >= mostLines || value === null || value === undefined || value === '') return;
    if (isPlain(value)) lines.push(`${label}: ${shown(value, label, currency)}`);
    else if (Array.isArray(value)) {
      if (value.every(isPlain)) {
        if (value.length > 0)
          lines.push(`${label}: ${value.map((one) => shown(one, label, currency)).join(', ')}`);
      } else for (const one of value) say(label, one, currency, depth + 1);
    } else if (isObject(value)) {
      const own = currencyOf(value) || currency;
      const words = onOneLine(value, own);
      if (words !== '') lines.push(`${label}: ${words}`);
      if (depth >= mostDepth) return;
      for (const [key, inner] of Object.entries(value)) {
        if (!unsaid.has(key) && !isPlain(inner))
          say(`${label} ${labelOf(key).toLowerCase()}`, inner, own, depth + 1);
      }
    }
  };
  const order = first[kind] ?? [];
  const rank = (key: string) => (order.includes(key) ? order.indexOf(key) : order.length);
  const keys = Object.keys(facts).sort((a, b) => rank(a) - rank(b));
  const currency = currencyOf(facts);
  for (const key of keys) if (!unsaid.has(key)) say(labelOf(key), facts[key], currency, 0);
  return lines.join('\n');
}

const numbered: ReadonlySet<DocumentKind> = new Set(['invoice', 'payment', 'ticket', 'order']);

/** A title for a record that has none: `Invoice INV-7`. Empty where nothing names it. */
export function recordTitle(kind: DocumentKind, facts: Record<string, unknown>): string {
  const named = ['title', 'name', 'address', 'subject', 'metric'].map((key) => facts[key]);
  const name = named.find((value): value is string => typeof value === 'string' && value.trim() !== '');
  if (name !== undefined) return cleanLine(name).slice(0, 300);
  const number = facts['number'];
  if (typeof number !== 'string' && typeof number !== 'number') return '';
  const words = cleanLine(String(number)).slice(0, 100);
  return numbered.has(kind) ? `${labelOf(kind)} ${words}` : words;
}

/** When a record came to be, where its facts say so and nothing else does: ISO 8601 or integer ms. */
export function recordTime(facts: Record<string, unknown>): string | number | undefined {
  const said = [
    'at',
    'date',
    'issued',
    'issuedAt',
    'ordered',
    'orderedAt',
    'created',
    'createdAt',
    'published',
    'to',
  ];
  const found = said
    .map((key) => facts[key])
    .find((value) => typeof value === 'number' || typeof value === 'string');
  const isTime =
    typeof found === 'number' ? found > earliest && found < latest : /^\d{4}-\d\d-\d\d/u.test(String(found));
  return isTime ? (found as string | number) : undefined;
}

/** The addresses that a contact's own facts give. */
export function recordAddresses(facts: Record<string, unknown>): string[] {
  const said = [facts['email'], facts['emails']].flat();
  return said.filter(
    (value): value is string => typeof value === 'string' && /^[^\s@]+@[^\s@]+$/u.test(value.trim()),
  );
}
