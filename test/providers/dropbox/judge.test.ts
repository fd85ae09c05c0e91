// The judge of Dropbox's interface files: what keeps them passes, and every way to break them is told.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createRoutes } from '../../../sandbox/dropbox/routes.ts';
import { DropboxStore } from '../../../sandbox/dropbox/store.ts';
import { tags } from '../../../src/providers/dropbox/http.ts';
import { manualClock } from '../../egress/manual-clock.ts';
import { type Exchange, stoneFolder } from '../contract.ts';
import { judge } from './judge.ts';
import { readStone, type Stone, type Type } from './stone.ts';

const small = `namespace files
    "Words about it,
    over two lines: union x"

alias Rev = String(min_length=9, pattern="[0-9a-f]+")
alias Path = String(pattern="/(.|[\\\\r\\\\n])*")

union_closed Mode
    add
        "Not over another one."
    update Rev

union LookupError
    not_found

union PutError
    path LookupError

struct Metadata
    union_closed
        file FileMetadata
    name String
        "Its name."
    example default
        file = default

struct FileMetadata extends Metadata
    rev Rev
    tags List(String)?
    at Timestamp("%Y-%m-%dT%H:%M:%SZ")?

    example default
        rev = "a1c10ce0dd78"

struct PutArg
    path Path
    mode Mode = add
    limit UInt32(max_value=5, min_value=1)?
        @common.Deprecated
        "At most."

route put:2 (PutArg, Metadata, PutError)
    "Puts it there."

    attrs
        scope = "files.content.write"
`;

function stone() {
  const folder = mkdtempSync(join(tmpdir(), 'drawbridge-stone-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'files.stone'), small);
  return readStone(folder);
}

function put(args: unknown, answer?: unknown, status = 200, more: Partial<Exchange> = {}): string[] {
  const response = { status, headers: { 'content-type': 'application/json' }, body: answer };
  return judge(stone(), {
    provider: 'dropbox',
    method: 'POST',
    url: 'https://api.dropboxapi.com/2/files/put_v2',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(args),
    ...(answer === undefined ? {} : { response }),
    ...more,
  }).errors;
}
const file = { '.tag': 'file', name: 'a', rev: 'a1c10ce0dd78' };

test('what keeps the files passes', () => {
  expect(put({ path: '/a' }, file)).toEqual([]);
  expect(
    put({ path: '/a', mode: 'add', limit: 5 }, { ...file, tags: ['x'], at: '2026-01-05T12:00:00Z' }),
  ).toEqual([]);
  expect(put({ path: '/a', mode: { '.tag': 'update', update: 'a1c10ce0dd78' } })).toEqual([]);
  const error = { '.tag': 'path', path: { '.tag': 'not_found' } };
  expect(put({ path: '/a' }, { error_summary: 'path/not_found/..', error }, 409)).toEqual([]);
  expect(put({ path: '/a' }, 'Error in call', 400)).toEqual([]);
});

test.each([
  ['a member that is not there', { path: '/a', pathh: 1 }, 'has no pathh'],
  ['one that is missing', {}, 'path: is missing'],
  ['a text that is not of its form', { path: 'a' }, 'not as its type says'],
  ['a number that is too large', { path: '/a', limit: 6 }, 'no such number'],
  ['a tag that is not there', { path: '/a', mode: 'overwrite' }, 'has no tag overwrite'],
  ['a tag without its value', { path: '/a', mode: { '.tag': 'update' } }, '(update): is missing'],
  [
    'a tag with a value of another form',
    { path: '/a', mode: { '.tag': 'update', update: 'zz' } },
    'type says',
  ],
])('a request with %s is told', (_what, args, fault) => {
  expect(put(args)).toEqual([expect.stringContaining(fault)]);
});

test.each([
  ['a kind that is not said', { name: 'a', rev: 'a1c10ce0dd78' }, 'does not say its kind'],
  ['a member that is missing', { '.tag': 'file', name: 'a' }, 'rev: is missing'],
  ['a member that nobody knows', { ...file, colour: 'red' }, 'has no colour'],
  ['a list of something else', { ...file, tags: [1] }, 'tags.0: is no text'],
  ['a time with milliseconds', { ...file, at: '2026-01-05T12:00:00.000Z' }, 'is no time'],
])('an answer with %s is told', (_what, answer, fault) => {
  expect(put({ path: '/a' }, answer)).toEqual([expect.stringContaining(fault)]);
});

test('another route, host or method, a query, and an error of another route are told', () => {
  const at = (url: string, more: Partial<Exchange> = {}) =>
    put({ path: '/a' }, undefined, 200, { url, ...more });
  expect(at('https://api.dropboxapi.com/2/files/put')).toEqual(['there is no route files/put']);
  expect(at('https://content.dropboxapi.com/2/files/put_v2')).toHaveLength(1);
  expect(at('https://api.dropboxapi.com/2/files/put_v2?x=1', { method: 'GET' })).toHaveLength(2);
  const error = { '.tag': 'reset' };
  expect(put({ path: '/a' }, { error_summary: 'reset/', error }, 409)).toEqual(['error: has no tag reset']);
});

const specs = stoneFolder();
test.skipIf(specs === undefined)(
  'each route of the sandbox is one of Dropbox’s, on its host, with its scope',
  () => {
    const { routes } = readStone(specs ?? '');
    const { api, content } = createRoutes(new DropboxStore(manualClock()), {});
    for (const [host, own] of Object.entries({ api, content })) {
      for (const [name, { scope }] of Object.entries(own)) {
        const { attributes } = routes.get(name) ?? {};
        expect([name, attributes?.['host'] ?? 'api', attributes?.['scope']]).toEqual([name, host, scope]);
      }
    }
  },
);

/** The tags of a union and of all that its values hold, but for those of descriptions that it brings. */
function tagsOf(stone: Stone, type: Type | undefined, seen = new Set<string>()): string[] {
  // Nothing here is asked of templates.
  if (type === undefined || seen.has(type.name) || type.name.startsWith('file_properties.')) return [];
  seen.add(type.name);
  const known = stone.definitions.get(type.name);
  const parent = known?.parent === undefined ? undefined : { ...type, name: known.parent };
  const below = (known?.fields ?? []).flatMap((field) => tagsOf(stone, field.type, seen));
  const own = known?.kind === 'union' ? known.fields.map(({ name }) => name) : [];
  return [...own, ...below, ...tagsOf(stone, parent, seen)];
}

test.skipIf(specs === undefined)('each error of each route has its meaning here, and none is made up', () => {
  const stone = readStone(specs ?? '');
  const { api, content } = createRoutes(new DropboxStore(manualClock()), {});
  const plain = (name: string): Type => ({ name, arguments: {}, item: undefined, nullable: false });
  const everywhere = ['auth.AuthError', 'auth.AccessError', 'auth.RateLimitError', 'common.PathRootError'];
  const types = [
    ...Object.keys({ ...api, ...content }).flatMap((name) => stone.routes.get(name)?.error ?? []),
    ...everywhere.map(plain),
  ];
  const told = new Set(types.flatMap((type) => tagsOf(stone, type)));
  expect(Object.keys(tags).filter((tag) => !told.has(tag))).toEqual([]);
  // These only say where to look on, or more about a tag that has its meaning.
  const leading = ['path', 'path_lookup', 'path_write', 'access_error', 'template_error'];
  const closer = [
    'file',
    'folder',
    'file_ancestor',
    'endpoint',
    'feature',
    'paper_disabled',
    'not_paper_user',
    'unauthorized_account_id_usage',
  ];
  const silent = [...told].filter((tag) => !Object.hasOwn(tags, tag));
  expect(silent.filter((tag) => ![...leading, ...closer].includes(tag))).toEqual([]);
});
