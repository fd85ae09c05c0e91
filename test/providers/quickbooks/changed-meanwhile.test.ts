// An invoice that somebody changes between the proposal and the write: what was approved last is what is written
// over, and nothing else.
import { expect, test } from 'vitest';
import type { WriteOperation } from '../../../src/providers/define.ts';
import { openScene, operationOf, type Scene } from './scene.ts';

/** An invoice of the story, as an agent read it. */
const openWith = (scene: Scene) => {
  const found = scene.quickbooks.books.all('Invoice').find((one) => one['DocNumber'] === '1002');
  if (found === undefined) throw new Error('the story has no invoice 1002');
  const { name } = found['CustomerRef'] as { name: string };
  return { which: { id: found.Id, number: '1002', customer: name } };
};

test('an invoice that was changed since it was proposed is written over in the version that was approved anew', async () => {
  for (const [operation, more] of [
    ['update-invoice', { note: 'x' }],
    ['void-invoice', { total: 285, currency: 'USD' }],
  ] as const) {
    const scene = await openScene({ story: true });
    const { which } = openWith(scene);
    const payload = { invoice: which, syncToken: '0', ...more };
    const { before, checkMeant } = operationOf(operation) as WriteOperation;
    scene.quickbooks.books.change('Invoice', which.id, { PrivateNote: 'by somebody else' });
    const anew = await before?.(scene.context, payload);
    if (anew === undefined) throw new Error('nothing is shown');
    expect(anew.fields['version']).toBe('1');
    expect(() => checkMeant?.(payload, anew)).toThrowError(expect.objectContaining({ code: 'conflict' }));
    scene.context.before = anew;
    expect(await scene.lookUp(operation, payload), operation).toMatchObject({
      found: false,
      conclusive: true,
    });
    await scene.write(operation, payload);
    expect(await scene.lookUp(operation, payload)).toMatchObject({ found: true });
    const posted = scene.hosts.calls().filter(({ method }) => method === 'POST');
    expect(posted.map(({ body }) => (JSON.parse(body) as { SyncToken: string }).SyncToken)).toEqual(['1']);
    // By now it is in another version than was approved.
    await expect(scene.write(operation, payload), operation).rejects.toMatchObject({ code: 'conflict' });
  }
});

test('what policy looks at is the total that was approved, and not the one that was proposed', async () => {
  const scene = await openScene({ story: true });
  const { which } = openWith(scene);
  const payload = { invoice: which, syncToken: '0', total: 285, currency: 'USD' };
  const { before, concerns } = operationOf('void-invoice') as WriteOperation;
  scene.quickbooks.books.change('Invoice', which.id, { TotalAmt: 9_000 });
  const live = await before?.(scene.context, payload);
  expect(concerns?.(payload)).toEqual({ amount: { value: 285, currency: 'USD' } });
  expect(concerns?.(payload, live)).toEqual({ amount: { value: 9_000, currency: 'USD' } });
});

test('an invoice that was changed since it was approved is not sent', async () => {
  const scene = await openScene({ story: true });
  const { which } = openWith(scene);
  const payload = { invoice: which, to: 'a@b.example' };
  scene.context.before = await (operationOf('send-invoice') as WriteOperation).before?.(
    scene.context,
    payload,
  );
  scene.quickbooks.books.change('Invoice', which.id, { TotalAmt: 1 });
  await expect(scene.write('send-invoice', payload)).rejects.toMatchObject({ code: 'conflict' });
  expect(scene.gateOpenedAfter()).toBe(-1);
});

test('an action that was refused for a change in that very moment is not answered by that refusal when it is approved anew', async () => {
  let meddled = false;
  const scene = await openScene({
    story: true,
    aboutToSend: async () => {
      if (!meddled) scene.quickbooks.books.change('Invoice', which.id, { PrivateNote: 'by somebody else' });
      meddled = true;
    },
  });
  const { which } = openWith(scene);
  const payload = { invoice: which, syncToken: '0', note: 'x' };
  const { before } = operationOf('update-invoice') as WriteOperation;
  scene.context.before = await before?.(scene.context, payload);
  await expect(scene.write('update-invoice', payload)).rejects.toMatchObject({ cause: { code: 'conflict' } });
  scene.context.before = await before?.(scene.context, payload);
  await scene.write('update-invoice', payload);
  expect(scene.quickbooks.books.get('Invoice', which.id)).toMatchObject({ PrivateNote: 'x', SyncToken: '2' });
});
