// What a write of QuickBooks is made of. Whoever is named by a number is named by name, too, so that a person
// reads whom it is about; that the two belong together is seen to before anything is sent.
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import { visibleLine } from '../../untrusted.ts';
import { day, recordId, syncToken } from './entities.ts';

// No control characters: what is read in a summary is what is sent.
const plain = (most: number) =>
  z
    .string()
    .min(1)
    .max(most)
    .refine((text) => visibleLine(text, most) === text, 'must be one line of visible text');
const words = (most: number) => z.string().min(1).max(most);
const email = z.email().max(100);
const named = (what: string) =>
  z.strictObject({
    id: recordId,
    name: plain(500).describe(`Name of the ${what} as QuickBooks shows it; compared before anything is sent`),
  });

const decimal = z
  .number()
  .refine((number) => /^\d{1,11}(\.\d{1,7})?$/.test(String(number)), 'at most 11 digits and 7 decimals');
const price = decimal.describe('Price of one, in the currency of the document');
const money = z
  .number()
  .positive()
  .refine((number) => /^\d{1,11}(\.\d{1,2})?$/.test(String(number)), 'at most 11 digits and 2 decimals');
const currency = z
  .string()
  .regex(/^[A-Z]{3}$/, 'must be like USD')
  .describe('Currency of the customer, like USD; compared before anything is sent');

const line = z.strictObject({
  item: named('product or service'),
  description: words(4_000).optional(),
  quantity: decimal.refine((number) => number > 0, 'must be more than 0'),
  unitPrice: price,
  taxCode: z
    .string()
    .regex(/^\w{1,20}$/)
    .optional()
    .describe('In the US TAX or NON, elsewhere the number of a tax code'),
});
export type Line = z.infer<typeof line>;

const sale = {
  customer: named('customer'),
  currency,
  date: day.describe('Date of the document'),
  number: plain(21).optional().describe('Number of the document; default: the next one'),
  lines: z.array(line).min(1).max(100),
  memo: words(1_000).optional().describe('Message to the customer, on the document'),
  note: words(4_000).optional().describe('Note for the company itself'),
  email: email.optional().describe('Address that it is to be sent to, later'),
};

export const invoiceInput = z.strictObject({ ...sale, dueDate: day.optional() });
export const estimateInput = z.strictObject({ ...sale, expires: day.optional() });
export type Invoice = z.infer<typeof invoiceInput>;
export type Estimate = z.infer<typeof estimateInput>;
export type Sale = Invoice | Estimate;

export const customerInput = z.strictObject({
  name: plain(500)
    .refine((text) => !/[:\t\n]/.test(text), 'must be without colons')
    .describe('Name as QuickBooks shows it; no two are the same'),
  givenName: plain(100).optional(),
  familyName: plain(100).optional(),
  company: plain(100).optional(),
  email: email.optional(),
  phone: plain(30).optional(),
  mobile: plain(30).optional(),
  address: z
    .strictObject({
      line1: plain(500),
      line2: plain(500).optional(),
      city: plain(255).optional(),
      region: plain(255).optional(),
      postalCode: plain(30).optional(),
      country: plain(255).optional(),
    })
    .optional(),
  notes: words(2_000).optional(),
});
export type Customer = z.infer<typeof customerInput>;

export const paymentInput = z.strictObject({
  customer: named('customer'),
  amount: money,
  currency,
  date: day.describe('Day on which it was received'),
  reference: plain(21).optional().describe('Number of the check or transfer'),
  note: words(4_000).optional().describe('Note for the company itself'),
  invoices: z
    .array(z.strictObject({ id: recordId, number: plain(21).optional(), amount: money }))
    .max(100)
    .default([])
    .describe('What it pays; the rest stays as credit of the customer'),
});
export type Payment = z.infer<typeof paymentInput>;

const which = z
  .strictObject({
    id: recordId,
    number: plain(21).optional().describe('Its own number, where it has one'),
    customer: plain(500).describe('Name of its customer'),
  })
  .describe('The invoice as it was read; compared before anything is sent');
export type Which = z.infer<typeof which>;
export const sendInput = z.strictObject({ invoice: which, to: email });
export type Send = z.infer<typeof sendInput>;

export const updateInput = z.strictObject({
  invoice: which,
  syncToken,
  dueDate: day.optional(),
  memo: words(1_000).optional().describe('Message to the customer, on the document'),
  note: words(4_000).optional().describe('Note for the company itself'),
  email: email.optional().describe('Address that it is to be sent to'),
});
export type Update = z.infer<typeof updateInput>;

export const voidInput = z.strictObject({
  invoice: which,
  syncToken,
  total: decimal.describe('Its total as it was read; compared before anything is sent'),
  currency,
});
export type Void = z.infer<typeof voidInput>;

/** An estimate or a payment that is taken out of the books. */
export const paperInput = z.strictObject({
  paper: z
    .strictObject({
      id: recordId,
      number: plain(21).optional().describe('Its own number (of a payment: its reference), where it has one'),
      customer: plain(500).describe('Name of its customer'),
    })
    .describe('As it was read; compared before anything is sent'),
  syncToken,
  total: decimal.describe('Its total as it was read; compared before anything is sent'),
  currency,
});
export type Taken = z.infer<typeof paperInput>;

const scale = 10_000_000n;
const cent = scale / 100n;

/** Exact: a decimal number as a count of ten-millionths. */
function exact(number: number): bigint {
  const [whole = '0', rest = ''] = String(number).split('.');
  return BigInt(whole) * scale + BigInt(rest.padEnd(7, '0'));
}

/** Cents of a line, half a cent upwards, as QuickBooks rounds. */
export function centsOf({ quantity, unitPrice }: Line): bigint {
  const worth = (exact(quantity) * exact(unitPrice)) / cent;
  return (worth + scale / 2n) / scale;
}

export function totalOf(lines: readonly Line[]): bigint {
  return lines.reduce((total, one) => total + centsOf(one), 0n);
}

export const asNumber = (cents: bigint): number => Number(cents) / 100;

/** `1250.00` */
export function inMoney(cents: bigint): string {
  const digits = String(cents).padStart(3, '0');
  return `${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

export const centsOfMoney = (amount: number): bigint => exact(amount) / cent;

/** @throws DrawbridgeError `invalid_request` with `field` */
export function checkSale({ lines }: Sale): void {
  if (totalOf(lines) > 99_999_999_999n) throw invalid('lines', 'the total is more than QuickBooks takes');
}

/** @throws DrawbridgeError `invalid_request` with `field` */
export function checkPayment({ amount, invoices }: Payment): void {
  const applied = invoices.reduce((total, one) => total + centsOfMoney(one.amount), 0n);
  if (applied > centsOfMoney(amount)) {
    throw invalid('invoices', `${inMoney(applied)} are applied, which is more than the payment`);
  }
  const seen = new Set(invoices.map(({ id }) => id));
  if (seen.size < invoices.length) throw invalid('invoices', 'an invoice is there twice');
}

/** @throws DrawbridgeError `invalid_request` with `field` */
export function checkUpdate({ dueDate, memo, note, email: address }: Update): void {
  if ([dueDate, memo, note, address].every((value) => value === undefined)) {
    throw invalid('dueDate', 'say what is to be changed');
  }
}

function invalid(field: string, why: string): DrawbridgeError {
  return new DrawbridgeError('invalid_request', `${field}: ${why}`, { field });
}

/** Every value of the payload, for a person: what is approved is what is sent. */
export function saleInWords(payload: Sale): string {
  const { customer, currency: unit, date, number, lines, memo, note, email: address } = payload;
  return listed([
    `for ${customer.name} (customer ${customer.id})`,
    number === undefined ? undefined : `number ${number}`,
    `dated ${date}`,
    'dueDate' in payload && payload.dueDate !== undefined ? `due ${payload.dueDate}` : undefined,
    'expires' in payload && payload.expires !== undefined ? `open until ${payload.expires}` : undefined,
    ...lines.map(lineInWords),
    `total ${inMoney(totalOf(lines))} ${unit} before tax`,
    ...texts({ 'message to the customer': memo, note, 'e-mail': address }),
  ]);
}

function lineInWords(one: Line): string {
  const { item, description, quantity, unitPrice, taxCode } = one;
  const what = `${item.name} (item ${item.id})${description === undefined ? '' : ` ${quoted(description)}`}`;
  const tax = taxCode === undefined ? '' : `, tax code ${taxCode}`;
  return `${quantity} × ${what} at ${unitPrice} = ${inMoney(centsOf(one))}${tax}`;
}

export function customerInWords(payload: Customer): string {
  const { name, givenName, familyName, company, email: address, phone, mobile, notes } = payload;
  const home = Object.values(payload.address ?? {}).join(', ');
  return listed([
    name,
    ...texts({
      'given name': givenName,
      'family name': familyName,
      company,
      'e-mail': address,
      phone,
      mobile,
      address: home === '' ? undefined : home,
      notes,
    }),
  ]);
}

export function paymentInWords({ amount, currency: unit, customer, ...rest }: Payment): string {
  const { date, reference, invoices, note } = rest;
  const applied = invoices.reduce((total, one) => total + centsOfMoney(one.amount), 0n);
  const left = centsOfMoney(amount) - applied;
  return listed([
    `${inMoney(centsOfMoney(amount))} ${unit} from ${customer.name} (customer ${customer.id})`,
    `received ${date}`,
    reference === undefined ? undefined : `reference ${reference}`,
    ...invoices.map(
      (one) =>
        `${inMoney(centsOfMoney(one.amount))} for invoice ${one.number ?? 'without a number'} (${one.id})`,
    ),
    left === 0n ? undefined : `${inMoney(left)} stay as credit`,
    ...texts({ note }),
  ]);
}

export function updateInWords({ dueDate, memo, note, email: address }: Update): string {
  return listed([
    dueDate === undefined ? undefined : `due ${dueDate}`,
    ...texts({ 'message to the customer': memo, note, 'e-mail': address }),
  ]);
}

export function whichInWords({ id, number, customer }: Which): string {
  return `invoice ${number ?? 'without a number'} (${id}) of ${customer}`;
}

function texts(values: Record<string, string | undefined>): (string | undefined)[] {
  return Object.entries(values).map(([name, value]) =>
    value === undefined ? undefined : `${name} ${quoted(value)}`,
  );
}

function listed(parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined).join('; ');
}

function quoted(value: string): string {
  return `“${value.replace(/\s*[\r\n]+\s*/g, ' ⏎ ').trim()}”`;
}
