// A person in a real browser signs in at an issuer, with the keyboard alone, and lands on the page that was
// meant; another site's attempts at the same are tried too.
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { createOidcIssuer } from '../../sandbox/oidc-issuer.ts';
import { type ProviderHosts, startProviderHosts } from '../../sandbox/providers.ts';
import { createMembers } from '../../src/auth/members.ts';
import { systemClock } from '../../src/clock.ts';
import { loadConfig } from '../../src/config.ts';
import { runServe } from '../../src/server.ts';
import type { Serving } from '../../src/serving.ts';
import { temporaryHome } from '../connections/office.ts';
import { ana, eve } from '../http/issuer-scene.ts';
import { freePort } from '../servers/free-port.ts';
import { chromiumPath, hasChromium, openChromium } from './chromium.ts';
import { visit } from './visit.ts';

const inBrowser = hasChromium ? test : test.skip;
const why = hasChromium ? '' : ` (skipped: ${chromiumPath} is not installed)`;

let chromium: Browser;
beforeAll(async () => {
  if (hasChromium) chromium = await openChromium();
});
afterAll(() => chromium?.close());

async function open(): Promise<{ origin: string; serving: Serving; hosts: ProviderHosts }> {
  // The public address must be known before the server starts.
  const port = await freePort();
  const origin = `http://drawbridge.localhost:${port}`;
  const client = { id: 'client-1', secret: undefined, redirectUri: `${origin}/sign-in/callback` };
  const issuer = createOidcIssuer({ host: 'login.example', client, people: [ana, eve] }, systemClock);
  const hosts = await startProviderHosts([issuer]);
  onTestFinished(() => hosts.close());
  const config = loadConfig({
    DRAWBRIDGE_HOME: await temporaryHome(),
    DRAWBRIDGE_LOG_LEVEL: 'silent',
    DRAWBRIDGE_ALLOW_LOOPBACK: '1',
    DRAWBRIDGE_SANDBOX_URL: hosts.url,
    DRAWBRIDGE_PUBLIC_URL: origin,
    DRAWBRIDGE_OIDC_ISSUER: issuer.issuer,
    DRAWBRIDGE_OIDC_CLIENT_ID: client.id,
  });
  const serving = await runServe(config, { port });
  onTestFinished(() => serving.close());
  const { store, org } = serving.rooms;
  const members = createMembers({ store, clock: systemClock });
  await members.add(org.orgId, { email: ana.email, name: 'Ana', role: 'owner' });
  return { origin, serving, hosts };
}

inBrowser(
  `a member signs in at the issuer with the keyboard, and lands where the link led${why}`,
  async () => {
    const { origin } = await open();
    const context = await chromium.newContext();
    onTestFinished(() => context.close());
    const page = await context.newPage();
    const faults: string[] = [];
    page.on('console', (message) => {
      // The issuer's pages are not ours; the page that asks to sign in is itself a 401.
      const ours = message.location().url.startsWith(origin) && !message.text().includes('401');
      if (message.type() === 'error' && ours) faults.push(message.text());
    });
    await visit(page, `${origin}/history`);
    await page.getByRole('button', { name: 'Sign in with login.example' }).waitFor();
    await page.locator('button:focus').waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Sign in to login.example' }).waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.waitForURL(`${origin}/history`);
    await page.getByRole('heading', { level: 1, name: 'History' }).waitFor();
    expect(await page.locator('.signed-in .who').textContent()).toContain('Ana');
    expect(await page.evaluate('document.cookie')).toBe('');
    expect(faults).toEqual([]);
  },
);

inBrowser(`a stranger is told whom to ask, and another site can begin no sign-in here${why}`, async () => {
  const { origin, hosts } = await open();
  const context = await chromium.newContext();
  onTestFinished(() => context.close());
  const page = await context.newPage();
  await visit(page, `${origin}/sign-in`);
  await page.getByRole('button', { name: 'Sign in with login.example' }).click();
  await page.getByRole('button', { name: eve.email }).click();
  await page.getByRole('heading', { name: 'You are not signed in' }).waitFor();
  expect(await page.locator('main').textContent()).toContain('drawbridge members add --email');
  // A page of another site posts the button's form in this browser.
  const before = hosts.calls().length;
  await visit(page, 'about:blank');
  await page.setContent(
    `<form method="post" action="${origin}/sign-in/with"><input name="option" value="issuer"></form><script>document.forms[0].submit()</script>`,
  );
  await page.getByText('The request comes from another site').waitFor();
  expect(hosts.calls().length).toBe(before);
});
