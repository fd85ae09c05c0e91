// Papers made anew: invoices, estimates and payments.
import { z } from 'zod';
import {
  type LookUp,
  type ProviderContext,
  type WriteContext,
  type WriteOutcome,
  writeOperation,
} from '../define.ts';
import { type Raw, type RawLine, raw } from './entities.ts';
import {
  asNumber,
  centsOf,
  centsOfMoney,
  checkPayment,
  checkSale,
  type Estimate,
  estimateInput,
  type Invoice,
  inMoney,
  invoiceInput,
  type Payment,
  paymentInput,
  paymentInWords,
  type Sale,
  saleInWords,
  totalOf,
} from './payload.ts';
import { select } from './reads.ts';
import { assertParties, assertSame, given, outcomeOf, write } from './writing.ts';

const invoiceAnswer = z.object({ Invoice: raw.Invoice });
const estimateAnswer = z.object({ Estimate: raw.Estimate });
const paymentAnswer = z.object({ Payment: raw.Payment });

/** https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/invoice */
export const createInvoice = writeOperation<Invoice>({
  // What a customer owes is changed.
  effect: 'money',
  version: 1,
  title: 'Create an invoice',
  description: 'Writes an invoice into QuickBooks, without sending it.',
  idempotency: 'provider-key',
  input: invoiceInput,
  summary: (payload, account) => `Create in ${account} an invoice ${saleInWords(payload)}`,
  validate: checkSale,
  concerns: amountOf,
  compensation: {
    title: 'Void the invoice',
    operation: 'void-invoice',
    payload: ({ customer, currency }, { reference, details }) => ({
      invoice: { id: reference, number: details['number'], customer: customer.name },
      syncToken: details['version'],
      total: details['total'],
      currency,
    }),
  },
  async run(context, payload) {
    await assertParties(context, payload);
    const body = { ...saleBody(payload), ...given({ DueDate: payload.dueDate }) };
    const { Invoice: made } = await write(context, { path: '/invoice', body, output: invoiceAnswer });
    return paperOutcome(context, 'Invoice', made);
  },
  async lookUp(context, payload) {
    const found = (await ofThatDay(context, 'Invoice', payload)).filter(
      (one) => payload.dueDate === undefined || one.DueDate === payload.dueDate,
    );
    return judged(context, 'Invoice', payload, found);
  },
});

/** https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/estimate */
export const createEstimate = writeOperation<Estimate>({
  effect: 'create',
  version: 1,
  title: 'Create an estimate',
  description: 'Writes an estimate into QuickBooks, without sending it.',
  idempotency: 'provider-key',
  input: estimateInput,
  summary: (payload, account) => `Create in ${account} an estimate ${saleInWords(payload)}`,
  validate: checkSale,
  concerns: amountOf,
  compensation: {
    title: 'Delete the estimate',
    operation: 'delete-estimate',
    payload: ({ customer, currency }, outcome) =>
      taken({ customer, currency }, outcome, outcome.details['number']),
  },
  async run(context, payload) {
    await assertParties(context, payload);
    const body = { ...saleBody(payload), ...given({ ExpirationDate: payload.expires }) };
    const { Estimate: made } = await write(context, { path: '/estimate', body, output: estimateAnswer });
    return paperOutcome(context, 'Estimate', made);
  },
  async lookUp(context, payload) {
    const found = (await ofThatDay(context, 'Estimate', payload)).filter(
      (one) => payload.expires === undefined || one.ExpirationDate === payload.expires,
    );
    return judged(context, 'Estimate', payload, found);
  },
});

/** What takes a new paper out of the books again. */
function taken(
  { customer, currency }: Pick<Sale, 'customer' | 'currency'>,
  { reference, details }: WriteOutcome,
  number: unknown,
): unknown {
  return {
    paper: { id: reference, customer: customer.name, ...(number === undefined ? {} : { number }) },
    syncToken: details['version'],
    total: details['total'],
    currency,
  };
}

function amountOf({ lines, currency }: Sale) {
  return { amount: { value: asNumber(totalOf(lines)), currency } };
}

function saleBody(payload: Sale): Record<string, unknown> {
  const { customer, currency, date, number, lines, memo, note, email } = payload;
  return {
    CustomerRef: { value: customer.id },
    CurrencyRef: { value: currency },
    TxnDate: date,
    Line: lines.map((line) => ({
      Amount: asNumber(centsOf(line)),
      DetailType: 'SalesItemLineDetail',
      ...given({ Description: line.description }),
      SalesItemLineDetail: {
        ItemRef: { value: line.item.id },
        Qty: line.quantity,
        UnitPrice: line.unitPrice,
        ...(line.taxCode === undefined ? {} : { TaxCodeRef: { value: line.taxCode } }),
      },
    })),
    ...given({
      DocNumber: number,
      CustomerMemo: memo === undefined ? undefined : { value: memo },
      PrivateNote: note,
      BillEmail: email === undefined ? undefined : { Address: email },
    }),
  };
}

/** https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/payment */
export const recordPayment = writeOperation<Payment>({
  effect: 'money',
  version: 1,
  title: 'Record a payment',
  description: 'Enters a payment that a customer made, and which invoices it pays. Moves no money by itself.',
  idempotency: 'provider-key',
  input: paymentInput,
  summary: (payload, account) => `Record in ${account} a payment: ${paymentInWords(payload)}`,
  validate: checkPayment,
  concerns: ({ amount, currency }) => ({ amount: { value: amount, currency } }),
  compensation: {
    title: 'Void the payment',
    operation: 'void-payment',
    payload: (payment, outcome) => taken(payment, outcome, payment.reference),
  },
  async run(context, payload) {
    await assertParties(context, { ...payload, lines: [] });
    await assertInvoices(context, payload);
    const body = paymentBody(payload);
    const { Payment: made } = await write(context, { path: '/payment', body, output: paymentAnswer });
    return paperOutcome(context, 'Payment', made);
  },
  async lookUp(context, payload) {
    const paid = (links: readonly RawLine[] | undefined) =>
      (links ?? [])
        .flatMap(({ Amount = 0, LinkedTxn = [] }) => LinkedTxn.map(({ TxnId }) => `${TxnId}=${Amount}`))
        .sort()
        .join();
    const wanted = payload.invoices
      .map(({ id, amount }) => `${id}=${amount}`)
      .sort()
      .join();
    const rows = await rowsOf(context, 'Payment', payload);
    const found = rows.filter(
      (one) =>
        one.TotalAmt === payload.amount &&
        one.PaymentRefNum === payload.reference &&
        paid(one.Line) === wanted,
    );
    return judged(context, 'Payment', { ...payload, number: payload.reference }, found);
  },
});

function paymentBody(payload: Payment): Record<string, unknown> {
  return {
    CustomerRef: { value: payload.customer.id },
    CurrencyRef: { value: payload.currency },
    TotalAmt: payload.amount,
    TxnDate: payload.date,
    ...given({ PaymentRefNum: payload.reference, PrivateNote: payload.note }),
    ...(payload.invoices.length === 0
      ? {}
      : {
          Line: payload.invoices.map(({ id, amount }) => ({
            Amount: amount,
            LinkedTxn: [{ TxnId: id, TxnType: 'Invoice' }],
          })),
        }),
  };
}

/** @throws DrawbridgeError `conflict` for an invoice of somebody else, of another number, or that owes less */
async function assertInvoices(context: WriteContext, { customer, invoices }: Payment): Promise<void> {
  if (invoices.length === 0) return;
  const rows = await select(context, {
    from: 'Invoice',
    where: [{ property: 'Id', is: 'in', values: invoices.map(({ id }) => id) }],
    most: invoices.length,
  });
  const byId = new Map(rows.map((row) => [row.Id, row]));
  for (const { id, number, amount } of invoices) {
    const row = byId.get(id);
    assertSame('customer of invoice', id, { was: customer.id, is: row?.CustomerRef?.value });
    if (number !== undefined) assertSame('number of invoice', id, { was: number, is: row?.DocNumber });
    if (row?.Balance !== undefined && row.Balance < amount) {
      assertSame('open amount of invoice', id, {
        was: inMoney(centsOfMoney(amount)),
        is: row.Balance.toFixed(2),
      });
    }
  }
}

type Paper = 'Invoice' | 'Estimate' | 'Payment';

function paperOutcome(context: ProviderContext, entity: Paper, made: Raw[Paper]): WriteOutcome {
  return outcomeOf(context, entity, made, {
    number: made.DocNumber,
    total: made.TotalAmt,
    currency: made.CurrencyRef?.value,
    version: made.SyncToken,
  });
}

/** Papers of the customer and the day. */
function rowsOf<Name extends Paper>(
  context: ProviderContext,
  entity: Name,
  { customer, date }: Pick<Sale, 'customer' | 'date'>,
): Promise<Raw[Name][]> {
  return select(context, {
    from: entity,
    where: [
      { property: 'CustomerRef', is: '=', value: customer.id },
      { property: 'TxnDate', is: '=', value: date },
    ],
    most: 1_000,
  });
}

/** Those that say what the payload says. */
async function ofThatDay<Name extends 'Invoice' | 'Estimate'>(
  context: ProviderContext,
  entity: Name,
  payload: Sale,
): Promise<Raw[Name][]> {
  const wanted = payload.lines.map((line) =>
    [line.item.id, inMoney(centsOf(line)), line.description ?? ''].join(),
  );
  const rows = await rowsOf(context, entity, payload);
  return rows.filter(({ DocNumber, Line = [] }) => {
    const lines = Line.filter(({ SalesItemLineDetail: detail }) => detail !== undefined).map((line) =>
      [
        line.SalesItemLineDetail?.ItemRef?.value,
        (line.Amount ?? 0).toFixed(2),
        line.Description ?? '',
      ].join(),
    );
    const numbered = payload.number === undefined || DocNumber === payload.number;
    return numbered && lines.join('\n') === wanted.join('\n');
  });
}

/** A number of its own makes a paper the one that was meant; without one it could be an equal of that day. */
function judged(
  context: ProviderContext,
  entity: Paper,
  payload: { customer: Sale['customer']; date: string; number?: string | undefined },
  found: readonly Raw[Paper][],
): LookUp {
  const what = entity.toLowerCase();
  const [only, ...others] = found;
  if (only === undefined) {
    const evidence = `No ${what} of ${payload.customer.name} dated ${payload.date} says what was to be written.`;
    return { found: false, conclusive: true, evidence };
  }
  if (payload.number !== undefined && others.length === 0) {
    return { found: true, outcome: paperOutcome(context, entity, only) };
  }
  const which = found
    .slice(0, 5)
    .map(({ Id, MetaData }) => `${Id} (made ${MetaData?.CreateTime ?? 'at an unknown time'})`);
  return {
    found: false,
    conclusive: false,
    evidence: `${payload.customer.name} has such a ${what} of ${payload.date}: ${which.join(', ')}. Whether it is this one, its time tells.`,
  };
}
