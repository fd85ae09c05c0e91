// What all that is done with draft orders has in common: which one is meant, how it stands, and what came of it.
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import { checkAddress } from '../capabilities.ts';
import type { ProviderContext, WriteOutcome } from '../define.ts';
import { documents } from './documents.ts';
import { type RawDraft, rawDraft } from './raw.ts';
import { idOf, readOne } from './reads.ts';
import { show } from './shown.ts';

export const scopes = ['write_draft_orders'];
export const address = z.string().max(254).describe('E-mail address of the customer');
export const note = z.string().max(5_000);
export const purchaseOrder = z.string().max(255);

export const which = z.strictObject({
  id: idOf('DraftOrder'),
  number: z.string().max(50).describe('As the shop has it: #D12'),
});
export type Which = z.infer<typeof which>;

export const given = (values: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
export const done = <Payload extends z.ZodRawShape>(payload: Payload) =>
  z.object({ done: z.object(payload) });
export const draftDone = done({ draftOrder: rawDraft });

export function outcomeOf(
  context: ProviderContext,
  raw: RawDraft,
  more: Record<string, unknown> = {},
): WriteOutcome {
  const { number, status, total, currency, url, invoiceSentAt } = show.draft(context, raw);
  const subtotal = Number(raw.subtotalPriceSet.shopMoney.amount);
  const details = given({ id: raw.id, number, status, total, subtotal, currency, invoiceSentAt, ...more });
  return { reference: raw.id, url, details };
}

export const readDraft = (context: ProviderContext, { id }: { id: string }) =>
  readOne(context, documents['draft-orders'].one, { gid: 'DraftOrder', id, raw: rawDraft });

export function changed(what: string): DrawbridgeError {
  return new DrawbridgeError('conflict', `${what}. Nothing was sent.`, { retry: 'ask' });
}

export const checkField = (email: string, field: string) => {
  try {
    checkAddress({ email }, field);
  } catch (thrown) {
    if (!(thrown instanceof DrawbridgeError)) throw thrown;
    throw new DrawbridgeError('invalid_request', thrown.message.replace(`${field}.email`, field), { field });
  }
};
