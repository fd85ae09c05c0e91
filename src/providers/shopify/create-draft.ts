// Draft orders made anew. Shopify has no key for them that tells a repeat: each one bears a tag of ours, by which
// it is found again.
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { type ProviderContext, type WriteOutcome, writeOperation } from '../define.ts';
import { documents, draftDocuments, partiesDocument } from './documents.ts';
import {
  address,
  changed,
  checkField,
  draftDone,
  given,
  note,
  outcomeOf,
  purchaseOrder,
  scopes,
} from './draft.ts';
import { ask, change, listed, phrase } from './http.ts';
import { rawDraft } from './raw.ts';
import { gidOf, idOf } from './reads.ts';

const price = z
  .string()
  .regex(/^\d{1,9}(\.\d{1,2})?$/, 'must be a plain decimal number')
  .describe('For one, before taxes: 48.00');
const currencyCode = z
  .string()
  .regex(/^[A-Z]{3}$/, 'must be ISO 4217')
  .describe('The shop’s currency');
const createInput = z.strictObject({
  customer: z
    .strictObject({ id: idOf('Customer'), name: z.string().describe('As the shop has it') })
    .optional(),
  email: address.optional(),
  currency: currencyCode,
  lines: z
    .array(
      z.strictObject({
        variant: idOf('ProductVariant').optional().describe('What the shop sells; left out: something else'),
        title: z
          .string()
          .min(1)
          .max(255)
          .describe(
            'What it is; of a variant its whole name: “Product - Variant”, or the product where it has one alone',
          ),
        quantity: z.number().int().min(1).max(10_000),
        price,
      }),
    )
    .min(1)
    .max(100),
  note: note.min(1).optional(),
  purchaseOrder: purchaseOrder.min(1).optional(),
});
type Create = z.infer<typeof createInput>;

const cents = (text: string) => Math.round(Number(text) * 100);
const totalOf = ({ lines }: Create) =>
  lines.reduce((sum, line) => sum + cents(line.price) * line.quantity, 0) / 100;
/** Of 40 characters that a tag may have. */
const tagOf = (effectKey: string) =>
  `drawbridge-${createHash('sha256').update(effectKey).digest('hex').slice(0, 24)}`;

/** @throws DrawbridgeError `conflict` where customer, variants or currency are not what the payload calls them */
async function assertParties(context: ProviderContext, { customer, currency, lines }: Create): Promise<void> {
  const named = [
    ...(customer === undefined ? [] : [{ id: gidOf('Customer', customer.id), name: customer.name }]),
    ...lines.flatMap(({ variant, title }) =>
      variant === undefined ? [] : [{ id: gidOf('ProductVariant', variant), name: title }],
    ),
  ];
  const node = z.object({ id: z.string(), displayName: z.string().optional() }).nullable();
  const ids = [...new Set(named.map(({ id }) => id))];
  const answer = z.object({ nodes: z.array(node), shop: z.object({ currencyCode: z.string() }) });
  const { nodes, shop } = await ask(context, partiesDocument, { ids }, answer);
  if (shop.currencyCode !== currency)
    throw changed(`The shop sells in ${shop.currencyCode}, not in ${currency}`);
  const names = new Map(nodes.flatMap((one) => (one === null ? [] : [[one.id, one.displayName]])));
  for (const { id, name } of named) {
    const is = names.get(id)?.replace(/ - Default Title$/, '');
    if (is !== name)
      throw changed(`${id} is not called ${name} in the shop${is === undefined ? '' : `, but ${is}`}`);
  }
}

function asApproved(outcome: WriteOutcome, payload: Create): WriteOutcome {
  const { subtotal, currency } = outcome.details;
  if (subtotal === totalOf(payload) && currency === payload.currency) return outcome;
  return { ...outcome, warning: `Shopify makes it ${subtotal} ${currency} before taxes: look at its lines.` };
}

/** https://shopify.dev/docs/api/admin-graphql/2026-10/mutations/draftOrderCreate */
export const createDraftOrder = writeOperation<Create>({
  effect: 'create',
  version: 1,
  title: 'Create a draft order',
  description: 'Lays an order ready in the shop, at prices that are said. Nothing is sent, reserved or paid.',
  scopes,
  idempotency: 'look-up',
  input: createInput,
  summary: (payload, account) => {
    const { customer, email, lines } = payload;
    const [first] = lines;
    const others = lines.length > 1 ? ` and ${lines.length - 1} more` : '';
    const who = customer?.name ?? email ?? 'nobody yet';
    return `Create in ${account} a draft order for ${who}: ${first?.quantity} × ${first?.title}${others}, ${totalOf(payload).toFixed(2)} ${payload.currency} before taxes`;
  },
  validate({ email }) {
    if (email !== undefined) checkField(email, 'email');
  },
  concerns: (payload) => ({ amount: { value: totalOf(payload), currency: payload.currency } }),
  // It changes no record; what it names is looked at when it is proposed, so that an agent hears of it at once.
  async before(context, payload) {
    await assertParties(context, payload);
    return undefined;
  },
  compensation: {
    title: 'Delete the draft order',
    operation: 'delete-draft-order',
    payload: (_payload, { reference, details }) => ({ draft: { id: reference, number: details['number'] } }),
  },
  async run(context, payload) {
    await assertParties(context, payload);
    const { customer, currency, email, lines, note: words, purchaseOrder: poNumber } = payload;
    const input = given({
      purchasingEntity: customer === undefined ? undefined : { customerId: gidOf('Customer', customer.id) },
      email,
      note: words,
      poNumber,
      presentmentCurrencyCode: currency,
      tags: [tagOf(context.effectKey)],
      lineItems: lines.map(({ variant, title, quantity, price: amount }) =>
        variant === undefined
          ? { title, quantity, originalUnitPriceWithCurrency: { amount, currencyCode: currency } }
          : {
              variantId: gidOf('ProductVariant', variant),
              quantity,
              priceOverride: { amount, currencyCode: currency },
            },
      ),
    });
    const answer = await change(context, draftDocuments.create, { input }, draftDone);
    return asApproved(outcomeOf(context, answer.done.draftOrder), payload);
  },
  async lookUp(context, payload) {
    const tag = tagOf(context.effectKey);
    const variables = { first: 5, query: `tag:${phrase(tag)}`, sortKey: 'ID', reverse: true };
    for await (const { rows } of listed(context, documents['draft-orders'].list, variables, rawDraft)) {
      const ours = rows.find(({ tags }) => tags.includes(tag));
      if (ours !== undefined) return { found: true, outcome: asApproved(outcomeOf(context, ours), payload) };
      break;
    }
    // Search may be told late, and a person may have taken the tag away.
    return {
      found: false,
      conclusive: false,
      evidence: `The shop finds no draft order with the tag ${tag}.`,
    };
  },
});
