// The whole of an approval on real wires: an agent proposes by MCP, a person edits and approves in Chromium with a
// passkey, the mail leaves after its hold; what was changed meanwhile comes back; what is unclear is looked up;
// and the record, checked by the real command, holds until one byte of it is another.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Browser, Page } from 'playwright-core';
import PostalMime from 'postal-mime';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { Agent, proposal } from '../../scripts/demo-agent.ts';
import { type House, openHouse } from '../../scripts/demo-house.ts';
import { Visitor } from '../../scripts/demo-person.ts';
import { chromiumPath, hasChromium, openChromium } from './chromium.ts';
import { visit } from './visit.ts';

const title = hasChromium ? 'the story' : `the story (skipped: ${chromiumPath} is not installed)`;
const cli = new URL('../../src/cli.ts', import.meta.url).pathname;
/** What the demo's house holds a send for. */
const holdMs = 1_000;

const status = z.object({
  status: z.string(),
  outcome: z.string().optional(),
  edits: z
    .array(z.object({ field: z.string(), proposed: z.string().optional(), approved: z.string().optional() }))
    .optional(),
  editReason: z.string().optional(),
});

let house: House;
let agent: Agent;
let chromium: Browser;
let page: Page;
const faults: string[] = [];
/** Of the proposals, in the order of the story. */
const ids: string[] = [];

describe.skipIf(!hasChromium)(title, () => {
  beforeAll(async () => {
    house = await openHouse('fatal');
    const visitor = new Visitor(house.web.programUrl);
    await visitor.signIn(await house.signInLink());
    await house.connect();
    for await (const { provider } of house.connectInBrowser(visitor))
      if (provider === 'google-calendar') break;
    agent = new Agent();
    await agent.connect(house.web.programUrl, house.key);
    chromium = await openChromium();
    const context = await chromium.newContext({ locale: 'en-GB' });
    page = await context.newPage();
    page.on('console', (message) => {
      if (message.type() === 'error') faults.push(message.text());
    });
    page.on('pageerror', (error) => faults.push(error.message));
    const devices = await context.newCDPSession(page);
    await devices.send('WebAuthn.enable');
    await devices.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });
    await visit(page, await house.signInLink());
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.waitForURL(`${house.web.url}/`);
  }, 120_000);

  afterAll(async () => {
    await agent?.close();
    await chromium?.close();
    await house?.close();
  });

  const accountOf = async (provider: string) => {
    const { connections, org } = house.serving.rooms;
    const found = (await connections.list(org)).find((one) => one.provider === provider);
    if (found === undefined) throw new Error(`${provider} is not connected`);
    return found.id;
  };
  const actionOf = (id: string | undefined) =>
    house.serving.rooms.queue.get(house.serving.rooms.org, id ?? '');
  /** As the agent hears of it, once it is so. */
  const heard = async (actionId: string, wanted: string) => {
    for (let waits = 0; waits < 10; waits += 1) {
      const answer = await agent.call('action-status', { actionId, waitSeconds: 5 }, status);
      if (answer.status === wanted) return answer;
    }
    throw new Error(`${actionId} did not become ${wanted}`);
  };
  const command = (...args: string[]) =>
    new Promise<{ code: number; text: string }>((resolve) => {
      const env = { ...house.environment, PATH: process.env['PATH'] ?? '', NO_COLOR: '1' };
      const child = execFile(process.execPath, [cli, ...args], { env }, (_error, text) =>
        resolve({ code: child.exitCode ?? -1, text }),
      );
    });
  const approve = () => page.locator('.bar button.primary');

  test('a person enrols a passkey, and asks for signed approvals of what sends and what changes', async () => {
    await visit(page, `${house.web.url}/passkeys`);
    await page.getByLabel('What to call it').fill('Test laptop');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Test laptop' }).waitFor();
    await visit(page, `${house.web.url}/policy`);
    const effects = page.getByRole('group', { name: 'Approvals that a passkey signs' });
    for (const effect of ['send', 'update']) await effects.locator(`input[name=signed-${effect}]`).check();
    // The page comes back to the address that it had: it must have come before another is opened.
    const back = page.waitForEvent('load');
    await page.getByRole('button', { name: 'Keep this choice' }).click();
    await back;
    const { policy, org } = house.serving.rooms;
    await expect.poll(async () => (await policy.signedEffects(org)).toSorted()).toEqual(['send', 'update']);
  });

  test('a proposed mail is edited and approved with a passkey, leaves after its hold, once, and the agent reads the edit', async () => {
    const proposed = await agent.call(
      'send-email',
      {
        account: await accountOf('mailbox'),
        to: ['Elena Vasquez <elena.vasquez@mail.example>'],
        subject: 'Viewing on Thursday',
        text: 'Dear Elena,\n\nThursday at 15:00?\n\nMaren',
        note: 'She asked for a viewing this week.',
      },
      proposal,
    );
    ids.push(proposed.actionId);
    expect(proposed.status).toBe('pending');
    await visit(page, `${house.web.url}/`);
    await page.getByRole('link', { name: /Viewing on Thursday/ }).click();
    await page.getByText('She asked for a viewing this week.').waitFor();
    await page.getByRole('link', { name: 'Edit' }).click();
    await page.getByLabel('Subject').fill('Viewing on Friday');
    await page.getByLabel('Text', { exact: true }).fill('Dear Elena,\n\nFriday at 16:00?\n\nMaren');
    await page.getByLabel('Why? The agent reads this.').fill('Thursday is taken');
    await page.getByRole('button', { name: 'See it whole' }).click();
    await page.getByRole('heading', { name: 'Approve it like this?' }).waitFor();
    expect(house.sandbox.smtp.received()).toEqual([]);
    await approve().click();
    await page.locator('.head .pill.approved, .head .pill.executing, .head .pill.completed').waitFor();

    expect(await heard(proposed.actionId, 'completed')).toMatchObject({
      outcome: expect.stringMatching(/^Done: </),
      editReason: 'Thursday is taken',
      edits: [
        { field: 'subject', proposed: 'Viewing on Thursday', approved: 'Viewing on Friday' },
        { field: 'text', approved: expect.stringContaining('Friday at 16:00?') },
      ],
    });
    await page.locator('.head .pill.completed').waitFor();
    const [sent, ...others] = house.sandbox.smtp.received();
    expect(others).toEqual([]);
    expect(sent?.to).toEqual(['elena.vasquez@mail.example']);
    const mail = await PostalMime.parse(sent?.raw ?? '');
    expect(mail).toMatchObject({ subject: 'Viewing on Friday', to: [{ name: 'Elena Vasquez' }] });
    expect(mail.text?.trim()).toBe('Dear Elena,\n\nFriday at 16:00?\n\nMaren');

    const action = await actionOf(proposed.actionId);
    expect(action).toMatchObject({ decisionChannel: 'page', proof: { name: 'Test laptop' } });
    expect((action.holdUntil ?? 0) - (action.decidedAt ?? 0)).toBe(holdMs);
    expect(sent?.at).toBeGreaterThanOrEqual(action.holdUntil ?? Number.POSITIVE_INFINITY);
  }, 60_000);

  test('an event that is moved at the provider meanwhile comes back with its diff, and its new approval is enough', async () => {
    const [calendar] = house.accounts.google.calendars;
    const event = calendar
      ?.events()
      .find(({ recurrence, start }) => recurrence === undefined && start.dateTime);
    if (calendar === undefined || event === undefined) throw new Error('the calendar is empty');
    const { start, end, summary = '' } = event;
    const day = String(start.dateTime).slice(0, 10);
    const proposed = await agent.call(
      'run-operation',
      {
        operation: 'update',
        account: await accountOf('google-calendar'),
        input: {
          eventId: event.id,
          title: summary,
          start: start.dateTime,
          change: {
            start: `${day}T18:00:00`,
            end: `${day}T19:00:00`,
            timeZone: 'America/Los_Angeles',
          },
        },
      },
      z.object({ proposal }),
    );
    const { actionId } = proposed.proposal;
    ids.push(actionId);
    const at = (hour: number) => ({
      ...start,
      dateTime: new Date(Date.parse(`${day}T${hour}:00:00Z`)).toISOString(),
    });
    await visit(page, `${house.web.url}/actions/${actionId}`);
    calendar.put({ ...event, start: at(16), end: at(17), summary: `${summary} (moved)`, sequence: 7 });
    await approve().click();
    // Nothing was written: the page asks again, and says what is another.
    await page.getByRole('heading', { name: 'Nothing was done: it asks again' }).waitFor();
    await page.getByText(/^Meanwhile title, end and start were changed at the provider\./).waitFor();
    expect(calendar.get(event.id)).toMatchObject({ sequence: 7 });
    const changes = page.getByRole('region', { name: 'What changes' });
    expect(await changes.textContent()).toContain(`${summary} (moved)`);
    const stood = changes.locator('del time');
    expect(await stood.first().getAttribute('datetime')).toBe(at(16).dateTime);
    expect(await changes.getByText('changed meanwhile').count()).toBe(3);
    expect((await heard(actionId, 'pending')).status).toBe('pending');

    await approve().click();
    expect(await heard(actionId, 'completed')).toMatchObject({ status: 'completed' });
    expect(calendar.get(event.id)).toMatchObject({
      summary: `${summary} (moved)`,
      start: { dateTime: expect.stringContaining(`${day}T18:00:00`) },
      end: { dateTime: expect.stringContaining(`${day}T19:00:00`) },
      sequence: 8,
    });
    expect(end).not.toEqual(calendar.get(event.id)?.end);
    const steps = await house.serving.rooms.queue.events(house.serving.rooms.org, actionId);
    expect(steps.map(({ to }) => to)).toEqual([
      'pending',
      'approved',
      'executing',
      'pending',
      'approved',
      'executing',
      'completed',
    ]);
  }, 60_000);

  test('a mail that the provider took and did not answer is looked up and found, and was sent once', async () => {
    const subject = 'The listing sheet';
    house.accounts.hosts.faults.failNext({ kind: 'drop', after: 'effect' }, '/messages/send');
    const proposed = await agent.call(
      'send-email',
      {
        account: await accountOf('gmail'),
        to: ['elena.vasquez@mail.example'],
        subject,
        text: 'As promised.',
      },
      proposal,
    );
    ids.push(proposed.actionId);
    await visit(page, `${house.web.url}/actions/${proposed.actionId}`);
    await approve().click();
    await page.getByRole('heading', { name: 'Unclear: it may have happened.' }).waitFor();
    expect(await heard(proposed.actionId, 'unknown')).toMatchObject({
      outcome: expect.stringMatching(/^Unclear whether it happened/),
    });
    await expect
      .poll(async () => (await actionOf(proposed.actionId)).status, { timeout: 30_000, interval: 500 })
      .toBe('completed');
    expect(await actionOf(proposed.actionId)).toMatchObject({ outcome: { found: 'by look-up' } });
    await visit(page, `${house.web.url}/actions/${proposed.actionId}`);
    await page.getByText('found at the provider afterwards').waitFor();
    const sent = house.accounts.google.delivered().filter(({ raw }) => raw.includes(subject));
    expect(sent).toHaveLength(1);
  }, 60_000);

  test('the record holds, and at one changed byte it does not, and names the entry', async () => {
    const green = await command('audit', 'verify');
    expect(green).toMatchObject({ code: 0, text: expect.stringContaining('The record holds') });
    const listed = await command('audit', 'list', '--subject', ids[0] ?? '', '--json');
    const approved = z
      .array(z.object({ seq: z.number(), kind: z.string(), channel: z.string() }))
      .parse(JSON.parse(listed.text))
      .find(({ kind, channel }) => kind.endsWith('approved') && channel === 'page');
    expect(approved).toBeDefined();

    const { orgId } = house.serving.rooms.org;
    const db = new DatabaseSync(join(String(house.environment['DRAWBRIDGE_HOME']), 'orgs', `${orgId}.db`));
    const where = 'from audit_log where seq = ?';
    const seq = approved?.seq ?? 0;
    expect(() => db.prepare('update audit_log set entry = ? where seq = ?').run('{}', seq)).toThrow();
    // As somebody would who can write to the file itself.
    db.exec('drop trigger audit_log_no_update');
    const entry = String(db.prepare(`select entry ${where}`).get(seq)?.['entry']);
    const changed = entry.replace('"page"', '"pagf"');
    expect(changed).not.toBe(entry);
    db.prepare('update audit_log set entry = ? where seq = ?').run(changed, seq);
    db.close();
    const red = await command('audit', 'verify');
    expect(red).toMatchObject({
      code: 1,
      text: expect.stringContaining(`Entry ${seq} does not hold: changed`),
    });
  }, 60_000);

  test('no page of the story broke its content policy or threw', () => {
    expect(faults).toEqual([]);
  });
});
