// The story is the same for the same present, ends yesterday, leaks no one's words to anyone else, and names
// nobody that exists.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import PostalMime from 'postal-mime';
import { expect, test } from 'vitest';
import { occursIn } from '../../sandbox/calendar-store.ts';
import { composeEvents } from '../../sandbox/data/events.ts';
import { StoryDates } from '../../sandbox/dates.ts';
import { exportWorld } from '../../sandbox/export.ts';
import { loadWorld } from '../../sandbox/world.ts';

const now = Date.parse('2026-03-20T19:00:00Z');
const world = loadWorld(now);
const mine = world.mail.filter((mail) => mail.account === world.user.email);

test('the same present gives the same bytes, and another one moves every date by as much', () => {
  const again = loadWorld(now + 60_000);
  expect(again.mail.map(({ raw }) => raw.toString('base64'))).toEqual(
    world.mail.map(({ raw }) => raw.toString('base64')),
  );
  const later = loadWorld(now + 7 * 86_400_000);
  expect(later.mail.at(-1)?.at).toBe((world.mail.at(-1)?.at ?? 0) + 7 * 86_400_000);
});

test('the newest mail is of yesterday in the brokerage’s time zone, whatever the hour', () => {
  const day = (ms: number) =>
    new Intl.DateTimeFormat('en-CA', { timeZone: 'America/Los_Angeles' }).format(ms);
  for (const hour of [0, 6, 7, 8, 12, 23]) {
    const present = Date.parse('2026-03-09T00:30:00Z') + hour * 3_600_000;
    const { mail } = loadWorld(present);
    const yesterday = Date.parse(day(present)) - 86_400_000;
    expect(day(mail.at(-1)?.at ?? 0)).toBe(new Date(yesterday).toISOString().slice(0, 10));
  }
});

test('there are a few hundred messages over half a year, in threads, with every kind of content', async () => {
  expect(mine.length).toBeGreaterThanOrEqual(250);
  const span = (mine.at(-1)?.at ?? 0) - (mine[0]?.at ?? 0);
  expect(span).toBeGreaterThan(170 * 86_400_000);
  const parsed = await Promise.all(mine.map(({ raw }) => PostalMime.parse(raw)));
  expect(parsed.every(({ subject, text, html }) => subject && (text || html))).toBe(true);
  expect(parsed.filter(({ inReplyTo }) => inReplyTo).length).toBeGreaterThan(150);
  const types = new Set(parsed.flatMap(({ attachments }) => attachments.map(({ mimeType }) => mimeType)));
  expect([...types].sort()).toEqual(['application/pdf', 'text/calendar', 'text/csv']);
  expect(parsed.some(({ html, text }) => html && !text)).toBe(true);
  expect(parsed.filter(({ text }) => text?.includes('はじめまして'))).not.toHaveLength(0);
  expect(parsed.filter(({ text }) => text?.includes('Grüßen'))).not.toHaveLength(0);
});

test('no one is quoted to a reader who was never written to by them in that thread’s sight', async () => {
  const parsed = await Promise.all(mine.map(({ raw }) => PostalMime.parse(raw)));
  const secret = 'do not tell them that';
  const holders = parsed.filter(({ text }) => text?.includes(secret));
  const addresses = holders.flatMap(({ from, to }) => [from, ...(to ?? [])].map((who) => who?.address));
  expect(new Set(addresses)).toEqual(new Set(['sarah.lindholm@mail.example', 'maren@tidewell.example']));
});

test('two people share a name, under two addresses', () => {
  const namesakes = world.contacts.filter(({ name }) => name === 'Sarah Lindholm');
  expect(new Set(namesakes.map(({ email }) => email)).size).toBe(2);
});

test('one mail gives orders to assistants, and the person’s answer to it goes elsewhere', async () => {
  const parsed = await Promise.all(mine.map(({ raw }) => PostalMime.parse(raw)));
  const hostile = parsed.filter(({ text }) => /ignore\s+your\s+instructions/.test(text ?? ''));
  expect(hostile.map(({ from }) => from?.address)).toEqual(['escrow-desk@cedar-title.test']);
  const toCrook = mine.filter(({ raw }) => /^To:.*cedar-title\.test/m.test(raw.toString()));
  expect(toCrook).toHaveLength(0);
});

test('every address and link is under a name that is reserved for examples', () => {
  const everything = [
    // Without the soft line breaks of quoted-printable, which cut addresses in two.
    ...world.mail.map(({ raw }) => raw.toString('latin1').replaceAll('=\r\n', '')),
    ...world.events.map(({ ics }) => ics),
    JSON.stringify(world.listings),
  ].join('\n');
  const domains = [...everything.matchAll(/[\w.+-]+@([\w-]+(?:\.[\w-]+)+)|https?:\/\/([\w.-]+)/g)].map(
    ([, mail, link]) => (mail ?? link ?? '').toLowerCase(),
  );
  expect(domains.length).toBeGreaterThan(1000);
  expect(domains.filter((domain) => !/\.(example|test)$/.test(domain))).toEqual([]);
});

test('there are about sixty events, some of which repeat, and forty homes with their prices over time', () => {
  expect(world.events.length).toBeGreaterThanOrEqual(58);
  expect(world.events.filter(({ ics }) => ics.includes('\r\nRRULE:')).length).toBeGreaterThanOrEqual(5);
  expect(world.listings).toHaveLength(40);
  expect(new Set(world.listings.map(({ zpid }) => zpid)).size).toBe(40);
  for (const { priceHistory, price } of world.listings) {
    expect(priceHistory[0]?.price).toBe(price);
    expect(priceHistory.map(({ at }) => at)).toEqual(priceHistory.map(({ at }) => at).sort((a, b) => b - a));
  }
});

test('the export is a mailbox, a calendar and a table that hold the whole of it', () => {
  const directory = mkdtempSync(join(tmpdir(), 'sandbox-export-'));
  try {
    const [mbox = '', ics = '', csv = ''] = exportWorld(directory, now).map((path) =>
      readFileSync(path, 'utf8'),
    );
    expect(mbox.match(/^From \S+ \w{3} \w{3} \d{2} \d{2}:\d{2}:\d{2} \d{4}$/gm)).toHaveLength(
      mine.filter(({ folder }) => folder !== 'Junk').length,
    );
    expect(ics.match(/BEGIN:VEVENT/g)).toHaveLength(world.events.length);
    expect(csv.split('\n')[0]).toBe('name,email,phone,notes');
    expect(csv).toContain('Sarah Lindholm,s.lindholm@orchardworks.example');
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('the hour of the demo’s viewing is free, on whatever day it is run, and the next is not', () => {
  // Thirteen meets every weekday, every week of a fortnight and every month.
  for (let day = 0; day < 365; day += 13) {
    const dates = new StoryDates(now + day * 86_400_000);
    const [from, to] = [dates.at(183, '15:00'), dates.at(183, '16:05')];
    const taken = composeEvents(dates)
      .filter(({ ics, start }) => ics.includes('\r\nRRULE:') || Math.abs(start - from) < 2 * 86_400_000)
      .filter(({ ics }) => occursIn(ics, from, to));
    expect(taken.map(({ title, start }) => [title, start])).toEqual([
      ['Parent evening', dates.at(183, '16:00')],
    ]);
  }
});
