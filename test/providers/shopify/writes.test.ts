// Draft orders: what was approved is what Shopify is asked, once; a repeat is found, a change meanwhile is refused,
// and what was done can be taken back.
import { describe, expect, test } from 'vitest';
import { EffectRefused, type LookUp, type WriteContext } from '../../../src/providers/define.ts';
import { openScene, type Scene, writeOf } from './scene.ts';

const account = 'Tidewell Homes Shop';
const effect = (scene: Scene, more: Partial<WriteContext> = {}): WriteContext => ({
  ...scene.again(),
  ...more,
});

function portrait({ shopify }: Scene) {
  const product = shopify.shop
    .all('Product')
    .find(({ values }) => values['title'] === 'Framed house portrait');
  const buyer =
    shopify.shop.all('Customer').find(({ values }) => values['displayName'] === 'Sarah Lindqvist') ??
    shopify.shop.all('Customer')[0];
  return {
    customer: { id: buyer?.id, name: String(buyer?.values['displayName']) },
    email: 'buyer@example.com',
    currency: 'USD',
    lines: [
      {
        variant: product?.lines[1]?.variantId,
        title: 'Framed house portrait - A3',
        quantity: 2,
        price: '240.00',
      },
      { title: 'Delivery by hand', quantity: 1, price: '15.5' },
    ],
    note: 'Agreed by telephone.',
  };
}

/** As the queue does it: parsed, shown with the live record, run. */
async function propose(scene: Scene, name: string, given: unknown) {
  const operation = writeOf(name);
  const payload = operation.input.parse(given);
  operation.validate?.(payload);
  const before = await operation.before?.(scene.again(), payload);
  if (before !== undefined) operation.checkMeant?.(payload, before);
  return { operation, payload, before, summary: operation.summary(payload, account) };
}

async function write(scene: Scene, name: string, given: unknown) {
  const { operation, payload, before } = await propose(scene, name, given);
  return operation.run(effect(scene, { before }), payload);
}

const lookUp = (
  scene: Scene,
  name: string,
  given: unknown,
  more: Partial<WriteContext> = {},
): Promise<LookUp> => {
  const operation = writeOf(name);
  if (operation.idempotency === 'none') throw new Error('it has a look-up');
  return operation.lookUp(effect(scene, more), operation.input.parse(given));
};

function standing({ shopify }: Scene) {
  const [draft] = shopify.shop.all('DraftOrder');
  if (draft === undefined) throw new Error('no draft order');
  return { draft, which: { id: draft.id, number: String(draft.values['name']) } };
}

describe('a new draft order', () => {
  test('is asked for exactly as it was approved, and amounts to what a person read', async () => {
    const scene = await openScene();
    const given = portrait(scene);
    const { operation, payload, summary } = await propose(scene, 'create-draft-order', given);
    expect(summary).toContain('2 × Framed house portrait - A3 and 1 more, 495.50 USD before taxes');
    expect(operation.concerns?.(payload)).toEqual({ amount: { value: 495.5, currency: 'USD' } });
    scene.asked();
    const outcome = await operation.run(effect(scene), payload);
    expect(scene.asked().map(({ variables }) => variables)).toMatchSnapshot();
    expect(outcome).toMatchObject({ details: { total: 495.5, currency: 'USD' } });
    expect(outcome.warning).toBeUndefined();
    expect(scene.shopify.shop.all('DraftOrder')).toHaveLength(2);
    expect(scene.shopify.mails()).toEqual([]);
  });

  test('whose answer got lost is found by its tag, and none is found where none was made', async () => {
    const scene = await openScene();
    const given = portrait(scene);
    expect(await lookUp(scene, 'create-draft-order', given)).toMatchObject({
      found: false,
      conclusive: false,
    });
    scene.hosts.faults.failNext({ kind: 'drop', after: 'effect' }, 'graphql.json', 1, 2);
    await expect(write(scene, 'create-draft-order', given)).rejects.toMatchObject({ code: 'network' });
    const found = await lookUp(scene, 'create-draft-order', given);
    expect(found).toMatchObject({ found: true, outcome: { details: { total: 495.5 } } });
    expect(await lookUp(scene, 'create-draft-order', given, { effectKey: 'eff_02other' })).toMatchObject({
      found: false,
    });
    expect(scene.shopify.shop.all('DraftOrder')).toHaveLength(2);
  });

  test('is never asked for twice by itself', async () => {
    const scene = await openScene();
    scene.hosts.faults.failNext({ kind: 'refuse', status: 503, text: '{}' }, 'graphql.json', 1, 2);
    await expect(write(scene, 'create-draft-order', portrait(scene))).rejects.toMatchObject({
      code: 'provider_unavailable',
    });
    expect(scene.asked().filter(({ query }) => query.startsWith('mutation'))).toHaveLength(1);
  });

  test('that Shopify throttles was not made, and is asked for again when the points are back', async () => {
    const scene = await openScene();
    const { operation, payload } = await propose(scene, 'create-draft-order', portrait(scene));
    const context = effect(scene, { aboutToSend: async () => void scene.shopify.points(0) });
    await operation.run(context, payload);
    expect(scene.slept).toHaveLength(1);
    expect(scene.shopify.shop.all('DraftOrder')).toHaveLength(2);
  });

  test.each([
    ['a customer of another name', { customer: { id: '', name: 'Somebody Else' } }],
    ['a variant of another name', { lines: [{ variant: '', title: 'Yacht', quantity: 1, price: '1' }] }],
    ['another currency', { currency: 'EUR' }],
  ])('attack: %s than the payload says is told, and nothing is sent', async (_what, change) => {
    const scene = await openScene();
    const right = portrait(scene);
    const filled = JSON.parse(JSON.stringify({ ...right, ...change }));
    if (filled.customer.id === '') filled.customer.id = right.customer.id;
    if (filled.lines[0].variant === '') filled.lines[0].variant = right.lines[0]?.variant;
    await expect(propose(scene, 'create-draft-order', filled)).rejects.toMatchObject({ code: 'conflict' });
    const { run, input } = writeOf('create-draft-order');
    await expect(run(effect(scene), input.parse(filled))).rejects.toMatchObject({ code: 'conflict' });
    expect(scene.shopify.shop.all('DraftOrder')).toHaveLength(1);
  });

  test.each([
    ['no lines', { lines: [] }, 'lines'],
    ['half a thing', { lines: [{ title: 'x', quantity: 0.5, price: '1' }] }, 'lines.0.quantity'],
    ['a negative price', { lines: [{ title: 'x', quantity: 1, price: '-1' }] }, 'lines.0.price'],
    ['a field that nobody knows', { discount: 100 }, ''],
  ])('%s is refused with its place', async (_what, change, at) => {
    const scene = await openScene();
    const { input } = writeOf('create-draft-order');
    const parsed = input.safeParse({ ...portrait(scene), ...change });
    expect(parsed.error?.issues[0]?.path.join('.')).toBe(at);
  });

  test('attack: two recipients in one address are refused with the field', async () => {
    const scene = await openScene();
    const given = { ...portrait(scene), email: 'a@example.com, b@example.com' };
    await expect(propose(scene, 'create-draft-order', given)).rejects.toMatchObject({
      code: 'invalid_request',
      field: 'email',
    });
  });

  test('what Shopify does not take is a refusal that names the field, and nothing happened', async () => {
    const scene = await openScene();
    const given = { ...portrait(scene), email: 'buyer@localhost' };
    const refused = await write(scene, 'create-draft-order', given).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(EffectRefused);
    expect(refused).toMatchObject({
      message: expect.stringContaining('email: Email is invalid'),
      cause: { code: 'invalid_request' },
    });
  });

  test('is taken back by deleting it, as an action of its own', async () => {
    const scene = await openScene();
    const given = portrait(scene);
    const outcome = await write(scene, 'create-draft-order', given);
    const { compensation, input } = writeOf('create-draft-order');
    const back = compensation?.payload(input.parse(given), outcome);
    expect(compensation?.operation).toBe('delete-draft-order');
    const { operation, payload, before } = await propose(scene, 'delete-draft-order', back);
    expect(operation.concerns?.(payload, before)).toEqual({ amount: { value: 495.5, currency: 'USD' } });
    expect(await lookUp(scene, 'delete-draft-order', back)).toMatchObject({ found: false, conclusive: true });
    await operation.run(effect(scene, { before }), payload);
    expect(scene.shopify.shop.all('DraftOrder')).toHaveLength(1);
    expect(await lookUp(scene, 'delete-draft-order', back)).toMatchObject({ found: true });
  });
});

describe('a draft order that is there', () => {
  test('is changed in what was said alone, from what a person saw, and back again', async () => {
    const scene = await openScene();
    const { draft, which } = standing(scene);
    const given = { draft: which, note: 'Deliver on Friday.' };
    const { before, summary } = await propose(scene, 'update-draft-order', given);
    expect(summary).toBe(`Change in ${account} the draft order #D12: note “Deliver on Friday.”`);
    expect(before).toMatchObject({
      fields: { number: '#D12', note: 'For the tenants of both halves.', total: 128, currency: 'USD' },
      after: { note: 'Deliver on Friday.', total: 128 },
    });
    expect(await lookUp(scene, 'update-draft-order', given, { before })).toMatchObject({ conclusive: true });
    scene.asked();
    const outcome = await write(scene, 'update-draft-order', given);
    expect(scene.asked().at(-1)?.variables).toEqual({ id: draft.id, input: { note: 'Deliver on Friday.' } });
    expect(await lookUp(scene, 'update-draft-order', given)).toMatchObject({ found: true });
    const { compensation, input } = writeOf('update-draft-order');
    await write(scene, 'update-draft-order', compensation?.payload(input.parse(given), outcome));
    expect(draft.values['note2']).toBe('For the tenants of both halves.');
  });

  test('changed since it was approved is not touched', async () => {
    const scene = await openScene();
    const { draft, which } = standing(scene);
    for (const [name, more] of [
      ['update-draft-order', { note: 'x' }],
      ['send-draft-order-invoice', { to: 'theo@example.com' }],
      ['delete-draft-order', {}],
    ] as const) {
      const { operation, payload, before } = await propose(scene, name, { draft: which, ...more });
      scene.shopify.shop.change(draft, { poNumber: `changed before ${name}` });
      scene.asked();
      await expect(operation.run(effect(scene, { before }), payload)).rejects.toMatchObject({
        code: 'conflict',
        retry: 'ask',
      });
      expect(scene.asked().filter(({ query }) => query.startsWith('mutation'))).toEqual([]);
    }
    expect(scene.shopify.mails()).toEqual([]);
  });

  test('of another number than the payload says, or one that became an order, is not proposed', async () => {
    const scene = await openScene();
    const { draft, which } = standing(scene);
    const other = { draft: { ...which, number: '#D99' } };
    await expect(propose(scene, 'delete-draft-order', other)).rejects.toMatchObject({ code: 'conflict' });
    scene.shopify.shop.change(draft, { status: 'COMPLETED' });
    await expect(propose(scene, 'delete-draft-order', { draft: which })).rejects.toMatchObject({
      message: expect.stringContaining('has become an order'),
    });
  });

  test('is sent once, to the one who was approved, with its amount in sight', async () => {
    const scene = await openScene();
    const { draft, which } = standing(scene);
    const given = { draft: which, to: 'theo@example.com', message: 'As agreed.' };
    const { operation, payload, before } = await propose(scene, 'send-draft-order-invoice', given);
    expect(operation.concerns?.(payload, before)).toEqual({
      recipients: ['theo@example.com'],
      amount: { value: 128, currency: 'USD' },
    });
    const quiet = await lookUp(scene, 'send-draft-order-invoice', given, { before });
    expect(quiet).toMatchObject({ found: false, conclusive: false });
    const outcome = await operation.run(effect(scene, { before }), payload);
    expect(outcome.details).toMatchObject({ status: 'INVOICE_SENT', sentTo: 'theo@example.com' });
    expect(scene.shopify.mails()).toEqual([
      { draft: draft.id, to: 'theo@example.com', message: 'As agreed.' },
    ]);
    const told = await lookUp(scene, 'send-draft-order-invoice', given, { before });
    // By whom Shopify does not say: a person decides, with the time in sight.
    expect(told).toMatchObject({
      found: false,
      conclusive: false,
      evidence: expect.stringContaining('2026-01-05'),
    });
  });
});
