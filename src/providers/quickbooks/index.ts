// QuickBooks Online by its API: customers, invoices, payments and estimates, read, kept in memory and written.
import { z } from 'zod';
import { visibleLine } from '../../untrusted.ts';
import { defineProvider, type ProviderContext } from '../define.ts';
import { auth } from './auth.ts';
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
import { webhook } from './webhook.ts';

const fields = z
  .strictObject({
    environment: z
      .enum(['production', 'sandbox'])
      .default('production')
      .describe('"production" for a real company, "sandbox" for one of Intuit’s test companies'),
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
  notes: [],
});

async function identity(context: ProviderContext): Promise<{ id: string; label: string }> {
  const { CompanyName } = await readCompany(context);
  const realm = String(context.fields['realm']);
  const test = context.fields['environment'] === 'sandbox' ? ' sandbox' : '';
  return { id: realm, label: `${visibleLine(CompanyName, 100)} (QuickBooks${test} ${realm})` };
}
