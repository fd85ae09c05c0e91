// The API and the pages that connect accounts, over the wire, against a provider that holds us to the rules.
import { describe, expect, test } from 'vitest';
import { newPerson } from '../connections/guild.ts';
import { type Browser, type GuildHouse, openGuildHouse } from './guild-house.ts';

const api = '/api/v1/integrations';
/** As a browser says that another site sent it. */
const fromElsewhere = { 'sec-fetch-site': 'cross-site' };

const begin = (browser: Browser, more: Record<string, string> = {}) =>
  browser.post(`${api}/guild/connect`, { csrf: browser.csrf, access: 'write', ...more });

/** To the provider and back, as far as the browser is sent: the address of the callback. */
async function consented(
  house: GuildHouse,
  browser: Browser,
  press: 'allow' | 'deny' = 'allow',
): Promise<URL> {
  const { headers } = await begin(browser);
  return house.consent(String(headers.location), { press });
}

const pathOf = (url: URL): string => `${url.pathname}${url.search}`;

describe('the way there', () => {
  test('a form leads to the provider, and binds this browser by a cookie that scripts cannot read', async () => {
    const house = await openGuildHouse();
    const browser = await house.signedIn();
    const answer = await begin(browser);
    expect(answer.status).toBe(303);
    const url = new URL(String(answer.headers.location));
    expect(url.origin).toBe('https://login.guild.example');
    expect(url.searchParams.get('redirect_uri')).toBe(`http://localhost:${house.port}${api}/guild/callback`);
    expect(answer.headers['set-cookie']).toEqual([
      expect.stringMatching(
        /^drawbridge-connect=[\w-]{43}; Max-Age=600; Path=\/api\/v1\/integrations; HttpOnly; SameSite=Lax$/,
      ),
    ]);
  });

  test('a program with the session is given the address as JSON', async () => {
    const house = await openGuildHouse();
    const browser = await house.signedIn();
    const answer = await browser.send('POST', `${api}/guild/connect`, {
      accept: 'application/json',
      'content-type': 'application/json',
      'x-csrf-token': browser.csrf,
      body: JSON.stringify({ access: 'read', fields: { hall: 'west' } }),
    });
    expect(answer.status).toBe(200);
    const { authorizationUrl, expiresAt } = JSON.parse(answer.body);
    expect(new URL(authorizationUrl).searchParams.get('scope')).toBe('profile letters.read roll.read');
    expect(expiresAt).toBe('2026-01-05T12:10:00.000Z');
  });

  test('a program is told the field at fault', async () => {
    const house = await openGuildHouse();
    const browser = await house.signedIn();
    const answer = await browser.send('POST', `${api}/guild/connect`, {
      accept: 'application/json',
      'content-type': 'application/json',
      body: JSON.stringify({ csrf: browser.csrf, fields: { colour: 'red' } }),
    });
    expect([answer.status, JSON.parse(answer.body)]).toEqual([
      400,
      {
        error: 'Guild has no setting called colour.',
        code: 'invalid_request',
        retry: 'never',
        field: 'colour',
      },
    ]);
  });

  test('under a public address redirect and cookie are those of https', async () => {
    const house = await openGuildHouse({ publicUrl: 'https://bridge.example.com' });
    const browser = await house.signedIn();
    const answer = await begin(browser);
    const url = new URL(String(answer.headers.location));
    expect(url.searchParams.get('redirect_uri')).toBe(`https://bridge.example.com${api}/guild/callback`);
    expect(answer.headers['set-cookie']?.[0]).toMatch(
      /^__Secure-drawbridge-connect=.*HttpOnly; Secure; SameSite=Lax$/,
    );
  });

  test.each([
    ['without the session’s token', { csrf: 'guessed' }, {}],
    ['from another site', {}, { origin: 'http://evil.example' }],
    ['without an origin', {}, { origin: '' }],
  ])('%s nothing is begun (CSRF)', async (_how, fields, headers) => {
    const house = await openGuildHouse();
    const browser = await house.signedIn();
    const answer = await browser.post(
      `${api}/guild/connect`,
      { csrf: browser.csrf, ...fields },
      headers as Record<string, string>,
    );
    expect(answer.status).toBe(403);
    expect(await house.connections.list(house.org)).toEqual([]);
  });

  test('without a session there is nothing to see', async () => {
    const house = await openGuildHouse();
    for (const [method, path] of [
      ['GET', api],
      ['GET', `${api}/events`],
      ['POST', `${api}/guild/connect`],
      ['DELETE', `${api}/con_1`],
    ]) {
      const answer = await house.ask(path ?? '', { method: method ?? '', headers: { origin: house.origin } });
      expect([path, answer.status]).toEqual([path, 401]);
    }
  });

  test('a fault stands at its field, and what was typed stays', async () => {
    const house = await openGuildHouse({ options: { plan: 'professional' } });
    const browser = await house.signedIn();
    const wrong = await browser.post(`${api}/guild/connect`, {
      csrf: browser.csrf,
      'field.hall': 'the east wing',
      'field.colour': 'red',
    });
    expect(wrong.status).toBe(400);
    expect(wrong.body).toContain('value="the east wing"');
    expect(wrong.body).toContain('no setting called colour');
  });

  test('a form with a fault in it is told the fault, and not taken for another session’s', async () => {
    const house = await openGuildHouse();
    const browser = await house.signedIn();
    const long = await begin(browser, { 'field.hall': 'x'.repeat(9_000) });
    expect(long.status).toBe(400);
    expect(long.body).toContain('fields.hall: is not usable');
    const cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const broken = await house.ask(`${api}/guild/connect`, {
      method: 'POST',
      headers: { origin: house.origin, cookie, 'content-type': 'multipart/form-data; boundary=B' },
      body: '--B\r\nno form at all',
    });
    expect(broken.status).toBe(400);
    expect(broken.body).toContain('The body is not a form');
  });
});

describe('the way back', () => {
  test('with no place left leads to the accounts, where one can be made', async () => {
    const house = await openGuildHouse({ options: { plan: 'professional' } });
    const browser = await house.signedIn();
    for (const name of ['1', '2', '3']) {
      house.guild.account = `${name}@guild.example`;
      await house.connect();
    }
    house.guild.account = '4@guild.example';
    const answer = await browser.get(pathOf(await consented(house, browser)));
    expect(answer.status).toBe(429);
    expect(answer.body).toContain('No connection is left');
    expect(answer.body).toMatch(/href="\/connections"[^>]*>To the accounts/);
    expect(answer.body).not.toContain('Begin again');
  });

  test('from localhost to the pages’ own name, one step for the strict cookie, and then the account', async () => {
    const house = await openGuildHouse();
    const browser = await house.signedIn();
    const callback = await consented(house, browser);
    expect(callback.host).toBe(`localhost:${house.port}`);

    // The browser has no cookie of ours for localhost.
    const hop = await house.ask(pathOf(callback), {
      headers: { host: `localhost:${house.port}`, ...fromElsewhere },
    });
    expect(hop.status).toBe(303);
    expect(hop.headers.location).toBe(`${house.origin}${pathOf(callback)}`);

    // The strict cookie stays behind; the lax one comes.
    const bound = browser.cookies.get('drawbridge-connect');
    const step = await house.ask(pathOf(callback), {
      headers: { cookie: `drawbridge-connect=${bound}`, ...fromElsewhere },
    });
    expect(step.status).toBe(200);
    const next = /url=([^"]+)"/.exec(step.body)?.[1]?.replaceAll('&amp;', '&') ?? '';
    expect(next).toBe(`${pathOf(callback)}&drawbridge_step=1`);
    expect(house.guild.server.tokenCalls()).toEqual([]);

    const done = await browser.get(next);
    expect(done.status).toBe(303);
    const [made] = await house.connections.list(house.org);
    expect(made).toMatchObject({ state: 'ACTIVE', account: 'maria@guild.example' });
    expect(done.headers.location).toBe(`/connections?connected=${made?.id}`);
    expect(house.refreshed).toEqual([made?.id]);
    const page = (await browser.get(String(done.headers.location))).body;
    expect(page).toContain('is connected');
    expect(page).toContain('state-active');
  });

  test('the hop leads to our own pages, whatever the request says (open redirect)', async () => {
    const house = await openGuildHouse();
    const answer = await house.ask(`${api}/guild/callback?state=x&to=//evil.example&code=//evil.example`, {
      headers: { host: `localhost:${house.port}` },
    });
    expect(new URL(String(answer.headers.location)).origin).toBe(house.origin);
  });

  test('a browser that is signed out is told to sign in, and nothing is spent', async () => {
    const house = await openGuildHouse();
    const browser = await house.signedIn();
    const callback = await consented(house, browser);
    const out = await house.ask(`${pathOf(callback)}&drawbridge_step=1`, {});
    expect(out.status).toBe(401);
    expect(out.body).toContain('drawbridge connect guild');
    expect((await browser.get(pathOf(callback))).status).toBe(303);
  });

  test.each([
    [
      'a person who says no',
      403,
      'You did not agree',
      (house: GuildHouse, browser: Browser) => consented(house, browser, 'deny'),
    ],
    [
      'another issuer',
      400,
      'It is not connected',
      (house: GuildHouse, browser: Browser) => {
        house.guild.server.next('wrong-issuer');
        return consented(house, browser);
      },
    ],
    [
      'a state of somebody else',
      400,
      'This way back is closed',
      (house: GuildHouse, browser: Browser) => {
        house.guild.server.next('wrong-state');
        return consented(house, browser);
      },
    ],
    [
      'one who comes too late',
      400,
      'This way back is closed',
      async (house: GuildHouse, browser: Browser) => {
        const callback = await consented(house, browser);
        house.clock.advance(600_000);
        return callback;
      },
    ],
    [
      'a provider that fails',
      502,
      'The provider does not answer',
      (house: GuildHouse, browser: Browser) => {
        house.guild.failing = true;
        return consented(house, browser);
      },
    ],
  ])('%s ends on a page that says what to do', async (_who, status, title, deed) => {
    const house = await openGuildHouse();
    const browser = await house.signedIn();
    const answer = await browser.get(pathOf(await deed(house, browser)));
    expect([answer.status, answer.body.includes(`<h1>${title}</h1>`)]).toEqual([status, true]);
    expect(answer.body).toContain('href="/connect/guild">Begin again');
    expect(await house.connections.list(house.org)).toEqual(
      title === 'This way back is closed' ? [expect.objectContaining({ state: 'AUTHORIZING' })] : [],
    );
  });

  test('who asked to read only, said no and begins again is asked to read only', async () => {
    const house = await openGuildHouse();
    const browser = await house.signedIn();
    const begun = await browser.post(`${api}/guild/connect`, {
      csrf: browser.csrf,
      access: 'read',
      'field.hall': 'east & west',
    });
    const callback = await house.consent(String(begun.headers.location), { press: 'deny' });
    const said = await browser.get(pathOf(callback));
    const again = /href="([^"]+)">Begin again/.exec(said.body)?.[1]?.replaceAll('&amp;', '&') ?? '';
    const page = (await browser.get(again)).body;
    expect(page).toMatch(/value="read" checked/);
    expect(page).toContain('name="field.hall" value="east &amp; west"');
  });

  test('one from which nobody has come back is a line to begin again, and no card', async () => {
    const house = await openGuildHouse();
    const browser = await house.signedIn();
    await browser.post(`${api}/guild/connect`, { csrf: browser.csrf, access: 'write' });
    const page = (await browser.get('/connections')).body;
    expect(page).toContain('No account is connected');
    expect(page).toMatch(/Guild(<[^>]*>)*: not finished · <a href="\/connect\/guild">Begin again/);
    expect(page).not.toContain('class="account"');
    await house.connect();
    expect((await browser.get('/connections')).body).not.toContain('not finished');
  });

  test('another person’s browser, signed in, connects nothing (login CSRF)', async () => {
    const house = await openGuildHouse();
    const callback = await consented(house, await house.signedIn());
    const other = await house.signedIn(await newPerson(house.store, house.org, 'Ben'));
    const answer = await other.get(pathOf(callback));
    expect(answer.status).toBe(403);
    expect(answer.body).toContain('begun by another person');
    expect(house.guild.server.tokenCalls()).toEqual([]);
  });

  test('the same person in another browser connects nothing (session fixation)', async () => {
    const house = await openGuildHouse();
    const callback = await consented(house, await house.signedIn());
    const answer = await (await house.signedIn()).get(pathOf(callback));
    expect(answer.status).toBe(403);
    expect(answer.body).toContain('begun in another browser');
    expect(house.guild.server.tokenCalls()).toEqual([]);
  });
});

describe('what is connected', () => {
  test('is listed with what can be connected, without a credential', async () => {
    const house = await openGuildHouse();
    const made = await house.connect();
    const listed = JSON.parse((await (await house.signedIn()).get(api)).body);
    expect(listed.connections).toEqual([
      expect.objectContaining({ id: made.id, state: 'ACTIVE', provider: 'guild', via: 'api' }),
    ]);
    expect(listed.providers.map(({ id, status }: { id: string; status: string }) => [id, status])).toEqual([
      ['guild', 'available'],
      ['ledger', 'available'],
    ]);
    expect(JSON.stringify(listed)).not.toMatch(/token|secret/i);
  });

  test('DELETE ends the grant at the provider, then forgets; the form of the page does the same', async () => {
    const house = await openGuildHouse();
    const browser = await house.signedIn();
    const first = await house.connect();
    const refused = await browser.send('DELETE', `${api}/${first.id}`, { 'x-csrf-token': 'guessed' });
    expect(refused.status).toBe(403);
    const done = await browser.send('DELETE', `${api}/${first.id}`, { 'x-csrf-token': browser.csrf });
    expect([done.status, JSON.parse(done.body)]).toEqual([200, { revoked: true }]);
    expect(house.guild.hosts.calls().at(-1)).toMatchObject({ path: '/revoke', method: 'POST' });

    const second = await house.connect();
    const page = await browser.post(`/connections/${second.id}/disconnect`, { csrf: browser.csrf });
    expect(page.body).toContain('The grant is ended at the provider');
    expect(await house.connections.list(house.org)).toEqual([]);
  });

  test('another org’s account is not there to disconnect', async () => {
    const house = await openGuildHouse();
    const made = await house.connect();
    const other = await house.store.forOrg(await house.store.createOrg('Other'));
    const zoe = await house.signedIn(await newPerson(house.store, other, 'Zoe'));
    const answer = await zoe.send('DELETE', `${api}/${made.id}`, { 'x-csrf-token': zoe.csrf });
    expect(answer.status).toBe(404);
    expect((await house.connections.get(house.org, made.id)).state).toBe('ACTIVE');
  });

  test('each move is told on the event stream, those before it are not', async () => {
    const house = await openGuildHouse();
    await house.connect();
    house.clock.advance(60_000);
    const browser = await house.signedIn();
    const controller = new AbortController();
    const cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(`http://127.0.0.1:${house.port}${api}/events`, {
      headers: { cookie },
      signal: controller.signal,
    });
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    let text = '';
    const hearing = (async () => {
      for await (const piece of response.body?.pipeThrough(new TextDecoderStream()) ?? []) text += piece;
    })().catch(() => undefined);
    const [made] = await house.connections.list(house.org);
    await house.connections.disconnect(house.org, made?.id ?? '');
    // Time goes on while nothing comes: the stream may not have been asleep when it was moved last.
    await expect
      .poll(
        () => {
          house.clock.advance(1_000);
          return text;
        },
        { interval: 10 },
      )
      .toContain('DELETED');
    controller.abort();
    await hearing;
    expect(text).toContain('event: connection');
    expect(text).toContain('"from":"ACTIVE","to":"REVOKED"');
    expect(text).not.toContain('PENDING');
  });
});

describe('with a key', () => {
  const bearer = (key: string) => ({ authorization: `Bearer ${key}`, accept: 'application/json' });

  test('an agent reads the list, and is given the page for its person', async () => {
    const house = await openGuildHouse();
    const headers = bearer(await house.key(['read']));
    expect((await house.ask(api, { headers })).status).toBe(200);
    const answer = await house.ask(`${api}/guild/connect`, { method: 'POST', headers });
    expect(JSON.parse(answer.body)).toEqual({
      connectUrl: 'https://drawbridge.test/connect/guild',
      message: expect.stringContaining('A key cannot consent'),
    });
    expect(await house.connections.list(house.org)).toEqual([]);
  });

  test('an agent disconnects nothing, and without the right to read sees nothing', async () => {
    const house = await openGuildHouse();
    const made = await house.connect();
    const headers = bearer(await house.key(['propose']));
    expect((await house.ask(`${api}/${made.id}`, { method: 'DELETE', headers })).status).toBe(403);
    expect((await house.ask(api, { headers })).status).toBe(403);
    expect((await house.ask(`${api}/events`, { headers })).status).toBe(403);
    expect(await house.connections.list(house.org)).toHaveLength(1);
  });

  test('an unknown key is nobody, though the browser is signed in', async () => {
    const house = await openGuildHouse();
    const browser = await house.signedIn();
    const answer = await browser.get(api, { authorization: `Bearer dbk_${'x'.repeat(43)}` });
    expect(answer.status).toBe(401);
  });
});

test('what needs a person stands on every page of theirs', async () => {
  const house = await openGuildHouse();
  const made = await house.connect();
  const browser = await house.signedIn();
  expect((await browser.get('/')).body).not.toContain('class="needs"');
  const { DrawbridgeError } = await import('../../src/errors.ts');
  const revoked = new DrawbridgeError('auth_revoked', 'The grant is gone.');
  await house.connections.report(house.org, made.id, { error: revoked });
  for (const path of ['/', '/history', '/connections', '/connect', '/connect/ledger']) {
    const { body } = await browser.get(path);
    expect(body).toContain('maria@guild.example (Guild) must be connected again.');
    expect(body).toContain(`href="/connect/guild?account=${made.id}"`);
  }
});
