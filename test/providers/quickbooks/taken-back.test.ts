// What is taken back in the books: a change of an invoice, an estimate, a payment; each by the write that the first
// one names, and only as it stands.
import { expect, test } from 'vitest';
import { EffectRefused, type WriteOperation, type WriteOutcome } from '../../../src/providers/define.ts';
import { account, openScene, operationOf, type Scene, summaryOf } from './scene.ts';

const elena = { id: '107', name: 'Elena Vasquez' };
const estimate = {
  customer: elena,
  currency: 'USD',
  date: '2026-01-05',
  lines: [{ item: { id: '101', name: 'Staging' }, quantity: 1, unitPrice: 500 }],
};
const payment = { customer: elena, amount: 10, currency: 'USD', date: '2026-01-05', reference: 'check 41' };

/** What undoes it, as the operation names it, with the record that a person would be shown. */
async function undoingOf(scene: Scene, name: string, payload: unknown, outcome: WriteOutcome) {
  const first = operationOf(name) as WriteOperation;
  const made = first.compensation?.payload(first.input.parse(payload), outcome);
  if (first.compensation === undefined || made === undefined) return undefined;
  const { operation } = first.compensation;
  const back = operationOf(operation) as WriteOperation;
  const before = await back.before?.(scene.context, back.input.parse(made));
  if (before !== undefined) back.checkMeant?.(back.input.parse(made), before);
  return { operation, payload: made, before };
}

test.each([
  ['create-estimate', estimate, 'Estimate', 'delete-estimate', undefined],
  ['record-payment', payment, 'Payment', 'void-payment', { TotalAmt: 0 }],
] as const)(
  'what %s wrote is taken out of the books, and found to be',
  async (name, payload, entity, by, after) => {
    const scene = await openScene({ story: true });
    const outcome = await scene.write(name, payload);
    const undoing = await undoingOf(scene, name, payload, outcome);
    if (undoing === undefined) throw new Error('nothing takes it back');
    expect(undoing.operation).toBe(by);
    expect(undoing.before).toMatchObject({ fields: { customer: elena.name, version: '0' }, after: {} });
    const other = { ...scene.context, effectKey: 'eff_02back', before: undoing.before };
    const back = operationOf(by) as WriteOperation;
    const parsed = back.input.parse(undoing.payload);
    if (back.idempotency === 'none') throw new Error('it has a look-up');
    expect(await back.lookUp(other, parsed)).toMatchObject({ found: false, conclusive: true });
    scene.asked();
    await back.run(other, parsed);
    expect(scene.asked().at(-1)).toMatchSnapshot();
    if (after === undefined) expect(scene.quickbooks.books.get(entity, outcome.reference)).toBeUndefined();
    else expect(scene.quickbooks.books.get(entity, outcome.reference)).toMatchObject(after);
    expect(await back.lookUp(other, parsed)).toMatchObject({ found: true });
  },
);

test('a payment that was changed since is not made void on the old approval, nor in that very moment', async () => {
  const scene = await openScene({ story: true });
  const { books } = scene.quickbooks;
  const outcome = await scene.write('record-payment', payment);
  const undoing = await undoingOf(scene, 'record-payment', payment, outcome);
  const back = operationOf('void-payment') as WriteOperation;
  const parsed = back.input.parse(undoing?.payload);
  const as = (more: object) => ({
    ...scene.context,
    effectKey: 'eff_02back',
    before: undoing?.before,
    ...more,
  });
  const meddle = async () => void books.change('Payment', outcome.reference, { PrivateNote: 'seen' });
  await expect(back.run(as({ aboutToSend: meddle }), parsed)).rejects.toBeInstanceOf(EffectRefused);
  await expect(back.run(as({}), parsed)).rejects.toMatchObject({ code: 'conflict' });
  expect(books.get('Payment', outcome.reference)).toMatchObject({ TotalAmt: 10 });
});

test('attack: a paper whose number, customer or total do not belong together is neither proposed nor touched', async () => {
  const scene = await openScene({ story: true });
  const { reference } = await scene.write('record-payment', payment);
  const right = {
    paper: { id: reference, number: 'check 41', customer: elena.name },
    syncToken: '0',
    total: 10,
    currency: 'USD',
  };
  const { before, checkMeant } = operationOf('void-payment') as WriteOperation;
  const live = await before?.(scene.context, right);
  if (live === undefined) throw new Error('nothing is shown');
  expect(() => checkMeant?.(right, live)).not.toThrow();
  for (const wrong of [
    { ...right, paper: { ...right.paper, customer: 'Somebody' } },
    { ...right, paper: { ...right.paper, number: 'check 42' } },
    { ...right, total: 1 },
    { ...right, currency: 'EUR' },
    { ...right, syncToken: '7' },
  ]) {
    expect(() => checkMeant?.(wrong, live)).toThrowError(expect.objectContaining({ code: 'conflict' }));
    await expect(scene.write('void-payment', wrong)).rejects.toMatchObject({ code: 'conflict' });
  }
  expect(summaryOf('void-payment', right)).toBe(
    `Void in ${account} the payment check 41 (${reference}) of Elena Vasquez, 10.00 USD (cannot be undone)`,
  );
});

test('a change of an invoice is changed back; what was empty before cannot be', async () => {
  const scene = await openScene({ story: true });
  const found = scene.quickbooks.books.all('Invoice').find((one) => one['DocNumber'] === '1002');
  if (found === undefined) throw new Error('the story has no invoice 1002');
  const invoice = {
    id: found.Id,
    number: '1002',
    customer: (found['CustomerRef'] as { name: string }).name,
  };
  const was = found['DueDate'];
  const changing = async (payload: object) => {
    const { before } = operationOf('update-invoice') as WriteOperation;
    scene.context.before = await before?.(scene.context, payload);
    return scene.write('update-invoice', payload);
  };
  const payload = { invoice, syncToken: '0', dueDate: '2026-09-01' };
  const undoing = await undoingOf(scene, 'update-invoice', payload, await changing(payload));
  expect(undoing?.payload).toEqual({ invoice, syncToken: '1', dueDate: was });
  scene.context.effectKey = 'eff_02back';
  await changing(undoing?.payload as object);
  expect(found['DueDate']).toBe(was);

  scene.context.effectKey = 'eff_03note';
  const noted = { invoice, syncToken: '2', note: 'Call first' };
  expect(await undoingOf(scene, 'update-invoice', noted, await changing(noted))).toBeUndefined();
});
