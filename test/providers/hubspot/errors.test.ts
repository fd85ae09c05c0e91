import { expect, test } from 'vitest';
import { refused, tooMany } from '../../../sandbox/hubspot/answers.ts';
import { openScene } from './scene.ts';

const answer = ({ status, headers = {}, body = '' }: ReturnType<typeof refused>) =>
  ({ kind: 'refuse', status, headers, text: body }) as const;

test.each([
  [
    'an ended token',
    refused(401, 'EXPIRED_AUTHENTICATION', 'The OAuth token used to make this call expired.'),
    { code: 'auth_expired', retry: 'reconnect' },
  ],
  ['a record that is gone', refused(404, 'OBJECT_NOT_FOUND', 'resource not found'), { code: 'not_found' }],
  ['a wrong value', refused(400, 'VALIDATION_ERROR', 'Invalid input JSON'), { code: 'invalid_request' }],
  ['a record that is not there, said by 400', refused(400, 'OBJECT_NOT_FOUND', 'x'), { code: 'not_found' }],
  ['a conflict', refused(409, 'CONFLICT', 'Contact already exists'), { code: 'conflict' }],
  ['a locked account', refused(423, 'LOCKED', 'x'), { code: 'conflict', retryAfterMs: 2_000 }],
  ['the limit of a day', tooMany('DAILY'), { code: 'quota_exhausted', retry: 'later' }],
  [
    'an account on the move',
    { ...refused(477, 'MIGRATION', 'x'), headers: { 'retry-after': '60' } },
    { code: 'provider_unavailable', retryAfterMs: 60_000 },
  ],
  ['a failing server', { status: 500, body: '<html>oops</html>' }, { code: 'provider_unavailable' }],
  ['words of another shape', { status: 400, body: '["x"]' }, { code: 'invalid_request' }],
])('%s is said in our words', async (_what, response, expected) => {
  const scene = await openScene();
  scene.hosts.faults.failNext(answer(response), '', 5);
  await expect(scene.read('get-contact', { id: '1' })).rejects.toMatchObject(expected);
});

test.each([
  ['SECONDLY', {}, 1_000],
  ['TEN_SECONDLY_ROLLING', {}, 10_000],
  ['SECONDLY', { 'retry-after': '7' }, 7_000],
  [
    'SECONDLY',
    { 'x-hubspot-ratelimit-remaining': '0', 'x-hubspot-ratelimit-interval-milliseconds': '10000' },
    10_000,
  ],
] as const)('too many calls (%s, %j) say when to come back', async (policy, headers, retryAfterMs) => {
  const scene = await openScene();
  const { status, headers: own = {}, body = '' } = tooMany(policy);
  // A write is not tried again by the door, so that the answer is seen as it came.
  scene.hosts.faults.failNext({ kind: 'refuse', status, headers: { ...own, ...headers }, text: body });
  const failure = await scene.write('create-company', { name: 'x' }).catch((error: unknown) => error);
  expect(failure).toMatchObject({ cause: { code: 'rate_limited', retryAfterMs } });
});

test('a search that came too often is made again, and answers', async () => {
  const scene = await openScene();
  const { status, headers = {}, body = '' } = tooMany('SECONDLY');
  scene.hosts.faults.failNext({
    kind: 'refuse',
    status,
    headers: { ...headers, 'retry-after': '0' },
    text: body,
  });
  expect(await scene.read('search-contacts', {})).toMatchObject({ total: 0 });
  expect(scene.asked()).toHaveLength(2);
});

test.each([
  ['get-contact', { id: '1' }, ['tickets'], 'crm.objects.contacts.read'],
  ['search-deals', {}, ['crm.objects.contacts.read'], 'crm.objects.deals.read'],
  ['search-notes', {}, ['crm.objects.deals.read'], 'crm.objects.contacts.read'],
  ['get-ticket', { id: '1' }, ['crm.objects.contacts.read'], 'tickets'],
])('%s without its scope names the scope', async (operation, input, scopes, missing) => {
  const scene = await openScene({ scopes: ['oauth', ...scopes] });
  await expect(scene.read(operation, input)).rejects.toMatchObject({
    code: 'permission_denied',
    retry: 'reconnect',
    message: expect.stringMatching(new RegExp(`connect it again.*${missing}`)),
  });
});

test.each([
  ['no JSON', '<html>'],
  ['nothing', ''],
  ['a list', '[]'],
  ['a null', 'null'],
  ['an object without an id', '{"properties":{}}'],
  ['an id that is a path', '{"id":"../1","properties":{}}'],
  ['properties that are no text', '{"id":"1","properties":{"a":{"b":1}}}'],
  ['a time that is none', '{"id":"1","properties":{},"createdAt":"soon"}'],
])('a body that is %s is malformed', async (_what, body) => {
  const scene = await openScene();
  scene.hosts.faults.failNext({ kind: 'garble', body });
  await expect(scene.read('get-contact', { id: '1' })).rejects.toMatchObject({ code: 'malformed_response' });
});

test.each([
  ['results that are none', '{"total":1,"results":7}'],
  ['no results', '{"total":1}'],
  ['a page that is no text', '{"total":1,"results":[],"paging":{"next":{"after":{"x":1}}}}'],
])('a search answered with %s is malformed', async (_what, body) => {
  const scene = await openScene();
  scene.hosts.faults.failNext({ kind: 'garble', body });
  await expect(scene.read('search-contacts', {})).rejects.toMatchObject({ code: 'malformed_response' });
});

test('empty values and properties that are null are left out', async () => {
  const scene = await openScene();
  scene.hosts.faults.failNext({
    kind: 'garble',
    body: '{"id":"7","properties":{"email":"a@b.example","phone":null,"city":""},"createdAt":"2026-01-01T00:00:00Z","updatedAt":"2026-01-02T00:00:00Z","archived":false}',
  });
  expect(await scene.read('get-contact', { id: '7' })).toEqual({
    id: '7',
    properties: { email: 'a@b.example' },
    archived: false,
    createdAt: '2026-01-01T00:00:00.000Z',
    updatedAt: '2026-01-02T00:00:00.000Z',
    url: 'https://app.hubspot.com/contacts/48112233/record/0-1/7',
  });
});

test('an address for its pages that is not HubSpot’s is not passed on', async () => {
  const scene = await openScene();
  const { id } = scene.hubspot.state.create('contacts', { email: 'a@b.example' });
  for (const domain of [
    'evil.example',
    'app.hubspot.com.evil.example',
    'app.hubspot.com/x',
    'javascript:x',
  ]) {
    const context = { ...scene.context, fields: { portal: '1', ui_domain: domain } };
    expect(await scene.read('get-contact', { id }, context)).not.toHaveProperty('url');
  }
});
