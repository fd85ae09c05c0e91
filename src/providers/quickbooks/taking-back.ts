// Papers that are taken out of the books again: an estimate is deleted, a payment made void. Both only in the
// version that a person saw.
import { z } from 'zod';
import { type ProviderContext, type WriteOutcome, writeOperation } from '../define.ts';
import { ifThere } from '../request.ts';
import { type Raw, raw } from './entities.ts';
import { paperInput, type Taken } from './payload.ts';
import { getRecord } from './reads.ts';
import { pageOf } from './shown.ts';
import { assertTold, standing, totalOf, unchanged, versionBefore, write } from './writing.ts';

type Paper = 'Estimate' | 'Payment';

/** https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/estimate#delete-an-estimate */
export const deleteEstimate = taking({
  entity: 'Estimate',
  path: '/estimate',
  query: { operation: 'delete' },
  body: {},
  title: 'Delete an estimate',
  description: 'Takes an estimate out of the books for ever.',
  deed: 'Delete',
  isDone: (found) => found === undefined,
});

/** https://developer.intuit.com/app/developer/qbo/docs/api/accounting/all-entities/payment#void-a-payment */
export const voidPayment = taking({
  entity: 'Payment',
  path: '/payment',
  query: { operation: 'update', include: 'void' },
  body: { sparse: true },
  title: 'Void a payment',
  description: 'Sets a recorded payment to zero: what it paid is owed again. Moves no money by itself.',
  deed: 'Void',
  isDone: (found) => found?.TotalAmt === 0,
});

function taking<Name extends Paper>(given: {
  entity: Name;
  path: '/estimate' | '/payment';
  query: Record<string, string>;
  /** What the body has beside id and version. */
  body: Record<string, unknown>;
  title: string;
  description: string;
  /** As a summary begins. */
  deed: string;
  isDone(found: Raw[Name] | undefined): boolean;
}) {
  const { entity } = given;
  const what = entity.toLowerCase();
  const told = ({ paper, ...rest }: Taken) => ({ which: paper, ...rest });
  return writeOperation<Taken>({
    effect: 'delete',
    version: 1,
    title: given.title,
    description: given.description,
    idempotency: 'provider-key',
    input: paperInput,
    summary: ({ paper, total, currency }, account) =>
      `${given.deed} in ${account} the ${what} ${paper.number ?? 'without a number'} (${paper.id}) of ${paper.customer}, ${total.toFixed(2)} ${currency} (cannot be undone)`,
    concerns: totalOf,
    async before(context, { paper }) {
      const found = await getRecord(context, entity, paper.id);
      return {
        title: `${entity} ${paper.number ?? paper.id} of ${found.CustomerRef?.name ?? 'nobody'}`,
        url: pageOf(context, entity, paper.id),
        fields: standing(found),
        after: {},
      };
    },
    checkMeant: (payload, { fields }) => assertTold(told(payload), fields, what),
    async run(context, payload) {
      const { id } = payload.paper;
      const version = await unchanged(context, told(payload), entity);
      await write(context, {
        path: given.path,
        query: given.query,
        body: { ...given.body, Id: id, SyncToken: version },
        output: z.object({ [entity]: z.object({ Id: raw[entity].shape.Id }) }),
      });
      return outcome(context, entity, payload);
    },
    async lookUp(context, payload) {
      const found = await existing(context, entity, payload.paper.id);
      if (given.isDone(found)) return { found: true, outcome: outcome(context, entity, payload) };
      const same = found?.SyncToken === versionBefore(context, payload);
      const evidence = `The ${what} ${payload.paper.id} is still there${same ? ', in the version that was read' : ', and was changed since'}.`;
      return { found: false, conclusive: same, evidence };
    },
  });
}

function outcome(context: ProviderContext, entity: Paper, { paper }: Taken): WriteOutcome {
  return { reference: paper.id, url: pageOf(context, entity, paper.id), details: { id: paper.id } };
}

async function existing<Name extends Paper>(
  context: ProviderContext,
  entity: Name,
  id: string,
): Promise<Raw[Name] | undefined> {
  return ifThere(getRecord(context, entity, id));
}
