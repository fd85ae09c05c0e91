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
const told = (id: string, kind: 'note' | 'mail' | 'invoice' | 'event', value: object) => ({
  externalId: id,
  kind,
  mediaType: 'application/json' as const,
  raw: Buffer.from(JSON.stringify(value)),
});
const maya = { address: 'maya.ortiz@lakeside.example', name: 'Maya Ortiz' };
const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString();
await house.memory.ingest(
  house.org,
  { connectionId: 'con_1', provider: 'post' },
  {
    records: [
      told('furnace-1', 'mail', {
        title: 'The furnace at Alder Court',
        text: 'Could you find out how old the furnace is, and whether it was looked after every year? Daniel worries about the winter.',
        thread: 'furnace',
        people: [{ ...maya, role: 'from' }],
        at: daysAgo(3),
      }),
      told('furnace-2', 'mail', {
        title: 'Re: The furnace at Alder Court',
        text: 'Thank you. A furnace from 2019 is fine with us.',
        thread: 'furnace',
        people: [{ ...maya, role: 'from' }],
        at: daysAgo(1),
      }),
      told('inspection', 'note', {
        title: 'Inspection, 118 Alder Court',
        text: 'Roof sound. The furnace was put in in 2019 and serviced each autumn; the last bill was 312.40.',
        people: [{ name: 'Jonas Weber', role: 'agent' }],
        at: daysAgo(6),
      }),
      told('viewing', 'event', {
        title: 'Second viewing, 118 Alder Court',
        text: 'Basement, furnace and roof this time. Keys are with Jonas.',
        people: [{ ...maya, role: 'attendee' }],
        at: daysAgo(-2),
      }),
    ],
  },
);
const search = '/search?q=what+did+Maya+ask+about+the+furnace+since+last+week';
await pictures(desktop, [[guide, 'search', search]]);
await pictures(phone, [
  [extra, 'phone-search', search, true],
  [extra, 'phone-search-empty', '/search?q=zeppelin'],
]);
await pictures({ ...desktop, colorScheme: 'dark' }, [[extra, 'dark-search', search]]);

await house.memory.ingest(
  house.org,
  { connectionId: 'con_1', provider: 'post' },
  {
    records: [
      ...[
        ['1', 'Maya Ortiz', maya.address],
        ['2', 'Maya Ortiz', 'm.ortiz@school.example'],
      ].map(([id = '', name = '', address = '']) => ({
        ...told(`contacts/${id}`, 'note', {
          title: name,
          text: 'phone: +1 541 555 0170\njob title: Teacher',
          people: [{ name, address, role: 'contact' }],
          facts: {
            id,
            properties: { phone: '+1 541 555 0170', ...(id === '1' ? { jobtitle: 'Teacher' } : {}) },
          },
          at: daysAgo(200),
        }),
        kind: 'contact' as const,
      })),
      {
        ...told('deals/7', 'note', {
          title: 'Purchase of 118 Alder Court',
          text: 'deal: Purchase of 118 Alder Court\namount: 498000\nstage: Offer made',
          facts: {
            properties: {
              dealname: 'Purchase of 118 Alder Court',
              amount: '498000',
              deal_currency_code: 'USD',
            },
            stage: 'Offer made',
            associations: [{ type: 'contacts', id: '1', name: 'Maya Ortiz' }],
          },
          at: daysAgo(5),
        }),
        kind: 'deal' as const,
      },
      told('invoice/9', 'invoice', {
        title: 'Invoice 1042',
        text: 'number: 1042\ntotal: 350.00 USD\nstill owed: 350.00 USD',
        people: [{ ...maya, role: 'contact' }],
        facts: {
          number: '1042',
          total: 350,
          balance: 350,
          currency: 'USD',
          dueDate: daysAgo(4).slice(0, 10),
        },
        at: daysAgo(30),
      }),
      {
        externalId: 'wishes',
        kind: 'mail' as const,
        mediaType: 'message/rfc822' as const,
        raw: Buffer.from(
          `Message-ID: <wishes@lakeside.example>\r\nFrom: Maya Ortiz <${maya.address}>\r\nTo: ana@northgate.example\r\nSubject: What we look for\r\nDate: ${new Date(Date.now() - 40 * 86_400_000).toUTCString()}\r\n\r\nHello Ana,\r\n\r\nWe need three bedrooms and a garden. Our budget is up to $510,000. No main road, please.\r\n\r\nMaya\r\n`,
        ),
      },
    ],
  },
);
const [found] = await house.memory.clientsCalled(house.org, maya.address);
const client = `/clients/${found?.id}`;
await pictures(desktop, [
  [guide, 'clients', '/clients', true],
  [guide, 'client', client, true],
]);
await pictures(phone, [
  [guide, 'client-phone', client, true],
  [extra, 'phone-clients', '/clients', true],
  [extra, 'phone-clients-none', '/clients?q=zeppelin'],
]);
await pictures({ ...desktop, colorScheme: 'dark' }, [[extra, 'dark-client', client, true]]);

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
