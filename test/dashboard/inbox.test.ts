// The lists: each view holds what it says, filters and search find what they should and nothing of others,
// and an export is text to every spreadsheet.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { csvCell } from '../../src/dashboard/inbox/csv.ts';
import { findLines, pulse } from '../../src/queue/find.ts';
import type { Action } from '../../src/queue/queue.ts';
import { type ManualClock, manualClock } from '../egress/manual-clock.ts';
import { type Browser, type House, mail, openHouse } from '../http/house.ts';

let clock: ManualClock;
let house: House;
let browser: Browser;

beforeAll(async () => {
  clock = manualClock();
  house = await openHouse({ clock });
  browser = await house.browser();
});
afterAll(() => house.close());

function send(subject: string, more = {}): Promise<Action> {
  // Ids of one millisecond have no order.
  clock.advance(1);
  return house.propose('send', { ...mail, subject }, more);
}
const idsIn = (body: string) => [...body.matchAll(/href="\/actions\/([^"]+)"/g)].map((match) => match[1]);
const idsAt = async (path: string) => idsIn((await browser.get(path)).body);
const set = (action: Action, values: Record<string, unknown>) =>
  house.org.write((tx) =>
    tx
      .updateTable('action_queue')
      .set(values)
      .where('org_id', '=', house.org.orgId)
      .where('id', '=', action.id)
      .execute(),
  );

test('each view holds the actions that its name says, and no others', async () => {
  const waiting = await send('Waits');
  const mine = await send('Handed over to me');
  const snoozed = await send('Put off');
  const rejected = await send('Rejected');
  const moving = await send('On its way');
  await set(mine, { assigned_to: house.owner.memberId });
  await set(snoozed, { snoozed_until: clock.now() + 3_600_000 });
  for (const [action, verdict] of [
    [rejected, 'reject'],
    [moving, 'approve'],
  ] as const) {
    await house.queue.decide(house.org, house.owner, {
      actionId: action.id,
      verdict,
      hash: action.payloadHash,
      channel: 'terminal',
    });
  }
  expect(await idsAt('/')).toEqual([mine.id, waiting.id]);
  expect(await idsAt('/?show=mine')).toEqual([mine.id]);
  expect(await idsAt('/?show=snoozed')).toEqual([snoozed.id]);
  expect(await idsAt('/?show=moving')).toEqual([moving.id]);
  expect(await idsAt('/?show=unclear')).toEqual([]);
  expect(await idsAt('/?show=done')).toEqual([rejected.id]);
  expect(await idsAt('/?show=elsewhere')).toEqual([mine.id, waiting.id]);

  clock.advance(3_600_001);
  expect(await idsAt('/')).toEqual([snoozed.id, mine.id, waiting.id]);
});

test('search finds every word of a summary, whatever its case, and takes signs for what they are', async () => {
  const found = await send('Offer for 100% of Alder_Court');
  expect(await idsAt('/?q=alder_court+OFFER')).toEqual([found.id]);
  expect(await idsAt('/?q=100%25')).toEqual([found.id]);
  for (const none of ['100_', 'alder%court', "' or 1=1 --", 'offer nowhere']) {
    const { body } = await browser.get(`/?q=${encodeURIComponent(none)}`);
    expect(idsIn(body), none).toEqual([]);
    expect(body).toContain('Nothing matches');
  }
});

test('where nothing stands and nothing is left out there is nothing to search, and the page says what comes here', async () => {
  const { org, person } = await house.stranger();
  const [action] = await house.queue.list(org, { limit: 10 });
  expect(action).toBeDefined();
  const other = await house.browser(person);
  expect((await other.get('/?show=snoozed')).body).not.toContain('role="search"');
  expect((await other.get('/?show=snoozed')).body).toContain('Nothing is put off');
  expect((await other.get('/?show=snoozed&q=x')).body).toContain('role="search"');
  expect((await other.get('/history')).body).toContain('role="search"');
  expect((await other.get('/history?q=not+there')).body).toContain('href="/history">Show all of it');
});

test('filters by provider and by who asked leave out the others', async () => {
  expect((await idsAt('/?by=key_1')).length).toBeGreaterThan(0);
  expect(await idsAt('/?by=key_2')).toEqual([]);
  expect((await idsAt('/?provider=post')).length).toBeGreaterThan(0);
  expect(await idsAt('/?provider=caldav')).toEqual([]);
  const { body } = await browser.get('/?by=key_1&provider=post&q=Offer');
  expect(body).toContain('<option value="key_1" selected>Claude Desktop</option>');
  expect(body).toContain('value="Offer"');
});

test('what somebody searches for is shown as text', async () => {
  const { body } = await browser.get(`/?q=${encodeURIComponent('"><script>alert(1)</script>')}`);
  expect(body).not.toContain('<script>alert');
});

test('many alike of one conversation are folded into one line, and each keeps its own page', async () => {
  const alike: Action[] = [];
  for (let i = 0; i < 5; i += 1) alike.push(await send(`Newsletter ${i}`, { conversation: 'chat-7' }));
  const other = await send('Newsletter elsewhere', { conversation: 'chat-8' });
  const { body } = await browser.get('/?q=newsletter');
  expect(body).toContain('4 more like it, from the same conversation');
  expect(idsIn(body).sort()).toEqual([...alike, other].map(({ id }) => id).sort());
  expect(body).not.toContain('name="verdict"');
});

test('a list is read page by page, with its filter, and nothing twice', async () => {
  clock.advance(61_000);
  for (let i = 0; i < 35; i += 1) await send(`Page ${i}`);
  const first = await browser.get('/?q=Page');
  const older = /href="(\/\?[^"]*before=[^"]+)"/.exec(first.body)?.[1]?.replaceAll('&amp;', '&') ?? '';
  expect(older).toContain('q=Page');
  const both = [...idsIn(first.body), ...(await idsAt(older))];
  expect(both).toHaveLength(35);
  expect(new Set(both).size).toBe(35);
});

test('the history can be narrowed to a state and to days', async () => {
  const all = await findLines(house.org, {}, 200);
  const rejected = all.filter(({ status }) => status === 'rejected').map(({ id }) => id);
  expect(await idsAt('/history?status=rejected')).toEqual(rejected);
  const today = new Date(clock.now()).toISOString().slice(0, 10);
  expect((await idsAt(`/history?from=${today}&to=${today}&status=rejected`)).length).toBe(rejected.length);
  expect(await idsAt('/history?from=2199-01-01')).toEqual([]);
});

test('the export holds all that matches, once, a line each', async () => {
  clock.advance(61_000);
  await send('Said "so",\nand so');
  const answer = await browser.get('/history.csv');
  expect(answer.headers['content-type']).toContain('text/csv');
  expect(answer.headers['content-disposition']).toContain('attachment');
  const all = await findLines(house.org, {}, 1_000);
  const ids = answer.body.split('\r\n').map((row) => /^"(act_[^"]+)"/.exec(row)?.[1]);
  expect(ids.filter((id) => id !== undefined)).toEqual(all.map(({ id }) => id));
  expect((await browser.get('/history.csv?q=nowhere')).body.trim().split('\r\n')).toHaveLength(1);
});

test.each(['=1+1', '+1', '-1', '@SUM(A1)', ' =1', '\t=1', '\r=1', '\uFF1D1+1', '\uFEFF=1'])(
  'formula injection: a cell %j is text to a spreadsheet',
  (text) => {
    expect(csvCell(text)).toMatch(/^"'/);
  },
);

test('an export holds a formula that an agent wrote as text', async () => {
  await house
    .propose('update', { a: 1 }, { note: 'x' })
    .then((action) => set(action, { summary: '=HYPERLINK("https://elsewhere.example","x")' }));
  expect((await browser.get('/history.csv')).body).toContain(
    '"\'=HYPERLINK(""https://elsewhere.example"",""x"")"',
  );
});

test('nothing of another org is found, counted or exported', async () => {
  const { action } = await house.stranger();
  for (const path of ['/', '/?q=others', '/?show=done', '/history', '/history.csv']) {
    expect((await browser.get(path)).body, path).not.toContain(action.id);
  }
});

test('a hundred open lists hear of one move, each of them', async () => {
  clock.advance(61_000);
  const action = await send('Heard by all');
  const seen = await pulse(house.org, clock.now());
  const open = Array.from({ length: 100 }, () => browser.get(`/events?seen=${seen}`));
  await house.queue.decide(house.org, house.owner, {
    actionId: action.id,
    verdict: 'reject',
    hash: action.payloadHash,
    channel: 'terminal',
  });
  const told = await Promise.all(open);
  expect(told.filter(({ body }) => body.includes('event: changed'))).toHaveLength(100);
});

test('a list is out of date with every move of any process, and when what was put off is due', async () => {
  clock.advance(61_000);
  const before = await pulse(house.org, clock.now());
  const action = await send('Pulse');
  const proposed = await pulse(house.org, clock.now());
  expect(proposed).not.toBe(before);
  await house.queue.snooze(house.org, house.owner, {
    actionId: action.id,
    until: clock.now() + 60_000,
    channel: 'page',
  });
  const snoozed = await pulse(house.org, clock.now());
  expect(snoozed).not.toBe(proposed);
  expect(await pulse(house.org, clock.now() + 60_000)).not.toBe(snoozed);
});

test('three that are alike are folded beneath the newest, each with a page of its own; nothing decides on all', async () => {
  const conversation = 'Spring letters';
  const foldedIn = (body: string) => idsIn(/<li class="folded">.*?<\/details>/su.exec(body)?.[0] ?? '');
  const first = await send('Letter one', { conversation });
  const second = await send('Letter two', { conversation });
  expect(foldedIn((await browser.get('/?words=Letter')).body)).toEqual([]);
  const third = await send('Letter three', { conversation });
  const apart = await send('Letter of another talk', { conversation: 'Another talk' });
  const { body } = await browser.get('/?words=Letter');
  expect(body).toContain('2 more like it, from the same conversation');
  const folded = foldedIn(body);
  expect(folded).toHaveLength(2);
  expect([first.id, second.id, third.id].filter((id) => !folded.includes(id))).toHaveLength(1);
  expect(folded).not.toContain(apart.id);
  expect(idsIn(body)).toEqual(expect.arrayContaining([first.id, second.id, third.id, apart.id]));
  expect(body).not.toContain('name="verdict"');
});
