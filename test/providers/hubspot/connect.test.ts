// HubSpot from the link to the written note: the real pages of consent, the real door, the stored tokens.
import { expect, onTestFinished, test } from 'vitest';
import { createHubspot, hubspotApp } from '../../../sandbox/hubspot/index.ts';
import { fillWithStory } from '../../../sandbox/hubspot/story.ts';
import { consent } from '../../../sandbox/person.ts';
import { startProviderHosts } from '../../../sandbox/providers.ts';
import { loadWorld } from '../../../sandbox/world.ts';
import type { Clock } from '../../../src/clock.ts';
import { newBrowserToken } from '../../../src/connections/connect/state.ts';
import type { Connection } from '../../../src/connections/connections.ts';
import { Secret } from '../../../src/secret.ts';
import { newPerson } from '../../connections/guild.ts';
import { openOffice } from '../../connections/office.ts';

async function openHouse() {
  // The sandbox reads the clock of the office, which is there a moment later.
  let clock: Clock | undefined;
  const late = { now: () => (clock as Clock).now(), elapsed: () => 0, sleep: async () => undefined };
  const hubspot = createHubspot({ clock: late });
  const hosts = await startProviderHosts([hubspot]);
  onTestFinished(() => hosts.close());
  const apps = new Map([
    [
      'hubspot',
      {
        clientId: hubspotApp.clientId,
        clientSecret: new Secret(hubspotApp.clientSecret),
        webhookSecret: undefined,
      },
    ],
  ]);
  const office = await openOffice(undefined, { sandboxUrl: hosts.url, options: { apps } });
  clock = office.clock;
  fillWithStory(hubspot.state, loadWorld(office.clock.now()));
  const { connections, org } = office;
  const person = await newPerson(office.store, org, 'Maren');
  return {
    ...office,
    hubspot,
    hosts,
    async connect(access: 'read' | 'write'): Promise<{ made: Connection; url: URL }> {
      const browser = newBrowserToken();
      const redirectUri = 'http://localhost:7331/api/v1/integrations/hubspot/callback';
      const start = { provider: 'hubspot', fields: {}, access, via: 'api' as const, redirectUri, browser };
      const { url } = await connections.authorize(org, person, start);
      const callback = await consent(url, hosts.url);
      const made = await connections.authorized(org, person, { provider: 'hubspot', callback, browser });
      return { made, url: new URL(url) };
    },
  };
}

test('connected by its pages it reads, is followed, and is written to; read-only it is not', async () => {
  const house = await openHouse();
  const { connections, org, hubspot } = house;
  const { made, url } = await house.connect('read');
  expect(url.origin + url.pathname).toBe('https://app.hubspot.com/oauth/authorize');
  expect(url.searchParams.get('scope')?.split(' ').sort()).toEqual([
    'crm.objects.companies.read',
    'crm.objects.contacts.read',
    'crm.objects.deals.read',
    'oauth',
    'tickets',
  ]);
  expect(made).toMatchObject({
    state: 'ACTIVE',
    account: '48112233',
    label: 'HubSpot 48112233',
    fields: { portal: '48112233', ui_domain: 'app.hubspot.com' },
  });
  expect(await connections.runRead(org, made, 'search-contacts', { query: 'Nadia Haddad' })).toMatchObject({
    total: 1,
  });
  await expect(connections.write(org, made, 'create-note')).rejects.toMatchObject({
    code: 'permission_denied',
  });

  const { made: again, url: wider } = await house.connect('write');
  expect(again.id).toBe(made.id);
  expect(wider.searchParams.get('scope')).toContain('crm.objects.contacts.write');
  const note = await connections.write(org, again, 'create-note');
  const context = await connections.writeContext(org, again, 'create-note', {
    effectKey: 'eff_01',
    attachment: () => Promise.reject(new Error('none')),
    aboutToSend: async () => undefined,
  });
  const [contact] = hubspot.state.all('contacts');
  const payload = note.input.parse({
    text: 'Prefers calls before nine',
    associations: [{ to: 'contacts', id: contact?.id }],
  });
  const { reference } = await note.run(context, payload);
  expect(hubspot.state.get({ type: 'notes', id: reference })?.properties['hs_note_body']).toBe(
    'Prefers calls before nine',
  );
  house.clock.advance(20_000);
  const feeds = await connections.feeds(org, again);
  expect(feeds.map(({ name }) => name)).toEqual(['contacts', 'companies', 'deals', 'notes', 'tickets']);
  const seen: string[] = [];
  for await (const page of feeds.find(({ name }) => name === 'notes')?.pages(undefined) ?? []) {
    seen.push(...page.records.map(({ externalId }) => externalId));
  }
  expect(seen).toContain(`notes/${reference}`);
});

test('an ended token is renewed once, and the same refresh token serves on', async () => {
  const house = await openHouse();
  const { connections, org, hubspot } = house;
  const { made } = await house.connect('read');
  for (let round = 1; round <= 2; round += 1) {
    hubspot.auth.expireAccess();
    expect(await connections.runRead(org, made, 'search-deals', {})).toMatchObject({ total: 10 });
    expect(hubspot.auth.tokenCalls().filter(({ grant }) => grant === 'refresh_token')).toHaveLength(round);
  }
});

test('disconnecting ends the grant at HubSpot', async () => {
  const house = await openHouse();
  const { connections, org, hosts } = house;
  const { made } = await house.connect('read');
  expect(await connections.disconnect(org, made.id)).toEqual({ revoked: true });
  const [call] = hosts.calls().filter(({ path }) => path === '/oauth/v3/token/revoke');
  expect(Object.fromEntries(new URLSearchParams(call?.body))).toMatchObject({
    client_id: hubspotApp.clientId,
    token: expect.any(String),
  });
});

test('who takes the app away at HubSpot is asked to connect again', async () => {
  const house = await openHouse();
  const { connections, org, hubspot } = house;
  const { made } = await house.connect('read');
  hubspot.auth.revokeAll();
  await expect(connections.runRead(org, made, 'search-deals', {})).rejects.toMatchObject({
    retry: 'reconnect',
  });
  expect((await connections.get(org, made.id)).state).toBe('EXPIRED');
});
