// The brokerage's books, filled with the story: its clients as customers, what they are charged for, what they
// paid, and what was estimated.
import { contact, contacts } from '../data/people.ts';
import type { World } from '../world.ts';
import type { BookRecord, Books } from './state.ts';

interface Charge {
  item: string;
  description: string;
  quantity: number;
  price: number;
}

interface Paper {
  person: string;
  day: number;
  /** Days until it is due. */
  terms: number;
  lines: readonly Charge[];
  /** Paid so far. */
  paid?: number;
}

const items: Record<string, { price: number; description: string }> = {
  Staging: { price: 1_200, description: 'Furniture and flowers for the showing of a home, by the month' },
  Photography: { price: 350, description: 'Photographs and a plan' },
  Cleaning: { price: 240, description: 'Cleaning before keys are handed over' },
  'Lockbox rental': { price: 45, description: 'Lockbox at the door, by the month' },
  'Property management': { price: 180, description: 'Care of a rented home, by the month' },
  'Market report': { price: 95, description: 'Written report on prices nearby' },
};

const charge = (item: string, description: string, quantity = 1): Charge => ({
  item,
  description,
  quantity,
  price: items[item]?.price ?? 0,
});

const invoices: readonly Paper[] = [
  {
    person: 'sarah',
    day: 150,
    terms: 30,
    lines: [charge('Photography', '41 Kelp Lane'), charge('Staging', '41 Kelp Lane', 2)],
    paid: 2_750,
  },
  { person: 'slindholm', day: 158, terms: 30, lines: [charge('Market report', 'Orchard district', 3)] },
  {
    person: 'marcus',
    day: 152,
    terms: 30,
    lines: [charge('Photography', '118 Tern Street'), charge('Cleaning', '118 Tern Street')],
    paid: 300,
  },
  { person: 'graham', day: 166, terms: 14, lines: [charge('Staging', '9 Juniper Court')] },
  { person: 'owen', day: 157, terms: 30, lines: [charge('Lockbox rental', '33 Piper Row', 2)], paid: 90 },
  {
    person: 'theo',
    day: 140,
    terms: 30,
    lines: [charge('Property management', '64 Mill Street, both halves', 2)],
  },
  {
    person: 'theo',
    day: 170,
    terms: 30,
    lines: [charge('Property management', '64 Mill Street, both halves', 2)],
  },
  { person: 'amara', day: 172, terms: 30, lines: [charge('Photography', '12 Birchwater Lane')] },
];

const estimates: readonly Omit<Paper, 'paid'>[] = [
  { person: 'joyce', day: 168, terms: 30, lines: [charge('Staging', 'two rooms and the garden')] },
  { person: 'henrik', day: 174, terms: 30, lines: [charge('Market report', 'land at Cove Road')] },
];

const currency = { value: 'USD', name: 'United States Dollar' };

/** Fills empty books. The same world gives the same books, byte for byte. */
export function fillBooks({ books }: { books: Books }, { dates }: World): void {
  const sold = new Map<string, BookRecord>();
  for (const [name, { price, description }] of Object.entries(items)) {
    const item = {
      Name: name,
      FullyQualifiedName: name,
      Description: description,
      Active: true,
      Type: 'Service',
      UnitPrice: price,
    };
    sold.set(name, books.add('Item', item, dates.at(5, '09:00')));
  }
  const customers = new Map<string, BookRecord>();
  const names = new Set<string>();
  for (const [index, person] of contacts.filter(({ role }) => role === 'client').entries()) {
    const [given = '', ...family] = person.name.split(' ');
    // QuickBooks knows no two customers of one name.
    const display = names.has(person.name) ? `${person.name} (${person.email.split('@')[1]})` : person.name;
    names.add(person.name);
    const customer = {
      DisplayName: display,
      FullyQualifiedName: display,
      GivenName: given,
      FamilyName: family.join(' '),
      Active: true,
      Balance: 0,
      CurrencyRef: currency,
      PrimaryEmailAddr: { Address: person.email },
      ...(person.phone === undefined ? {} : { PrimaryPhone: { FreeFormNumber: person.phone } }),
    };
    customers.set(person.key, books.add('Customer', customer, dates.at(12 + index * 4, '09:30')));
  }

  const paperOf = ({ person, day, terms, lines }: Omit<Paper, 'paid'>) => {
    const customer = customers.get(person);
    if (customer === undefined) throw new Error(`${person} is no client of the story`);
    const rows = lines.map(({ item, description, quantity, price }, index) => ({
      Id: String(index + 1),
      LineNum: index + 1,
      Description: description,
      Amount: quantity * price,
      DetailType: 'SalesItemLineDetail',
      SalesItemLineDetail: {
        ItemRef: { value: sold.get(item)?.Id ?? '', name: item },
        UnitPrice: price,
        Qty: quantity,
        TaxCodeRef: { value: 'NON' },
      },
    }));
    const total = rows.reduce((sum, { Amount }) => sum + Amount, 0);
    return {
      total,
      customer,
      due: dates.isoDate(day + terms),
      body: {
        DocNumber: books.nextNumber(),
        TxnDate: dates.isoDate(day),
        CustomerRef: { value: customer.Id, name: customer['DisplayName'] },
        CurrencyRef: currency,
        Line: [...rows, { Amount: total, DetailType: 'SubTotalLineDetail', SubTotalLineDetail: {} }],
        TotalAmt: total,
        BillEmail: { Address: contact(person).email },
        EmailStatus: 'EmailSent',
        PrintStatus: 'NeedToPrint',
      },
    };
  };

  for (const paper of invoices) {
    const { total, customer, due, body } = paperOf(paper);
    const paid = paper.paid ?? 0;
    const at = dates.at(paper.day, '14:10');
    const invoice = books.add('Invoice', { ...body, DueDate: due, Balance: total - paid }, at);
    customer['Balance'] = Number(customer['Balance']) + total - paid;
    if (paid === 0) continue;
    const payment = {
      CustomerRef: body.CustomerRef,
      CurrencyRef: currency,
      TxnDate: dates.isoDate(paper.day + 7),
      TotalAmt: paid,
      UnappliedAmt: 0,
      PaymentRefNum: `check ${2_200 + Number(invoice.Id)}`,
      Line: [{ Amount: paid, LinkedTxn: [{ TxnId: invoice.Id, TxnType: 'Invoice' }] }],
    };
    books.add('Payment', payment, dates.at(paper.day + 7, '11:45'));
  }
  for (const paper of estimates) {
    const { due, body } = paperOf(paper);
    const at = dates.at(paper.day, '16:00');
    books.add('Estimate', { ...body, ExpirationDate: due, TxnStatus: 'Pending' }, at);
  }
}
