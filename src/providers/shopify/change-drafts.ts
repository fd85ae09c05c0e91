// What is done with a draft order that is there: changed, sent to be paid, deleted; only as a person saw it.
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import { type LiveRecord, type ProviderContext, type WriteContext, writeOperation } from '../define.ts';
import { draftDocuments } from './documents.ts';
import {
  address,
  changed,
  checkField,
  done,
  draftDone,
  given,
  note,
  outcomeOf,
  purchaseOrder,
  readDraft,
  scopes,
  type Which,
  which,
} from './draft.ts';
import { change } from './http.ts';
import type { RawDraft } from './raw.ts';
import { gidOf } from './reads.ts';
import { pageOf, show } from './shown.ts';

const updateInput = z
  .strictObject({
    draft: which,
    email: address.optional(),
    note: note.optional(),
    purchaseOrder: purchaseOrder.optional(),
  })
  .refine((given) => Object.keys(given).length > 1, { path: ['note'], message: 'say what is to be changed' });
type Update = z.infer<typeof updateInput>;
const sendInput = z.strictObject({
  draft: which,
  to: address,
  message: z.string().min(1).max(5_000).optional().describe('Stands in the mail, above the button to pay'),
});
type Send = z.infer<typeof sendInput>;
const deleteInput = z.strictObject({ draft: which });
type Delete = z.infer<typeof deleteInput>;

/** What names a draft order, what it amounts to, and what may be changed of it. */
function standing(context: ProviderContext, raw: RawDraft): Record<string, unknown> {
  const {
    number,
    status,
    customer,
    note: words,
    purchaseOrder: order,
    total,
    currency: unit,
  } = show.draft(context, raw);
  const sent = raw.invoiceSentAt ?? null;
  return {
    number,
    status,
    customer: customer ?? null,
    email: raw.email ?? null,
    note: words ?? null,
    purchaseOrder: order ?? null,
    total,
    currency: unit,
    invoiceSentAt: sent,
  };
}

async function liveOf(
  context: ProviderContext,
  draft: Which,
  after: Record<string, unknown>,
): Promise<LiveRecord> {
  const raw = await readDraft(context, draft);
  const fields = standing(context, raw);
  const { number, customer } = fields;
  const title = `Draft order ${number}${customer === null ? '' : ` of ${customer}`}`;
  return { title, url: pageOf(context, 'draft_orders', raw.id), fields, after: { ...fields, ...after } };
}

/** @throws DrawbridgeError `conflict` for another draft order than the one that is named, or one that became an order */
function assertMeant({ draft }: { draft: Which }, { fields }: LiveRecord): void {
  if (fields['number'] !== draft.number) {
    throw changed(`The draft order ${draft.id} is not ${draft.number} in the shop, but ${fields['number']}`);
  }
  if (fields['status'] === 'COMPLETED') throw changed(`The draft order ${draft.number} has become an order`);
}

/** @throws DrawbridgeError `conflict` where it is not any more as a person saw it */
async function assertUnchanged(context: WriteContext, payload: { draft: Which }): Promise<void> {
  const live = await liveOf(context, payload.draft, {});
  assertMeant(payload, live);
  for (const [name, was] of Object.entries(context.before?.fields ?? {})) {
    if (live.fields[name] !== was)
      throw changed(`${name} of the draft order ${payload.draft.number} was changed meanwhile`);
  }
}

const amountIn = (live: LiveRecord | undefined) => {
  const { total, currency: unit } = live?.fields ?? {};
  return typeof total === 'number' && typeof unit === 'string'
    ? { amount: { value: total, currency: unit } }
    : {};
};
/** https://shopify.dev/docs/api/admin-graphql/2026-10/mutations/draftOrderUpdate */
export const updateDraftOrder = writeOperation<Update>({
  effect: 'update',
  version: 1,
  title: 'Change a draft order',
  description:
    'Changes note, e-mail address or purchase order number of a draft order; its lines and prices stay.',
  scopes,
  idempotency: 'look-up',
  input: updateInput,
  summary: ({ draft, ...values }, account) => {
    const changes = Object.entries(values).map(
      ([name, value]) => `${name === 'purchaseOrder' ? 'purchase order' : name} “${value}”`,
    );
    return `Change in ${account} the draft order ${draft.number}: ${changes.join(', ')}`;
  },
  validate({ email }) {
    if (email !== undefined && email !== '') checkField(email, 'email');
  },
  before: (context, { draft, ...values }) => liveOf(context, draft, values),
  checkMeant: assertMeant,
  compensation: {
    title: 'Change it back',
    operation: 'update-draft-order',
    payload: ({ draft }, { details }) => {
      const back = updateInput.safeParse({ draft, ...(details['was'] as object | undefined) });
      return back.success ? back.data : undefined;
    },
  },
  async run(context, payload) {
    await assertUnchanged(context, payload);
    const { draft, note: words, email, purchaseOrder: poNumber } = payload;
    const variables = { id: gidOf('DraftOrder', draft.id), input: given({ note: words, email, poNumber }) };
    const answer = await change(context, draftDocuments.update, variables, draftDone);
    return outcomeOf(context, answer.done.draftOrder, { was: wasBefore(context, payload) });
  },
  async lookUp(context, payload) {
    const { draft, ...values } = payload;
    const raw = await readDraft(context, draft);
    const fields = standing(context, raw);
    if (Object.entries(values).every(([name, value]) => (fields[name] ?? '') === value)) {
      return { found: true, outcome: outcomeOf(context, raw, { was: wasBefore(context, payload) }) };
    }
    const before = context.before?.fields;
    const untouched =
      before !== undefined && Object.keys(values).every((name) => fields[name] === before[name]);
    const evidence = `The draft order ${draft.number} ${untouched ? 'is as it was' : 'was changed, but not to what was to be written'}.`;
    return { found: false, conclusive: untouched, evidence };
  },
});

function wasBefore({ before }: WriteContext, { draft: _draft, ...values }: Update) {
  if (before === undefined) return undefined;
  return Object.fromEntries(Object.keys(values).map((name) => [name, before.fields[name] ?? '']));
}

/** https://shopify.dev/docs/api/admin-graphql/2026-10/mutations/draftOrderInvoiceSend */
export const sendInvoice = writeOperation<Send>({
  effect: 'send',
  version: 1,
  title: 'Send the invoice of a draft order',
  description: 'Has Shopify mail a draft order to the customer, with a link to pay it.',
  scopes,
  idempotency: 'look-up',
  input: sendInput,
  summary: ({ draft, to }, account) =>
    `Send from ${account} the draft order ${draft.number} to ${to}, to be paid`,
  validate: ({ to }) => checkField(to, 'to'),
  concerns: ({ to }, live) => ({ recipients: [to], ...amountIn(live) }),
  before: (context, { draft }) => liveOf(context, draft, { status: 'INVOICE_SENT' }),
  checkMeant: assertMeant,
  async run(context, payload) {
    await assertUnchanged(context, payload);
    const { draft, to, message } = payload;
    const email = given({ to, customMessage: message });
    const variables = { id: gidOf('DraftOrder', draft.id), email };
    const answer = await change(context, draftDocuments.send, variables, draftDone);
    return outcomeOf(context, answer.done.draftOrder, { sentTo: to });
  },
  async lookUp(context, { draft, to }) {
    const raw = await readDraft(context, draft);
    const sent = raw.invoiceSentAt ?? null;
    // By whom, and to whom, Shopify does not say.
    const evidence =
      sent === (context.before?.fields['invoiceSentAt'] ?? null)
        ? `Shopify does not tell of an invoice for the draft order ${draft.number} since it was approved, and may tell late.`
        : `The draft order ${draft.number} was sent at ${sent}, after it was approved: maybe to ${to}.`;
    return { found: false, conclusive: false, evidence };
  },
});

/** https://shopify.dev/docs/api/admin-graphql/2026-10/mutations/draftOrderDelete */
export const deleteDraftOrder = writeOperation<Delete>({
  effect: 'delete',
  version: 1,
  title: 'Delete a draft order',
  description: 'Deletes a draft order that has not become an order. It cannot be brought back.',
  scopes,
  idempotency: 'look-up',
  input: deleteInput,
  summary: ({ draft }, account) => `Delete in ${account} the draft order ${draft.number} (cannot be undone)`,
  concerns: (_payload, live) => amountIn(live),
  before: (context, { draft }) => liveOf(context, draft, { status: 'deleted' }),
  checkMeant: assertMeant,
  async run(context, payload) {
    await assertUnchanged(context, payload);
    const id = gidOf('DraftOrder', payload.draft.id);
    await change(context, draftDocuments.delete, { input: { id } }, done({ deletedId: z.string() }));
    return { reference: id, details: { id, number: payload.draft.number, deleted: true } };
  },
  async lookUp(context, { draft }) {
    const id = gidOf('DraftOrder', draft.id);
    try {
      await readDraft(context, draft);
      return { found: false, conclusive: true, evidence: `The draft order ${draft.number} is there.` };
    } catch (thrown) {
      if (!(thrown instanceof DrawbridgeError && thrown.code === 'not_found')) throw thrown;
      return {
        found: true,
        outcome: { reference: id, details: { id, number: draft.number, deleted: true } },
      };
    }
  },
});
