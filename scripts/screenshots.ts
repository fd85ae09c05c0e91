// Takes the pictures of docs/guide/images from the real pages with invented data: node scripts/screenshots.ts
// Needs Chromium at /usr/bin/chromium. Other pictures than the guide's go to the folder given as argument.
import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BrowserContextOptions } from 'playwright-core';
import { signInUrl } from '../src/auth/sign-in.ts';
import { systemClock } from '../src/clock.ts';
import { openChromium } from '../test/e2e/chromium.ts';
import { connection, openHouse } from '../test/http/house.ts';
import { fillSources } from './screenshot-sources.ts';

const guide = fileURLToPath(new URL('../docs/guide/images/', import.meta.url));
const extra = process.argv[2];
const house = await openHouse({ clock: systemClock, holdMs: 10_000 });
house.connections.push(
  connection({
    id: 'con_2',
    provider: 'caldav',
    providerTitle: 'Calendar',
    label: 'Ana’s calendar',
    capabilities: ['calendar.free-busy'],
    lastSyncAt: Date.now() - 240_000,
  }),
);

house.busy = async () => ({
  busy: [
    { start: Date.parse('2026-12-03T15:00:00Z'), end: Date.parse('2026-12-03T16:00:00Z'), title: 'Team' },
    {
      start: Date.parse('2026-12-03T20:30:00Z'),
      end: Date.parse('2026-12-03T21:30:00Z'),
      title: 'Closing call, Hartmann',
    },
  ],
});
house.documents.set('doc_maya', {
  id: 'doc_maya',
  kind: 'mail',
  title: 'Another time for Alder Court?',
  text: 'Hello Ana,\n\nwould Thursday at three work for a second look? And could you find out how old the furnace is?\n\nMaya',
  raw: new Uint8Array(),
  mediaType: 'message/rfc822',
  externalId: 'maya-1',
  people: [],
  threadId: undefined,
  url: undefined,
  connectionId: 'con_1',
  provider: 'post',
  source: 'ana@northgate.example',
  writtenAt: Date.now() - 86_400_000,
  fetchedAt: Date.now(),
  verifiedAt: Date.now(),
  contentHash: '',
  facts: {},
});

/** Bought a house last spring, and is written to since. */
const known = { email: 'maya.ortiz@lakeside.example', name: 'Maya Ortiz' };
const earlier = await house.propose('send', {
  to: [known],
  cc: [],
  bcc: [],
  subject: 'Viewing on Monday',
  text: 'Hello Maya, Monday it is.',
  references: [],
  attachments: [],
});

const sheet = Buffer.alloc(48_213, 'Disclosures ');
const letter = await house.propose(
  'send',
  {
    to: [{ email: 'maya.ortiz@lakeside.example', name: 'Maya Ortiz' }],
    cc: [{ email: 'jonas.weber@northgate.example', name: 'Jonas Weber' }],
    bcc: [],
    subject: 'Re: Second viewing at 118 Alder Court',
    text: [
      'Hello Maya,',
      '',
      'Thursday at 15:00 works well. The sellers will be out from two until five, so there is time to look at the basement and the roof in peace.',
      '',
      'As you asked: the furnace is from 2019, and the inspection report is attached. The asking price went from 512,000 to 498,000 on Monday.',
      '',
      'Shall I ask your lender to come along, or would you rather be alone with Daniel?',
      '',
      'Best regards',
      'Ana Lindqvist',
      'Northgate Realty',
    ].join('\n'),
    inReplyTo: '<5f1c.2291@lakeside.example>',
    references: ['<5f1c.2291@lakeside.example>'],
    attachments: [
      {
        name: 'Inspection report, 118 Alder Court.pdf',
        mediaType: 'application/pdf',
        size: sheet.byteLength,
        sha256: createHash('sha256').update(sheet).digest('hex'),
      },
    ],
  },
  {
    attachments: [
      { name: 'Inspection report, 118 Alder Court.pdf', mediaType: 'application/pdf', bytes: sheet },
    ],
    note: 'Maya asked on Tuesday for another time to see the house, and for the furnace’s age.',
    citations: ['ime://documents/doc_maya'],
    conversation: 'Alder Court, second viewing',
  },
);
const event = await house.propose(
  'book',
  {
    title: 'Second viewing, 118 Alder Court',
    start: '2026-12-03T15:00:00',
    end: '2026-12-03T16:30:00',
    timeZone: 'America/Chicago',
    attendees: [
      { email: 'maya.ortiz@lakeside.example', name: 'Maya Ortiz' },
      { email: 'jonas.weber@northgate.example', name: 'Jonas Weber' },
    ],
    location: '118 Alder Court',
    description: 'Basement and roof this time. Keys are with Jonas.',
    reminders: [30, 1440],
    recurrence: 'FREQ=WEEKLY;BYDAY=TH;COUNT=2',
  },
  { warnings: ['Clashes with "Closing call, Hartmann", 2026-12-03 14:30 to 15:30.'] },
);
const strange = await house.propose('send', {
  to: [{ email: 'accounts@lakes1de.example', name: 'Accounts' }],
  cc: [],
  bcc: [{ email: 'archive@elsewhere.example' }],
  subject: 'Invoice\u202Efdp.exe',
  text: `Please find it enclosed.${'\n'.repeat(14)}P.S. the\u200B key is under the mat.`,
  html: '<p>Please find it <a href="https://elsewhere.example/x">enclosed</a>.</p><p style="color:#fff">P.S. the key is under the mat.</p>',
  references: [],
  attachments: [],
});
const other = await house.propose('update', {
  dealName: 'Alder Court 118',
  stage: 'Offer accepted',
  amount: 498000,
  contacts: [{ name: 'Maya Ortiz', role: 'Buyer' }],
});
const amend = await house.propose('amend', { stage: 'Offer accepted', amount: 498000 });
const invoice = await house.propose('invoice', { customer: 'Lakeside Homes', amount: 1250, currency: 'USD' });
for (let i = 1; i <= 4; i += 1) {
  await house.propose(
    'update',
    { dealName: `Harbor Mill ${i}`, stage: 'Viewed' },
    { conversation: 'After the open house' },
  );
}
const done = await house.propose('send', {
  to: [{ email: 'sam@harbor.example', name: 'Sam Hartmann' }],
  cc: [],
  bcc: [],
  subject: 'Keys are ready',
  text: 'Hello Sam,\n\nthe keys are at the office from nine.\n\nAna',
  references: [],
  attachments: [],
});
const invoiced = await house.propose('invoice', { customer: 'Harbor Mill', amount: 90, currency: 'USD' });
const held = await house.propose('send', {
  to: [known],
  cc: [],
  bcc: [],
  subject: 'Directions to Alder Court',
  text: 'Hello Maya,\n\nthe gate is on the left, behind the mill.\n\nAna',
  references: [],
  attachments: [],
});
const unclear = await house.propose('send', {
  to: [{ email: 'lee@harbor.example', name: 'Lee Park' }],
  cc: [],
  bcc: [],
  subject: 'Rent for March',
  text: 'Hello Lee, a reminder.\n\nAna',
  references: [],
  attachments: [],
});
const approve = (action: { id: string; payloadHash: string }) =>
  house.queue.decide(house.org, house.owner, {
    actionId: action.id,
    verdict: 'approve',
    hash: action.payloadHash,
    channel: 'page',
  });
/** Lets what was approved leave at `at` (integer ms). */
const holdUntil = (at: number) =>
  house.org.write((tx) =>
    tx.updateTable('action_queue').set({ hold_until: at }).where('status', '=', 'approved').execute(),
  );
await approve(earlier);
await approve(done);
await approve(invoiced);
await holdUntil(1);
await house.queue.runDue(house.org);
house.run = async (context) => {
  await context.aboutToSend();
  throw new Error('the connection was lost after the message was sent');
};
await approve(unclear);
await holdUntil(1);
await house.queue.runDue(house.org);
await approve(held);
const again = await house.propose('amend', { stage: 'Under contract' });
await approve(again);
const { deal } = house;
house.deal = { ...deal, stage: 'Offer withdrawn', amount: 498000 };
await house.queue.runDue(house.org);
house.deal = deal;

const chromium = await openChromium();

async function pictures(
  options: BrowserContextOptions,
  shots: [folder: string | undefined, name: string, path: string, whole?: boolean][],
): Promise<void> {
  const context = await chromium.newContext({
    locale: 'en-GB',
    timezoneId: 'America/Chicago',
    ...options,
  });
  const page = await context.newPage();
  await page.goto(signInUrl(house.origin, await house.signIn.createLink(house.owner)));
  await page.keyboard.press('Enter');
  await page.waitForURL(`${house.origin}/`);
  for (const [folder, name, path, whole] of shots) {
    if (folder === undefined) continue;
    mkdirSync(folder, { recursive: true });
    await page.goto(house.origin + path);
    await page.waitForTimeout(300);
    await page.screenshot({ path: join(folder, `${name}.png`), fullPage: whole === true });
  }
  await context.close();
}

const desktop = { viewport: { width: 1120, height: 860 } };
const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
const path = (action: { id: string }) => `/actions/${action.id}`;
await holdUntil(Date.now() + 10_000);
await pictures(desktop, [[guide, 'hold', path(held)]]);
await pictures(desktop, [
  [guide, 'approval', path(letter)],
  [guide, 'approvals', '/'],
  [guide, 'edit', `${path(letter)}/edit`],
  [guide, 'change', path(amend)],
  [guide, 'asks-again', path(again)],
  [guide, 'recipients', path(strange)],
  [guide, 'history', '/history'],
  [extra, 'invoice', path(invoice)],
  [extra, 'undo', path(invoiced)],
  [extra, 'mine', '/?show=mine'],
  [extra, 'approval-whole', path(letter), true],
  [extra, 'strange', path(strange), true],
  [extra, 'other', path(other), true],
  [extra, 'done', path(done)],
  [extra, 'unclear', path(unclear)],
  [extra, 'connect', '/connect'],
  [extra, 'missing', '/nowhere'],
]);
await pictures({ viewport: { width: 1120, height: 1420 } }, [[guide, 'event', path(event)]]);
await pictures(phone, [
  [guide, 'approval-phone', path(letter)],
  [guide, 'approvals-phone', '/'],
  [extra, 'phone-history', '/history'],
  [extra, 'phone-edit', `${path(letter)}/edit`, true],
  [extra, 'phone-change', path(amend), true],
  [extra, 'phone-event', path(event), true],
]);
await pictures({ ...desktop, colorScheme: 'dark' }, [
  [guide, 'approval-dark', path(letter)],
  [extra, 'dark-event', path(event)],
  [extra, 'dark-strange', path(strange), true],
]);
// What needs a person stands on every page: here alone, where it is the picture's matter.
house.connections.push(
  connection({
    id: 'con_3',
    provider: 'zillow',
    providerTitle: 'Zillow',
    label: 'Listings',
    hasFeeds: false,
    state: 'EXPIRED',
    lastError: {
      code: 'auth_expired',
      message: 'The key was refused.',
      at: Date.now() - 3_600_000,
    },
  }),
);
await pictures(desktop, [
  [guide, 'accounts', '/connections'],
  [guide, 'connect-account', '/connect/gmail'],
  [extra, 'register-app', '/connect/quickbooks', true],
  [extra, 'connect-mailbox', '/connect/mailbox', true],
  [extra, 'needs', '/'],
]);
await pictures(phone, [
  [extra, 'phone-accounts', '/connections', true],
  [extra, 'phone-connect', '/connect/gmail', true],
  [extra, 'phone-register', '/connect/hubspot', true],
]);
await pictures({ ...desktop, colorScheme: 'dark' }, [
  [extra, 'dark-accounts', '/connections'],
  [extra, 'dark-connect', '/connect/gmail', true],
]);
house.connections.splice(2);
await fillSources(house, 'con_2');
await pictures(desktop, [[guide, 'sources', '/sources', true]]);
await pictures(phone, [[guide, 'sources-phone', '/sources', true]]);
await pictures({ ...desktop, colorScheme: 'dark' }, [[extra, 'dark-sources', '/sources', true]]);
await chromium.close();
await house.close();
