// Whatever an agent, a sender or a provider wrote stays text on a page: it runs nothing, hides nothing,
// and none of it is left out.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { countUnseen, marked } from '../../src/dashboard/page/text.ts';
import { readHtml, wordsOnlyInHtml } from '../../src/dashboard/payload/mail-html.ts';
import { warningsFor } from '../../src/dashboard/payload/notices.ts';
import { type Browser, connection, type House, mail, openHouse } from '../http/house.ts';

const noticesOf = (payload: unknown) => warningsFor({ warnings: [], payload });

let house: House;
let browser: Browser;

beforeAll(async () => {
  house = await openHouse();
  browser = await house.browser();
});
afterAll(() => house.close());

const attack = `"><script>alert(1)</script><img src=x onerror=alert(2)>'\${7*7}{{7*7}}`;
const shows = async (text: string) => String(await marked(text));

function expectHarmless(body: string): void {
  expect(body).not.toContain('<script>alert');
  expect(body).not.toContain('<img src=x');
  expect(body).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
}

test('markup in any field of a mail is text', async () => {
  const action = await house.propose(
    'send',
    {
      ...mail,
      to: [{ email: 'a@b.example', name: attack }],
      cc: [{ email: 'c@b.example', name: attack }],
      bcc: [{ email: 'd@b.example', name: attack }],
      subject: attack,
      text: attack,
      html: `<p>${attack}</p><a href="https://evil.example/${attack}">${attack}</a>`,
      inReplyTo: attack,
      references: [attack],
      attachments: [],
    },
    { note: attack, warnings: [attack] },
  );
  const { body, status } = await browser.get(`/actions/${action.id}`);
  expect(status).toBe(200);
  expectHarmless(body);
  expectHarmless((await browser.get('/')).body);
  expectHarmless((await browser.get('/history')).body);
});

test('markup in any field of an event, in a field name and in an attachment name is text', async () => {
  const event = await house.propose('book', {
    title: attack,
    start: '2026-03-05T15:00:00',
    end: '2026-03-05T16:00:00',
    timeZone: 'America/Chicago',
    attendees: [{ email: 'a@b.example', name: attack }],
    location: attack,
    description: attack,
    reminders: [30],
    recurrence: `FREQ=WEEKLY;BYDAY=${attack}`,
  });
  expectHarmless((await browser.get(`/actions/${event.id}`)).body);
  const other = await house.propose('update', { [attack]: { deep: [attack, { [attack]: attack }] } });
  expectHarmless((await browser.get(`/actions/${other.id}`)).body);
  const bytes = Buffer.from('x');
  const sha256 = '2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881';
  const attached = await house.propose(
    'send',
    { ...mail, attachments: [{ name: attack, mediaType: 'text/plain', size: 1, sha256 }] },
    { attachments: [{ name: attack, mediaType: 'text/plain', bytes }] },
  );
  const { body } = await browser.get(`/actions/${attached.id}`);
  expectHarmless(body);
  expect(body).toContain(sha256);
});

test('markup in an outcome, an error, a reason and an account is text', async () => {
  house.connections.push(
    connection({
      id: 'con_2',
      label: attack,
      providerTitle: attack,
      lastError: { code: 'network', message: attack, at: 0 },
    }),
  );
  expectHarmless((await browser.get('/connections')).body);
  house.connections.pop();

  house.run = async (context) => {
    await context.aboutToSend();
    return {
      reference: attack,
      url: `javascript:alert(1)${attack}`,
      details: { [attack]: attack },
      warning: attack,
    };
  };
  const done = await house.propose('send', { ...mail, subject: 'one' });
  await browser.post(`/actions/${done.id}/decision`, {
    csrf: browser.csrf,
    hash: done.payloadHash,
    verdict: 'approve',
  });
  await house.queue.runDue(house.org);
  const { body } = await browser.get(`/actions/${done.id}`);
  expect(body).toContain('Done.');
  expectHarmless(body);
  expect(body).not.toMatch(/href="javascript:/i);

  const refused = await house.propose('send', { ...mail, subject: 'two' });
  await browser.post(`/actions/${refused.id}/decision`, {
    csrf: browser.csrf,
    hash: refused.payloadHash,
    verdict: 'reject',
    reason: attack,
  });
  expectHarmless((await browser.get(`/actions/${refused.id}`)).body);
});

test('the formatted message runs nothing, loads nothing and can be framed by us alone', async () => {
  const action = await house.propose('send', {
    ...mail,
    subject: 'formatted',
    html: '<p>Hello</p><script>alert(1)</script><img src="https://evil.example/pixel.gif">',
  });
  const page = await browser.get(`/actions/${action.id}`);
  expect(page.body).toContain(`src="/actions/${action.id}/formatted"`);
  expect(page.body).toMatch(/<iframe[^>]*sandbox="allow-same-origin"/);
  const frame = await browser.get(`/actions/${action.id}/formatted`);
  const policy = String(frame.headers['content-security-policy']);
  expect(policy).toContain('sandbox allow-same-origin;');
  expect(policy).not.toContain('allow-scripts');
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("frame-ancestors 'self'");
  expect(policy).toContain("form-action 'none'");
});

test('where links lead is shown, whatever they say', () => {
  expect(readHtml('<p>See <a href="https://evil.example/x">https://bank.example</a></p>').links).toEqual([
    { text: 'https://bank.example', target: 'https://evil.example/x' },
  ]);
  expect(readHtml('<a href="https://one.example"><img src="x"></a><a>none</a>').links).toEqual([
    { text: '', target: 'https://one.example' },
  ]);
});

test('words that only the formatted version has are pointed out, hidden ones too', () => {
  const html =
    '<h1>Hello</h1><p>Pay <b>4</b>0 by <i>Fri</i>day</p><ol><li>one</li><li>two</li></ol><div style="color:#fff;font-size:1px">forward everything</div><style>p { color: red }</style>';
  expect(wordsOnlyInHtml(html, 'Hello\n\nPay **4**0 by Friday 40\n\n1. one\n1. two')).toEqual([
    'forward',
    'everything',
  ]);
  const notices = noticesOf({ text: 'Hello', html: '<p>Hello</p><p hidden>and more</p>' });
  expect(notices.join()).toContain('and, more');
  expect(noticesOf({ text: 'Hello', html: '<p>Hello</p>' })).toEqual([]);
});

test('characters that hide or reorder text are shown by their names', async () => {
  expect(await shows('pay\u202Etxt.exe')).toContain('U+202E right-to-left override');
  expect(await shows('a\u200Bb')).toContain('U+200B zero width space');
  expect(await shows('a\u{E0041}b')).toContain('U+E0041');
  expect(await shows('a\u0000\u001Bb\rc')).toMatch(/NUL.*ESC.*CR/s);
  for (const text of ['pay\u202Etxt', 'a\u200Bb', 'a\u{E0041}b', 'x\u2066y', 'soft\u00ADhyphen']) {
    expect(await shows(text)).not.toMatch(/[\u202E\u200B\u{E0041}\u2066\u00AD]/u);
    expect(countUnseen(text)).toBe(1);
  }
});

test('ordinary writing is left as it is', async () => {
  for (const text of [
    'Grüße, 東京 and שלום',
    'A family 👨‍👩‍👧 and a heart ❤️',
    'می‌خواهم',
    'क्‍ष',
    'Line one\n\tLine two\r\nLine three',
  ]) {
    expect(countUnseen(text), text).toBe(0);
    expect(await shows(text)).toBe(text.replaceAll('\r\n', '\n'));
  }
});

test('a body of ten thousand lines is shown to its last word', async () => {
  const text = `${Array.from({ length: 10_000 }, (_, i) => `line ${i}`).join('\n')}\nthe very last word`;
  const action = await house.propose('send', { ...mail, subject: 'long', text });
  const { body } = await browser.get(`/actions/${action.id}`);
  for (const line of ['line 0\n', 'line 5000\n', 'line 9999\n', 'the very last word']) {
    expect(body).toContain(line);
  }
  expect(body).toContain('10,001 lines');
});

test('text after a long blank stretch is pointed out', () => {
  expect(noticesOf({ text: `Hello\n${'\n'.repeat(40)}and send the keys to Eve` })).toEqual([
    'The text goes on after a long blank stretch: read it to its end.',
  ]);
  expect(noticesOf({ text: 'Hello\n\n\nBest\n\n' })).toEqual([]);
  expect(noticesOf({ deep: [{ subject: 'a\u200Bb' }] })[0]).toContain('invisible character');
});

test('a mail with a field that the mail form does not know is shown as a table of everything', async () => {
  const action = await house.propose('update', { ...mail, forwardTo: 'eve@evil.example' });
  const { body } = await browser.get(`/actions/${action.id}`);
  expect(body).toContain('Forward to');
  expect(body).toContain('eve@evil.example');
  expect(body).not.toContain('Send this e-mail?');
});

test('every recipient is shown, bcc too, before subject and text', async () => {
  const people = Array.from({ length: 60 }, (_, i) => ({ email: `person${i}@many.example` }));
  const action = await house.propose('send', {
    ...mail,
    to: people,
    bcc: [{ email: 'hidden@many.example' }],
  });
  const { body } = await browser.get(`/actions/${action.id}`);
  const bare = body.replace(/<[^>]+>/g, '');
  for (const { email } of people) expect(bare).toContain(email);
  expect(bare.indexOf('hidden@many.example')).toBeGreaterThan(0);
  expect(bare.indexOf('hidden@many.example')).toBeLessThan(
    bare.indexOf('Viewing on Thursday', bare.indexOf('Subject')),
  );
});

test('an event shows its time in its own zone, and how often it comes', async () => {
  const action = await house.propose('book', {
    title: 'Walk-through',
    start: '2026-03-05T15:00:00',
    end: '2026-03-05T16:30:00',
    timeZone: 'America/Chicago',
    attendees: [],
    reminders: [30, 1440],
    recurrence: 'FREQ=WEEKLY;BYDAY=TH;COUNT=4',
  });
  const { body } = await browser.get(`/actions/${action.id}`);
  expect(body).toMatch(/Thursday,? 5 March 2026/);
  expect(body).toContain('America/Chicago');
  expect(body).toContain('2026-03-05 21:00 to 2026-03-05 22:30 UTC');
  expect(body).toContain('every week, on Thursday, 4 times');
  expect(body).toContain('30 min before, 1 d before');
});
