// What is done with an invoice that is there: sent by e-mail, changed in what moves no amount, made void.
import { z } from 'zod';
import {
  type LiveRecord,
  type ProviderContext,
  type WriteContext,
  type WriteOutcome,
  writeOperation,
} from '../define.ts';
import { type Raw, raw } from './entities.ts';
import {
  checkUpdate,
  type Send,
  sendInput,
  type Update,
  updateInput,
  updateInWords,
  type Void,
  voidInput,
  whichInWords,
} from './payload.ts';
import { getRecord } from './reads.ts';
import { pageOf } from './shown.ts';
import {
  assertTold,
  given,
  outcomeOf,
  standing,
  totalOf,
  unchanged,
  versionBefore,
  write,
} from './writing.ts';

const answer = z.object({ Invoice: raw.Invoice });

export const sendInvoice = writeOperation<Send>({
  effect: 'send',
  version: 1,
  title: 'Send an invoice',
  description: 'Has QuickBooks send an invoice by e-mail. The address is kept with the invoice.',
  idempotency: 'provider-key',
  input: sendInput,
  summary: ({ invoice, to }, account) => `Send from ${account} the ${whichInWords(invoice)} to ${to}`,
  concerns: ({ to }) => ({ recipients: [to] }),
  async before(context, { invoice, to }) {
    const found = await getRecord(context, 'Invoice', invoice.id);
    const fields = { ...standing(found), email: found.BillEmail?.Address ?? null };
    return live(context, found, fields, { email: to });
  },
  checkMeant: ({ invoice }, { fields }) => assertTold({ which: invoice }, fields),
  async run(context, { invoice, to }) {
    await unchanged(context, { which: invoice });
    const { Invoice: sent } = await write(context, {
      path: '/invoice/{id}/send',
      params: { id: invoice.id },
      query: { sendTo: to },
      headers: { 'content-type': 'application/octet-stream' },
      output: answer,
    });
    return outcomeOf(context, 'Invoice', sent, {
      number: sent.DocNumber,
      sentTo: sent.BillEmail?.Address,
      sentAt: sent.DeliveryInfo?.DeliveryTime,
    });
  },
  async lookUp(context, { invoice, to }) {
    const { EmailStatus, BillEmail, DeliveryInfo } = await getRecord(context, 'Invoice', invoice.id);
    const address = BillEmail?.Address;
    if (EmailStatus !== 'EmailSent' || address?.toLowerCase() !== to.toLowerCase()) {
      const evidence = `QuickBooks does not say that the invoice ${invoice.id} was sent to ${to}.`;
      return { found: false, conclusive: true, evidence };
    }
    // It may have been sent before, too.
    const at = DeliveryInfo?.DeliveryTime ?? 'at an unknown time';
    const evidence = `The invoice ${invoice.id} was last sent to ${to}: ${at}.`;
    return { found: false, conclusive: false, evidence };
  },
});

export const updateInvoice = writeOperation<Update>({
  effect: 'update',
  version: 1,
  title: 'Change an invoice',
  description: 'Changes due date, message, note or address of an invoice; its lines and amounts stay.',
  idempotency: 'provider-key',
  input: updateInput,
  summary: (payload, account) =>
    `Change in ${account} the ${whichInWords(payload.invoice)}: ${updateInWords(payload)}`,
  validate: checkUpdate,
  async before(context, payload) {
    const found = await getRecord(context, 'Invoice', payload.invoice.id);
    const { dueDate, memo, note, email } = payload;
    const now = {
      dueDate: found.DueDate,
      memo: found.CustomerMemo,
      note: found.PrivateNote,
      email: found.BillEmail?.Address,
    };
    const then = given({ dueDate, memo, note, email });
    const touched = Object.entries(now).filter(([name]) => name in then);
    const fields = Object.fromEntries(touched.map(([name, value]) => [name, value ?? null]));
    return live(context, found, { ...standing(found), ...fields }, then);
  },
  checkMeant: ({ invoice, syncToken }, { fields }) => assertTold({ which: invoice, syncToken }, fields),
  compensation: {
    title: 'Change it back',
    operation: 'update-invoice',
    payload: ({ invoice }, { details }) => {
      const { version, was } = details;
      // What was empty cannot be written empty.
      const back = updateInput.safeParse({ invoice, syncToken: version, ...(was as object | undefined) });
      return was === undefined || !back.success ? undefined : back.data;
    },
  },
  async run(context, payload) {
    const { invoice, syncToken } = payload;
    const body = {
      sparse: true,
      Id: invoice.id,
      SyncToken: await unchanged(context, { which: invoice, syncToken }),
      ...changesOf(payload),
    };
    const { Invoice: changed } = await write(context, { path: '/invoice', body, output: answer });
    return changedOutcome(context, changed, wasBefore(context, payload));
  },
  async lookUp(context, payload) {
    const { id } = payload.invoice;
    const invoice = await getRecord(context, 'Invoice', id);
    if (invoice.SyncToken === versionBefore(context, payload)) return untouched(id);
    const wanted = [payload.dueDate, payload.memo, payload.note, payload.email];
    const has = [invoice.DueDate, invoice.CustomerMemo, invoice.PrivateNote, invoice.BillEmail?.Address];
    if (wanted.every((value, at) => value === undefined || value === has[at])) {
      return { found: true, outcome: changedOutcome(context, invoice, wasBefore(context, payload)) };
    }
    const evidence = `The invoice ${id} was changed since, but not to what was to be written.`;
    return { found: false, conclusive: false, evidence };
  },
});

function changesOf({ dueDate, memo, note, email }: Update): Record<string, unknown> {
  return {
    ...(dueDate === undefined ? {} : { DueDate: dueDate }),
    ...(memo === undefined ? {} : { CustomerMemo: { value: memo } }),
    ...(note === undefined ? {} : { PrivateNote: note }),
    ...(email === undefined ? {} : { BillEmail: { Address: email } }),
  };
}

export const voidInvoice = writeOperation<Void>({
  // The paper stays; what it says is gone, and nobody can bring it back.
  effect: 'delete',
  version: 1,
  title: 'Void an invoice',
  description: 'Sets all amounts of an invoice to zero. It keeps its number and stays in the books.',
  idempotency: 'provider-key',
  input: voidInput,
  summary: ({ invoice, total, currency }, account) =>
    `Void in ${account} the ${whichInWords(invoice)}, ${total.toFixed(2)} ${currency} (cannot be undone)`,
  concerns: totalOf,
  async before(context, { invoice }) {
    const found = await getRecord(context, 'Invoice', invoice.id);
    return live(context, found, standing(found), { total: 0, owed: 0 });
  },
  checkMeant: ({ invoice: which, ...told }, { fields }) => assertTold({ which, ...told }, fields),
  async run(context, payload) {
    const { invoice, ...told } = payload;
    const version = await unchanged(context, { which: invoice, ...told });
    const { Invoice: made } = await write(context, {
      path: '/invoice',
      query: { operation: 'void' },
      body: { Id: invoice.id, SyncToken: version },
      output: answer,
    });
    return changedOutcome(context, made);
  },
  async lookUp(context, payload) {
    const { invoice } = payload;
    const found = await getRecord(context, 'Invoice', invoice.id);
    if (found.SyncToken === versionBefore(context, payload)) return untouched(invoice.id);
    if (found.TotalAmt === 0 && found.PrivateNote?.startsWith('Voided') === true) {
      return { found: true, outcome: changedOutcome(context, found) };
    }
    const evidence = `The invoice ${invoice.id} was changed since, but is not void.`;
    return { found: false, conclusive: false, evidence };
  },
});

function untouched(id: string) {
  const evidence = `The invoice ${id} is in the version that was read.`;
  return { found: false, conclusive: true, evidence } as const;
}

function changedOutcome(
  context: ProviderContext,
  invoice: Raw['Invoice'],
  was?: Record<string, unknown>,
): WriteOutcome {
  const outcome = outcomeOf(context, 'Invoice', invoice, {
    number: invoice.DocNumber,
    dueDate: invoice.DueDate,
    total: invoice.TotalAmt,
    currency: invoice.CurrencyRef?.value,
    version: invoice.SyncToken,
  });
  return was === undefined ? outcome : { ...outcome, details: { ...outcome.details, was } };
}

/** What stood in the fields that were changed; undefined where it was not read. */
function wasBefore({ before }: WriteContext, { dueDate, memo, note, email }: Update) {
  if (before === undefined) return undefined;
  const names = Object.keys(given({ dueDate, memo, note, email }));
  return Object.fromEntries(names.map((name) => [name, before.fields[name]]));
}

function live(
  context: ProviderContext,
  { Id, DocNumber, CustomerRef }: Raw['Invoice'],
  fields: Record<string, unknown>,
  changes: Record<string, unknown>,
): LiveRecord {
  // QuickBooks counts its versions itself: what the next one is, is nobody's to promise.
  const { version: _version, ...rest } = fields;
  return {
    title: `Invoice ${DocNumber ?? Id} of ${CustomerRef?.name ?? 'nobody'}`,
    url: pageOf(context, 'Invoice', Id),
    fields,
    after: { ...rest, ...changes },
  };
}
