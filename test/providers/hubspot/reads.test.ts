import { expect, test } from 'vitest';
import { provider } from '../../../src/providers/hubspot/index.ts';
import { openScene } from './scene.ts';

interface Found {
  total: number;
  after?: string;
  results: { id: string; properties: Record<string, string>; url?: string }[];
}

test('the account is told by its number, and its pages by its domain', async () => {
  const scene = await openScene();
  expect(await provider.identity(scene.context)).toEqual({ id: '48112233', label: 'HubSpot 48112233' });
  expect(await provider.probe?.(scene.context)).toEqual({ portal: '48112233', ui_domain: 'app.hubspot.com' });
  expect(scene.asked()).toEqual([
    'GET https://api.hubapi.com/account-info/v3/details',
    'GET https://api.hubapi.com/account-info/v3/details',
  ]);
});

test('a contact of the story is found by words, by a property, and by its number', async () => {
  const scene = await openScene({ story: true });
  const byWords = (await scene.read('search-contacts', { query: 'elena vasquez' })) as Found;
  expect(byWords).toMatchObject({
    total: 1,
    results: [
      {
        properties: { email: 'elena.vasquez@mail.example', firstname: 'Elena', lastname: 'Vasquez' },
        url: expect.stringMatching(/^https:\/\/app\.hubspot\.com\/contacts\/48112233\/record\/0-1\/\d+$/),
      },
    ],
  });
  const id = byWords.results[0]?.id ?? '';
  const byProperty = await scene.read('search-contacts', {
    anyOf: [[{ property: 'email', operator: 'EQ', value: 'elena.vasquez@mail.example' }]],
    sort: { property: 'createdate', descending: true },
    properties: ['hs_object_id'],
  });
  expect((byProperty as Found).results.map((one) => one.id)).toEqual([id]);
  expect(await scene.read('get-contact', { id })).toMatchObject({ id, properties: { firstname: 'Elena' } });
  expect(scene.asked().map((line) => line.replaceAll(id, 'ID'))).toMatchSnapshot();
});

test.each([
  ['companies', 'search-companies', 'Orchardworks', 'name'],
  ['deals', 'search-deals', 'Tern', 'dealname'],
  ['notes', 'search-notes', 'piano', 'hs_note_body'],
  ['tickets', 'search-tickets', 'Keys', 'subject'],
])('%s are searched, too', async (_kind, operation, query, property) => {
  const scene = await openScene({ story: true });
  const { results } = (await scene.read(operation, { query })) as Found;
  expect(results.length).toBeGreaterThan(0);
  expect(results[0]?.properties[property]).toContain(query);
  expect(scene.asked()).toMatchSnapshot();
});

test('a search is paged by the token of its last answer, to its end', async () => {
  const scene = await openScene();
  for (let n = 0; n < 45; n += 1) scene.hubspot.state.create('companies', { name: `Company ${n}` });
  const ids: string[] = [];
  let after: string | undefined;
  do {
    const page = (await scene.read('search-companies', {
      limit: 20,
      ...(after === undefined ? {} : { after }),
    })) as Found;
    ids.push(...page.results.map(({ id }) => id));
    after = page.after;
  } while (after !== undefined);
  expect(new Set(ids).size).toBe(45);
});

test.each([
  ['NEQ', { value: 'one' }, ['two', 'three']],
  ['IN', { values: ['one', 'three'] }, ['one', 'three']],
  ['NOT_IN', { values: ['one'] }, ['two', 'three']],
  ['CONTAINS_TOKEN', { value: 'tw*' }, ['two']],
  ['HAS_PROPERTY', {}, ['one', 'two', 'three']],
  ['NOT_HAS_PROPERTY', {}, []],
  ['BETWEEN', { value: 'one', highValue: 'three' }, ['one', 'three']],
])('a filter %s leaves as it was given', async (operator, rest, expected) => {
  const scene = await openScene();
  for (const name of ['one', 'two', 'three']) scene.hubspot.state.create('companies', { name });
  const { results } = (await scene.read('search-companies', {
    anyOf: [[{ property: 'name', operator, ...rest }]],
  })) as Found;
  expect(results.map(({ properties }) => properties['name']).sort()).toEqual([...expected].sort());
  expect(scene.asked()).toMatchSnapshot();
});

test('past the 10,000 that a search gives, nobody is asked', async () => {
  const scene = await openScene();
  await expect(scene.read('search-contacts', { after: '9990', limit: 20 })).rejects.toMatchObject({
    code: 'invalid_request',
    field: 'after',
  });
  expect(scene.asked()).toEqual([]);
});

test('associations are listed, page by page, with their types', async () => {
  const scene = await openScene();
  const { state } = scene.hubspot;
  const contact = state.create('contacts', { email: 'a@b.example' });
  const deals = [1, 2, 3].map((n) => state.create('deals', { dealname: `Deal ${n}` }));
  for (const deal of deals) state.associate(contact, deal);
  const first = await scene.read('list-contact-associations', { id: contact.id, to: 'deals', limit: 2 });
  expect(first).toEqual({
    results: deals
      .slice(0, 2)
      .map(({ id }) => ({ id, types: [{ typeId: 279, category: 'HUBSPOT_DEFINED' }] })),
    after: '2',
  });
  const rest = await scene.read('list-contact-associations', {
    id: contact.id,
    to: 'deals',
    limit: 2,
    after: '2',
  });
  expect((rest as { results: unknown[] }).results).toHaveLength(1);
  expect(scene.asked().map((line) => line.replaceAll(contact.id, 'ID'))).toMatchSnapshot();
});

test('the stages that a deal or a ticket goes through are told by name', async () => {
  const scene = await openScene();
  expect(await scene.read('list-ticket-pipelines', {})).toEqual({
    pipelines: [
      {
        id: '0',
        label: 'Support pipeline',
        stages: [
          { id: '1', label: 'New' },
          { id: '2', label: 'Waiting on contact' },
          { id: '3', label: 'Waiting on us' },
          { id: '4', label: 'Closed' },
        ],
      },
    ],
  });
  await scene.read('list-deal-pipelines', {});
  expect(scene.asked()).toEqual([
    'GET https://api.hubapi.com/crm/v3/pipelines/tickets',
    'GET https://api.hubapi.com/crm/v3/pipelines/deals',
  ]);
});

test.each([
  ['get-contact', { id: '1/../../companies/2' }],
  ['get-contact', { id: '..' }],
  ['get-contact', { id: '1?archived=true' }],
  ['get-contact', { id: '1%2f..' }],
  ['get-contact', { id: '1', properties: ['email&archived=true'] }],
  ['list-deal-associations', { id: '1', to: '../contacts' }],
  ['list-deal-associations', { id: '1', to: 'contacts', after: '2&x=1' }],
  ['search-contacts', { anyOf: [[{ property: 'email"', operator: 'EQ', value: 'x' }]] }],
  ['search-contacts', { anyOf: [[{ property: 'email', operator: 'EQUALS', value: 'x' }]] }],
  ['search-contacts', { anyOf: [[{ property: 'email', operator: 'IN', value: 'x' }]] }],
  ['search-contacts', { archived: true }],
])('injection: %s refuses %j before anybody is asked', async (operation, input) => {
  const scene = await openScene();
  await expect(scene.read(operation, input)).rejects.toThrow();
  expect(scene.asked()).toEqual([]);
});

test('injection: a page token full of URL syntax stays one parameter', async () => {
  const scene = await openScene();
  const { id } = scene.hubspot.state.create('deals', { dealname: 'x' });
  await scene
    .read('list-deal-associations', { id, to: 'contacts', after: '0=/../..%3Fx' })
    .catch(() => undefined);
  const [call] = scene.hosts.calls();
  expect(call?.path).toBe(`/crm/v4/objects/deals/${id}/associations/contacts`);
  expect([...(call?.query ?? [])]).toEqual([
    ['after', '0=/../..%3Fx'],
    ['limit', '100'],
  ]);
});
