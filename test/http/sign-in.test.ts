// The way in: a link is spent once, by the person who presses the button, within its minute; and the
// session that it opens cannot be planted, stolen by a script, or outlive its time.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { linkLivesMs, sessionIdleMs, sessionLongestMs, signInUrl } from '../../src/auth/sign-in.ts';
import { safePath } from '../../src/http/sessions.ts';
import { type ManualClock, manualClock } from '../egress/manual-clock.ts';
import { type Answer, type House, openHouse } from './house.ts';

let clock: ManualClock;
let house: House;

beforeAll(async () => {
  clock = manualClock();
  house = await openHouse({ clock, publicUrl: 'https://bridge.example.com' });
});
afterAll(() => house.close());

function spend(
  token: string,
  more: { cookie?: string; to?: string; host?: string; origin?: string } = {},
): Promise<Answer> {
  return house.ask('/sign-in', {
    method: 'POST',
    headers: {
      origin: more.origin ?? house.origin,
      'content-type': 'application/x-www-form-urlencoded',
      ...(more.cookie === undefined ? {} : { cookie: more.cookie }),
      ...(more.host === undefined ? {} : { host: more.host }),
    },
    body: new URLSearchParams({ token, ...(more.to === undefined ? {} : { to: more.to }) }).toString(),
  });
}

const newLink = async () => (await house.signIn.createLink(house.owner)).reveal();
const cookieOf = (answer: Answer) => String(answer.headers['set-cookie']?.[0] ?? '').split(';')[0] ?? '';
const statusWith = async (cookie: string) => (await house.ask('/', { headers: { cookie } })).status;

test('a link opens a session once; the second to come is refused', async () => {
  const token = await newLink();
  const first = await spend(token);
  expect(first.status).toBe(303);
  expect(await statusWith(cookieOf(first))).toBe(200);
  const second = await spend(token);
  expect(second.status).toBe(403);
  expect(second.headers['set-cookie']).toBeUndefined();
});

test('of twenty at once, one gets in', async () => {
  const token = await newLink();
  const answers = await Promise.all(Array.from({ length: 20 }, () => spend(token)));
  expect(answers.filter((answer) => answer.status === 303).length).toBe(1);
});

test('a link older than a minute opens nothing', async () => {
  const token = await newLink();
  clock.advance(linkLivesMs);
  const answer = await spend(token);
  expect(answer.status).toBe(403);
  expect(answer.headers['set-cookie']).toBeUndefined();
});

test('a link that opens nothing shows no button to press', async () => {
  const token = await newLink();
  const live = await house.ask(`/sign-in?token=${token}`);
  expect([live.status, live.body.includes('action="/sign-in"')]).toEqual([200, true]);
  await spend(token);
  const late = await newLink();
  clock.advance(linkLivesMs);
  for (const dead of [token, late, 'x'.repeat(43), 'no token', '']) {
    const answer = await house.ask(`/sign-in?token=${encodeURIComponent(dead)}`, {
      headers: { accept: 'text/html' },
    });
    expect([answer.status, answer.body.includes('action="/sign-in"')]).toEqual([403, false]);
    expect(answer.body).toContain('drawbridge open');
  }
});

test('looking at a link, as scanners and prefetching do, spends nothing and opens nothing', async () => {
  const token = await newLink();
  const path = new URL(signInUrl(house.origin, await house.signIn.createLink(house.owner))).pathname;
  for (const method of ['GET', 'HEAD', 'OPTIONS']) {
    const looked = await house.ask(`${path}?token=${token}`, { method });
    expect(looked.headers['set-cookie'], method).toBeUndefined();
  }
  expect((await spend(token)).status).toBe(303);
});

test('a forged token, or one that breaks out of the page, opens nothing', async () => {
  for (const token of ['', 'x', 'A'.repeat(43), `' OR 1=1 --`]) {
    expect((await spend(token)).status, token).toBe(403);
  }
  const page = await house.ask(`/sign-in?token=${encodeURIComponent('"><script>alert(1)</script>')}`);
  expect(page.body).not.toContain('<script>alert');
});

test('another site cannot sign a browser in', async () => {
  const token = await newLink();
  for (const origin of ['https://evil.example', 'null']) {
    expect((await spend(token, { origin })).status).toBe(403);
  }
  expect((await spend(token)).status).toBe(303);
});

test('the cookie is for this host alone, unseen by scripts, and stays at home', async () => {
  const local = String((await spend(await newLink())).headers['set-cookie']?.[0]);
  expect(local).toMatch(/^drawbridge=[\w-]{43};/);
  expect(local).toContain('HttpOnly');
  expect(local).toContain('SameSite=Strict');
  expect(local).toContain('Path=/');
  expect(local).not.toContain('Domain');

  const secure = String(
    (await spend(await newLink(), { host: 'bridge.example.com', origin: 'https://bridge.example.com' }))
      .headers['set-cookie']?.[0],
  );
  expect(secure).toMatch(/^__Host-drawbridge=/);
  expect(secure).toContain('Secure');
  expect(secure).toContain('SameSite=Strict');
});

test('a session planted before sign-in is worth nothing after it', async () => {
  const planted = cookieOf(await spend(await newLink()));
  const after = cookieOf(await spend(await newLink(), { cookie: planted }));
  expect(after).not.toBe(planted);
  expect(await statusWith(planted)).toBe(401);
  expect(await statusWith(after)).toBe(200);
  const invented = `drawbridge=${'a'.repeat(43)}`;
  expect(cookieOf(await spend(await newLink(), { cookie: invented }))).not.toBe(invented);
  expect(await statusWith(invented)).toBe(401);
});

test('signing out ends the session on the server, and needs its token', async () => {
  const browser = await house.browser();
  expect((await browser.post('/sign-out', { csrf: 'x' })).status).toBe(403);
  expect(await statusWith(browser.cookie)).toBe(200);
  const out = await browser.post('/sign-out', { csrf: browser.csrf });
  expect(out.status).toBe(303);
  expect(String(out.headers['set-cookie'])).toContain('Max-Age=0');
  expect(await statusWith(browser.cookie)).toBe(401);
});

test('a session ends after twelve hours without use, and after seven days whatever its use', async () => {
  const idle = cookieOf(await spend(await newLink()));
  clock.advance(sessionIdleMs - 1);
  expect(await statusWith(idle)).toBe(200);
  clock.advance(sessionIdleMs);
  expect(await statusWith(idle)).toBe(401);

  const busy = cookieOf(await spend(await newLink()));
  const step = 6 * 3_600_000;
  for (let used = step; used < sessionLongestMs; used += step) {
    clock.advance(step);
    expect(await statusWith(busy)).toBe(200);
  }
  clock.advance(step);
  expect(await statusWith(busy)).toBe(401);
});

test('neither a link nor a session can be taken from the database: only hashes are there', async () => {
  const token = await newLink();
  const session = cookieOf(await spend(await newLink())).split('=')[1] ?? '';
  const key = await house.key();
  const rows = await house.store.control.read(async (db) => [
    ...(await db.selectFrom('sign_in_links').selectAll().execute()),
    ...(await db.selectFrom('sessions').selectAll().execute()),
    ...(await db.selectFrom('api_keys').selectAll().execute()),
  ]);
  const stored = JSON.stringify(rows);
  for (const secret of [token, session, key]) expect(stored).not.toContain(secret);
});

test('sign-in leads to our own pages only', async () => {
  const answer = await spend(await newLink(), { to: '/actions/act_01abc' });
  expect(answer.headers.location).toBe('/actions/act_01abc');
  for (const to of [
    'https://evil.example',
    '//evil.example',
    '/\\evil.example',
    '/%2f/evil.example',
    '/actions/../../evil',
    '/sign-out',
    'javascript:alert(1)',
    '/actions/act_1\r\nSet-Cookie: a=b',
    '/actions/act_1?x=//evil',
  ]) {
    expect(safePath(to), to).toBe('/');
    expect((await spend(await newLink(), { to })).headers.location, to).toBe('/');
  }
});

test('who comes from another site with a link gets one step of our own first, which decides nothing', async () => {
  const answer = await house.ask('/actions/act_01abc', { headers: { 'sec-fetch-site': 'cross-site' } });
  expect(answer.status).toBe(200);
  expect(answer.body).toContain('url=/actions/act_01abc');
  const odd = await house.ask('/%22%3E%3Cscript%3Ealert(1)', { headers: { 'sec-fetch-site': 'cross-site' } });
  expect(odd.body).not.toContain('<script>alert');
});

test('no token, key or cookie reaches the log', async () => {
  const browser = await house.browser();
  const token = await newLink();
  await house.ask(`/sign-in?token=${token}`);
  await browser.get('/nowhere');
  const log = house.log.join('');
  expect(log).not.toContain(token);
  expect(log).not.toContain(browser.cookie.split('=')[1] ?? 'none');
});
