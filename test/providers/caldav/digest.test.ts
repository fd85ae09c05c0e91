// Logging in by digest: the examples of RFC 7616 and RFC 2617, what servers write, and a server that takes nothing else.
import { createHash } from 'node:crypto';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { answerTo, challengeIn } from '../../../src/providers/caldav/digest.ts';
import { provider } from '../../../src/providers/caldav/index.ts';
import { type DavServer, startDav } from '../../servers/dav-script.ts';
import { contextFor, Shelf } from '../mailbox/context.ts';

const rfc7616 = (algorithm: string) =>
  `Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=${algorithm}, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"`;
const mufasa = {
  method: 'GET',
  url: 'http://www.example.org/dir/index.html',
  user: 'Mufasa',
  password: 'Circle of Life',
  count: 1,
  clientNonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
};
const answer = (header: string, more: Partial<Parameters<typeof answerTo>[1]> = {}) => {
  const challenge = challengeIn(header);
  if (challenge === undefined) throw new Error('no digest is offered');
  return answerTo(challenge, { ...mufasa, ...more });
};

describe('the answer to a challenge', () => {
  test.each([
    [rfc7616('MD5'), '8ca523f5e9506fed4657c9700eebdbec'],
    [rfc7616('SHA-256'), '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1'],
    // The stronger of two is taken, whichever comes first.
    [
      `${rfc7616('MD5')}, ${rfc7616('SHA-256')}`,
      '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1',
    ],
  ])('is that of RFC 7616 3.9.1', (header, response) => {
    expect(answer(header)).toContain(`response="${response}"`);
  });

  test('is that of RFC 2617 3.5, with what a server of RFC 2069 leaves out', () => {
    const old = `Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"`;
    const given = { password: 'Circle Of Life', clientNonce: '0a4f113b' };
    expect(answer(`${old}, qop="auth,auth-int"`, given)).toContain(
      'response="6629fae49393a05397450978507c4ef1"',
    );
    const plain = answer(old, given);
    expect(plain).toContain('response="670fd8c2df070c60b045671b8b24ff02"');
    expect(plain).not.toMatch(/qop|nc=|cnonce/u);
  });

  test('quotes what a name holds, so that it ends no parameter', () => {
    expect(answer(rfc7616('MD5'), { user: 'ann", uri="/elsewhere' })).toContain(
      'username="ann\\", uri=\\"/elsewhere"',
    );
  });

  test.each([
    [null],
    ['Basic realm="x"'],
    ['Bearer realm="x"'],
    [`Basic realm="x", ${rfc7616('MD5')}`],
    [`${rfc7616('MD5')}, Basic realm="x"`],
    [rfc7616('SHA-512-256')],
    [rfc7616('MD5').replace('auth, auth-int', 'auth-int')],
    ['Digest realm="no nonce"'],
  ])('is not given to %s', (header) => {
    expect(challengeIn(header)).toBeUndefined();
  });
});

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});

const md5 = (text: string) => createHash('md5').update(text).digest('hex');

/** In front of a scripted calendar server: lets in by digest alone, and takes each nonce `uses` times. */
async function digestOnly(uses: number): Promise<{ url: string; refused: string[]; behind: DavServer }> {
  const text =
    'BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:one\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:20260302T100000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n';
  const behind = await startDav({ objects: new Map([['one.ics', { tag: '"1"', text }]]) });
  const refused: string[] = [];
  let nonces = 0;
  let used = 0;
  const listener: RequestListener = (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', async () => {
      const said = request.headers.authorization ?? '';
      const of = (name: string) => new RegExp(`[ ,]${name}="?([^",]+)`).exec(said)?.[1] ?? '';
      const a2 = md5(`${request.method}:${request.url}`);
      const secret = md5('ann:Calendars of "Northgate":correct-horse');
      const right =
        of('uri') === request.url &&
        of('response') === md5(`${secret}:${of('nonce')}:${of('nc')}:${of('cnonce')}:auth:${a2}`);
      used += 1;
      if (!right || of('nonce') !== `n${nonces}` || used > uses || Number.parseInt(of('nc'), 16) !== used) {
        nonces += 1;
        used = 0;
        refused.push(`${request.method} ${said.split(' ')[0]}`);
        const challenge = `Digest realm="Calendars of \\"Northgate\\"", qop="auth", nonce="n${nonces}"${right ? ', stale=true' : ''}`;
        response.writeHead(401, { 'www-authenticate': challenge }).end('no');
        return;
      }
      const { authorization: _, host: __, ...headers } = request.headers;
      const answered = await fetch(new URL(request.url ?? '/', behind.url), {
        method: request.method ?? 'GET',
        headers: headers as Record<string, string>,
        ...(chunks.length === 0 ? {} : { body: Buffer.concat(chunks) }),
        redirect: 'manual',
      });
      const body = Buffer.from(await answered.arrayBuffer());
      response.writeHead(answered.status, Object.fromEntries(answered.headers)).end(body);
    });
  };
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(
    () => behind.stop(),
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, refused, behind };
}

const event = {
  title: 'Viewing',
  start: '2026-03-02T15:00:00',
  end: '2026-03-02T16:00:00',
  timeZone: 'Europe/Berlin',
  attendees: [],
  reminders: [],
};
const account = (url: string, password = 'correct-horse') =>
  contextFor({ fields: { url, user: 'ann' }, secrets: { password }, effectKey: 'eff_digest' });

describe('a server that lets in by digest alone', () => {
  test('is read and booked at, asked once for its challenge', async () => {
    const { url, refused, behind } = await digestOnly(1_000);
    const context = account(url);
    await provider.operations.create.run(context, event);
    expect(behind.puts.map(({ path }) => path)).toEqual(['/cal/eff_digest.ics']);
    expect(refused).toEqual(['PROPFIND Basic']);
    const shelf = new Shelf();
    await shelf.run(provider.feeds.events, context);
    expect(shelf.records.size).toBe(1);
  });

  test('may end its nonce at any time: the request is answered anew, and an event is booked once', async () => {
    const { url, refused, behind } = await digestOnly(1);
    await provider.operations.create.run(account(url), event);
    expect(behind.puts.map(({ path }) => path)).toEqual(['/cal/eff_digest.ics']);
    expect(refused).toContain('PUT Digest');
  });

  test('is not asked again and again with a wrong password', async () => {
    const { url, refused } = await digestOnly(1_000);
    await expect(provider.identity(account(url, 'wrong'))).rejects.toMatchObject({ code: 'auth_expired' });
    expect(refused).toEqual(['PROPFIND Basic', 'PROPFIND Digest', 'GET Digest', 'PROPFIND Digest']);
  });
});
