// Records of the books as they are handed on.
import { z } from 'zod';
import type { ProviderContext } from '../define.ts';
import type { Raw, RawLine } from './entities.ts';
import { pages } from './http.ts';
import type { EntityName } from './query.ts';

const optional = z.string().optional();
const named = z.object({ id: z.string(), name: optional });
const times = { syncToken: optional, createdAt: optional, updatedAt: optional, url: optional };
const shownLine = z.object({
  description: optional,
  item: named.optional(),
  quantity: z.number().optional(),
  unitPrice: z.number().optional(),
  amount: z.number().optional(),
  taxCode: optional,
});
const shownSale = {
  id: z.string(),
  number: optional,
  date: optional,
  customer: named.optional(),
  currency: optional,
  total: z.number().optional(),
  note: optional,
  ...times,
};

/** Records in answers. */
export const shown = {
  Customer: z.object({
    id: z.string(),
    name: optional,
    company: optional,
    person: optional,
    email: optional,
    phone: optional,
    mobile: optional,
    address: optional,
    notes: optional,
    balance: z.number().optional(),
    currency: optional,
    active: z.boolean(),
    ...times,
  }),
  Item: z.object({
    id: z.string(),
    name: optional,
    description: optional,
    type: optional,
    unitPrice: z.number().optional(),
    active: z.boolean(),
  }),
  Invoice: z.object({
    ...shownSale,
    dueDate: optional,
    balance: z.number().optional(),
    memo: optional,
    email: optional,
    emailStatus: optional,
    lines: z.array(shownLine),
  }),
  Estimate: z.object({
    ...shownSale,
    expires: optional,
    status: optional,
    memo: optional,
    email: optional,
    emailStatus: optional,
    lines: z.array(shownLine),
  }),
  Payment: z.object({
    ...shownSale,
    unapplied: z.number().optional(),
    reference: optional,
    paid: z.array(z.object({ id: z.string(), type: optional, amount: z.number().optional() })),
  }),
} satisfies Record<EntityName, z.ZodType>;
export type Shown = { [Name in EntityName]: z.infer<(typeof shown)[Name]> };

type Show = { [Name in EntityName]: (context: ProviderContext, record: Raw[Name]) => Shown[Name] };

export const show: Show = {
  Customer: (context, record) => ({
    id: record.Id,
    ...given({
      name: record.DisplayName,
      company: record.CompanyName,
      person: personName(record),
      email: record.PrimaryEmailAddr?.Address,
      phone: record.PrimaryPhone?.FreeFormNumber,
      mobile: record.Mobile?.FreeFormNumber,
      address: addressLine(record.BillAddr),
      notes: record.Notes,
      balance: record.Balance,
      currency: record.CurrencyRef?.value,
    }),
    active: record.Active ?? true,
    ...timesOf(record),
    url: pageOf(context, 'Customer', record.Id),
  }),
  Item: (_context, record) => ({
    id: record.Id,
    ...given({
      name: record.Name,
      description: record.Description,
      type: record.Type,
      unitPrice: record.UnitPrice,
    }),
    active: record.Active ?? true,
  }),
  Invoice: (context, record) => ({
    ...saleOf(record),
    ...given({ dueDate: record.DueDate, balance: record.Balance }),
    ...mailOf(record),
    lines: linesOf(record.Line),
    url: pageOf(context, 'Invoice', record.Id),
  }),
  Estimate: (context, record) => ({
    ...saleOf(record),
    ...given({ expires: record.ExpirationDate, status: record.TxnStatus }),
    ...mailOf(record),
    lines: linesOf(record.Line),
    url: pageOf(context, 'Estimate', record.Id),
  }),
  Payment: (context, record) => ({
    ...saleOf(record),
    ...given({ unapplied: record.UnappliedAmt, reference: record.PaymentRefNum }),
    paid: (record.Line ?? []).flatMap(({ Amount, LinkedTxn = [] }) =>
      LinkedTxn.map(({ TxnId, TxnType }) => ({ id: TxnId, ...given({ type: TxnType, amount: Amount }) })),
    ),
    url: pageOf(context, 'Payment', record.Id),
  }),
};

export function personName({ GivenName, FamilyName }: Raw['Customer']): string | undefined {
  const name = [GivenName, FamilyName].filter((part) => part !== undefined && part !== '').join(' ');
  return name === '' ? undefined : name;
}

export function addressLine(at: Raw['Customer']['BillAddr']): string | undefined {
  if (at === undefined) return undefined;
  const place = [at.City, at.CountrySubDivisionCode, at.PostalCode].filter(Boolean).join(' ');
  const whole = [at.Line1, at.Line2, at.Line3, place, at.Country].filter(Boolean).join(', ');
  return whole === '' ? undefined : whole;
}

const paths: Record<EntityName, string> = {
  Customer: 'customerdetail?nameId=',
  Item: 'item?id=',
  Invoice: 'invoice?txnId=',
  Estimate: 'estimate?txnId=',
  Payment: 'recvpayment?txnId=',
};

/** The record's page for people; they must be signed in to this company there. */
export function pageOf(context: Pick<ProviderContext, 'fields'>, entity: EntityName, id: string): string {
  const { environment } = context.fields;
  return `${pages[environment === 'sandbox' ? 'sandbox' : 'production']}/${paths[entity]}${id}`;
}

function saleOf(record: Raw['Invoice' | 'Estimate' | 'Payment']) {
  const { CustomerRef: customer } = record;
  return {
    id: record.Id,
    ...given({
      number: record.DocNumber,
      date: record.TxnDate,
      currency: record.CurrencyRef?.value,
      total: record.TotalAmt,
      note: record.PrivateNote,
    }),
    ...(customer === undefined
      ? {}
      : { customer: { id: customer.value, ...given({ name: customer.name }) } }),
    ...timesOf(record),
  };
}

function mailOf(record: Raw['Invoice' | 'Estimate']) {
  return given({
    memo: record.CustomerMemo,
    email: record.BillEmail?.Address,
    emailStatus: record.EmailStatus,
  });
}

function timesOf(record: Pick<Raw['Customer'], 'SyncToken' | 'MetaData'>) {
  return given({
    syncToken: record.SyncToken,
    createdAt: record.MetaData?.CreateTime,
    updatedAt: record.MetaData?.LastUpdatedTime,
  });
}

/** Sub-totals stand among the lines; they are no sale of their own. */
function linesOf(lines: readonly RawLine[] = []): z.infer<typeof shownLine>[] {
  return lines
    .filter(({ DetailType }) => DetailType !== 'SubTotalLineDetail')
    .map(({ Amount, Description, SalesItemLineDetail: detail }) => ({
      ...given({
        description: Description,
        quantity: detail?.Qty,
        unitPrice: detail?.UnitPrice,
        amount: Amount,
        taxCode: detail?.TaxCodeRef?.value,
      }),
      ...(detail?.ItemRef === undefined
        ? {}
        : { item: { id: detail.ItemRef.value, ...given({ name: detail.ItemRef.name }) } }),
    }));
}

type Given<Values> = { [Name in keyof Values]?: NonNullable<Values[Name]> };

/** Only those that have a value. */
function given<Values extends Record<string, unknown>>(values: Values): Given<Values> {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined && value !== ''),
  ) as Given<Values>;
}
