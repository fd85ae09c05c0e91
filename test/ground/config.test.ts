// What the environment says wrongly is named, not guessed at.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadConfig } from '../../src/config.ts';

test.each([
  ['DRAWBRIDGE_PROT', '7331'],
  ['DRAWBRIDGE_PORT', 'many'],
  ['DRAWBRIDGE_PORT', '70000'],
  ['DRAWBRIDGE_ALLOW_LOOPBACK', 'perhaps'],
  ['DRAWBRIDGE_LOG_LEVEL', 'loud'],
  ['DRAWBRIDGE_PUBLIC_URL', 'nowhere'],
  ['DRAWBRIDGE_ACTION_TTL_HOURS', '-1'],
  ['DRAWBRIDGE_HOLD_SECONDS', '-1'],
])('%s=%s is refused by its name', (name, value) => {
  expect(() => loadConfig({ [name]: value })).toThrow(name);
});

test('a malformed key is named, and not repeated', () => {
  const load = () => loadConfig({ DRAWBRIDGE_KEY: 'not-a-key-but-still-secret' });
  expect(load).toThrow('DRAWBRIDGE_KEY');
  expect(load).not.toThrow('still-secret');
});

test('variables of other programs are none of its business', () => {
  expect(() => loadConfig({ PORT: 'many', HOME: '/home/ada' })).not.toThrow();
});

test('the credentials of a registered app are read by its name, and a secret without its id is named', () => {
  const { apps } = loadConfig({
    DRAWBRIDGE_GOOGLE_CLIENT_ID: 'one',
    DRAWBRIDGE_GOOGLE_CLIENT_SECRET: 'quiet-secret',
    DRAWBRIDGE_FOLLOW_UP_BOSS_CLIENT_ID: 'two',
  });
  expect([...apps.keys()]).toEqual(['google', 'follow-up-boss']);
  expect(apps.get('google')?.clientSecret?.reveal()).toBe('quiet-secret');
  const lone = () => loadConfig({ DRAWBRIDGE_HUBSPOT_CLIENT_SECRET: 'quiet-secret' });
  expect(lone).toThrow(/DRAWBRIDGE_HUBSPOT_CLIENT_ID is missing/);
  expect(lone).not.toThrow('quiet-secret');
});

test('the sandbox takes the place of providers only on loopback, and only where that is admitted', () => {
  expect(() => loadConfig({ DRAWBRIDGE_SANDBOX_URL: 'http://127.0.0.1:4000' })).toThrow(/ALLOW_LOOPBACK=1/);
  for (const url of ['https://127.0.0.1', 'http://example.com', 'http://127.0.0.1.example.com']) {
    expect(() => loadConfig({ DRAWBRIDGE_SANDBOX_URL: url, DRAWBRIDGE_ALLOW_LOOPBACK: '1' })).toThrow(
      /DRAWBRIDGE_SANDBOX_URL/,
    );
  }
});

test('the table in the documents names the variables that the source does, and no other', () => {
  const root = join(import.meta.dirname, '../..');
  const named = (...paths: string[]) => {
    const text = paths.map((path) => readFileSync(join(root, path), 'utf8')).join('\n');
    return [...new Set(text.match(/DRAWBRIDGE_[A-Z]\w*/g))]
      .filter((name) => !name.startsWith('DRAWBRIDGE_GOOGLE_'))
      .sort();
  };
  expect(named('docs/configuration.md')).toEqual(
    named('src/config.ts', 'src/embedder-config.ts', 'src/reranker-config.ts', 'src/sign-in-config.ts'),
  );
});

const oidc = {
  DRAWBRIDGE_PUBLIC_URL: 'https://bridge.example.com',
  DRAWBRIDGE_OIDC_ISSUER: 'https://login.example',
  DRAWBRIDGE_OIDC_CLIENT_ID: 'client-1',
};
const supabase = {
  DRAWBRIDGE_PUBLIC_URL: 'https://bridge.example.com',
  DRAWBRIDGE_SUPABASE_URL: 'https://abc.supabase.co',
  DRAWBRIDGE_SUPABASE_PUBLISHABLE_KEY: 'sb_publishable_1',
  DRAWBRIDGE_SIGN_IN_WITH: 'google,apple,linkedin',
};

test('an issuer of sign-in is whole or not at all, and its client is no app of a provider', () => {
  const { signIn, apps } = loadConfig({ ...oidc, DRAWBRIDGE_OIDC_CLIENT_SECRET: 'quiet-secret' });
  expect(signIn).toMatchObject({
    origin: 'https://bridge.example.com',
    resource: 'https://bridge.example.com/mcp',
    audience: 'https://bridge.example.com/mcp',
    issuer: 'https://login.example',
    options: [{ id: 'issuer', title: 'login.example' }],
  });
  expect(apps.size).toBe(0);
  expect(JSON.stringify(signIn)).not.toContain('quiet-secret');
  expect(loadConfig({}).signIn).toBeUndefined();
  expect(loadConfig(supabase).signIn).toMatchObject({
    issuer: 'https://abc.supabase.co/auth/v1',
    options: [
      { id: 'google', title: 'Google', hint: 'google' },
      { id: 'apple', title: 'Apple', hint: 'apple' },
      { id: 'linkedin', title: 'LinkedIn', hint: 'linkedin_oidc' },
    ],
  });
});

test.each([
  ['no public address', { ...oidc, DRAWBRIDGE_PUBLIC_URL: '' }, /DRAWBRIDGE_PUBLIC_URL/],
  [
    'a public address in clear',
    { ...oidc, DRAWBRIDGE_PUBLIC_URL: 'http://bridge.example.com' },
    /must be https/,
  ],
  [
    'a public address with a path',
    { ...oidc, DRAWBRIDGE_PUBLIC_URL: 'https://example.com/bridge' },
    /no path/,
  ],
  [
    'an issuer in clear',
    { ...oidc, DRAWBRIDGE_OIDC_ISSUER: 'http://login.example' },
    /DRAWBRIDGE_OIDC_ISSUER/,
  ],
  ['an issuer without a client', { ...oidc, DRAWBRIDGE_OIDC_CLIENT_ID: '' }, /DRAWBRIDGE_OIDC_CLIENT_ID/],
  ['an ID token that would pass at /mcp', { ...oidc, DRAWBRIDGE_OIDC_AUDIENCE: 'client-1' }, /AUDIENCE/],
  [
    'a choice that the issuer is not told',
    { ...oidc, DRAWBRIDGE_SIGN_IN_WITH: 'google' },
    /DRAWBRIDGE_OIDC_HINT/,
  ],
  [
    'a choice that is none',
    { ...supabase, DRAWBRIDGE_SIGN_IN_WITH: 'google,myspace' },
    /DRAWBRIDGE_SIGN_IN_WITH/,
  ],
  ['two places to sign in', { ...oidc, ...supabase }, /one place/],
  ['a project without its key', { ...supabase, DRAWBRIDGE_SUPABASE_PUBLISHABLE_KEY: '' }, /PUBLISHABLE_KEY/],
  ['a project in clear', { ...supabase, DRAWBRIDGE_SUPABASE_URL: 'http://abc.example' }, /must be https/],
])('sign-in with %s is refused at the start', (_what, env, words) => {
  expect(() => loadConfig(env)).toThrow(words);
});

test('on this machine the public address of sign-in may be in clear', () => {
  for (const name of ['drawbridge.localhost:7331', 'localhost:7331', '127.0.0.1:7331']) {
    expect(loadConfig({ ...oidc, DRAWBRIDGE_PUBLIC_URL: `http://${name}` }).signIn?.origin).toBe(
      `http://${name}`,
    );
  }
});

test('an embedder is read with its key sealed away, and what it cannot have is named without it', () => {
  const { embedder } = loadConfig({
    DRAWBRIDGE_EMBEDDER: 'openai',
    DRAWBRIDGE_EMBEDDER_MODEL: 'meaning-1',
    DRAWBRIDGE_EMBEDDER_DIMENSIONS: '256',
    DRAWBRIDGE_EMBEDDER_KEY: 'sk-embedder-0123456789',
  });
  expect(embedder.settings).toEqual({ kind: 'openai', model: 'meaning-1', dimensions: 256 });
  expect(JSON.stringify(embedder)).not.toContain('sk-embedder');
  expect(loadConfig({}).embedder.settings).toBeUndefined();
  expect(() => loadConfig({ DRAWBRIDGE_EMBEDDER: 'word2vec' })).toThrow(/DRAWBRIDGE_EMBEDDER="word2vec"/);
  expect(() => loadConfig({ DRAWBRIDGE_EMBEDDER_DIMENSIONS: 'many' })).toThrow(/must be a whole number/);
});

test('a reranker is none unless it is named, and is read with its key sealed away', () => {
  const { reranker } = loadConfig({
    DRAWBRIDGE_RERANKER: 'local',
    DRAWBRIDGE_RERANKER_FOLDER: '/models/tiny/',
    DRAWBRIDGE_RERANKER_PASSAGES: '20',
    DRAWBRIDGE_RERANKER_TIMEOUT_MS: '800',
    DRAWBRIDGE_RERANKER_KEY: 'sk-reranker-0123456789',
  });
  expect(reranker.settings).toEqual({
    kind: 'local',
    model: 'tiny',
    folder: '/models/tiny/',
    passages: 20,
    timeoutMs: 800,
  });
  expect(JSON.stringify(reranker)).not.toContain('sk-reranker');
  expect(loadConfig({ DRAWBRIDGE_RERANKER_KEY: 'sk-reranker-0123456789' }).reranker.settings).toBeUndefined();
  expect(() => loadConfig({ DRAWBRIDGE_RERANKER: 'yes' })).toThrow(/DRAWBRIDGE_RERANKER="yes"/);
  expect(() => loadConfig({ DRAWBRIDGE_RERANKER_PASSAGES: 'all' })).toThrow(
    /DRAWBRIDGE_RERANKER_PASSAGES="all": must be a whole number/,
  );
});
