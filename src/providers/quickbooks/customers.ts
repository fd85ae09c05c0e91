// Customers made anew.
import { z } from 'zod';
import { type ProviderContext, type WriteOutcome, writeOperation } from '../define.ts';
import { type Raw, raw } from './entities.ts';
import { type Customer, customerInput, customerInWords } from './payload.ts';
import { select } from './reads.ts';
import { given, outcomeOf, write } from './writing.ts';

const customerAnswer = z.object({ Customer: raw.Customer });

/** https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/customer */
export const createCustomer = writeOperation<Customer>({
  effect: 'create',
  version: 1,
  title: 'Create a customer',
  description: 'Adds a customer to QuickBooks.',
  idempotency: 'provider-key',
  input: customerInput,
  summary: (payload, account) => `Create in ${account} the customer ${customerInWords(payload)}`,
  async run(context, payload) {
    const body = customerBody(payload);
    const { Customer: made } = await write(context, { path: '/customer', body, output: customerAnswer });
    return customerOutcome(context, made);
  },
  /** No two customers have one name. */
  async lookUp(context, payload) {
    const [found] = await select(context, {
      from: 'Customer',
      where: [
        { property: 'DisplayName', is: '=', value: payload.name, field: 'name' },
        { property: 'Active', is: 'any' },
      ],
      most: 1,
    });
    if (found === undefined) {
      return { found: false, conclusive: true, evidence: `No customer is called ${payload.name}.` };
    }
    const same =
      found.PrimaryEmailAddr?.Address?.toLowerCase() === payload.email?.toLowerCase() &&
      (found.CompanyName ?? payload.company) === payload.company &&
      (found.PrimaryPhone?.FreeFormNumber ?? payload.phone) === payload.phone;
    if (same) return { found: true, outcome: customerOutcome(context, found) };
    const evidence = `Customer ${found.Id} is called ${payload.name}, but differs in e-mail, company or phone.`;
    return { found: false, conclusive: false, evidence };
  },
});

function customerBody(payload: Customer): Record<string, unknown> {
  const { address } = payload;
  return given({
    DisplayName: payload.name,
    GivenName: payload.givenName,
    FamilyName: payload.familyName,
    CompanyName: payload.company,
    PrimaryEmailAddr: payload.email === undefined ? undefined : { Address: payload.email },
    PrimaryPhone: payload.phone === undefined ? undefined : { FreeFormNumber: payload.phone },
    Mobile: payload.mobile === undefined ? undefined : { FreeFormNumber: payload.mobile },
    BillAddr:
      address === undefined
        ? undefined
        : given({
            Line1: address.line1,
            Line2: address.line2,
            City: address.city,
            CountrySubDivisionCode: address.region,
            PostalCode: address.postalCode,
            Country: address.country,
          }),
    Notes: payload.notes,
  });
}

function customerOutcome(context: ProviderContext, made: Raw['Customer']): WriteOutcome {
  return outcomeOf(context, 'Customer', made, { name: made.DisplayName });
}
