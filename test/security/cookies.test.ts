// Attacks on the cookies of a public address: planting one from a neighbouring host or over plain http, reading it
// by a script, sending it along from another site; and addresses that would lead a browser away from us.
import { expect, test } from 'vitest';
import { createSignIn } from '../../src/auth/sign-in.ts';
import { safePath } from '../../src/http/sessions.ts';
import { askerAt } from '../http/ask.ts';
import { openGuildHouse } from '../http/guild-house.ts';
import { openHouse } from '../http/house.ts';

/** A cookie line taken apart: its name, and its attributes in lower case. */
function cookieOf(line: string): { name: string; attributes: string[] } {
  const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
  return { name: pair.split('=')[0] ?? '', attributes: attributes.map((one) => one.toLowerCase()).sort() };
}

const publicUrl = 'https://bridge.example';

test('over https the session’s cookie is __Host-, and so can be planted by no other host and over no plain http', async () => {
  const house = await openHouse({ publicUrl });
  try {
    const ask = askerAt(house.listening.port, 'bridge.example');
    const link = await house.signIn.createLink(house.owner);
    const opened = await ask('/sign-in', {
      method: 'POST',
      headers: { origin: publicUrl, 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ token: link.reveal() }).toString(),
    });
    const cookies = (opened.headers['set-cookie'] ?? []).map(cookieOf);
    expect(cookies).toEqual([
      {
        name: '__Host-drawbridge',
        // RFC 6265bis, 4.1.3.2: Secure, Path=/ and no Domain; without one of them browsers drop the cookie.
        attributes: ['httponly', 'max-age=604800', 'path=/', 'samesite=strict', 'secure'],
      },
    ]);
    const value = String(opened.headers['set-cookie']?.[0]).split(';')[0]?.split('=')[1] ?? '';
    const visit = (cookie: string) => ask('/', { headers: { cookie } });
    expect((await visit(`__Host-drawbridge=${value}`)).status).toBe(200);
    // The name that a neighbour could plant opens nothing, though the value is right.
    expect((await visit(`drawbridge=${value}`)).status).toBe(401);
  } finally {
    await house.close();
  }
});

test('every cookie that is set is unseen by scripts, has a SameSite and no Domain, and over https is Secure', async () => {
  for (const at of [publicUrl, undefined]) {
    const house = await openGuildHouse(at === undefined ? {} : { publicUrl: at });
    const browser = await house.signedIn();
    const opened = await house.ask('/sign-in', {
      method: 'POST',
      headers: { origin: house.origin, 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({
        token: (await createSignIn(house).createLink(house.person)).reveal(),
      }).toString(),
    });
    const began = await browser.post('/api/v1/integrations/guild/connect', {
      csrf: browser.csrf,
      access: 'read',
    });
    const out = await browser.post('/sign-out', { csrf: browser.csrf });
    const lines = [opened, began, out].flatMap(({ headers }) => headers['set-cookie'] ?? []);
    expect(lines.length).toBe(3);
    for (const { name, attributes } of lines.map(cookieOf)) {
      expect(attributes.filter((one) => one.startsWith('domain'))).toEqual([]);
      if (at !== undefined) {
        expect(attributes).toContain('secure');
        expect(name).toMatch(/^__(?:Host|Secure)-/);
      }
    }
    for (const { attributes } of [
      ...(opened.headers['set-cookie'] ?? []),
      ...(began.headers['set-cookie'] ?? []),
    ].map(cookieOf)) {
      expect(attributes).toContain('httponly');
      expect(attributes.some((one) => /^samesite=(?:strict|lax)$/.test(one))).toBe(true);
    }
  }
});

const elsewhere = [
  'https://evil.example/',
  '//evil.example/',
  '/\\evil.example',
  '/%5cevil.example',
  '\\\\evil.example',
  'javascript:alert(1)',
  'data:text/html,x',
  '/actions/../../evil',
  '/connect?next=https://evil.example',
  '/@evil.example',
  ' https://evil.example',
  '/\t/evil.example',
  '/sign-out',
  '/mcp',
];

test.each(elsewhere)('no sign-in leads to %j', async (to) => {
  expect(safePath(to)).toBe('/');
});

test.each(elsewhere)('no query or form of sign-in, connecting or coming back leads to %j', async (to) => {
  const house = await openGuildHouse();
  const browser = await house.signedIn();
  const value = encodeURIComponent(to);
  const answers = [
    await browser.get(`/sign-in?token=x&to=${value}`),
    await browser.get(`/connect/guild?next=${value}&redirect_uri=${value}&return=${value}`),
    await browser.get(
      `/api/v1/integrations/guild/callback?state=x&code=x&next=${value}&redirect_uri=${value}`,
    ),
    await browser.post('/api/v1/integrations/guild/connect', {
      csrf: browser.csrf,
      access: 'read',
      redirect_uri: to,
      redirectUri: to,
      next: to,
    }),
    await browser.post('/sign-out', { csrf: browser.csrf, to, next: to }),
  ];
  for (const { headers, body } of answers) {
    const { location } = headers;
    if (location !== undefined) {
      const { origin, searchParams } = new URL(location, house.origin);
      expect(['https://login.guild.example', house.origin]).toContain(origin);
      const back = searchParams.get('redirect_uri');
      if (back !== null) expect(new URL(back).pathname).toBe('/api/v1/integrations/guild/callback');
    }
    expect(body).not.toMatch(/(?:href|action|url)="?=?"?(?:https?:)?\/\/evil\.example/i);
  }
});
