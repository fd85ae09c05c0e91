// A person in a real browser, with an authenticator that Chromium plays: enrols a passkey, asks for signed
// approvals, approves by keyboard and passkey; a person who does not come decides nothing.

import axe from 'axe-core';
import type { Browser, BrowserContext, CDPSession, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { signInUrl } from '../../src/auth/sign-in.ts';
import { systemClock } from '../../src/clock.ts';
import { type House, mail, openHouse } from '../http/house.ts';
import { chromiumPath, hasChromium, openChromium } from './chromium.ts';
import { visit } from './visit.ts';

const inBrowser = hasChromium ? test : test.skip;
const why = hasChromium ? '' : ` (skipped: ${chromiumPath} is not installed)`;

let house: House;
let chromium: Browser;
let context: BrowserContext;
let page: Page;
let devices: CDPSession;
let authenticatorId: string;
const faults: string[] = [];

beforeAll(async () => {
  if (!hasChromium) return;
  house = await openHouse({ clock: systemClock });
  chromium = await openChromium();
  context = await chromium.newContext({ locale: 'en-GB' });
  page = await context.newPage();
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text());
  });
  page.on('pageerror', (error) => faults.push(error.message));
  devices = await context.newCDPSession(page);
  await devices.send('WebAuthn.enable');
  const added = await devices.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  authenticatorId = added.authenticatorId;
  await visit(page, signInUrl(house.origin, await house.signIn.createLink(house.owner)));
  await page.locator('button:focus').waitFor();
  await page.keyboard.press('Enter');
  await page.waitForURL(`${house.origin}/`);
}, 60_000);

afterAll(async () => {
  await chromium?.close();
  await house?.close();
});

/** What axe finds against WCAG 2.2 A and AA. */
async function violations(): Promise<string[]> {
  await page.evaluate(axe.source);
  const found = await page.evaluate<{ violations: { id: string; nodes: { html: string }[] }[] }>(
    "axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] })",
  );
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`);
}

inBrowser(
  `a passkey is enrolled, signed approvals are asked for, and a mail is approved by it${why}`,
  async () => {
    await visit(page, `${house.origin}/passkeys`);
    expect(await violations()).toEqual([]);
    await page.getByLabel('What to call it').fill('Test laptop');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Test laptop' }).waitFor();
    const [enrolled] = await house.passkeys.list(house.org, house.owner);
    expect(enrolled).toMatchObject({ name: 'Test laptop' });

    await visit(page, `${house.origin}/policy`);
    expect(await violations()).toEqual([]);
    await page.getByRole('group', { name: 'Approvals that a passkey signs' }).getByLabel('send').check();
    // The page comes back to the address that it had: it must have come before another is opened.
    const back = page.waitForEvent('load');
    await page.getByRole('button', { name: 'Keep this choice' }).click();
    await back;
    await expect.poll(() => house.policy.signedEffects(house.org)).toEqual(['send']);

    const action = await house.propose('send', mail);
    await visit(page, `${house.origin}/actions/${action.id}`);
    await page.locator('.bar button.primary').press('Enter');
    await page.locator('.head .pill.approved').waitFor();
    expect(await house.queue.get(house.org, action.id)).toMatchObject({
      status: 'approved',
      decisionChannel: 'page',
      proof: { credential: enrolled?.id, name: 'Test laptop' },
    });
    await house.queue.runDue(house.org);
    expect((await house.queue.get(house.org, action.id)).status).toBe('completed');
    await page.locator('.head .pill.completed').waitFor();
    expect(faults).toEqual([]);
  },
  60_000,
);

inBrowser(
  `the passkey confirms its own removal, and can then be enrolled anew${why}`,
  async () => {
    await visit(page, `${house.origin}/passkeys`);
    await page.getByText('Remove Test laptop').click();
    await page.getByRole('button', { name: 'Remove it' }).click();
    await page.getByRole('heading', { name: 'No passkey' }).waitFor();
    expect(await house.passkeys.list(house.org, house.owner)).toEqual([]);
    await devices.send('WebAuthn.clearCredentials', { authenticatorId });
    await page.getByLabel('What to call it').fill('Test laptop again');
    await page.getByRole('button', { name: 'Enrol a passkey' }).click();
    await page.getByRole('heading', { name: 'Test laptop again' }).waitFor();
    expect(await violations()).toEqual([]);
    expect(faults).toEqual([]);
  },
  60_000,
);

inBrowser(
  `a person whom the passkey does not recognise decides nothing, and may try again${why}`,
  async () => {
    const action = await house.propose('send', { ...mail, subject: 'Another' });
    await devices.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: false });
    await visit(page, `${house.origin}/actions/${action.id}`);
    await page.locator('.bar button.primary').click();
    await page.getByRole('alert').filter({ hasText: 'The passkey was not used' }).waitFor();
    expect((await house.queue.get(house.org, action.id)).status).toBe('pending');
    await devices.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: true });
    await page.locator('.bar button.primary').click();
    await page.locator('.head .pill.approved').waitFor();
    expect((await house.queue.get(house.org, action.id)).status).toBe('approved');
    expect(faults).toEqual([]);
  },
  60_000,
);
