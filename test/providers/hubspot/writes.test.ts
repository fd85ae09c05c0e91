import { expect, test } from 'vitest';
import { z } from 'zod';
import { EffectRefused, type Provider, type WriteOperation } from '../../../src/providers/define.ts';
import { provider } from '../../../src/providers/hubspot/index.ts';
import { openScene, operationOf, summaryOf } from './scene.ts';

test('a note is written once, as plain text, to the contact and the deal it is about', async () => {
  const scene = await openScene({ story: true });
  const { state } = scene.hubspot;
  const [contact] = state.all('contacts');
  const [deal] = state.all('deals');
  const before = state.all('notes').length;
  const outcome = await scene.write('create-note', {
    text: 'Elena called:\n<b>one level</b> & no steps',
    associations: [
      { to: 'contacts', id: contact?.id },
      { to: 'deals', id: deal?.id },
    ],
  });
  const notes = state.all('notes');
  expect(notes).toHaveLength(before + 1);
  const note = notes.at(-1);
  expect(outcome).toMatchObject({ reference: note?.id, details: { id: note?.id } });
  expect(note?.properties).toEqual({
    hs_note_body: 'Elena called:<br>&lt;b&gt;one level&lt;/b&gt; &amp; no steps',
    hs_timestamp: '2026-01-05T12:00:00.000Z',
  });
  expect(state.associated({ type: 'notes', id: note?.id ?? '' }, 'contacts')).toEqual([contact?.id]);
  expect(state.associated({ type: 'notes', id: note?.id ?? '' }, 'deals')).toEqual([deal?.id]);
  expect(scene.gateOpenedAfter()).toBe(0);
  expect(scene.asked()).toMatchSnapshot();
});

test.each([
  [
    'create-contact',
    { email: 'new@mail.example', firstname: 'Ada', properties: { preferred_area: 'Old Town' } },
  ],
  ['create-company', { name: 'Harbour Pianos', domain: 'harbourpianos.example', numberofemployees: '7' }],
  [
    'create-deal',
    {
      dealname: 'Sale of 1 Quay',
      dealstage: 'contractsent',
      pipeline: 'default',
      amount: '505000.50',
      closedate: '2026-03-01',
    },
  ],
  ['create-ticket', { subject: 'Keys', hs_pipeline: '0', hs_pipeline_stage: '1', content: 'Two sets' }],
])('%s sends what the payload says and nothing else', async (operation, payload) => {
  const scene = await openScene({ customProperties: ['preferred_area'] });
  const outcome = await scene.write(operation, payload);
  expect(outcome.details).toMatchObject({ id: outcome.reference });
  expect(outcome.url).toMatch(new RegExp(`/record/0-\\d/${outcome.reference}$`));
  expect(scene.asked()).toMatchSnapshot();
});

test('a record is shown as it stands and as it will stand; what is gone is not found', async () => {
  const scene = await openScene();
  const { state } = scene.hubspot;
  const contact = state.create('contacts', { email: 'a@b.example', phone: '1', firstname: 'Ada' });
  const { before } = writeNamed('update-contact');
  expect(await before?.(scene.context, { id: contact.id, phone: '2', firstname: '' })).toEqual({
    title: expect.stringContaining('Ada'),
    url: expect.stringContaining(contact.id),
    fields: { phone: '1', firstname: 'Ada' },
    after: { phone: '2', firstname: '' },
  });
  expect(await writeNamed('delete-contact').before?.(scene.context, { id: contact.id })).toMatchObject({
    fields: { email: 'a@b.example', firstname: 'Ada' },
    after: {},
  });
  await scene.write('delete-contact', { id: contact.id });
  await expect(before?.(scene.context, { id: contact.id, phone: '2' })).rejects.toMatchObject({
    code: 'not_found',
  });
  expect(scene.gateOpenedAfter()).toBeGreaterThanOrEqual(0);
});

test('a note that was created is taken back by the deletion that it names', async () => {
  const scene = await openScene();
  const payload = { text: 'Elena called' };
  const outcome = await scene.write('create-note', payload);
  const { compensation } = writeNamed('create-note');
  await scene.write(compensation?.operation ?? '', compensation?.payload(payload, outcome));
  expect(scene.hubspot.state.all('notes').every(({ archivedAt }) => archivedAt !== undefined)).toBe(true);
});

test('a change is taken back by the values that stood there, of common and of other properties', async () => {
  const scene = await openScene({ customProperties: ['preferred_area'] });
  const { state } = scene.hubspot;
  const contact = state.create('contacts', { email: 'a@b.example', phone: '1', preferred_area: 'Old Town' });
  const payload = { id: contact.id, phone: '2', firstname: 'Ada', properties: { preferred_area: 'Harbour' } };
  const { before, compensation } = writeNamed('update-contact');
  scene.context.before = await before?.(scene.context, payload);
  const outcome = await scene.write('update-contact', payload);
  expect(contact.properties).toMatchObject({ phone: '2', firstname: 'Ada', preferred_area: 'Harbour' });
  const undoing = compensation?.payload(payload, outcome);
  expect(undoing).toEqual({
    id: contact.id,
    phone: '1',
    firstname: '',
    properties: { preferred_area: 'Old Town' },
  });
  await scene.write(compensation?.operation ?? '', undoing);
  expect(contact.properties).toMatchObject({ phone: '1', preferred_area: 'Old Town' });
  expect(contact.properties['firstname'] ?? '').toBe('');
});

test('the words of a note are not taken back: what stood there is HTML of HubSpot’s own', async () => {
  const scene = await openScene();
  const note = scene.hubspot.state.create('notes', {
    hs_note_body: '<p>Was</p>',
    hs_timestamp: '2026-01-05',
  });
  const payload = { id: note.id, text: 'Is' };
  const { before, compensation } = writeNamed('update-note');
  scene.context.before = await before?.(scene.context, payload);
  expect(compensation?.payload(payload, await scene.write('update-note', payload))).toBeUndefined();
});

function writeNamed(name: string): WriteOperation<unknown> {
  const operation = (provider as Provider).operations[name];
  if (operation === undefined || operation.effect === 'read') throw new Error(`${name} writes nothing`);
  return operation;
}

test('a record is changed, associated, and deleted', async () => {
  const scene = await openScene();
  const { state } = scene.hubspot;
  const contact = state.create('contacts', { email: 'a@b.example', phone: '1', firstname: 'Ada' });
  const company = state.create('companies', { name: 'Harbour Pianos' });
  await scene.write('update-contact', {
    id: contact.id,
    phone: '+1 541 555 0199',
    firstname: '',
  });
  expect(contact.properties).toEqual({ email: 'a@b.example', phone: '+1 541 555 0199' });
  await scene.write('associate-contact', { id: contact.id, to: 'companies', toId: company.id });
  expect(state.associated(contact, 'companies')).toEqual([company.id]);
  await scene.write('delete-contact', { id: contact.id });
  expect(contact.archivedAt).toBeDefined();
  expect(scene.asked()).toMatchSnapshot();
});

test.each([
  [
    'create-contact',
    {
      email: 'ada@b.example',
      firstname: 'Ada',
      properties: { budget: '640000' },
      associations: [{ to: 'companies', id: '7' }],
    },
    'Create in HubSpot 48112233 a contact: email “ada@b.example”, firstname “Ada”, budget “640000”; associated with company 7',
  ],
  [
    'create-note',
    {
      text: 'First line\nSecond line',
      at: '2026-01-05T09:00:00Z',
      associations: [{ to: 'contacts', id: '8' }],
    },
    'Create in HubSpot 48112233 a note: text “First line ⏎ Second line”, at “2026-01-05T09:00:00Z”; associated with contact 8',
  ],
  ['update-deal', { id: '9', amount: '1', properties: { description: '' } }, undefined],
  [
    'update-deal',
    { id: '9', amount: '1', dealstage: '' },
    'Change in HubSpot 48112233 the deal 9: amount “1”, dealstage (cleared)',
  ],
  [
    'associate-ticket',
    { id: '1', to: 'contacts', toId: '2' },
    'Associate in HubSpot 48112233 the ticket 1 with the contact 2',
  ],
  [
    'delete-company',
    { id: '3' },
    'Delete in HubSpot 48112233 the company 3 (people can restore it for 90 days)',
  ],
])('the summary of %s shows the whole payload', (operation, payload, expected) => {
  if (expected === undefined) expect(() => summaryOf(operation, payload)).toThrow('write it as description');
  else expect(summaryOf(operation, payload)).toBe(expected);
});

test('the schema that an agent is shown says what a new record must have', () => {
  const required = ['contact', 'company', 'deal', 'note', 'ticket'].map((one) => {
    const shown = z.toJSONSchema(operationOf(`create-${one}`).input, { io: 'input' });
    return [one, shown.required ?? []];
  });
  expect(Object.fromEntries(required)).toEqual({
    contact: [],
    company: ['name'],
    deal: ['dealname', 'dealstage'],
    note: ['text'],
    ticket: ['subject', 'hs_pipeline_stage'],
  });
});

test('a property is cleared by an empty value, whatever its kind', async () => {
  const scene = await openScene();
  const deal = scene.hubspot.state.create('deals', { dealname: 'x', amount: '1', closedate: '2026-01-01' });
  await scene.write('update-deal', { id: deal.id, amount: '', closedate: '' });
  expect(deal.properties).toEqual({ dealname: 'x' });
  const contact = scene.hubspot.state.create('contacts', { email: 'a@b.example', phone: '1' });
  await scene.write('update-contact', { id: contact.id, email: '' });
  expect(contact.properties).toEqual({ phone: '1' });
  await expect(scene.write('update-deal', { id: deal.id, amount: 'much' })).rejects.toThrow();
});

test('no value of a payload is missing from its summary', () => {
  const long = 'x'.repeat(1_000);
  for (const [name, operation] of Object.entries(provider.operations)) {
    if (!name.startsWith('create-')) continue;
    const kind = name.slice('create-'.length);
    const payload = {
      contact: { email: 'a@b.example', firstname: long },
      company: { name: 'n', description: long },
      deal: { dealname: 'n', dealstage: 's', description: long },
      note: { text: long },
      ticket: { subject: 's', hs_pipeline_stage: '1', content: long },
    }[kind];
    expect(operation.effect).toBe('create');
    expect(summaryOf(name, payload)).toContain(long);
  }
});

test.each([
  ['create-contact', {}, 'properties'],
  ['create-contact', { phone: '1' }, 'email'],
  ['create-contact', { email: 'a@b.example', properties: { firstname: 'A' } }, 'properties.firstname'],
  ['create-note', { text: 'x', properties: { hs_note_body: 'y' } }, 'properties.hs_note_body'],
  ['create-note', { text: 'x', associations: [{ to: 'notes', id: '1' }] }, 'associations.0.to'],
  [
    'create-note',
    {
      text: 'x',
      associations: [
        { to: 'deals', id: '1' },
        { to: 'deals', id: '1' },
      ],
    },
    'associations.1',
  ],
  ['update-deal', { id: '1' }, 'properties'],
  ['associate-contact', { id: '1', to: 'contacts', toId: '1' }, 'to'],
])('%s refuses %j by naming the field, and nobody is asked', async (operation, payload, field) => {
  const scene = await openScene();
  await expect(scene.write(operation, payload)).rejects.toMatchObject({ code: 'invalid_request', field });
  expect(scene.asked()).toEqual([]);
});

test.each([
  ['create-contact', { email: 'not an address' }],
  ['create-contact', { email: 'a@b.example', emial: 'x' }],
  ['create-contact', { email: 'a@b.example', properties: { 'bad name': 'x' } }],
  ['create-deal', { dealname: 'x', dealstage: 's', amount: '1e9' }],
  ['create-deal', { dealname: 'x' }],
  ['create-note', { text: '' }],
  ['update-contact', { id: '../deals/1', phone: '1' }],
  ['delete-contact', { id: '1?x' }],
  ['associate-contact', { id: '1', to: 'deals/1', toId: '2' }],
])('%s refuses %j by its schema', async (operation, payload) => {
  const scene = await openScene();
  await expect(scene.write(operation, payload)).rejects.toThrow();
  expect(scene.asked()).toEqual([]);
});

test('a contact that is there already is refused in HubSpot’s words, and nothing happened', async () => {
  const scene = await openScene();
  scene.hubspot.state.create('contacts', { email: 'a@b.example' });
  const refused = scene.write('create-contact', { email: 'a@b.example' });
  await expect(refused).rejects.toBeInstanceOf(EffectRefused);
  await expect(refused).rejects.toThrow('Contact already exists');
});

test.each([400, 401, 403, 404, 409, 423, 429])(
  'an answer %i is a refusal: nothing happened',
  async (status) => {
    const scene = await openScene();
    scene.hosts.faults.failNext({ kind: 'refuse', status, text: '{"message":"no","category":"X"}' });
    await expect(scene.write('create-company', { name: 'x' })).rejects.toBeInstanceOf(EffectRefused);
    expect(scene.asked()).toHaveLength(1);
  },
);

test.each([
  ['a failing server', { kind: 'refuse', status: 502, text: '' } as const],
  ['a cut connection', { kind: 'drop', after: 'effect' } as const],
  ['an answer that is no JSON', { kind: 'garble', body: '<html>' } as const],
  ['an answer of another shape', { kind: 'garble', body: '{"results":7}' } as const],
])('%s leaves the outcome unclear, and is not tried again', async (_what, fault) => {
  const scene = await openScene();
  scene.hosts.faults.failNext(fault);
  const failure = await scene.write('create-company', { name: 'x' }).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(Error);
  expect(failure).not.toBeInstanceOf(EffectRefused);
  expect(scene.asked()).toHaveLength(1);
});

test('a run that may not send sends nothing', async () => {
  const scene = await openScene({ aboutToSend: () => Promise.reject(new Error('the lease is lost')) });
  await expect(scene.write('create-company', { name: 'x' })).rejects.toThrow();
  expect(scene.asked()).toEqual([]);
});

test('a contact whose answer got lost is found by its address; one that was not made is not', async () => {
  const scene = await openScene();
  const payload = { email: 'Ada@b.example', firstname: 'Ada' };
  expect(await scene.lookUp('create-contact', payload)).toMatchObject({ found: false, conclusive: true });
  scene.hosts.faults.failNext({ kind: 'drop', after: 'effect' });
  await scene.write('create-contact', payload).catch(() => undefined);
  expect(await scene.lookUp('create-contact', payload)).toMatchObject({
    found: true,
    outcome: { reference: expect.stringMatching(/^\d+$/) },
  });
  expect(await scene.lookUp('create-contact', { ...payload, firstname: 'Bea' })).toMatchObject({
    found: false,
    conclusive: false,
  });
  expect(await scene.lookUp('create-contact', { firstname: 'Ada' })).toMatchObject({ conclusive: false });
});

test('a change, an association and a deletion are looked up', async () => {
  const scene = await openScene();
  const { state } = scene.hubspot;
  const contact = state.create('contacts', { email: 'a@b.example' });
  const deal = state.create('deals', { dealname: 'x' });
  const change = { id: contact.id, phone: '1' };
  expect(await scene.lookUp('update-contact', change)).toMatchObject({ found: false, conclusive: false });
  await scene.write('update-contact', change);
  expect(await scene.lookUp('update-contact', change)).toMatchObject({ found: true });

  const bond = { id: contact.id, to: 'deals', toId: deal.id };
  expect(await scene.lookUp('associate-contact', bond)).toMatchObject({ found: false, conclusive: true });
  await scene.write('associate-contact', bond);
  expect(await scene.lookUp('associate-contact', bond)).toMatchObject({ found: true });

  expect(await scene.lookUp('delete-contact', { id: contact.id })).toMatchObject({
    found: false,
    conclusive: true,
  });
  await scene.write('delete-contact', { id: contact.id });
  expect(await scene.lookUp('delete-contact', { id: contact.id })).toMatchObject({ found: true });
});

test('what cannot be looked up says so', () => {
  const creating = ['company', 'deal', 'note', 'ticket'].map((one) => operationOf(`create-${one}`));
  expect(creating.map((operation) => operation.effect !== 'read' && operation.idempotency)).toEqual([
    'none',
    'none',
    'none',
    'none',
  ]);
});
