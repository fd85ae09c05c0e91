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

test('the table in the documents names the variables that src/config.ts does, and no other', () => {
  const root = join(import.meta.dirname, '../..');
  const named = (path: string) =>
    [...new Set(readFileSync(join(root, path), 'utf8').match(/DRAWBRIDGE_[A-Z]\w*/g))].sort();
  expect(named('docs/configuration.md')).toEqual(named('src/config.ts'));
});
