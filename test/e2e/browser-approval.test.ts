// A person in a real browser: comes in by the link, sees all of a mail, approves it, and watches it go out;
// what other sites can do with that browser is tried too.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, BrowserContext, Page } from 'playwright-core';
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
let foreign: Server;
let foreignOrigin: string;
/** What the foreign site serves. */
let foreignPage = '';
const faults: string[] = [];

beforeAll(async () => {
  if (!hasChromium) return;
  house = await openHouse({ clock: systemClock });
  foreign = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html');
    response.end(foreignPage);
  });
  await new Promise<void>((resolve) => foreign.listen(0, '127.0.0.1', resolve));
  foreignOrigin = `http://evil.localhost:${(foreign.address() as AddressInfo).port}`;
  chromium = await openChromium();
  context = await chromium.newContext({ locale: 'en-GB', timezoneId: 'America/Chicago' });
  page = await context.newPage();
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text());
  });
  page.on('pageerror', (error) => faults.push(error.message));
});

afterAll(async () => {
  await chromium?.close();
  foreign?.closeAllConnections();
  foreign?.close();
  await house?.close();
});

inBrowser(`the link signs in with one press, and the cookie is kept${why}`, async () => {
  await visit(page, `${house.origin}/`);
  expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('Sign in to decide');
  await visit(page, signInUrl(house.origin, await house.signIn.createLink(house.owner)));
  expect(await context.cookies()).toEqual([]);
  // The browser gives the button the focus when it first draws the page.
  await page.locator('button:focus').waitFor();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Nothing waits for you' }).waitFor();
  const [cookie] = await context.cookies();
  expect(cookie).toMatchObject({
    name: 'drawbridge',
    domain: 'drawbridge.localhost',
    httpOnly: true,
    sameSite: 'Strict',
    path: '/',
  });
  expect(await page.evaluate('document.cookie')).toBe('');
});

inBrowser(
  `a proposed mail appears on the open list, is read whole, approved, and seen to go out${why}`,
  async () => {
    await visit(page, `${house.origin}/`);
    const action = await house.propose('send', {
      ...mail,
      bcc: [{ email: 'broker@northgate.example' }],
      html: '<p>Hello Maya,</p><p>Thursday at <b>15:00</b> works.</p><script>parent.document.title = "owned"</script>',
    });
    await page.getByRole('link', { name: /Viewing on Thursday/ }).click();
    for (const text of [
      'maya.ortiz@lakeside.example',
      'broker@northgate.example',
      'Thursday at 15:00 works.',
    ]) {
      expect(await page.locator('main').textContent()).toContain(text);
    }
    const frame = page.frameLocator('iframe.body');
    await frame.getByText('15:00').waitFor();
    expect(await page.title()).toContain('Send this e-mail');
    const approve = page.getByRole('button', { name: 'Approve and send' });
    expect(await approve.isVisible()).toBe(true);
    const box = await approve.boundingBox();
    const viewport = page.viewportSize();
    expect((box?.y ?? 0) + (box?.height ?? 0)).toBeLessThanOrEqual(viewport?.height ?? 0);

    // By keyboard alone: the button is reached and pressed.
    await approve.focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: /about to run/ }).waitFor();
    await house.queue.runDue(house.org);
    await page.getByRole('heading', { name: 'Done.' }).waitFor();
    expect((await house.queue.get(house.org, action.id)).status).toBe('completed');
  },
);

inBrowser(`rejecting asks for a reason, and Enter in that field rejects${why}`, async () => {
  const action = await house.propose('send', { ...mail, subject: 'Too eager' });
  await visit(page, `${house.origin}/actions/${action.id}`);
  await page.getByText('Reject', { exact: true }).first().click();
  await page.getByLabel(/Why not/).fill('Not yet');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Rejected. Nothing was done.' }).waitFor();
  expect(await house.queue.get(house.org, action.id)).toMatchObject({
    status: 'rejected',
    decisionReason: 'Not yet',
  });
});

inBrowser(`by keyboard, Reject leads into the field and can be taken back${why}`, async () => {
  const action = await house.propose('send', { ...mail, subject: 'Second thoughts' });
  await visit(page, `${house.origin}/actions/${action.id}`);
  await page.locator('details.reject > summary').focus();
  await page.keyboard.press('Enter');
  await page.locator('#reason:focus').waitFor();
  await page.keyboard.type('Too soon');
  expect(await page.getByLabel(/Why not/).inputValue()).toBe('Too soon');
  expect(await page.getByText('Reject', { exact: true }).filter({ visible: true }).count()).toBe(1);
  await page.getByText('Back', { exact: true }).click();
  expect(await page.getByLabel(/Why not/).isVisible()).toBe(false);
  expect((await house.queue.get(house.org, action.id)).status).toBe('pending');
});

inBrowser(`a page whose action another has decided lets nobody press a button${why}`, async () => {
  const action = await house.propose('send', { ...mail, subject: 'Decided elsewhere' });
  await visit(page, `${house.origin}/actions/${action.id}`);
  const approve = page.getByRole('button', { name: 'Approve and send' });
  expect(await approve.isEnabled()).toBe(true);
  await house.queue.decide(house.org, house.owner, {
    actionId: action.id,
    verdict: 'reject',
    hash: action.payloadHash,
    channel: 'terminal',
  });
  await page.getByText('Something changed since this page was loaded').waitFor();
  expect(await approve.isDisabled()).toBe(true);
  expect(await page.locator('.head .pill').textContent()).toBe('Out of date');
});

inBrowser(`a link on another site leads to the action, signed in${why}`, async () => {
  const action = await house.propose('send', { ...mail, subject: 'From a chat' });
  foreignPage = `<a href="${house.origin}/actions/${action.id}">approve</a>`;
  await visit(page, foreignOrigin);
  await page.getByRole('link').click();
  await page.getByRole('heading', { name: 'Send this e-mail?' }).waitFor();
  expect(await page.locator('main').textContent()).toContain('From a chat');
});

inBrowser(`another site can neither post a decision, nor frame the page, nor read it${why}`, async () => {
  const action = await house.propose('send', { ...mail, subject: 'Not theirs' });
  const browser = await house.browser();
  foreignPage = `<form method="post" action="${house.origin}/actions/${action.id}/decision">
    <input name="csrf" value="${browser.csrf}"><input name="hash" value="${action.payloadHash}">
    <input name="verdict" value="approve"><button>win</button></form>
    <iframe src="${house.origin}/actions/${action.id}"></iframe>`;
  const other = await context.newPage();
  await visit(other, foreignOrigin);
  const framed = other.frames()[1];
  expect(framed === undefined ? '' : await framed.content()).not.toContain('Not theirs');
  const read = await other.evaluate(
    `fetch(${JSON.stringify(`${house.origin}/actions/${action.id}`)}, { credentials: 'include' }).then((r) => r.text(), () => 'refused')`,
  );
  expect(read).toBe('refused');
  await Promise.all([other.waitForNavigation(), other.getByRole('button').click()]);
  expect(await other.content()).not.toContain('Approved');
  expect((await house.queue.get(house.org, action.id)).status).toBe('pending');
  await other.close();
});

inBrowser(`no page breaks its own content policy or throws${why}`, async () => {
  const event = await house.propose('book', {
    title: 'Viewing',
    start: '2026-12-03T15:00:00',
    end: '2026-12-03T16:00:00',
    timeZone: 'Europe/Berlin',
    attendees: [],
    reminders: [],
  });
  const amend = await house.propose('amend', { stage: 'Accepted' });
  const own = [`/actions/${event.id}`, `/actions/${event.id}/edit`, `/actions/${amend.id}`];
  for (const path of ['/', '/history', '/connections', '/connect', ...own]) {
    await visit(page, `${house.origin}${path}`);
  }
  // The one fault on purpose: the script in the formatted message was refused, and the sign-in page is a 401.
  const unexpected = faults.filter(
    (fault) => !/Blocked script execution in .*formatted|401 \(Unauthorized\)/.test(fault),
  );
  expect(unexpected).toEqual([]);
});
