// `drawbridge connect gmail` as a new user does it, in a real browser: from the link in the terminal over the
// app that has to be registered and Google's consent page (the sandbox plays it) to the account's card.
import type { ChildProcess } from 'node:child_process';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createGoogle, type GoogleSandbox, googleApp } from '../../sandbox/google/google.ts';
import { type ProviderHosts, startProviderHosts } from '../../sandbox/providers.ts';
import { loadWorld } from '../../sandbox/world.ts';
import { systemClock } from '../../src/clock.ts';
import { newProgram, type Program } from '../cli/program.ts';
import { chromiumPath, hasChromium, openChromium } from './chromium.ts';
import { visit } from './visit.ts';

const inBrowser = hasChromium ? test : test.skip;
const why = hasChromium ? '' : ` (skipped: ${chromiumPath} is not installed)`;

let chromium: Browser;
let hosts: ProviderHosts;
let google: GoogleSandbox;
let program: Program;
let context: BrowserContext;
let page: Page;
let faults: string[];

beforeAll(async () => {
  if (hasChromium) chromium = await openChromium();
});

afterAll(async () => {
  await chromium?.close();
});

beforeEach(async () => {
  if (!hasChromium) return;
  const world = loadWorld(systemClock.now());
  google = createGoogle({
    clock: systemClock,
    world: { ...world, mail: world.mail.slice(0, 12), events: [] },
  });
  hosts = await startProviderHosts([google.emulator]);
  program = await newProgram({
    DRAWBRIDGE_PORT: '0',
    DRAWBRIDGE_ALLOW_LOOPBACK: '1',
    DRAWBRIDGE_SANDBOX_URL: hosts.url,
  });
  context = await chromium.newContext({ locale: 'en-GB' });
  page = await context.newPage();
  faults = [];
  page.on('console', (message) => {
    const ours = new URL(message.location().url || 'about:blank').hostname === 'drawbridge.localhost';
    if (message.type() === 'error' && ours) faults.push(message.text());
  });
  page.on('pageerror', (error) => faults.push(error.message));
});

afterEach(async () => {
  await context?.close();
  await hosts?.close();
  await program?.remove();
});

interface Running {
  child: ChildProcess;
  /** The link that it printed. */
  link: Promise<string>;
  /** Resolves when it has said such a thing. */
  said(words: string): Promise<void>;
  ended: Promise<{ code: number | null; stdout: string; stderr: string }>;
}

function run(args: string[]): Running {
  const child = program.start(args);
  let stdout = '';
  let stderr = '';
  const link = Promise.withResolvers<string>();
  const look = () => {
    const found = /http:\/\/\S+\/sign-in\?\S+/.exec(`${stdout}\n${stderr}`)?.[0];
    if (found !== undefined) link.resolve(found);
    for (const one of awaited) if (stderr.includes(one.words)) one.resolve();
  };
  const awaited: { words: string; resolve: () => void }[] = [];
  const said = (words: string) =>
    new Promise<void>((resolve) => {
      awaited.push({ words, resolve });
      look();
    });
  child.stdout?.on('data', (data) => {
    stdout += String(data);
    look();
  });
  child.stderr?.on('data', (data) => {
    stderr += String(data);
    look();
  });
  const ended = new Promise<Awaited<Running['ended']>>((resolve) => {
    child.once('close', (code) => {
      link.reject(new Error(`it ended with ${code}: ${stdout}${stderr}`));
      resolve({ code, stdout, stderr });
    });
  });
  return { child, link: link.promise, said, ended };
}

async function register(): Promise<void> {
  await page.getByLabel('Client ID').fill(googleApp.clientId);
  await page.getByLabel('Client secret').fill(googleApp.clientSecret);
  await page.getByRole('button', { name: 'Save, and go on' }).click();
}

describe('drawbridge connect gmail', () => {
  inBrowser(`goes from the link to the ACTIVE card, and the terminal says so${why}`, async () => {
    const { link, ended } = run(['connect', 'gmail', '--print']);
    await visit(page, await link);
    await page.getByRole('button', { name: 'Sign in' }).click();

    await page.getByRole('heading', { name: 'First, register an app at Gmail' }).waitFor();
    const redirectUrl = await page.getByLabel('Redirect URL').inputValue();
    expect(redirectUrl).toMatch(/^http:\/\/localhost:\d+\/api\/v1\/integrations\/gmail\/callback$/);
    await register();

    await page.getByRole('heading', { name: 'Connect Gmail' }).waitFor();
    // By keyboard alone: the choice is reached, changed and sent.
    await page.getByRole('radio', { name: /Read, and propose changes/ }).focus();
    expect(await page.locator('input:checked').getAttribute('value')).toBe('write');
    await page.getByRole('button', { name: 'Go on to Gmail' }).focus();
    await page.keyboard.press('Enter');

    await page.getByRole('heading', { name: 'Sign in to accounts.google.com' }).waitFor();
    const asked = new URL(page.url()).searchParams;
    expect(asked.get('redirect_uri')).toBe(redirectUrl);
    expect(asked.get('code_challenge_method')).toBe('S256');
    await page.getByRole('button', { name: 'Allow' }).click();

    const card = page.locator('.account');
    await card.waitFor();
    expect(new URL(page.url()).hostname).toBe('drawbridge.localhost');
    expect(page.url()).not.toContain('code=');
    await page.getByRole('status').filter({ hasText: 'is connected' }).waitFor();
    await card.locator('.pill', { hasText: 'Working' }).waitFor();

    expect(faults).toEqual([]);
    const { code, stdout } = await ended;
    expect(stdout).toMatch(/✓ .* \(Gmail\) is connected: con_/);
    expect(code).toBe(0);
    const found = await program.json<{ state: string; provider: string; needs: unknown }[]>(['connections']);
    expect(found).toMatchObject([{ provider: 'gmail', state: 'ACTIVE', needs: null }]);
  });

  inBrowser(`who denies is told so, and can begin again from there${why}`, async () => {
    const { link, said, ended, child } = run(['connect', 'gmail', '--print', '--read-only']);
    await visit(page, await link);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await register();
    expect(await page.locator('input:checked').getAttribute('value')).toBe('read');
    await page.getByRole('button', { name: 'Go on to Gmail' }).click();
    await page.getByRole('button', { name: 'Deny' }).click();
    await page.getByRole('heading', { name: 'You did not agree' }).waitFor();
    await page.getByRole('link', { name: 'Begin again' }).click();
    await page.getByRole('button', { name: 'Go on to Gmail' }).waitFor();
    await said('Not connected yet (permission_denied)');
    child.kill('SIGINT');
    const { code, stderr } = await ended;
    expect(stderr).toContain('Stopped. Nothing was connected.');
    expect(code).toBe(1);
  });

  inBrowser(
    `through a server that runs: an expired account is connected again, and disconnected${why}`,
    async () => {
      const server = program.start(['serve', '--json']);
      try {
        await new Promise((resolve) => server.stdout?.once('data', resolve));
        const piped = program.start([
          'connect',
          'gmail',
          '--print',
          '--client-id',
          googleApp.clientId,
          '--client-secret-stdin',
        ]);
        let said = '';
        piped.stdout?.on('data', (data) => {
          said += String(data);
        });
        piped.stdin?.end(googleApp.clientSecret);
        const over = new Promise((resolve) => piped.once('close', resolve));
        while (!said.includes('/sign-in?'))
          await new Promise((resolve) => piped.stdout?.once('data', resolve));
        await visit(page, /http:\S+/.exec(said)?.[0] ?? '');
        await page.getByRole('button', { name: 'Sign in' }).click();
        await page.getByRole('button', { name: 'Go on to Gmail' }).click();
        await page.getByRole('button', { name: 'Allow' }).click();
        await page.locator('.account .pill', { hasText: 'Working' }).waitFor();
        expect(await over).toBe(0);

        // The person removes the app at Google: the next sync finds out, and the open page says so by itself.
        google.authorization.revokeAll();
        await program.run(['sync']);
        await page.locator('.account .pill', { hasText: 'Needs to be connected again' }).waitFor();
        await page.getByRole('complementary', { name: 'What needs you' }).waitFor();
        expect((await program.run(['connections'])).stdout).toContain('must be connected again');

        await page
          .locator('.account')
          .getByRole('link', { name: /Connect again/ })
          .click();
        await page.getByText('no other account can take its place').waitFor();
        await page.getByRole('button', { name: 'Go on to Gmail' }).click();
        await page.getByRole('button', { name: 'Allow' }).click();
        await page.locator('.account .pill', { hasText: 'Working' }).waitFor();
        // The page reloads by itself when something moved.
        await expect.poll(() => page.locator('.account').count()).toBe(1);

        await page.locator('summary', { hasText: 'Disconnect' }).click();
        await page.getByRole('button', { name: 'Disconnect it' }).click();
        await page.getByRole('heading', { name: 'Disconnected' }).waitFor();
        expect(await page.locator('main').textContent()).toContain(
          'The grant is ended at the provider, too.',
        );
        // The first sync may still be under way beside it.
        expect(hosts.calls()).toContainEqual(
          expect.objectContaining({ host: 'oauth2.googleapis.com', path: '/revoke' }),
        );
        expect(faults).toEqual([]);
      } finally {
        const ended = new Promise((resolve) => server.once('close', resolve));
        server.kill('SIGTERM');
        await ended;
      }
    },
  );
});
