// Deciding on the page: by a person of the org, in their own session, on exactly what was shown; and
// nothing else that arrives decides anything.
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Action } from '../../src/queue/queue.ts';
import { type ManualClock, manualClock } from '../egress/manual-clock.ts';
import { type Browser, type House, mail, openHouse } from '../http/house.ts';

let clock: ManualClock;
let house: House;
let browser: Browser;
let count = 0;

beforeAll(async () => {
  clock = manualClock();
  house = await openHouse({ clock });
  browser = await house.browser();
});
afterAll(() => house.close());

function propose(): Promise<Action> {
  count += 1;
  return house.propose('send', { ...mail, subject: `Number ${count}` });
}

const statusOf = async (action: Action) => (await house.queue.get(house.org, action.id)).status;
const decision = (action: Action) => `/actions/${action.id}/decision`;

/** Presses a button as a browser does: sends what the page's own form holds. */
async function press(action: Action, verdict: 'approve' | 'reject', more: Record<string, string> = {}) {
  const { body } = await browser.get(`/actions/${action.id}`);
  const hash = /name="hash" value="([0-9a-f]{64})"/.exec(body)?.[1] ?? '';
  return browser.post(decision(action), { csrf: browser.csrf, hash, verdict, ...more });
}

test('approve on the page approves what was shown, by that person, and wakes the executor', async () => {
  const action = await propose();
  const woken = house.woken;
  const answer = await press(action, 'approve');
  expect(answer.status).toBe(303);
  expect(answer.headers.location).toBe(`/actions/${action.id}`);
  const decided = await house.queue.get(house.org, action.id);
  expect(decided).toMatchObject({
    status: 'approved',
    decidedBy: { name: 'Owner' },
    decisionChannel: 'page',
  });
  expect(house.woken).toBe(woken + 1);
});

test('reject keeps the reason, and the agent can read it', async () => {
  const action = await propose();
  expect((await press(action, 'reject', { reason: 'Wrong Thursday' })).status).toBe(303);
  expect(await house.queue.get(house.org, action.id)).toMatchObject({
    status: 'rejected',
    decisionReason: 'Wrong Thursday',
  });
  expect((await browser.get(`/actions/${action.id}`)).body).toContain('Wrong Thursday');
});

test('a GET decides nothing', async () => {
  const action = await propose();
  const fields = new URLSearchParams({ csrf: browser.csrf, hash: action.payloadHash, verdict: 'approve' });
  for (const method of ['GET', 'HEAD']) {
    const answer = await house.ask(`${decision(action)}?${fields}`, {
      method,
      headers: { cookie: browser.cookie, origin: house.origin },
    });
    expect(answer.status).toBe(404);
  }
  expect(await statusOf(action)).toBe('pending');
});

test('a form of another site, which the browser sends with the cookie, decides nothing', async () => {
  const action = await propose();
  const fields = { csrf: browser.csrf, hash: action.payloadHash, verdict: 'approve' };
  for (const headers of [
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { origin: `http://localhost:${house.listening.port}` },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
  ] as Record<string, string>[]) {
    expect((await browser.post(decision(action), fields, headers)).status).toBe(403);
  }
  const without = await house.ask(decision(action), {
    method: 'POST',
    headers: { cookie: browser.cookie, 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(fields).toString(),
  });
  expect(without.status).toBe(403);
  expect(await statusOf(action)).toBe('pending');
});

test("a form without this session's token, or with another session's, decides nothing", async () => {
  const action = await propose();
  const other = await house.browser();
  for (const csrf of [undefined, '', 'x', other.csrf, `${browser.csrf} `]) {
    const fields = { hash: action.payloadHash, verdict: 'approve', ...(csrf === undefined ? {} : { csrf }) };
    expect((await browser.post(decision(action), fields)).status, csrf).toBe(403);
  }
  expect(await statusOf(action)).toBe('pending');
});

test('a decision on another hash than what stands there is refused, and the page says so', async () => {
  const action = await propose();
  const another = await propose();
  for (const hash of ['', 'x', another.payloadHash, action.payloadHash.toUpperCase()]) {
    const answer = await browser.post(decision(action), { csrf: browser.csrf, hash, verdict: 'approve' });
    expect([400, 409], hash).toContain(answer.status);
  }
  const stale = await browser.post(decision(action), {
    csrf: browser.csrf,
    hash: another.payloadHash,
    verdict: 'approve',
  });
  expect(stale.status).toBe(409);
  expect(stale.body).toContain('this is not what you saw');
  expect(stale.body).toContain(`href="/actions/${action.id}"`);
  expect(await statusOf(action)).toBe('pending');
});

test('a page that was left open decides nothing once another has decided', async () => {
  const action = await propose();
  await press(action, 'reject');
  const late = await browser.post(decision(action), {
    csrf: browser.csrf,
    hash: action.payloadHash,
    verdict: 'approve',
  });
  expect(late.status).toBe(409);
  expect(await statusOf(action)).toBe('rejected');
});

test('two clicks at once are one decision', async () => {
  const action = await propose();
  const answers = await Promise.all([press(action, 'approve'), press(action, 'approve')]);
  expect(answers.map((answer) => answer.status).sort()).toEqual([303, 409]);
  const events = await house.queue.events(house.org, action.id);
  expect(events.filter((event) => event.to === 'approved').length).toBe(1);
});

test('an unknown verdict decides nothing', async () => {
  const action = await propose();
  for (const verdict of ['', 'Approve', 'approved', 'cancel']) {
    expect((await press(action, verdict as 'approve')).status).toBe(400);
  }
  expect(await statusOf(action)).toBe('pending');
});

test("another org's action is not there: its page, its frame, and deciding on it", async () => {
  const { org, action } = await house.stranger();
  for (const path of [`/actions/${action.id}`, `/actions/${action.id}/formatted`]) {
    const answer = await browser.get(path);
    expect(answer.status).toBe(404);
    expect(answer.body).not.toContain('Of the others');
  }
  const none = await browser.get('/actions/act_00000000000000000000000000');
  const theirs = await browser.get(`/actions/${action.id}`);
  const bare = (body: string) =>
    body.replaceAll(action.id, '').replaceAll('act_00000000000000000000000000', '');
  expect(bare(theirs.body)).toBe(bare(none.body));
  for (const verdict of ['approve', 'reject']) {
    const answer = await browser.post(decision(action), {
      csrf: browser.csrf,
      hash: action.payloadHash,
      verdict,
    });
    expect(answer.status).toBe(404);
  }
  expect((await house.queue.get(org, action.id)).status).toBe('pending');
  expect((await browser.get('/')).body).not.toContain('Of the others');
  expect((await browser.get('/history')).body).not.toContain('Of the others');
});

test('an unclear action asks what a person found, and takes the answer', async () => {
  for (const [happened, final] of [
    ['yes', 'completed'],
    ['no', 'failed'],
  ] as const) {
    const action = await propose();
    house.run = async (context) => {
      await context.aboutToSend();
      throw new Error('the line went dead');
    };
    await press(action, 'approve');
    await house.queue.runDue(house.org);
    expect(await statusOf(action)).toBe('unknown');
    const { body } = await browser.get(`/actions/${action.id}`);
    expect(body).toContain('it may have happened');
    expect((await browser.get('/')).body).toContain('Unclear: please look');

    const path = `/actions/${action.id}/settlement`;
    expect((await browser.post(path, { csrf: 'x', happened, reason: 'r' })).status).toBe(403);
    expect((await browser.post(path, { csrf: browser.csrf, happened, reason: ' ' })).status).toBe(400);
    expect((await browser.post(path, { csrf: browser.csrf, happened: 'perhaps', reason: 'r' })).status).toBe(
      400,
    );
    expect(await statusOf(action)).toBe('unknown');
    const settled = await browser.post(path, { csrf: browser.csrf, happened, reason: 'I looked' });
    expect(settled.status).toBe(303);
    expect(await statusOf(action)).toBe(final);
  }
});

test('an action that has expired says so, and offers no button', async () => {
  const action = await propose();
  clock.advance(25 * 3_600_000);
  await house.queue.runDue(house.org);
  browser = await house.browser();
  const { body } = await browser.get(`/actions/${action.id}`);
  expect(body).toContain('Nobody decided in time');
  expect(body).not.toContain('name="verdict"');
});

test('an open page is told when what it shows is out of date', async () => {
  const action = await propose();
  const { body } = await browser.get(`/actions/${action.id}`);
  const live = /data-live="([^"]+)"/.exec(body)?.[1]?.replaceAll('&amp;', '&') ?? '';
  const stream = browser.get(live);
  await press(action, 'reject');
  const told = await stream;
  expect(told.headers['content-type']).toContain('text/event-stream');
  expect(told.body).toContain('event: changed');
});

test('the history is read page by page, newest first, and nothing twice', async () => {
  for (let i = 0; i < 35; i += 1) await propose();
  const seen: string[] = [];
  let path: string | undefined = '/history';
  while (path !== undefined) {
    const body: string = (await browser.get(path)).body;
    seen.push(...[...body.matchAll(/href="\/actions\/([^"]+)"/g)].map((match) => match[1] ?? ''));
    path = /href="(\/history\?before=[^"]+)"/.exec(body)?.[1];
  }
  const all = await house.queue.list(house.org, { limit: 500 });
  expect(seen).toEqual(all.map((action) => action.id));
  expect((await browser.get(`/history?before=${encodeURIComponent("' OR 1=1")}`)).status).toBe(404);
});
