// QuickBooks Online by its API: customers, invoices, payments and estimates, read, kept in memory and written.
import { z } from 'zod';
import { visibleLine } from '../../untrusted.ts';
import { defineProvider, type ProviderContext } from '../define.ts';
import { auth } from './auth.ts';
import { sendInvoice, updateInvoice, voidInvoice } from './changes.ts';
import { createCustomer } from './customers.ts';
import { feedOf } from './feed.ts';
import { hosts, http } from './http.ts';
import {
  getCompany,
  getOperation,
  readCompany,
  searchCustomers,
  searchEstimates,
  searchInvoices,
  searchItems,
  searchPayments,
} from './reads.ts';
import { createEstimate, createInvoice, recordPayment } from './sales.ts';
import { deleteEstimate, voidPayment } from './taking-back.ts';
import { webhook } from './webhook.ts';

const fields = z
  .strictObject({
    environment: z
      .enum(['production', 'sandbox'])
      .default('production')
      .describe(
        '“production” for a real company, “sandbox” for a test company of Intuit’s (with the Development keys)',
      ),
  })
  .transform(({ environment }) => ({ environment, host: hosts[environment] }));

export const provider = defineProvider({
  id: 'quickbooks',
  title: 'QuickBooks Online',
  fields,
  learned: { realm: { from: 'callback', as: 'realmId', description: 'Number of the company (realm id)' } },
  secrets: [],
  auth,
  http,
  identity,
  operations: {
    'get-company': getCompany,
    'get-customer': getOperation('Customer', 'a customer'),
    'search-customers': searchCustomers,
    'search-items': searchItems,
    'get-invoice': getOperation('Invoice', 'an invoice'),
    'search-invoices': searchInvoices,
    'get-estimate': getOperation('Estimate', 'an estimate'),
    'search-estimates': searchEstimates,
    'get-payment': getOperation('Payment', 'a payment'),
    'search-payments': searchPayments,
    'create-customer': createCustomer,
    'create-invoice': createInvoice,
    'send-invoice': sendInvoice,
    'update-invoice': updateInvoice,
    'void-invoice': voidInvoice,
    'create-estimate': createEstimate,
    'delete-estimate': deleteEstimate,
    'record-payment': recordPayment,
    'void-payment': voidPayment,
  },
  capabilities: {},
  feeds: {
    customers: feedOf('Customer'),
    invoices: feedOf('Invoice'),
    payments: feedOf('Payment'),
    estimates: feedOf('Estimate'),
  },
  webhook,
  limit: { perSecond: 10, burst: 10, concurrent: 10, windows: [{ calls: 500, ms: 60_000 }] },
  notes: [
    'QuickBooks has one scope, which reads and writes: what may be written is decided here.',
    'A refresh token lives 100 days from its last use and five years from the consent; then a person connects again.',
    'Requests say minor version 75. That Intuit serves none below it is known, not verified.',
    'In a text that is searched for a quote is escaped; how a backslash is, Intuit does not say: such a text is refused.',
    'By which properties customers and papers can be searched (e-mail address, open amount, customer, day) is known, not verified.',
    'Change data capture reaches back 30 days and gives 1,000 changes without a second page. Past either bound everything is read again.',
    'How late change data capture tells of a change is not documented: each sync begins 2 minutes before the last one.',
    'Limits: 10 calls a second and 500 a minute for a company. After 429 nothing names a time: 60 s are waited (known, not verified).',
    'Writes carry a request id, under which QuickBooks gives its first answer again. Whether that holds for sending by e-mail, too, is documented in general alone.',
    'Where the answer to a new invoice, estimate or payment gets lost for good, an equal one of that day cannot be told from it unless it has a number (a payment: a reference): a person decides.',
    'Of an invoice due date, message, note and address can be changed; to change amounts it is made void and written anew.',
    'Estimates and payments are kept in memory as papers of the kind “invoice”; their titles tell them apart.',
    'The addresses of records in QuickBooks’s own pages are known, not verified; a person must be signed in to that company there.',
    'Production keys take https redirect addresses alone, and Intuit asks a questionnaire before it gives them; Development keys take http://localhost and sandbox companies.',
  ],
  verified:
    'Emulator in sandbox/. Every request and answer held against Intuit’s own types (XSD of 2024); paths and queries against a contract from its documentation.',
});

async function identity(context: ProviderContext): Promise<{ id: string; label: string }> {
  const { CompanyName } = await readCompany(context);
  const realm = String(context.fields['realm']);
  const test = context.fields['environment'] === 'sandbox' ? ' sandbox' : '';
  return { id: realm, label: `${visibleLine(CompanyName, 100)} (QuickBooks${test} ${realm})` };
}
