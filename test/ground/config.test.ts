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

test('the table in the documents names the variables that src/config.ts does, and no other', () => {
  const root = join(import.meta.dirname, '../..');
  const named = (path: string) =>
    [...new Set(readFileSync(join(root, path), 'utf8').match(/DRAWBRIDGE_[A-Z]\w*/g))]
      .filter((name) => !name.startsWith('DRAWBRIDGE_GOOGLE_'))
      .sort();
  expect(named('docs/configuration.md')).toEqual(named('src/config.ts'));
});
