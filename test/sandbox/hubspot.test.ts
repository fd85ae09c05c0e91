import { expect, test } from 'vitest';
import { contacts } from '../../sandbox/data/people.ts';
import { questions } from '../../sandbox/data/questions.ts';
import type { Answer } from '../../sandbox/http.ts';
import { createHubspot, type HubspotOptions, hubspotApp } from '../../sandbox/hubspot/index.ts';
import { fillWithStory } from '../../sandbox/hubspot/story.ts';
import { loadWorld } from '../../sandbox/world.ts';
import { manualClock } from '../egress/manual-clock.ts';

const everything = 'oauth crm.objects.contacts.read crm.objects.companies.read crm.objects.contacts.write';

function open(given: Partial<HubspotOptions> = {}, scopes = everything) {
  const clock = manualClock();
  const hubspot = createHubspot({ clock, ...given });
  const call = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const url = new URL(path, 'https://api.hubapi.com');
    return hubspot.handle({
      host: 'api.hubapi.com',
      method,
      path: url.pathname,
      query: url.searchParams,
      headers,
      body: typeof body === 'string' ? body : body === undefined ? '' : JSON.stringify(body),
    });
  };
  const redirect = 'http://localhost/callback';
  const page = hubspot.handle({
    host: 'app.hubspot.com',
    method: 'POST',
    path: '/oauth/authorize',
    query: new URLSearchParams({
      client_id: hubspotApp.clientId,
      redirect_uri: redirect,
      response_type: 'code',
      scope: scopes,
    }),
    headers: {},
    body: `decision=allow&${scopes
      .split(' ')
      .map((scope) => `scope=${scope}`)
      .join('&')}`,
  });
  const token = (form: Record<string, string>) =>
    call(
      'POST',
      '/oauth/v3/token',
      new URLSearchParams({
        client_id: hubspotApp.clientId,
        client_secret: hubspotApp.clientSecret,
        ...form,
      }).toString(),
      { 'content-type': 'application/x-www-form-urlencoded' },
    );
  const code = new URL(page.headers?.['location'] ?? '').searchParams.get('code') ?? '';
  const first = bodyOf(token({ grant_type: 'authorization_code', code, redirect_uri: redirect }));
  const authorization = `Bearer ${String(first['access_token'])}`;
  return {
    hubspot,
    clock,
    call,
    token,
    first,
    crm: (method: string, path: string, body?: unknown) => call(method, path, body, { authorization }),
  };
}

const bodyOf = ({ body = '{}' }: Answer) => JSON.parse(body) as Record<string, unknown>;

test('the same world gives the same account, byte for byte, and every client a note', () => {
  const filled = () => {
    const { hubspot } = open();
    fillWithStory(hubspot.state, loadWorld(Date.UTC(2026, 0, 5, 12)));
    return hubspot.state;
  };
  const state = filled();
  const all = (from: typeof state) =>
    (['contacts', 'companies', 'deals', 'notes', 'tickets'] as const).flatMap((type) => from.all(type));
  expect(all(filled())).toEqual(all(state));
  const clients = contacts.filter(({ role }) => role === 'client');
  expect(state.all('notes')).toHaveLength(clients.length);
  for (const { email } of clients) {
    const found = state.all('contacts').find(({ properties }) => properties['email'] === email);
    expect(found && state.associated(found, 'notes'), email).toHaveLength(1);
  }
});

test('whoever the demo asks about stands in the CRM', () => {
  const { hubspot } = open();
  fillWithStory(hubspot.state, loadWorld(Date.UTC(2026, 0, 5, 12)));
  const names = hubspot.state
    .all('contacts')
    .map(({ properties }) => `${properties['firstname']} ${properties['lastname']}`);
  for (const name of questions.flatMap(({ clients = [] }) => clients)) expect(names).toContain(name);
});

test('a refresh answers with the same refresh token, and a wrong one in HubSpot’s own words', () => {
  const { token, first } = open();
  const again = bodyOf(token({ grant_type: 'refresh_token', refresh_token: String(first['refresh_token']) }));
  expect(again['refresh_token']).toBe(first['refresh_token']);
  expect(again).toMatchObject({ hub_id: 48_112_233, token_use: 'access_token', expires_in: 1800 });
  const wrong = token({ grant_type: 'refresh_token', refresh_token: 'x' });
  expect(wrong.status).toBe(400);
  expect(bodyOf(wrong)).toMatchObject({ status: 'BAD_REFRESH_TOKEN', correlationId: expect.any(String) });
});

test('without a bearer, or with one that ended, nothing is told', () => {
  const { call, crm, hubspot } = open();
  expect(call('GET', '/crm/v3/objects/contacts').status).toBe(401);
  expect(crm('GET', '/crm/v3/objects/contacts').status).toBe(200);
  hubspot.auth.expireAccess();
  expect(bodyOf(crm('GET', '/crm/v3/objects/contacts'))['category']).toBe('EXPIRED_AUTHENTICATION');
});

test('a scope that was not granted is named', () => {
  const { crm } = open({}, 'oauth crm.objects.contacts.read');
  expect(crm('GET', '/crm/v3/objects/contacts').status).toBe(200);
  const refused = crm('POST', '/crm/v3/objects/contacts', { properties: { email: 'a@b.example' } });
  expect(refused.status).toBe(403);
  expect(refused.body).toContain('crm.objects.contacts.write');
  expect(crm('GET', '/crm/v3/objects/tickets').body).toContain('tickets');
});

test('a search ends at its cap, and counts all the same', () => {
  const { crm, hubspot } = open({ searchCap: 20 });
  for (let n = 0; n < 50; n += 1) hubspot.state.create('companies', { name: `c${n}` });
  const search = (body: unknown) => crm('POST', '/crm/v3/objects/companies/search', body);
  expect(bodyOf(search({ limit: 10, after: '10' }))).toMatchObject({
    total: 50,
    paging: { next: { after: '20' } },
  });
  expect(search({ limit: 10, after: '20' }).status).toBe(400);
  expect(search({ limit: 10, sorts: ['name', 'domain'] }).status).toBe(400);
  expect(search({ limit: 201 }).status).toBe(400);
  expect(search('{').status).toBe(400);
});

test('limits are held by the clock, and told but for searches', () => {
  const { crm, clock } = open({ limits: { tenSecondly: 5, searchesPerSecond: 2 } });
  const search = () => crm('POST', '/crm/v3/objects/contacts/search', {});
  expect([search(), search(), search()].map(({ status }) => status)).toEqual([200, 200, 429]);
  expect(search().headers).not.toHaveProperty('x-hubspot-ratelimit-remaining');
  clock.advance(1_000);
  expect(search().status).toBe(200);
  expect(bodyOf(crm('GET', '/crm/v3/objects/contacts'))['policyName']).toBe('TEN_SECONDLY_ROLLING');
  clock.advance(10_000);
  const last = crm('GET', '/crm/v3/objects/contacts');
  expect(last.headers).toMatchObject({
    'x-hubspot-ratelimit-max': '5',
    'x-hubspot-ratelimit-remaining': '4',
  });
});

test('one e-mail address is one contact; unknown properties and records are refused', () => {
  const { crm } = open();
  const create = (properties: unknown, associations?: unknown) =>
    crm('POST', '/crm/v3/objects/contacts', {
      properties,
      ...(associations === undefined ? {} : { associations }),
    });
  expect(create({ email: 'A@b.example' }).status).toBe(201);
  expect(create({ email: 'a@B.example' }).status).toBe(409);
  expect(create({ shoe_size: '43' }).body).toContain('PROPERTY_DOESNT_EXIST');
  const types = [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 279 }];
  expect(create({ email: 'c@b.example' }, [{ to: { id: '7' }, types }]).status).toBe(400);
  expect(crm('GET', '/crm/v3/objects/contacts/7').status).toBe(404);
  expect(crm('PATCH', '/crm/v3/objects/contacts/7', { properties: { phone: '1' } }).status).toBe(404);
});
