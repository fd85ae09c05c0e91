// What is wrong in a provider does not compile: each case is a small file of its own, given to the type
// checker; the same file without its fault passes.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');

/** The parts of a provider that is right. A case replaces one of them, or adds lines. */
const parts = {
  id: `id: 'shop'`,
  title: `title: 'Shop'`,
  fields: `fields: z.object({ shop: z.string(), region: z.enum(['eu', 'us']).optional() })`,
  learned: `learned: { realm: { from: 'callback', as: 'realmId', description: 'Company' } }`,
  secrets: `secrets: [{ name: 'key', title: 'Key', hint: 'On the card.' }]`,
  auth: `auth: {
    kind: 'oauth2', app: 'shop', pkce: 'S256', clientAuthentication: 'body', scopes: ['a'],
    authorizeUrl: 'https://{shop}.example/authorize', tokenUrl: 'https://{shop}.example/token',
    refreshUrl: 'https://{shop}.example/refresh',
    revocation: { url: 'https://{shop}.example/revoke', token: 'refresh', body: 'form' },
    accessToken: { seconds: 3600 }, refreshToken: { rotation: 'always', lifetime: { readFrom: 'answer' } },
    registration: ['Make an app with {redirectUrl}'],
  }`,
  http: `http: {
    baseUrl: 'https://api.example/{realm}', headers: { version: '1', shop: '{shop}' },
    paging: { kind: 'cursor', parameter: 'after', next: (body) => z.object({ next: z.string().optional() }).parse(body).next },
    refusal: ({ status }) => status === 418 ? { code: 'conflict' } : undefined,
  }`,
  mcp: `mcp: { url: 'https://{shop}.example/mcp' }`,
  identity: `identity: async (context) => ({ id: context.connectionId, label: 'x' })`,
  probe: `probe: async (context) => ({ realm: String(context.fields['shop']) })`,
  operations: `operations: { find, make }`,
  capabilities: `capabilities: { 'mail.send': 'make' }`,
  feeds: `feeds: { mail: { kinds: ['mail'], async *pages(context, cursor) { yield { records: [], deleted: [], cursor: [cursor, context.clock.now()] }; } } }`,
  limit: `limit: { perSecond: 1, burst: 1, concurrent: 1, windows: [{ calls: 1, ms: 1 }] }`,
  webhook: `webhook: { signedWith: 'client-secret', verify: (delivery) => delivery.body.length > 0 }`,
};

const find = `const find = readOperation({
  effect: 'read', title: 'Find', input: z.object({ q: z.string() }), run: async (context, { q }) => [q, context.connectionId],
});`;
const makeParts = {
  effect: `effect: 'send'`,
  version: `version: 1`,
  title: `title: 'Make'`,
  input: `input: mailSend`,
  summary: `summary: (mail) => mail.subject`,
  idempotency: `idempotency: 'look-up'`,
  lookUp: `lookUp: async (context, mail) => ({ found: false, conclusive: true, evidence: mail.subject + context.effectKey })`,
  run: `run: async (context, mail) => ({ reference: context.effectKey, details: { subject: mail.subject } })`,
};
const declaredParts = {
  title: `title: 'Get'`,
  input: `input: z.object({ id: z.string(), n: z.number().optional() })`,
  method: `method: 'GET'`,
  path: `path: '/things/{id}'`,
  query: `query: ({ n }) => ({ n })`,
  answer: `answer: z.object({ id: z.string() })`,
  result: `result: ({ id }) => id.length`,
};

function source(
  provider: Partial<Record<keyof typeof parts, string>> = {},
  make: Partial<Record<keyof typeof makeParts, string>> = {},
  declared: Partial<Record<keyof typeof declaredParts, string>> = {},
  more = '',
): string {
  const join = (all: Record<string, string>) =>
    Object.values(all)
      .filter((part) => part !== '')
      .join(',\n  ');
  return `import { z } from 'zod';
import { mailSend } from '${root}/src/providers/capabilities.ts';
import { readRequest, writeRequest } from '${root}/src/providers/declared.ts';
import { defineProvider, readOperation, writeOperation, type ProviderContext } from '${root}/src/providers/define.ts';
import { pages } from '${root}/src/providers/pages.ts';
import { send } from '${root}/src/providers/request.ts';
export { pages, readRequest, send, writeRequest };
${find}
const make = writeOperation({
  ${join({ ...makeParts, ...make })}
});
export const provider = defineProvider({
  ${join({ ...parts, ...provider })}
});
export const http = { baseUrl: 'https://api.example' };
export const declared = readRequest(http, {
  ${join({ ...declaredParts, ...declared })}
});
export const context = {} as ProviderContext;
${more}
`;
}

const auth = (from: string, to: string) => source({ auth: parts.auth.replace(from, to) });
const http = (from: string, to: string) => source({ http: parts.http.replace(from, to) });
const key = (place: string) =>
  source({ auth: `auth: { kind: 'api-key', secret: 'key', place: { header: 'X-Key' } ${place} }` });

const right: Record<string, string> = {
  'the whole of it': source(),
  'a key in a header': key(''),
  'a key that may be pasted in place of signing in': auth(`pkce: 'S256',`, `pkce: 'S256', pasted: 'key',`),
  'user and password': source({
    auth: `auth: { kind: 'basic', user: { field: 'shop' }, password: { secret: 'key' } }`,
  }),
  'no account at all': source({
    auth: `auth: { kind: 'none' }`,
    http: '',
    mcp: '',
    learned: '',
    secrets: 'secrets: []',
  }),
  'a consent made by a function, its addresses not literal': source(
    { auth: 'auth: family()' },
    {},
    {},
    `import type { OAuth2 } from '${root}/src/providers/auth.ts';
    function family(): OAuth2 { return provider.auth as OAuth2; }`,
  ),
  'a write without a way to look it up, saying so': source(
    {},
    { idempotency: `idempotency: 'none'`, lookUp: '' },
  ),
  'requests with every placeholder given': source(
    {},
    {},
    {},
    `
    void send(context, http, { method: 'GET', path: '/a/{b}/{c}', params: { b: 'x', c: 1 }, output: z.unknown() });
    void send(context, http, { method: 'GET', path: '/a', output: z.unknown() });
    void pages(context, http, { method: 'GET', path: '/a/{b}', params: { b: 'x' }, output: z.unknown() });`,
  ),
};

const wrong: Record<string, [source: string, says: RegExp]> = {
  // Placeholders
  'an undeclared placeholder in authorizeUrl': [
    auth('{shop}.example/authorize', '{ship}.example/authorize'),
    /undeclaredPlaceholder: "ship"/,
  ],
  'an undeclared placeholder in tokenUrl': [
    auth('{shop}.example/token', '{ship}.example/token'),
    /undeclaredPlaceholder: "ship"/,
  ],
  'an undeclared placeholder in refreshUrl': [
    auth('{shop}.example/refresh', '{ship}.example/refresh'),
    /"ship"/,
  ],
  'an undeclared placeholder in revocation.url': [
    auth('{shop}.example/revoke', '{ship}.example/revoke'),
    /"ship"/,
  ],
  'an undeclared placeholder in baseUrl': [http('{realm}', '{realms}'), /undeclaredPlaceholder: "realms"/],
  'an undeclared placeholder beside a declared one': [
    http('{realm}', '{realm}/{x}'),
    /undeclaredPlaceholder: "x"/,
  ],
  'an undeclared placeholder in mcp.url': [
    source({ mcp: `mcp: { url: 'https://{ship}.example' }` }),
    /"ship"/,
  ],
  'an undeclared placeholder in a header': [
    http(`version: '1'`, `version: '{ship}'`),
    /undeclaredPlaceholder: "ship"/,
  ],
  'a placeholder that was learned, without what learns it': [
    source({ learned: '' }),
    /undeclaredPlaceholder: "realm"/,
  ],
  'a placeholder of a path that is no member of the input': [
    source({}, {}, { path: `path: '/things/{ib}'` }),
    /"ib"/,
  ],
  'a placeholder of a path that may be missing': [source({}, {}, { path: `path: '/things/{n}'` }), /"n"/],
  'a path put together while running': [
    source({}, {}, { path: `path: \`/things/\${String(find.title)}\`` }),
    /mustBeWrittenOut/,
  ],
  'a request without the value of a placeholder': [
    source(
      {},
      {},
      {},
      `void send(context, http, { method: 'GET', path: '/a/{b}/{c}', params: { b: 'x' }, output: z.unknown() });`,
    ),
    /"?c"?/,
  ],
  'a request with a path put together': [
    source(
      {},
      {},
      {},
      `void send(context, http, { method: 'GET', path: \`/a/\${provider.id}\`, output: z.unknown() });`,
    ),
    /mustBeWrittenOut/,
  ],
  'a list with a path put together': [
    source(
      {},
      {},
      {},
      `void pages(context, http, { method: 'GET', path: \`/a/\${provider.id}\`, output: z.unknown() });`,
    ),
    /mustBeWrittenOut/,
  ],
  'a path that does not begin below the base': [
    source({}, {}, { path: `path: 'things/{id}'` }),
    /TS2322|TS2345/,
  ],
  // Unknown keys
  'an unknown key of the provider': [
    source({ title: `title: 'Shop', tittle: 'Shop'` }),
    /'tittle' does not exist/,
  ],
  'an unknown key of auth': [auth('scopes:', 'scope: [], scopes:'), /'scope' does not exist/],
  'an unknown key of an api key': [key(', header: 1'), /'header' does not exist/],
  'an unknown key of revocation': [
    auth("token: 'refresh',", "token: 'refresh', method: 'GET',"),
    /'method' does not exist/,
  ],
  'an unknown key of http': [http('headers:', 'header: {}, headers:'), /'header' does not exist/],
  'an unknown key of paging': [
    http("parameter: 'after',", "parameter: 'after', size: 1,"),
    /'size' does not exist/,
  ],
  'an unknown kind of paging': [http("kind: 'cursor'", "kind: 'keyset'"), /"keyset"/],
  'an unknown key of a read': [
    source({
      operations: `operations: { make, find: readOperation({ effect: 'read', title: 'x', input: z.object({}), scope: [], run: async () => 1 }) }`,
    }),
    /'scope' does not exist/,
  ],
  'an unknown key of a read written in place': [
    source({
      operations: `operations: { make, find: { effect: 'read', title: 'x', input: z.object({}), scope: [], run: async () => 1 } }`,
    }),
    /scope|never/,
  ],
  'an unknown key of a write': [
    source({}, { title: `title: 'Make', tittle: ''` }),
    /'tittle' does not exist/,
  ],
  'an unknown key of a declared request': [
    source({}, {}, { method: `method: 'GET', methods: 1` }),
    /'methods' does not exist/,
  ],
  'an unknown key of a feed': [
    source({ feeds: parts.feeds.replace('kinds:', 'kind: 1, kinds:') }),
    /'kind' does not exist/,
  ],
  'an unknown key of a limit': [
    source({ limit: 'limit: { perSecond: 1, burst: 1, concurrent: 1, perMinute: 1 }' }),
    /'perMinute' does not exist/,
  ],
  'an unknown key of a webhook': [
    source({ webhook: parts.webhook.replace('signedWith', 'header: 1, signedWith') }),
    /'header' does not exist/,
  ],
  'an unknown key of mcp': [
    source({ mcp: `mcp: { url: 'https://x.example', transport: 'sse' }` }),
    /'transport' does not exist/,
  ],
  'an unknown key of a credential': [
    source({ secrets: parts.secrets.replace('title:', 'label: 1, title:') }),
    /'label' does not exist/,
  ],
  'an unknown key of a learned field': [
    source({ learned: parts.learned.replace('as:', 'named: 1, as:') }),
    /'named' does not exist/,
  ],
  // What may not be left out
  'a provider without identity': [source({ identity: '' }), /identity/],
  'a provider without a limit': [source({ limit: '' }), /limit/],
  'a write without effect': [source({}, { effect: '' }), /effect/],
  'a write that calls itself a read': [source({}, { effect: `effect: 'read'` }), /"read"/],
  'a write without version': [source({}, { version: '' }), /version/],
  'a write without summary': [source({}, { summary: '' }), /summary/],
  'a write without idempotency': [source({}, { idempotency: '' }), /idempotency/],
  'a write that claims a look-up and has none': [source({}, { lookUp: '' }), /lookUp/],
  'a write that claims a key of the provider and has no look-up': [
    source({}, { idempotency: `idempotency: 'provider-key'`, lookUp: '' }),
    /lookUp/,
  ],
  'a write with a look-up that claims none': [source({}, { idempotency: `idempotency: 'none'` }), /lookUp/],
  'an access token of unknown life': [auth('{ seconds: 3600 }', `'unknown'`), /"unknown"/],
  'a refresh token of unknown life': [
    auth(`lifetime: { readFrom: 'answer' }`, `lifetime: 'unknown'`),
    /"unknown"/,
  ],
  'a consent that does not say how long a token lives': [
    auth('accessToken: { seconds: 3600 },', ''),
    /accessToken/,
  ],
  'a consent that does not say whether refresh tokens rotate': [auth(`rotation: 'always',`, ''), /rotation/],
  'a consent without steps to register the app': [
    auth(`registration: ['Make an app with {redirectUrl}'],`, ''),
    /registration/,
  ],
  // What must fit
  'a key that no credential declares': [
    source({ auth: `auth: { kind: 'api-key', secret: 'kee', place: { header: 'X' } }` }),
    /"kee"/,
  ],
  'a key to be pasted that no credential declares': [
    auth(`pkce: 'S256',`, `pkce: 'S256', pasted: 'kee',`),
    /"kee"/,
  ],
  'a user name that no field declares': [
    source({ auth: `auth: { kind: 'basic', user: { field: 'shup' }, password: { secret: 'key' } }` }),
    /"shup"/,
  ],
  'a capability that names no operation': [
    source({ capabilities: `capabilities: { 'mail.send': 'mak' }` }),
    /"mak"/,
  ],
  'a capability fulfilled by another kind of operation': [
    source({ capabilities: `capabilities: { 'mail.send': 'find' }` }),
    /"find"/,
  ],
  'an unknown capability': [source({ capabilities: `capabilities: { 'mail.burn': 'make' }` }), /mail\.burn/],
  'a code of error that is none of the house': [http(`code: 'conflict'`, `code: 'teapot'`), /"teapot"/],
};

let said = new Map<string, string>();
const house = mkdtempSync(join(tmpdir(), 'drawbridge-shape-'));
afterAll(() => rmSync(house, { recursive: true, force: true }));

/** One run of the checker over all files; what it says of each. */
beforeAll(async () => {
  const files = new Map<string, string>();
  const cases = {
    ...right,
    ...Object.fromEntries(Object.entries(wrong).map(([name, [text]]) => [name, text])),
  };
  for (const [index, [name, text]] of Object.entries(cases).entries()) {
    const file = `case-${index}.ts`;
    files.set(file, name);
    writeFileSync(join(house, file), text);
  }
  symlinkSync(join(root, 'node_modules'), join(house, 'node_modules'));
  writeFileSync(join(house, 'package.json'), '{"type":"module"}');
  writeFileSync(
    join(house, 'tsconfig.json'),
    JSON.stringify({
      extends: join(root, 'tsconfig.json'),
      compilerOptions: { noUnusedLocals: false, typeRoots: [join(root, 'node_modules/@types')] },
      include: ['*.ts'],
      exclude: [],
    }),
  );
  const output = await new Promise<string>((resolve) => {
    const tsc = join(root, 'node_modules/typescript-7/bin/tsc');
    execFile(
      process.execPath,
      [tsc, '-p', house, '--pretty', 'false'],
      { cwd: house },
      (_error, stdout, stderr) => resolve(stdout + stderr),
    );
  });
  let file = '';
  said = new Map();
  for (const line of output.split('\n')) {
    file = /^(\S+\.ts)\(\d+,\d+\): error/.exec(line)?.[1] ?? file;
    const name = files.get(file) ?? file;
    said.set(name, `${said.get(name) ?? ''}${line}\n`);
  }
});

test.each(Object.keys(right))('compiles: %s', (name) => {
  expect(said.get(name) ?? '').toBe('');
});

test.each(Object.entries(wrong).map(([name, [, says]]) => [name, says] as const))(
  'does not compile: %s',
  (name, says) => {
    expect(said.get(name) ?? 'nothing').toMatch(says);
  },
);
