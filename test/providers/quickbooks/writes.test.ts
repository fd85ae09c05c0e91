import { expect, test } from 'vitest';
import { EffectRefused } from '../../../src/providers/define.ts';
import { provider } from '../../../src/providers/quickbooks/index.ts';
import { requestId } from '../../../src/providers/quickbooks/writing.ts';
import { account, openScene, operationOf, type Scene, summaryOf } from './scene.ts';

const elena = { id: '107', name: 'Elena Vasquez' };
const staging = { id: '101', name: 'Staging' };
const report = { id: '106', name: 'Market report' };
const invoice = {
  customer: elena,
  currency: 'USD',
  date: '2026-01-05',
  dueDate: '2026-02-04',
  lines: [
    { item: staging, description: 'two rooms', quantity: 1.5, unitPrice: 1_200.15, taxCode: 'NON' },
    { item: report, quantity: 3, unitPrice: 95 },
  ],
  memo: 'Thank you!\nThe office',
  email: 'elena.vasquez@mail.example',
};
const estimate = { ...invoice, expires: '2026-02-04', dueDate: undefined };
delete (estimate as Record<string, unknown>)['dueDate'];
const customer = { name: "Finn O'Brien", email: 'finn@mail.example', phone: '+1 541 555 0199' };
/** Of the story: 1002, unpaid, of the other Sarah Lindholm. */
const open = (scene: Scene) => {
  const found = scene.quickbooks.books.all('Invoice').find((one) => one['DocNumber'] === '1002');
  if (found === undefined) throw new Error('the story has no invoice 1002');
  const { name } = found['CustomerRef'] as { name: string };
  return { record: found, which: { id: found.Id, number: '1002', customer: name } };
};

test('an invoice is written as it was approved, after customer, currency and items were compared', async () => {
  const scene = await openScene({ story: true });
  const outcome = await scene.write('create-invoice', invoice);
  const made = scene.quickbooks.books.all('Invoice').at(-1);
  expect(outcome).toEqual({
    reference: made?.Id,
    url: `https://app.qbo.intuit.com/app/invoice?txnId=${made?.Id}`,
    details: { id: made?.Id, number: '1011', total: 2_085.23, currency: 'USD', version: '0' },
  });
  expect(made).toMatchObject({ Balance: 2_085.23, DueDate: '2026-02-04', EmailStatus: 'NotSet' });
  expect(scene.gateOpenedAfter()).toBe(2);
  expect(scene.asked()).toMatchSnapshot();
});

test.each([
  ['create-customer', { ...customer, address: { line1: '1 Quay', city: 'Port Ansel', region: 'OR' } }],
  ['create-estimate', estimate],
  ['create-invoice', { ...invoice, number: 'A-17', note: 'agreed by phone' }],
])('%s sends what the payload says and nothing else', async (operation, payload) => {
  const scene = await openScene({ story: true });
  const outcome = await scene.write(operation, payload);
  expect(outcome.details).toMatchObject({ id: outcome.reference });
  expect(scene.asked().at(-1)).toMatchSnapshot();
});

test('a payment is recorded for the invoices that it pays', async () => {
  const scene = await openScene({ story: true });
  const { record, which } = open(scene);
  const { value } = record['CustomerRef'] as { value: string };
  await scene.write('record-payment', {
    customer: { id: value, name: which.customer },
    amount: 300,
    currency: 'USD',
    date: '2026-01-05',
    reference: 'check 41',
    invoices: [{ id: which.id, number: '1002', amount: 285 }],
  });
  expect(scene.quickbooks.books.get('Invoice', which.id)).toMatchObject({ Balance: 0 });
  expect(scene.quickbooks.books.all('Payment').at(-1)).toMatchObject({ TotalAmt: 300, UnappliedAmt: 15 });
  expect(scene.asked()).toMatchSnapshot();
});

test('an invoice is sent to the address that was approved, and to no other', async () => {
  const scene = await openScene({ story: true });
  const { which } = open(scene);
  const outcome = await scene.write('send-invoice', { invoice: which, to: 'books@orchardworks.example' });
  expect(scene.quickbooks.mails()).toEqual([
    { entity: 'Invoice', id: which.id, to: 'books@orchardworks.example' },
  ]);
  expect(outcome.details).toMatchObject({ sentTo: 'books@orchardworks.example' });
  expect(scene.asked()).toMatchSnapshot();
});

test('an invoice is changed, then void, each in the version that was read', async () => {
  const scene = await openScene({ story: true });
  const { record, which } = open(scene);
  await scene.write('update-invoice', {
    invoice: which,
    syncToken: '0',
    dueDate: '2026-03-01',
    memo: 'Later',
  });
  expect(record).toMatchObject({ DueDate: '2026-03-01', TotalAmt: 285, SyncToken: '1' });
  const other = await openScene({ story: true, effectKey: 'eff_02' });
  await other.write('void-invoice', { invoice: which, syncToken: '0', total: 285, currency: 'USD' });
  expect(open(other).record).toMatchObject({ TotalAmt: 0, Balance: 0, PrivateNote: 'Voided' });
  expect([...scene.asked(), ...other.asked()]).toMatchSnapshot();
});

const payment = { customer: elena, amount: 10, currency: 'USD', date: '2026-01-05' };

test.each([
  ['create-invoice', { ...invoice, customer: { ...elena, name: 'Elena Vasques' } }],
  ['create-invoice', { ...invoice, currency: 'EUR' }],
  [
    'create-invoice',
    { ...invoice, lines: [{ item: { id: '101', name: 'Report' }, quantity: 1, unitPrice: 1 }] },
  ],
  [
    'create-invoice',
    { ...invoice, lines: [{ item: { id: '999', name: 'Staging' }, quantity: 1, unitPrice: 1 }] },
  ],
  ['create-estimate', { ...estimate, customer: { id: '108', name: 'Elena Vasquez' } }],
  ['record-payment', { ...payment, customer: { id: '108', name: 'Elena Vasquez' } }],
  ['record-payment', { ...payment, invoices: [{ id: '134', number: '1002', amount: 5 }] }],
  ['send-invoice', { invoice: { id: '134', number: '1003', customer: 'x' }, to: 'a@b.example' }],
  [
    'update-invoice',
    { invoice: { id: '134', number: '1002', customer: 'Elena' }, syncToken: '0', note: 'x' },
  ],
])(
  'attack: %s whose names and numbers do not belong together is not sent: %j',
  async (operation, payload) => {
    const scene = await openScene({ story: true });
    await expect(scene.write(operation, payload)).rejects.toMatchObject({ code: 'conflict', retry: 'ask' });
    expect(scene.gateOpenedAfter()).toBe(-1);
    expect(scene.hosts.calls().every(({ method }) => method === 'GET')).toBe(true);
  },
);

test('an invoice of another number, version, total or currency than was read is neither changed nor void', async () => {
  const scene = await openScene({ story: true });
  const { which } = open(scene);
  const stale = { invoice: which, syncToken: '7', total: 285, currency: 'USD' };
  for (const [operation, payload] of [
    ['update-invoice', { invoice: { ...which, number: '1003' }, syncToken: '0', note: 'x' }],
    ['update-invoice', { invoice: { id: which.id, customer: which.customer }, syncToken: '0', note: 'x' }],
    ['update-invoice', { invoice: which, syncToken: '7', note: 'x' }],
    ['void-invoice', stale],
    ['void-invoice', { ...stale, syncToken: '0', total: 284 }],
    ['void-invoice', { ...stale, syncToken: '0', currency: 'CAD' }],
    [
      'record-payment',
      {
        ...payment,
        customer: { id: '110', name: which.customer },
        invoices: [{ id: which.id, amount: 286 }],
        amount: 286,
      },
    ],
  ] as const) {
    await expect(scene.write(operation, payload), operation).rejects.toMatchObject({ code: 'conflict' });
  }
  expect(scene.gateOpenedAfter()).toBe(-1);
});

test('what changes between the comparing and the writing is refused by its version', async () => {
  const scene = await openScene({
    story: true,
    aboutToSend: async () => {
      scene.quickbooks.books.change('Invoice', which.id, { PrivateNote: 'by somebody else' });
    },
  });
  const { which } = open(scene);
  const refused = scene.write('update-invoice', { invoice: which, syncToken: '0', note: 'x' });
  await expect(refused).rejects.toBeInstanceOf(EffectRefused);
  await expect(refused).rejects.toThrow('changed in QuickBooks meanwhile');
});

test('the summary shows the whole payload: lines, totals, currency and who it is for', () => {
  expect(summaryOf('create-invoice', { ...invoice, number: 'A-17', note: 'agreed' })).toMatchInlineSnapshot(
    `"Create in Tidewell Homes (QuickBooks 9341453908872241) an invoice for Elena Vasquez (customer 107); number A-17; dated 2026-01-05; due 2026-02-04; 1.5 × Staging (item 101) “two rooms” at 1200.15 = 1800.23, tax code NON; 3 × Market report (item 106) at 95 = 285.00; total 2085.23 USD before tax; message to the customer “Thank you! ⏎ The office”; note “agreed”; e-mail “elena.vasquez@mail.example”"`,
  );
  expect(summaryOf('create-estimate', estimate)).toMatchInlineSnapshot(
    `"Create in Tidewell Homes (QuickBooks 9341453908872241) an estimate for Elena Vasquez (customer 107); dated 2026-01-05; open until 2026-02-04; 1.5 × Staging (item 101) “two rooms” at 1200.15 = 1800.23, tax code NON; 3 × Market report (item 106) at 95 = 285.00; total 2085.23 USD before tax; message to the customer “Thank you! ⏎ The office”; e-mail “elena.vasquez@mail.example”"`,
  );
  expect(
    summaryOf('create-customer', {
      ...customer,
      company: 'Boats',
      address: { line1: '1 Quay', city: 'P' },
      notes: 'n',
    }),
  ).toMatchInlineSnapshot(
    `"Create in Tidewell Homes (QuickBooks 9341453908872241) the customer Finn O'Brien; company “Boats”; e-mail “finn@mail.example”; phone “+1 541 555 0199”; address “1 Quay, P”; notes “n”"`,
  );
  expect(
    summaryOf('record-payment', {
      ...payment,
      amount: 300,
      reference: 'check 41',
      invoices: [{ id: '134', number: '1002', amount: 285.5 }],
    }),
  ).toMatchInlineSnapshot(
    `"Record in Tidewell Homes (QuickBooks 9341453908872241) a payment: 300.00 USD from Elena Vasquez (customer 107); received 2026-01-05; reference check 41; 285.50 for invoice 1002 (134); 14.50 stay as credit"`,
  );
  const which = { id: '134', number: '1002', customer: 'Sarah Lindholm' };
  expect(summaryOf('send-invoice', { invoice: which, to: 'a@b.example' })).toMatchInlineSnapshot(
    `"Send from Tidewell Homes (QuickBooks 9341453908872241) the invoice 1002 (134) of Sarah Lindholm to a@b.example"`,
  );
  expect(
    summaryOf('update-invoice', {
      invoice: which,
      syncToken: '0',
      dueDate: '2026-03-01',
      email: 'a@b.example',
    }),
  ).toMatchInlineSnapshot(
    `"Change in Tidewell Homes (QuickBooks 9341453908872241) the invoice 1002 (134) of Sarah Lindholm: due 2026-03-01; e-mail “a@b.example”"`,
  );
  expect(
    summaryOf('void-invoice', { invoice: which, syncToken: '0', total: 285, currency: 'USD' }),
  ).toMatchInlineSnapshot(
    `"Void in Tidewell Homes (QuickBooks 9341453908872241) the invoice 1002 (134) of Sarah Lindholm, 285.00 USD (cannot be undone)"`,
  );
});

test('every value of every payload stands in its summary', () => {
  const texts = (value: unknown): string[] =>
    typeof value === 'object' && value !== null ? Object.values(value).flatMap(texts) : [String(value)];
  const mark = (name: string) => `${name}-mark`;
  const payloads: Record<string, object> = {
    'create-customer': {
      name: mark('name'),
      givenName: mark('given'),
      familyName: mark('family'),
      company: mark('company'),
      email: 'mark@b.example',
      phone: mark('phone'),
      mobile: mark('mobile'),
      address: {
        line1: mark('1'),
        line2: mark('2'),
        city: mark('city'),
        region: mark('region'),
        postalCode: mark('code'),
        country: mark('country'),
      },
      notes: mark('notes'),
    },
    'create-invoice': { ...invoice, memo: mark('memo'), number: mark('number'), note: mark('note') },
    'create-estimate': { ...estimate, memo: mark('memo') },
    'record-payment': {
      ...payment,
      amount: 31.07,
      reference: 'ref-mark',
      note: mark('note'),
      invoices: [{ id: '77', number: '1077', amount: 12.34 }],
    },
    'send-invoice': { invoice: { id: '77', number: '1077', customer: mark('c') }, to: 'a@b.example' },
  };
  for (const [name, payload] of Object.entries(payloads)) {
    const summary = summaryOf(name, payload);
    for (const text of texts(payload)) expect(summary, name).toContain(text);
  }
});

test.each([
  [1.5, 1_200.15, '1800.23'],
  [3, 0.333, '1.00'],
  [0.1, 0.2, '0.02'],
  [1.005, 100, '100.50'],
  [2.5, 0.03, '0.08'],
  [1_000_000, 99_999.99, '99999990000.00'],
])('%d at %d are %s: exact, half a cent upwards', async (quantity, unitPrice, amount) => {
  const payload = { ...invoice, lines: [{ item: staging, quantity, unitPrice }] };
  const run = () => summaryOf('create-invoice', payload);
  if (Number(amount) > 999_999_999.99) expect(run).toThrow('lines');
  else expect(run()).toContain(`= ${amount};`);
});

test.each([
  ['create-invoice', { ...invoice, lines: [] }],
  ['create-invoice', { ...invoice, lines: [{ item: staging, quantity: -1, unitPrice: 1 }] }],
  ['create-invoice', { ...invoice, lines: [{ item: staging, quantity: 1e21, unitPrice: 1 }] }],
  ['create-invoice', { ...invoice, lines: [{ item: staging, quantity: 1, unitPrice: Number.NaN }] }],
  ['create-invoice', { ...invoice, lines: [{ item: staging, quantity: 1, unitPrice: 1, amount: 5 }] }],
  ['create-invoice', { ...invoice, date: '05/01/2026' }],
  ['create-invoice', { ...invoice, currency: 'usd' }],
  ['create-invoice', { ...invoice, customer: { id: '1' } }],
  ['create-invoice', { ...invoice, customer: { id: '1/../2', name: 'x' } }],
  ['create-invoice', { ...invoice, email: 'a@b.example, c@d.example' }],
  ['create-customer', { name: 'a:b' }],
  ['create-customer', { name: 'Elena\u200b Vasquez' }],
  ['create-customer', { name: 'a', email: 'nobody' }],
  ['record-payment', { ...payment, amount: 0 }],
  ['record-payment', { ...payment, amount: 1.001 }],
  ['send-invoice', { invoice: { id: '1', customer: 'x' }, to: 'a@b.example?cc=evil@c.example' }],
  ['send-invoice', { invoice: { id: '1/send', customer: 'x' }, to: 'a@b.example' }],
  ['void-invoice', { invoice: { id: '1', customer: 'x' }, syncToken: '0' }],
  ['update-invoice', { invoice: { id: '1', customer: 'x' }, syncToken: '0', lines: [] }],
])('%s refuses %j by its schema', async (operation, payload) => {
  const scene = await openScene();
  await expect(scene.write(operation, payload)).rejects.toThrow();
  expect(scene.asked()).toEqual([]);
});

test.each([
  ['record-payment', { ...payment, invoices: [{ id: '1', amount: 10.01 }] }, 'invoices'],
  [
    'record-payment',
    {
      ...payment,
      invoices: [
        { id: '1', amount: 1 },
        { id: '1', amount: 1 },
      ],
    },
    'invoices',
  ],
  ['update-invoice', { invoice: { id: '1', customer: 'x' }, syncToken: '0' }, 'dueDate'],
])('%s refuses %j by naming the field, and nobody is asked', async (operation, payload, field) => {
  const scene = await openScene();
  await expect(scene.write(operation, payload)).rejects.toMatchObject({ code: 'invalid_request', field });
  expect(scene.asked()).toEqual([]);
});

test('every write goes under the request id of its effect, which Intuit can hold', () => {
  expect(requestId('eff_a')).toMatch(/^[0-9a-f]{32}$/);
  expect(requestId('eff_a')).toBe(requestId('eff_a'));
  expect(requestId('eff_a')).not.toBe(requestId('eff_b'));
});

test.each([
  ['the connection is cut after the effect', { kind: 'drop', after: 'effect' } as const],
  ['the connection is cut before it', { kind: 'drop', after: 'nothing' } as const],
  ['the server fails', { kind: 'refuse', status: 502, text: '' } as const],
])('%s: the first answer is asked for once more, and there is one invoice', async (_what, fault) => {
  const scene = await openScene({ story: true });
  const before = scene.quickbooks.books.all('Invoice').length;
  scene.hosts.faults.failNext(fault, 'POST');
  const outcome = await scene.write('create-invoice', invoice);
  expect(scene.quickbooks.books.all('Invoice')).toHaveLength(before + 1);
  expect(outcome.reference).toBe(scene.quickbooks.books.all('Invoice').at(-1)?.Id);
  const posts = scene.hosts.calls().filter(({ method }) => method === 'POST');
  expect(posts).toHaveLength(2);
  expect(posts[0]?.body).toBe(posts[1]?.body);
  expect(posts[0]?.query.get('requestid')).toBe(posts[1]?.query.get('requestid'));
});

test.each(['send-invoice', 'record-payment', 'void-invoice', 'create-customer'])(
  '%s happens once, too, though its answer gets lost',
  async (operation) => {
    const scene = await openScene({ story: true });
    const { which, record } = open(scene);
    const payload = {
      'send-invoice': { invoice: which, to: 'a@b.example' },
      'record-payment': payment,
      'void-invoice': { invoice: which, syncToken: '0', total: 285, currency: 'USD' },
      'create-customer': customer,
    }[operation];
    scene.hosts.faults.failNext({ kind: 'drop', after: 'effect' }, 'POST');
    await scene.write(operation, payload);
    expect(scene.quickbooks.mails()).toHaveLength(operation === 'send-invoice' ? 1 : 0);
    expect(Number(record.SyncToken)).toBeLessThanOrEqual(1);
  },
);

test('an answer that is lost twice leaves the outcome unclear, and is not asked for a third time', async () => {
  const scene = await openScene({ story: true });
  scene.hosts.faults.failNext({ kind: 'drop', after: 'effect' }, 'POST', 9);
  const failure = await scene.write('create-invoice', invoice).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(Error);
  expect(failure).not.toBeInstanceOf(EffectRefused);
  expect(scene.hosts.calls().filter(({ method }) => method === 'POST')).toHaveLength(2);
});

test('a refusal of the second asking does not pass for one of the first', async () => {
  const scene = await openScene({ story: true });
  scene.hosts.faults.failNext({ kind: 'drop', after: 'effect' }, 'POST');
  scene.hosts.faults.failNext({ kind: 'refuse', status: 429, text: '' }, 'POST');
  const failure = await scene.write('create-customer', customer).catch((error: unknown) => error);
  expect(failure).not.toBeInstanceOf(EffectRefused);
  expect(failure).toMatchObject({ code: 'network' });
});

test.each([400, 401, 403, 404, 429])('an answer %i is a refusal: nothing happened', async (status) => {
  const scene = await openScene({ story: true });
  scene.hosts.faults.failNext({ kind: 'refuse', status, text: '{}' }, 'POST');
  await expect(scene.write('create-customer', customer)).rejects.toBeInstanceOf(EffectRefused);
  expect(scene.hosts.calls().filter(({ method }) => method === 'POST')).toHaveLength(1);
});

test.each([
  ['create-customer', { ...customer, name: 'elena vasquez' }, 'Duplicate Name Exists Error'],
  ['create-invoice', { ...invoice, number: '1002' }, 'Duplicate Document Number Error'],
])('%s that is there already is refused in Intuit’s words', async (operation, payload, words) => {
  const scene = await openScene({ story: true });
  const refused = scene.write(operation, payload);
  await expect(refused).rejects.toBeInstanceOf(EffectRefused);
  await expect(refused).rejects.toThrow(words);
});

test('a fault with status 200 is a refusal, one of the system leaves the outcome unclear', async () => {
  const scene = await openScene({ story: true });
  const body = (type: string) => JSON.stringify({ Fault: { Error: [{ Message: 'm', code: '1' }], type } });
  scene.hosts.faults.failNext({ kind: 'garble', body: body('ValidationFault') }, 'POST');
  await expect(scene.write('create-customer', customer)).rejects.toBeInstanceOf(EffectRefused);
  scene.hosts.faults.failNext({ kind: 'garble', body: body('SystemFault') }, 'POST', 2);
  const failure = await scene.write('create-customer', customer).catch((error: unknown) => error);
  expect(failure).not.toBeInstanceOf(EffectRefused);
});

test.each(['<html>', '{"QueryResponse":{}}', '{"Customer":{"Id":7}}'])(
  'an answer %s leaves the outcome unclear',
  async (body) => {
    const scene = await openScene({ story: true });
    scene.hosts.faults.failNext({ kind: 'garble', body }, 'POST');
    const failure = await scene.write('create-customer', customer).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'malformed_response' });
    expect(failure).not.toBeInstanceOf(EffectRefused);
  },
);

test('a run that may not send sends nothing', async () => {
  const scene = await openScene({ aboutToSend: () => Promise.reject(new Error('the lease is lost')) });
  await expect(scene.write('create-customer', customer)).rejects.toThrow('the lease is lost');
  expect(scene.asked()).toEqual([]);
});

test('a customer is looked up by name, which no two have', async () => {
  const scene = await openScene({ story: true });
  expect(await scene.lookUp('create-customer', customer)).toMatchObject({ found: false, conclusive: true });
  const { reference } = await scene.write('create-customer', customer);
  expect(await scene.lookUp('create-customer', customer)).toMatchObject({
    found: true,
    outcome: { reference },
  });
  expect(await scene.lookUp('create-customer', { ...customer, email: 'other@mail.example' })).toMatchObject({
    found: false,
    conclusive: false,
  });
});

test.each([
  ['create-invoice', { ...invoice, number: 'A-17' }, invoice],
  ['create-estimate', { ...estimate, number: 'E-17' }, estimate],
  ['record-payment', { ...payment, reference: 'check 7' }, payment],
])(
  '%s is looked up: by its number for certain, without one a person decides',
  async (operation, numbered, plain) => {
    const scene = await openScene({ story: true });
    expect(await scene.lookUp(operation, numbered)).toMatchObject({ found: false, conclusive: true });
    const { reference } = await scene.write(operation, numbered);
    expect(await scene.lookUp(operation, numbered)).toMatchObject({ found: true, outcome: { reference } });
    const other = await openScene({ story: true });
    expect(await other.lookUp(operation, plain)).toMatchObject({ found: false, conclusive: true });
    const made = await other.write(operation, plain);
    expect(await other.lookUp(operation, plain)).toMatchObject({
      found: false,
      conclusive: false,
      evidence: expect.stringContaining(made.reference),
    });
    const posts = [...scene.hosts.calls(), ...other.hosts.calls()].filter(({ method }) => method === 'POST');
    expect(posts).toHaveLength(2);
  },
);

test('a sending, a change and a voiding are looked up', async () => {
  const scene = await openScene({ story: true });
  const { which, record } = open(scene);
  record['EmailStatus'] = 'NotSet';
  const sending = { invoice: which, to: 'a@b.example' };
  expect(await scene.lookUp('send-invoice', sending)).toMatchObject({ found: false, conclusive: true });
  await scene.write('send-invoice', sending);
  expect(await scene.lookUp('send-invoice', sending)).toMatchObject({ found: false, conclusive: false });

  const second = await openScene({ story: true });
  const change = { invoice: which, syncToken: '0', note: 'n', memo: 'm', email: 'a@b.example' };
  expect(await second.lookUp('update-invoice', change)).toMatchObject({ found: false, conclusive: true });
  await second.write('update-invoice', change);
  expect(await second.lookUp('update-invoice', change)).toMatchObject({ found: true });
  expect(await second.lookUp('update-invoice', { ...change, note: 'other' })).toMatchObject({
    found: false,
    conclusive: false,
  });

  const third = await openScene({ story: true });
  const voiding = { invoice: which, syncToken: '0', total: 285, currency: 'USD' };
  expect(await third.lookUp('void-invoice', voiding)).toMatchObject({ found: false, conclusive: true });
  await third.write('void-invoice', voiding);
  expect(await third.lookUp('void-invoice', voiding)).toMatchObject({ found: true });
});

test('what moves money, sends or cannot be undone says so, and all writes have a key', () => {
  const writes = Object.entries(provider.operations).flatMap(([name]) => {
    const operation = operationOf(name);
    return operation.effect === 'read' ? [] : [[name, operation.effect, operation.idempotency]];
  });
  expect(writes).toEqual([
    ['create-customer', 'create', 'provider-key'],
    ['create-invoice', 'money', 'provider-key'],
    ['send-invoice', 'send', 'provider-key'],
    ['update-invoice', 'update', 'provider-key'],
    ['void-invoice', 'delete', 'provider-key'],
    ['create-estimate', 'create', 'provider-key'],
    ['delete-estimate', 'delete', 'provider-key'],
    ['record-payment', 'money', 'provider-key'],
    ['void-payment', 'delete', 'provider-key'],
  ]);
  expect(account).toContain('9341453908872241');
});

test('the live invoice is shown as it stands and as it will stand', async () => {
  const scene = await openScene({ story: true });
  const { which } = open(scene);
  const payloads = {
    'send-invoice': { invoice: which, to: 'a@b.example' },
    'update-invoice': { invoice: which, syncToken: '0', dueDate: '2026-03-01', note: 'n' },
    'void-invoice': { invoice: which, syncToken: '0', total: 285, currency: 'USD' },
  };
  for (const [name, payload] of Object.entries(payloads)) {
    const operation = operationOf(name);
    if (operation.effect === 'read') throw new Error(name);
    expect(await operation.before?.(scene.context, payload)).toMatchSnapshot();
  }
  expect(scene.hosts.calls().every(({ method }) => method === 'GET')).toBe(true);
});

test('what policy looks at is who gets it and how much it is', () => {
  const concernsOf = (name: string, payload: unknown) => {
    const operation = operationOf(name);
    return operation.effect === 'read' ? undefined : operation.concerns?.(operation.input.parse(payload));
  };
  const which = { id: '1', customer: 'x' };
  expect([
    concernsOf('create-invoice', invoice),
    concernsOf('create-estimate', estimate),
    concernsOf('record-payment', payment),
    concernsOf('send-invoice', { invoice: which, to: 'a@b.example' }),
    concernsOf('void-invoice', { invoice: which, syncToken: '0', total: 285, currency: 'USD' }),
  ]).toEqual([
    { amount: { value: 2_085.23, currency: 'USD' } },
    { amount: { value: 2_085.23, currency: 'USD' } },
    { amount: { value: 10, currency: 'USD' } },
    { recipients: ['a@b.example'] },
    { amount: { value: 285, currency: 'USD' } },
  ]);
});

test('an invoice that was created is taken back by voiding it', async () => {
  const scene = await openScene({ story: true });
  const create = operationOf('create-invoice');
  if (create.effect === 'read' || create.compensation === undefined) throw new Error('nothing takes it back');
  const outcome = await create.run(scene.context, create.input.parse(invoice));
  const { operation, payload } = create.compensation;
  const back = { ...scene.context, effectKey: 'eff_02' };
  const voiding = operationOf(operation);
  if (voiding.effect === 'read') throw new Error(operation);
  await voiding.run(back, voiding.input.parse(payload(create.input.parse(invoice), outcome)));
  expect(scene.quickbooks.books.all('Invoice').at(-1)).toMatchObject({ TotalAmt: 0, PrivateNote: 'Voided' });
});
