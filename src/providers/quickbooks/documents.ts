// Records of the books as documents: what a person reads of them, and who they are about.
import type { ProviderContext } from '../define.ts';
import type { DocumentKind, Person, SourceRecord, Structured } from '../record.ts';
import type { Raw } from './entities.ts';
import { personName, type Shown, show } from './shown.ts';

/** Entities that are kept in memory. */
export const kept = ['Customer', 'Invoice', 'Payment', 'Estimate'] as const;
export type Kept = (typeof kept)[number];

/** Memory has one kind for papers of account; a payment and an estimate are told by their title. */
export const kindsOf: Record<Kept, readonly DocumentKind[]> = {
  Customer: ['contact', 'company'],
  Invoice: ['invoice'],
  Payment: ['invoice'],
  Estimate: ['invoice'],
};

export function externalId(entity: Kept, id: string): string {
  return `${entity.toLowerCase()}/${id}`;
}

interface Described {
  title: string;
  lines: (string | undefined)[];
  people: Person[];
}

export function documentOf<Name extends Kept>(
  context: ProviderContext,
  entity: Name,
  record: Raw[Name],
): SourceRecord {
  const { MetaData, Id: id } = record;
  const facts: Shown[Kept] = show[entity](context, record);
  const { title, lines, people } = describe[entity](record, facts as Shown[Name]);
  const { syncToken: _version, url, ...lasting } = facts;
  const at = 'date' in facts && facts.date !== undefined ? facts.date : MetaData?.CreateTime;
  const structured: Structured = {
    title,
    text: lines.filter((line) => line !== undefined).join('\n'),
    people,
    ...(url === undefined ? {} : { url }),
    facts: { type: entity.toLowerCase(), ...lasting },
  };
  const writtenAt = Date.parse(at ?? '');
  return {
    externalId: externalId(entity, id),
    kind:
      entity === 'Customer' && isCompany(record as Raw['Customer'])
        ? 'company'
        : (kindsOf[entity][0] ?? 'invoice'),
    mediaType: 'application/json',
    raw: Buffer.from(JSON.stringify(structured), 'utf8'),
    ...(Number.isNaN(writtenAt) ? {} : { writtenAt }),
  };
}

/** A customer is a person, unless all that is known is a company's name. */
function isCompany(record: Raw['Customer']): boolean {
  return record.CompanyName !== undefined && personName(record) === undefined;
}

const describe: { [Name in Kept]: (record: Raw[Name], facts: Shown[Name]) => Described } = {
  Customer: (_record, facts) => ({
    title: facts.name ?? facts.person ?? facts.company ?? 'Customer without a name',
    lines: [
      line('customer', facts.name),
      line('company', facts.company),
      line('person', facts.person),
      line('email', facts.email),
      line('phone', facts.phone),
      line('mobile', facts.mobile),
      line('address', facts.address),
      line('owes', money(facts.balance, facts.currency)),
      line('notes', facts.notes),
      facts.active ? undefined : 'inactive',
    ],
    people: [person(facts.email, facts.person ?? facts.name)],
  }),
  Invoice: (_record, facts) => ({
    title: paper('Invoice', facts),
    lines: [
      ...common(facts),
      line('due', facts.dueDate),
      ...items(facts),
      line('total', money(facts.total, facts.currency)),
      line('still owed', money(facts.balance, facts.currency)),
      line('message', facts.memo),
      line('note', facts.note),
    ],
    people: [person(facts.email, facts.customer?.name)],
  }),
  Estimate: (_record, facts) => ({
    title: paper('Estimate', facts),
    lines: [
      ...common(facts),
      line('status', facts.status),
      line('expires', facts.expires),
      ...items(facts),
      line('total', money(facts.total, facts.currency)),
      line('message', facts.memo),
      line('note', facts.note),
    ],
    people: [person(facts.email, facts.customer?.name)],
  }),
  Payment: (_record, facts) => ({
    title: paper('Payment', facts),
    lines: [
      ...common(facts),
      line('amount', money(facts.total, facts.currency)),
      line('not applied', facts.unapplied === 0 ? undefined : money(facts.unapplied, facts.currency)),
      line('reference', facts.reference),
      ...facts.paid.map(({ type, id, amount }) =>
        line(`for ${(type ?? 'record').toLowerCase()} ${id}`, money(amount, facts.currency)),
      ),
      line('note', facts.note),
    ],
    people: [person(undefined, facts.customer?.name)],
  }),
};

function paper(what: string, { number, customer }: Shown['Invoice' | 'Estimate' | 'Payment']): string {
  const name = number === undefined ? what : `${what} ${number}`;
  const link = what === 'Payment' ? 'from' : 'for';
  return customer?.name === undefined ? name : `${name} ${link} ${customer.name}`;
}

function common(facts: Shown['Invoice' | 'Estimate' | 'Payment']): (string | undefined)[] {
  return [line('number', facts.number), line('customer', facts.customer?.name), line('date', facts.date)];
}

function items({ lines, currency }: Shown['Invoice' | 'Estimate']): (string | undefined)[] {
  return lines.map(({ item, description, quantity, amount }) => {
    const what = [item?.name, description].filter((part) => part !== undefined).join(': ');
    const often = quantity === undefined || quantity === 1 ? '' : ` × ${quantity}`;
    return line(`${what === '' ? 'line' : what}${often}`, money(amount, currency));
  });
}

function line(name: string, value: string | undefined): string | undefined {
  return value === undefined || value === '' ? undefined : `${name}: ${value}`;
}

function money(amount: number | undefined, currency: string | undefined): string | undefined {
  return amount === undefined ? undefined : `${amount.toFixed(2)} ${currency ?? ''}`.trim();
}

function person(email: string | undefined, name: string | undefined): Person {
  // An invoice may go to several addresses, with commas between them.
  const address = email?.split(',')[0]?.trim().toLowerCase();
  return {
    role: 'contact',
    ...(name === undefined ? {} : { name }),
    ...(address === undefined || address === '' ? {} : { address }),
  };
}
