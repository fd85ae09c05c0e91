// The page on which a person connects an account of one provider: what it asks and says, and what a link may
// fill in there.
import { describe, expect, test } from 'vitest';
import { provider as hubspot } from '../../src/providers/hubspot/index.ts';
import { provider as mailbox } from '../../src/providers/mailbox/index.ts';
import { provider as mcp } from '../../src/providers/mcp/index.ts';
import { provider as quickbooks } from '../../src/providers/quickbooks/index.ts';
import { entryOf } from '../connections/agency.ts';
import { type Browser, openGuildHouse } from './guild-house.ts';

const api = '/api/v1/integrations';

const begin = (browser: Browser) =>
  browser.post(`${api}/guild/connect`, { csrf: browser.csrf, access: 'write' });

describe('the page of a provider', () => {
  test('says what is asked in words, and lets its form lead on to the provider alone', async () => {
    const house = await openGuildHouse();
    const answer = await (await house.signedIn()).get('/connect/guild?access=read');
    expect(answer.status).toBe(200);
    expect(answer.body).toContain('Send a letter');
    expect(answer.body).toMatch(/Read the roll <code>roll\.read<\/code>/);
    expect(answer.body).toMatch(/value="read" checked/);
    const policy = String(answer.headers['content-security-policy']);
    expect(policy).toContain(`form-action 'self' https: http://localhost:${house.port};`);
    expect(policy).toContain("default-src 'none'");
  });

  test('without a registered app it shows the steps, the redirect URL and where the credentials go', async () => {
    const house = await openGuildHouse({ options: { apps: new Map() } });
    const browser = await house.signedIn();
    const page = await browser.get('/connect/guild');
    expect(page.body).toContain('register an app at Guild');
    expect(page.body).toContain(`value="http://localhost:${house.port}${api}/guild/callback"`);
    expect(String(page.headers['content-security-policy'])).toContain("form-action 'self';");
    const begun = await begin(browser);
    expect([begun.status, begun.headers.location]).toEqual([303, '/connect/guild']);
    const missing = await browser.post('/connect/guild/app', { csrf: browser.csrf, clientId: 'x' });
    expect(missing.status).toBe(400);
    const saved = await browser.post('/connect/guild/app', {
      csrf: browser.csrf,
      clientId: 'drawbridge-at-guild',
      clientSecret: 'a-secret-of-the-guild-app',
      access: 'read',
    });
    expect([saved.status, saved.headers.location]).toEqual([303, '/connect/guild?access=read']);
    const after = (await browser.get('/connect/guild')).body;
    expect(after).toContain('Go on to Guild');
    expect(after).not.toContain('a-secret-of-the-guild-app');
  });

  test('an app that was entered wrong is entered again', async () => {
    const house = await openGuildHouse({ options: { apps: new Map() } });
    const browser = await house.signedIn();
    const enter = (clientId: string) =>
      browser.post('/connect/guild/app', {
        csrf: browser.csrf,
        clientId,
        clientSecret: 'a-secret',
        access: 'read',
      });
    await enter('a-slip');
    const page = (await browser.get('/connect/guild')).body;
    expect(page).toContain('href="/connect/guild?app=anew"');
    expect((await browser.get('/connect/guild?app=anew')).body).toContain('name="clientId"');
    await enter('drawbridge-at-guild');
    const begun = await begin(browser);
    expect(new URL(String(begun.headers.location)).searchParams.get('client_id')).toBe('drawbridge-at-guild');
  });

  test('what was typed stands still when the app has been registered', async () => {
    const house = await openGuildHouse({ options: { apps: new Map() } });
    const browser = await house.signedIn();
    const page = (await browser.get('/connect/guild?access=read&field.hall=east')).body;
    expect(page).toContain('name="field.hall" value="east"');
    const saved = await browser.post('/connect/guild/app', {
      csrf: browser.csrf,
      clientId: 'drawbridge-at-guild',
      clientSecret: 'a-secret-of-the-guild-app',
      access: 'read',
      'field.hall': 'east',
      'field.colour': 'red',
    });
    expect(saved.headers.location).toBe('/connect/guild?access=read&field.hall=east');
    expect((await browser.get(String(saved.headers.location))).body).toMatch(
      /name="field\.hall" value="east"/,
    );
  });

  test('a link fills in no server that a password is typed for, and no program to start', async () => {
    const catalog = [entryOf(mailbox), entryOf(mcp)];
    const house = await openGuildHouse({ options: { catalog } });
    const browser = await house.signedIn();
    const typed = await browser.get(
      '/connect/mailbox?field.imap=imap.evil.example:993&field.email=a@b.example',
    );
    expect(typed.body).toContain('name="field.imap" value=""');
    expect(typed.body).not.toContain('evil.example');
    const program = await browser.get('/connect/mcp?field.command=evil&field.url=https://mcp.example.com');
    expect(program.body).toContain('name="field.command" value=""');
    expect(program.body).toContain('name="field.url" value="https://mcp.example.com"');
  });

  test('a provider that is off, and one that is none, cannot be connected', async () => {
    const house = await openGuildHouse({ options: { providersOff: ['guild'] } });
    const browser = await house.signedIn();
    expect((await browser.get('/connect/guild')).body).toContain('Switched off');
    expect((await browser.get('/connect/fax')).status).toBe(404);
  });

  test('connects an account again by its name, and no other provider’s', async () => {
    const house = await openGuildHouse();
    const made = await house.connect();
    const browser = await house.signedIn();
    const page = (await browser.get(`/connect/guild?account=${made.id}`)).body;
    expect(page).toContain(`name="account" value="${made.id}"`);
    expect(page).toContain('maria@guild.example');
    expect((await browser.get(`/connect/ledger?account=${made.id}`)).status).toBe(404);
  });

  test('a provider with a server of its own needs no app for that way, and says so', async () => {
    const catalog = [{ ...entryOf(hubspot), app: 'hubspot' }, entryOf(mcp)];
    const house = await openGuildHouse({ options: { catalog, apps: new Map() } });
    const browser = await house.signedIn();
    const byApi = (await browser.get('/connect/hubspot')).body;
    expect(byApi).toContain('name="clientId"');
    expect(byApi).toContain('href="/connect/hubspot?via=mcp"');
    const byServer = (await browser.get('/connect/hubspot?via=mcp')).body;
    expect(byServer).not.toContain('name="clientId"');
    expect(byServer).toMatch(/name="via" value="mcp" checked/);
    expect(byServer).toContain('Go on to HubSpot');
  });

  test('under a public address an owner registers the app, and nobody else', async () => {
    const publicUrl = 'https://drawbridge.example';
    const house = await openGuildHouse({ publicUrl, options: { apps: new Map() } });
    const app = { clientId: 'drawbridge-at-guild', clientSecret: 'a-secret', access: 'read' };
    const member = await house.signedIn();
    const shown = (await member.get('/connect/guild')).body;
    expect(shown).toContain('Ask an owner');
    expect(shown).not.toContain('name="clientSecret"');
    const refused = await member.post('/connect/guild/app', { csrf: member.csrf, ...app });
    expect(refused.status).toBe(403);
    expect((await house.connections.offers(house.org))[0]?.status).toBe('not-configured');

    await house.store.control.write((tx) =>
      tx.updateTable('members').set({ role: 'owner' }).where('id', '=', house.person.memberId).execute(),
    );
    expect((await member.post('/connect/guild/app', { csrf: member.csrf, ...app })).status).toBe(303);
    expect((await house.connections.offers(house.org))[0]?.status).toBe('available');
  });

  test('a mailbox says which fields may be left out, and that it needs a password', async () => {
    const house = await openGuildHouse({ options: { catalog: [entryOf(mailbox)] } });
    const browser = await house.signedIn();
    const page = (await browser.get('/connect/mailbox')).body;
    const optional = [...page.matchAll(/<label for="field-(\w+)">[^<]* <span class="soft">\(optional\)/g)];
    expect(optional.map(([, name]) => name)).toEqual(['user', 'imap', 'smtp', 'name', 'preset']);
    const begun = await browser.post(`${api}/mailbox/connect`, {
      csrf: browser.csrf,
      'field.email': 'you@gmail.com',
    });
    expect(begun.status).toBe(400);
    expect(begun.body).toMatch(/id="secret-password-fault"[^>]*>App password is missing/);
  });

  test('a choice with a preset has it chosen, and no empty choice', async () => {
    const house = await openGuildHouse({
      options: { catalog: [{ ...entryOf(quickbooks), app: undefined }] },
    });
    const page = (await (await house.signedIn()).get('/connect/quickbooks')).body;
    expect(page).toMatch(/<option selected\s*>production<\/option>/);
    expect(page).not.toContain('<option value="">');
  });
});
