// Reading from Dropbox: what is asked for, what comes of it, and what a refusal says.
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { contentHash } from '../../../src/providers/dropbox/files.ts';
import { headerJson } from '../../../src/providers/dropbox/http.ts';
import { provider } from '../../../src/providers/dropbox/index.ts';
import { contextOver } from '../context.ts';
import { all, failure, openScene, refusing, type Scene } from './scene.ts';

const { list, search, get, text, download } = provider.operations;
type Entries = { entries: { name: string }[]; nextPage?: string | undefined };
const namesOf = ({ entries }: Entries) => entries.map(({ name }) => name);

async function office(): Promise<Scene> {
  const scene = await openScene();
  const { files } = scene.dropbox;
  files.put('/Offers/Älmhult – offer.md', '# Offer\n\n**525,000** USD');
  files.put('/Offers/prices.csv', 'mls,price\r\n1,2');
  files.put('/Offers/plan.pdf', '%PDF-1.4 plan');
  files.put('/notes.TXT', '\uFEFFRing — Bo.');
  files.put('/Week.paper', '', { exports: { html: '<h1>Week</h1>', markdown: '# Week' } });
  scene.asked();
  return scene;
}

describe('lists', () => {
  test('a folder page by page to its end, whatever the case of its name', async () => {
    const scene = await office();
    const names: string[] = [];
    let pageToken: string | undefined;
    do {
      const input = list.input.parse({ folder: '/OFFERS', limit: 2, pageToken });
      const page: Entries = await list.run(scene.context, input);
      names.push(...namesOf(page));
      pageToken = page.nextPage;
    } while (pageToken !== undefined);
    expect(names.sort()).toEqual(['plan.pdf', 'prices.csv', 'Älmhult – offer.md']);
    expect(scene.asked()).toMatchObject([
      { route: 'api.dropboxapi.com/2/files/list_folder', args: { path: '/OFFERS', limit: 2 } },
      { route: 'api.dropboxapi.com/2/files/list_folder/continue', args: { cursor: expect.any(String) } },
    ]);
  });

  test('the top without a folder: files and folders, each told apart', async () => {
    const scene = await office();
    const { entries } = await list.run(scene.context, list.input.parse({}));
    expect(entries.map(({ kind, path }) => [kind, path])).toEqual([
      ['file', '/notes.TXT'],
      ['folder', '/Offers'],
      ['file', '/Week.paper'],
    ]);
    expect(scene.asked()).toMatchObject([{ args: { path: '', limit: 20 } }]);
  });
});

describe('search', () => {
  test('finds files by words in name or text, a page at a time to the end', async () => {
    const scene = await openScene({ story: true });
    const names: string[] = [];
    let pageToken: string | undefined;
    do {
      const input = search.input.parse({ query: 'tern street', folder: '/sheets', limit: 1, pageToken });
      const page: Entries = await search.run(scene.context, input);
      names.push(...namesOf(page));
      pageToken = page.nextPage;
    } while (pageToken !== undefined);
    expect(names).toContain('Listing sheet, 118 Tern Street.md');
    expect(scene.asked()[0]).toEqual({
      route: 'api.dropboxapi.com/2/files/search_v2',
      args: { query: 'tern street', options: { max_results: 1, path: '/sheets' } },
    });
  });
});

describe('one file', () => {
  test('its facts come with the revision and the hash that a change must name', async () => {
    const scene = await office();
    expect(await get.run(scene.context, { path: '/offers/PLAN.pdf' })).toEqual({
      kind: 'file',
      id: expect.stringMatching(/^id:/),
      name: 'plan.pdf',
      path: '/Offers/plan.pdf',
      mediaType: 'application/pdf',
      size: 13,
      modified: expect.stringMatching(/Z$/),
      rev: expect.stringMatching(/^[0-9a-f]{9,}$/),
      contentHash: contentHash(Buffer.from('%PDF-1.4 plan')),
      url: 'https://www.dropbox.com/home/Offers?preview=plan.pdf',
    });
  });

  test.each([
    ['/Offers/Älmhult – offer.md', 'text/markdown', '# Offer\n\n**525,000** USD'],
    ['/offers/prices.csv', 'text/csv', 'mls,price\r\n1,2'],
    ['/notes.txt', 'text/plain', 'Ring — Bo.'],
    ['/Week.paper', 'text/markdown', '# Week'],
  ])('%s is read as %s', async (path, mediaType, words) => {
    const scene = await office();
    expect(await text.run(scene.context, { path })).toMatchObject({ mediaType, text: words });
    const [, taken] = scene.asked();
    expect(taken).toMatchObject(
      path.endsWith('.paper')
        ? { route: 'content.dropboxapi.com/2/files/export', args: { export_format: 'markdown' } }
        : { route: 'content.dropboxapi.com/2/files/download', args: { path: expect.stringMatching(/^id:/) } },
    );
  });

  test('one without text says so, and its bytes can be had', async () => {
    const scene = await office();
    const path = '/Offers/plan.pdf';
    await expect(text.run(scene.context, { path })).rejects.toMatchObject({
      code: 'invalid_request',
      field: 'path',
    });
    const { base64, size } = await download.run(scene.context, { path });
    expect([Buffer.from(base64, 'base64').toString(), size]).toEqual(['%PDF-1.4 plan', 13]);
  });

  test('a folder is no file, and says so', async () => {
    const scene = await office();
    await expect(text.run(scene.context, { path: '/Offers' })).rejects.toMatchObject({ field: 'path' });
    expect(scene.asked()).toHaveLength(1);
  });

  test('more than may be downloaded is refused while it comes', async () => {
    const scene = await openScene();
    scene.dropbox.files.put('/huge.bin', Buffer.alloc(9 * 1024 * 1024, 'x'));
    const refused = await failure(download.run(scene.context, { path: '/huge.bin' }));
    expect(refused).toMatchObject({ code: 'malformed_response' });
  });

  test.each([
    'notes.txt',
    '/a/../b',
    '/..',
    '/a//b',
    '/a\\b',
    '/a\nb',
    'rev:a1c10ce0dd78',
    'ns:1/x',
    'id:a/b',
    '/',
  ])('the place %j is refused before anyone is asked', (path) => {
    for (const { input } of [get, text, download]) expect(input.safeParse({ path }).success).toBe(false);
    expect(list.input.safeParse({ folder: path }).success).toBe(false);
  });

  test('what is not ASCII goes escaped through the header, and nothing can end it', () => {
    expect(headerJson({ path: '/Ä–\r\n\u007f😀"x' })).toBe(
      '{"path":"/\\u00c4\\u2013\\r\\n\\u007f\\ud83d\\ude00\\"x"}',
    );
  });
});

describe('refusals', () => {
  test.each([
    [['path', 'not_found'], 409, 'not_found', 'never'],
    [['path', 'not_file'], 409, 'invalid_request', 'never'],
    [['path', 'malformed_path'], 409, 'invalid_request', 'never'],
    [['path', 'restricted_content'], 409, 'permission_denied', 'never'],
    [['path', 'locked'], 409, 'conflict', 'never'],
    [['expired_access_token'], 401, 'auth_expired', 'reconnect'],
    [['user_suspended'], 401, 'auth_revoked', 'reconnect'],
    [['missing_scope', { required_scope: 'files.metadata.read' }], 401, 'permission_denied', 'reconnect'],
    [['invalid_account_type', 'endpoint'], 403, 'permission_denied', 'never'],
    [['no_permission'], 422, 'permission_denied', 'never'],
    [['something_new'], 409, 'conflict', 'never'],
  ])('%j with %i is %s', async (tags, status, code, retry) => {
    const scene = await office();
    scene.hosts.faults.failNext(refusing(tags, status), 'get_metadata', 3);
    const refused = await failure(get.run(scene.context, { path: '/notes.txt' }));
    expect(refused).toMatchObject({ code, retry });
  });

  test('the seconds to wait are told on, also where the body alone says them', async () => {
    const error = { reason: { '.tag': 'too_many_requests' }, retry_after: 300 };
    const body = { error_summary: 'too_many_requests/..', error };
    const { context } = contextOver(() => Response.json(body, { status: 429 }));
    const refused = await failure(get.run(context, { path: '/a.txt' }));
    expect(refused).toMatchObject({ code: 'rate_limited', retryAfterMs: 300_000 });
    const scene = await office();
    scene.dropbox.throttle(9, 600);
    const other = await failure(get.run(scene.context, { path: '/notes.txt' }));
    expect(other).toMatchObject({ code: 'rate_limited', retryAfterMs: 600_000 });
  });

  test('400 is told in Dropbox’s line of text', async () => {
    const said = 'Error in call to API function "files/get_metadata": request body: path: bad';
    const { context } = contextOver(() => new Response(said, { status: 400 }));
    const refused = await failure(get.run(context, { path: '/a.txt' }));
    expect(refused).toMatchObject({ code: 'invalid_request', message: expect.stringContaining('path: bad') });
  });

  test('a download that is none is not taken for the file', async () => {
    const scene = await office();
    scene.hosts.faults.failNext(
      { kind: 'garble', body: 'Sorry', contentType: 'text/html' },
      'files/download',
    );
    const refused = await failure(text.run(scene.context, { path: '/notes.txt' }));
    expect(refused).toMatchObject({ code: 'malformed_response' });
  });

  test('a team’s space that moved says to connect again', async () => {
    const scene = await office();
    scene.dropbox.moveRoot('999');
    const refused = await failure(get.run(scene.context, { path: '/notes.txt' }));
    expect(refused).toMatchObject({
      code: 'permission_denied',
      retry: 'reconnect',
      message: expect.stringContaining('Connect Dropbox again'),
    });
  });
});

test('says whose account it is, and learns its address and its space', async () => {
  const scene = await openScene();
  expect(await provider.identity(scene.context)).toEqual({
    id: 'dbid:AAH4f99T0taONIb-OurWxbNQ6ywGRopQngc',
    label: 'maren@tidewell.example',
  });
  expect(await provider.probe?.(scene.context)).toEqual({ email: 'maren@tidewell.example', root: '3235641' });
  expect(scene.asked()[0]).toEqual({ route: 'api.dropboxapi.com/2/users/get_current_account', args: null });
});

test('paths are meant in the account’s own space, and each call says so', async () => {
  const scene = await office();
  await text.run(scene.context, { path: '/notes.txt' });
  const told = scene.hosts.calls().map(({ headers }) => headers['dropbox-api-path-root']);
  expect(told).toEqual(Array(2).fill('{".tag":"root","root":"3235641"}'));
});

test('reading asks for reading alone; writing, and who shares a folder, for what they need', () => {
  const { auth, operations, feeds } = provider;
  const own = auth.kind === 'oauth2' ? [...auth.scopes] : [];
  expect(own).toEqual(['account_info.read', 'files.metadata.read', 'files.content.read']);
  const more = [...Object.values(operations), ...Object.values(feeds)].flatMap(({ scopes }) => scopes ?? []);
  expect([...new Set([...own, ...more])].sort()).toEqual([...all].sort());
});

test('the hash of a content is that of the hashes of its 4 MB blocks', () => {
  const sha = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest();
  const block = 4 * 1024 * 1024;
  const bytes = Buffer.alloc(block + 5, 'ab');
  const wanted = sha(Buffer.concat([sha(bytes.subarray(0, block)), sha(bytes.subarray(block))]));
  expect(contentHash(bytes)).toBe(wanted.toString('hex'));
  expect(contentHash(Buffer.alloc(0))).toBe(sha(Buffer.alloc(0)).toString('hex'));
});
