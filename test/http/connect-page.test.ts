// The page on which a person connects an account of one provider: what it asks and says, and what a link may
// fill in there.
import { describe, expect, test } from 'vitest';
import { provider as mailbox } from '../../src/providers/mailbox/index.ts';
import { provider as mcp } from '../../src/providers/mcp/index.ts';
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
});
