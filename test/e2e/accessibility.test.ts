// WCAG 2.2 AA in a real browser: axe finds nothing on any page, an approval is made by keyboard alone with the
// focus in sight, nothing overflows at 320 pixels, and nothing moves for who wants no motion.
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { signInUrl } from '../../src/auth/sign-in.ts';
import { systemClock } from '../../src/clock.ts';
import type { Action } from '../../src/queue/queue.ts';
import { connection, type House, mail, openHouse } from '../http/house.ts';
import { chromiumPath, hasChromium, openChromium } from './chromium.ts';
import { visit } from './visit.ts';

const inBrowser = hasChromium ? test : test.skip;
const why = hasChromium ? '' : ` (skipped: ${chromiumPath} is not installed)`;
const axePath = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

let house: House;
let chromium: Browser;
let page: Page;
const paths = new Map<string, string>();

interface Finding {
  id: string;
  nodes: { target: unknown; html: string }[];
}

async function signedIn(options: BrowserContextOptions = {}): Promise<Page> {
  // axe is put in from outside, past the pages' own policy; the pages keep to it without.
  const context = await chromium.newContext({ locale: 'en-GB', bypassCSP: true, ...options });
  const made = await context.newPage();
  await visit(made, signInUrl(house.origin, await house.signIn.createLink(house.owner)));
  await made.getByRole('button', { name: 'Sign in' }).press('Enter');
  await made.waitForURL(`${house.origin}/`);
  return made;
}

async function findings(at: Page): Promise<string[]> {
  await at.addScriptTag({ path: axePath });
  const found = (await at.evaluate(
    `axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }).then((r) => r.violations)`,
  )) as Finding[];
  return found.flatMap(({ id, nodes }) =>
    nodes.map(({ target, html }) => `${id}: ${target} ${html.slice(0, 200)}`),
  );
}

beforeAll(async () => {
  if (!hasChromium) return;
  house = await openHouse({ clock: systemClock, holdMs: 600_000 });
  house.connections.push(
    connection({
      id: 'con_2',
      provider: 'caldav',
      providerTitle: 'Calendar',
      label: 'Calendar',
      capabilities: ['calendar.free-busy'],
    }),
  );
  const at = (time: string) => Date.parse(`2026-12-03T${time}:00-06:00`);
  house.busy = async () => ({ busy: [{ start: at('15:30'), end: at('17:00'), title: 'Closing call' }] });
  const bytes = Buffer.from('a report');
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const file = { name: 'Report.pdf', mediaType: 'application/pdf' };
  const keep = (name: string, action: Action) => paths.set(name, `/actions/${action.id}`);
  const decide = (action: Action, verdict: 'approve' | 'reject') =>
    house.queue.decide(house.org, house.owner, {
      actionId: action.id,
      verdict,
      hash: action.payloadHash,
      channel: 'page',
    });
  const letter = await house.propose(
    'send',
    {
      ...mail,
      html: '<p>Hello <a href="https://x.example">Maya</a></p>',
      attachments: [{ ...file, size: bytes.length, sha256 }],
    },
    {
      attachments: [{ ...file, bytes }],
      note: 'She asked.',
      warnings: ['Look twice.'],
      citations: ['ime://documents/doc_9'],
    },
  );
  keep('a mail', letter);
  paths.set('the editing of a mail', `/actions/${letter.id}/edit`);
  keep(
    'an event',
    await house.propose('book', {
      title: 'Viewing',
      start: '2026-12-03T15:00:00',
      end: '2026-12-03T16:30:00',
      timeZone: 'America/Chicago',
      attendees: [{ email: 'maya.ortiz@lakeside.example' }],
      reminders: [30],
      location: 'Alder Court',
    }),
  );
  const amend = await house.propose('amend', {
    stage: 'Accepted',
    amount: 498000,
    contacts: [{ name: 'M', vip: true }],
  });
  keep('a change of a record', amend);
  paths.set('the editing of a record', `/actions/${amend.id}/edit`);
  const invoice = await house.propose('invoice', { customer: 'Lakeside', amount: 1250, currency: 'EUR' });
  keep('an invoice', invoice);
  const done = await house.propose('invoice', { customer: 'Harbor', amount: 9, currency: 'EUR' });
  await decide(done, 'approve');
  await house.queue.runDue(house.org);
  keep('a done action', done);
  house.run = async (context) => {
    await context.aboutToSend();
    throw new Error('the line went dead');
  };
  const unclear = await house.propose('update', { a: 1 });
  await decide(unclear, 'approve');
  await house.queue.runDue(house.org);
  keep('an unclear action', unclear);
  const held = await house.propose('send', { ...mail, subject: 'Held' });
  await decide(held, 'approve');
  keep('a held action', held);
  const rejected = await house.propose('send', { ...mail, subject: 'No' });
  await decide(rejected, 'reject');
  keep('a rejected action', rejected);
  for (let i = 0; i < 4; i += 1)
    await house.propose('send', { ...mail, subject: `Alike ${i}` }, { conversation: 'c' });
  chromium = await openChromium();
  page = await signedIn({ timezoneId: 'America/Chicago' });
  for (const [name, path] of [
    ['the list', '/'],
    ['an empty view', '/?show=mine'],
    ['a search without finds', '/?q=nowhere'],
    ['the history', '/history'],
    ['the accounts', '/connections'],
    ['the agents', '/connect'],
    ['the rules', '/policy'],
    ['the sources', '/sources'],
    ['the passkeys', '/passkeys'],
    ['a missing page', '/nowhere'],
  ] as const)
    paths.set(name, path);
});

afterAll(async () => {
  await chromium?.close();
  await house?.close();
});

inBrowser(`axe finds a fault where there is one${why}`, async () => {
  const bare = await (await chromium.newContext({ bypassCSP: true })).newPage();
  await bare.setContent('<html lang="en"><title>x</title><main><h1>x</h1><input></main></html>');
  expect((await findings(bare)).join()).toContain('label:');
});

for (const scheme of ['light', 'dark'] as const) {
  inBrowser(
    `axe finds nothing on any page, ${scheme}${why}`,
    async () => {
      await page.emulateMedia({ colorScheme: scheme });
      const found: string[] = [];
      for (const [name, path] of paths) {
        await visit(page, house.origin + path);
        for (const finding of await findings(page)) found.push(`${name}: ${finding}`);
      }
      expect(found).toEqual([]);
    },
    120_000,
  );
}

inBrowser(`axe finds nothing on the sign-in pages, nor on the help of the keys${why}`, async () => {
  const stranger = await (await chromium.newContext({ bypassCSP: true })).newPage();
  await visit(stranger, `${house.origin}/`);
  expect(await findings(stranger)).toEqual([]);
  await visit(stranger, signInUrl(house.origin, await house.signIn.createLink(house.owner)));
  expect(await findings(stranger)).toEqual([]);
  await visit(page, `${house.origin}/`);
  await page.keyboard.press('?');
  await page.getByRole('dialog').waitFor();
  expect(await findings(page)).toEqual([]);
});

inBrowser(
  `nothing runs over the edge at 320 pixels${why}`,
  async () => {
    const small = await signedIn({ viewport: { width: 320, height: 640 } });
    const over: string[] = [];
    for (const [name, path] of paths) {
      await visit(small, house.origin + path);
      const width = (await small.evaluate('document.documentElement.scrollWidth')) as number;
      if (width > 320) over.push(`${name}: ${width}`);
      for (const finding of await findings(small)) over.push(`${name}: ${finding}`);
    }
    expect(over).toEqual([]);
  },
  120_000,
);

inBrowser(`what names a changed record has the width of its table on a phone, too${why}`, async () => {
  const small = await signedIn({ viewport: { width: 390, height: 844 } });
  await visit(small, `${house.origin}${paths.get('a change of a record')}`);
  const widths = (await small.evaluate(
    `['.diff', '.diff caption'].map((one) => document.querySelector(one).getBoundingClientRect().width)`,
  )) as [number, number];
  expect(widths[1]).toBe(widths[0]);
});

inBrowser(`nothing moves for who wants no motion${why}`, async () => {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await visit(page, `${house.origin}${paths.get('a mail')}`);
  const moving = await page.evaluate(
    `[...document.querySelectorAll('*')].filter((e) => getComputedStyle(e).transitionDuration !== '0s' || getComputedStyle(e).animationName !== 'none').length`,
  );
  expect(moving).toBe(0);
});

inBrowser(`a whole approval by keyboard alone, the focus in sight at each step${why}`, async () => {
  // A list that is open would load itself again under this one.
  await visit(page, 'about:blank');
  const action = await house.propose('update', { keyboard: 'alone' });
  await visit(page, `${house.origin}/?q=Change+a+deal`);
  await page.keyboard.press('j');
  const outline = () => page.evaluate('getComputedStyle(document.activeElement).outlineStyle');
  expect(await page.evaluate('document.activeElement.getAttribute("href")')).toBe(`/actions/${action.id}`);
  expect(await outline()).toBe('solid');
  await page.keyboard.press('Enter');
  await page.waitForURL(`${house.origin}/actions/${action.id}`);
  const approve = page.getByRole('button', { name: 'Approve the change' });
  await approve.waitFor();
  for (let i = 0; i < 40; i += 1) {
    await page.keyboard.press('Tab');
    if ((await page.evaluate('document.activeElement.textContent')) === 'Approve the change') break;
  }
  expect(await outline()).toBe('solid');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: /about to run/ }).waitFor();
  expect((await house.queue.get(house.org, action.id)).status).toBe('approved');
});

inBrowser(
  `keys walk the list, find, and open the help; none works while typing or once switched off${why}`,
  async () => {
    await visit(page, `${house.origin}/`);
    const focused = () =>
      page.evaluate('document.activeElement.id || document.activeElement.getAttribute("href")');
    await page.keyboard.press('j');
    const first = await focused();
    await page.keyboard.press('j');
    expect(await focused()).not.toBe(first);
    await page.keyboard.press('k');
    expect(await focused()).toBe(first);
    await page.keyboard.press('/');
    expect(await focused()).toBe('q');
    await page.keyboard.type('j?');
    expect(await page.locator('#q').inputValue()).toBe('j?');
    expect(await page.getByRole('dialog').isVisible()).toBe(false);
    await page.locator('main').focus();
    await page.keyboard.press('?');
    await page.getByLabel('Use these keys in this browser').uncheck();
    await page.keyboard.press('Escape');
    await visit(page, `${house.origin}/`);
    await page.keyboard.press('j');
    expect(await focused()).not.toBe(first);
    await page.keyboard.press('?');
    expect(await page.getByRole('dialog').isVisible()).toBe(false);
    await page.getByRole('button', { name: 'Keys' }).click();
    await page.getByLabel('Use these keys in this browser').check();
  },
);

inBrowser(`an approved send counts down to the moment it leaves${why}`, async () => {
  await visit(page, `${house.origin}${paths.get('a held action')}`);
  expect(await page.getByRole('timer').textContent()).toMatch(/It leaves in \d+ s/);
  await page.getByRole('button', { name: 'Stop it' }).click();
  await page.getByRole('heading', { name: 'Withdrawn. Nothing was done.' }).waitFor();
});

inBrowser(`a person edits a mail, sees it whole, and approves that${why}`, async () => {
  const action = await house.propose('send', { ...mail, subject: 'Edit in the browser' });
  await visit(page, `${house.origin}/actions/${action.id}`);
  await page.keyboard.press('e');
  await page.getByLabel('Text').fill('Friday, then.\n\nAna');
  await page.getByRole('button', { name: 'See it whole' }).click();
  await page.getByRole('heading', { name: 'Approve it like this?' }).waitFor();
  expect(await findings(page)).toEqual([]);
  await page.getByRole('button', { name: 'Approve and send, as edited' }).click();
  await page.getByText('Edited before it was approved').first().waitFor();
  expect(await house.queue.get(house.org, action.id)).toMatchObject({
    status: 'approved',
    payload: { text: 'Friday, then.\n\nAna' },
    proposed: { payloadHash: action.payloadHash },
  });
});
