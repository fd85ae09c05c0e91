// Records of the books as QuickBooks gives them: only what is read of them.
import { z } from 'zod';
import type { EntityName } from './query.ts';

export const recordId = z
  .string()
  .regex(/^\d{1,20}$/, 'must be the number of the record')
  .describe('Number of the record in QuickBooks (Id)');
export const syncToken = z
  .string()
  .regex(/^\d{1,10}$/, 'must be the version as it was read')
  .describe('Version of the record as it was read: what was changed since is not overwritten');
export const day = z
  .string()
  .regex(/^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/, 'must be a date like 2026-03-31');

const text = z.string().optional();
const amount = z.number().optional();
const reference = z.object({ value: z.string(), name: text }).optional();
const email = z.object({ Address: text }).optional();
const phone = z.object({ FreeFormNumber: text }).optional();
const memo = z
  .union([z.string(), z.object({ value: text })])
  .transform((value) => (typeof value === 'string' ? value : value.value))
  .optional();
const address = z
  .object({
    Line1: text,
    Line2: text,
    Line3: text,
    City: text,
    CountrySubDivisionCode: text,
    PostalCode: text,
    Country: text,
  })
  .optional();

/** What every record has. Deleted ones have little more. */
const base = {
  Id: z.string().regex(/^\d{1,20}$/),
  SyncToken: text,
  status: text,
  MetaData: z.object({ CreateTime: text, LastUpdatedTime: text }).optional(),
};

const line = z.object({
  Amount: amount,
  Description: text,
  DetailType: text,
  LinkedTxn: z.array(z.object({ TxnId: z.string(), TxnType: text })).optional(),
  SalesItemLineDetail: z
    .object({ ItemRef: reference, Qty: amount, UnitPrice: amount, TaxCodeRef: reference })
    .optional(),
});
export type RawLine = z.infer<typeof line>;

const transaction = {
  ...base,
  DocNumber: text,
  TxnDate: text,
  CustomerRef: reference,
  CurrencyRef: reference,
  TotalAmt: amount,
  PrivateNote: text,
  Line: z.array(line).optional(),
};
const sale = {
  ...transaction,
  DueDate: text,
  CustomerMemo: memo,
  BillEmail: email,
  EmailStatus: text,
  DeliveryInfo: z.object({ DeliveryTime: text }).optional(),
};

export const raw = {
  Customer: z.object({
    ...base,
    DisplayName: text,
    GivenName: text,
    FamilyName: text,
    CompanyName: text,
    Active: z.boolean().optional(),
    PrimaryEmailAddr: email,
    PrimaryPhone: phone,
    Mobile: phone,
    BillAddr: address,
    Notes: text,
    Balance: amount,
    CurrencyRef: reference,
  }),
  Item: z.object({
    ...base,
    Name: text,
    Description: text,
    Type: text,
    UnitPrice: amount,
    Active: z.boolean().optional(),
  }),
  Invoice: z.object({ ...sale, Balance: amount }),
  Estimate: z.object({ ...sale, ExpirationDate: text, TxnStatus: text }),
  Payment: z.object({ ...transaction, UnappliedAmt: amount, PaymentRefNum: text }),
} satisfies Record<EntityName, z.ZodType>;
export type Raw = { [Name in EntityName]: z.infer<(typeof raw)[Name]> };

export const companyInfo = z.object({
  Id: text,
  CompanyName: z.string(),
  LegalName: text,
  Country: text,
  FiscalYearStartMonth: text,
  CompanyAddr: address,
  Email: email,
  PrimaryPhone: phone,
});
