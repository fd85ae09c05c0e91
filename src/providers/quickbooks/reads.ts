// What is asked of QuickBooks: the company, one record, and searches by typed filters.
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import { type ProviderContext, type ReadOperation, readOperation } from '../define.ts';
import { send } from '../request.ts';
import { companyInfo, day, type Raw, raw, recordId } from './entities.ts';
import { http, version } from './http.ts';
import { type Condition, type EntityName, type Select, statement } from './query.ts';
import { addressLine, type Shown, show, shown } from './shown.ts';

const companyAnswer = z.object({ CompanyInfo: companyInfo });

/** https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/companyinfo */
export async function readCompany(context: ProviderContext): Promise<z.infer<typeof companyInfo>> {
  const { realm } = context.fields;
  if (typeof realm !== 'string' || !/^\d{1,20}$/.test(realm)) {
    throw new DrawbridgeError('malformed_response', 'QuickBooks did not say which company it is (realmId).');
  }
  const { CompanyInfo } = await send(context, http, {
    method: 'GET',
    path: '/companyinfo/{realm}',
    params: { realm },
    query: version,
    output: companyAnswer,
  });
  return CompanyInfo;
}

const optional = z.string().optional();
const shownCompany = z.object({
  name: z.string(),
  legalName: optional,
  country: optional,
  fiscalYearStart: optional,
  address: optional,
  email: optional,
  phone: optional,
});

export const getCompany = readOperation({
  effect: 'read',
  title: 'Look up the company',
  description: 'Name, address and fiscal year of the QuickBooks company.',
  input: z.strictObject({}),
  output: shownCompany,
  async run(context) {
    const company = await readCompany(context);
    return {
      name: company.CompanyName,
      legalName: company.LegalName,
      country: company.Country,
      fiscalYearStart: company.FiscalYearStartMonth,
      address: addressLine(company.CompanyAddr),
      email: company.Email?.Address,
      phone: company.PrimaryPhone?.FreeFormNumber,
    };
  },
});

/** Rows of a statement. @throws DrawbridgeError */
export async function select<Name extends EntityName>(
  context: ProviderContext,
  asked: Select & { from: Name },
): Promise<Raw[Name][]> {
  const rows = z.array(raw[asked.from] as unknown as z.ZodType<Raw[Name]>);
  const { QueryResponse } = await send(context, http, {
    method: 'GET',
    path: '/query',
    query: { query: statement(asked), ...version },
    output: z.object({ QueryResponse: z.record(z.string(), z.unknown()) }),
    maxBytes: 64 * 1024 * 1024,
  });
  const parsed = rows.safeParse(QueryResponse[asked.from] ?? []);
  if (parsed.success) return parsed.data;
  const at = parsed.error.issues[0]?.path.join('.') ?? '';
  throw new DrawbridgeError(
    'malformed_response',
    `QuickBooks answered with something unexpected at "${asked.from}.${at}".`,
  );
}

const paths = {
  Customer: '/customer/{id}',
  Invoice: '/invoice/{id}',
  Estimate: '/estimate/{id}',
  Payment: '/payment/{id}',
} as const;

export type Gettable = keyof typeof paths;

/** One record. @throws DrawbridgeError */
export async function getRecord<Name extends Gettable>(
  context: ProviderContext,
  name: Name,
  id: string,
): Promise<Raw[Name]> {
  const answer = z.object({ [name]: raw[name] }) as unknown as z.ZodType<{ [N in Name]: Raw[Name] }>;
  const path: (typeof paths)[Gettable] = paths[name];
  const asked = { method: 'GET', path, params: { id }, query: version, output: answer } as const;
  return (await send(context, http, asked))[name];
}

const idInput = z.strictObject({ id: recordId });

export function getOperation<Name extends Gettable>(
  name: Name,
  one: string,
): ReadOperation<z.infer<typeof idInput>, Shown[Name]> {
  return {
    effect: 'read',
    title: `Look up ${one}`,
    description: `One ${name.toLowerCase()} of QuickBooks by its number, with its version for changes.`,
    input: idInput,
    output: shown[name] as unknown as z.ZodType<Shown[Name]>,
    run: async (context, { id }) => show[name](context, await getRecord(context, name, id)),
  };
}

const words = z.string().min(1).max(200);
const page = {
  limit: z.number().int().min(1).max(100).default(20),
  start: z.number().int().min(1).max(1_000_000).default(1).describe('`next` of the last answer'),
};
const transactions = {
  customerId: recordId.optional(),
  number: words.optional().describe('Number on the document (DocNumber)'),
  from: day.optional().describe('First day of its date'),
  to: day.optional().describe('Last day of its date'),
  ...page,
};
type Transactions = z.infer<z.ZodObject<typeof transactions>>;

function found<Name extends EntityName, Input extends { limit: number; start: number }>(
  name: Name,
  declared: {
    title: string;
    description: string;
    input: z.ZodType<Input>;
    where(input: Input): Condition[];
    orderBy: NonNullable<Select['orderBy']>;
  },
): ReadOperation<Input, { results: Shown[Name][]; next?: number | undefined }> {
  const { where, orderBy, ...rest } = declared;
  return {
    ...rest,
    effect: 'read',
    output: z.object({
      results: z.array(shown[name] as unknown as z.ZodType<Shown[Name]>),
      next: z.number().optional(),
    }),
    async run(context, input) {
      const { start, limit } = input;
      const rows = await select(context, { from: name, where: where(input), orderBy, start, most: limit });
      return {
        results: rows.map((row) => show[name](context, row)),
        // A short page is the last.
        ...(rows.length < limit ? {} : { next: start + limit }),
      };
    },
  };
}

const contains = (property: 'DisplayName' | 'Name', value: string | undefined, field: string): Condition[] =>
  value === undefined ? [] : [{ property, is: 'contains', value, field }];

function ofTransactions({ customerId, number, from, to }: Transactions): Condition[] {
  return [
    ...equal('CustomerRef', customerId, 'customerId'),
    ...equal('DocNumber', number, 'number'),
    ...(from === undefined ? [] : [{ property: 'TxnDate', is: '>=', value: from } as const]),
    ...(to === undefined ? [] : [{ property: 'TxnDate', is: '<=', value: to } as const]),
  ];
}

function equal(property: 'CustomerRef' | 'DocNumber', value: string | undefined, field: string): Condition[] {
  return value === undefined ? [] : [{ property, is: '=', value, field }];
}

const newest = { property: 'TxnDate', descending: true } as const;

export const searchCustomers = found('Customer', {
  title: 'Search customers',
  description: 'Customers of QuickBooks by name or e-mail address, with what they owe.',
  input: z.strictObject({
    name: words.optional().describe('Part of the name as QuickBooks shows it'),
    email: words.optional().describe('E-mail address, whole'),
    inactive: z.boolean().default(false).describe('Those made inactive, too'),
    ...page,
  }),
  where: ({ name, email, inactive }) => [
    ...contains('DisplayName', name, 'name'),
    ...(email === undefined
      ? []
      : [{ property: 'PrimaryEmailAddr', is: '=', value: email, field: 'email' } as const]),
    ...(inactive ? [{ property: 'Active', is: 'any' } as const] : []),
  ],
  orderBy: { property: 'DisplayName' },
});

export const searchItems = found('Item', {
  title: 'Search products and services',
  description: 'What the company sells, with prices: the items that lines of invoices name.',
  input: z.strictObject({ name: words.optional(), ...page }),
  where: ({ name }) => contains('Name', name, 'name'),
  orderBy: { property: 'Name' },
});

export const searchInvoices = found('Invoice', {
  title: 'Search invoices',
  description: 'Invoices of QuickBooks by customer, number, date or what is still owed, newest first.',
  input: z.strictObject({
    ...transactions,
    unpaid: z.boolean().default(false).describe('Only those with something left to pay'),
    dueBefore: day.optional().describe('Due before this day'),
  }),
  where: (input) => [
    ...ofTransactions(input),
    ...(input.unpaid ? [{ property: 'Balance', is: '>', value: '0' } as const] : []),
    ...(input.dueBefore === undefined
      ? []
      : [{ property: 'DueDate', is: '<', value: input.dueBefore } as const]),
  ],
  orderBy: newest,
});

export const searchEstimates = found('Estimate', {
  title: 'Search estimates',
  description: 'Estimates of QuickBooks by customer, number or date, newest first.',
  input: z.strictObject(transactions),
  where: ofTransactions,
  orderBy: newest,
});

const { number: _number, ...ofPayments } = transactions;

export const searchPayments = found('Payment', {
  title: 'Search payments',
  description: 'Payments received, by customer or date, newest first, with the invoices that they paid.',
  input: z.strictObject(ofPayments),
  where: (input) => ofTransactions(input),
  orderBy: newest,
});
