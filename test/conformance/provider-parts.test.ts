// What the suite leaves out follows from the declaration: shown on declarations that belong to nobody.
import { expect, test } from 'vitest';
import { catalog } from '../../src/providers/catalog.ts';
import type { Provider } from '../../src/providers/define.ts';
import { type Parts, partsOf } from './provider-parts.ts';

const oauth2 = (await catalog.find(({ app }) => app !== undefined)?.load())?.auth;
if (oauth2?.kind !== 'oauth2') throw new Error('no provider of the catalogue signs in by OAuth');

const bare = {
  id: 'invented',
  secrets: [],
  auth: { kind: 'none' },
  operations: {},
  capabilities: {},
  feeds: {},
  limit: { perSecond: 1, burst: 1, concurrent: 1 },
} as unknown as Provider;
const secret = { name: 'key', title: 'Key', hint: 'Here.' };
const read = { effect: 'read' } as unknown as Provider['operations'][string];
const write = { effect: 'send' } as unknown as Provider['operations'][string];
const feed = {} as Provider['feeds'][string];

const running = (parts: Parts) =>
  Object.entries(parts)
    .filter(([, reason]) => reason === undefined)
    .map(([name]) => name);

test.each<[string, Partial<Provider>, string[]]>([
  ['nothing at all', {}, []],
  ['a form', { auth: { kind: 'password' }, secrets: [secret] }, ['typed', 'credential', 'asks']],
  [
    'a sign-in',
    { auth: { ...oauth2, issuer: 'https://issuer.example' } },
    ['signIn', 'issuer', 'renewal', 'credential', 'asks'],
  ],
  [
    'a sign-in whose token is not renewed',
    { auth: { ...oauth2, refreshToken: 'none', issuer: '' } },
    ['signIn', 'issuer', 'credential', 'asks'],
  ],
  [
    'a sign-in that the server names',
    { auth: { kind: 'discovered' } },
    ['signIn', 'issuer', 'renewal', 'credential', 'asks'],
  ],
  ['operations that are found out', { discover: async () => ({}) }, ['reads', 'texts', 'asks', 'operations']],
  ['a write', { operations: { write } }, ['asks', 'operations']],
  ['a read', { operations: { read } }, ['reads', 'texts', 'asks', 'operations']],
  ['a feed', { feeds: { feed } }, ['feeds', 'texts', 'asks']],
  ['a webhook', { webhook: { signedWith: 'client-secret', verify: () => false } }, ['webhook']],
])('of a provider with %s these parts run, and each of the others says why not', (_what, declared, parts) => {
  const told = partsOf({ ...bare, ...declared });
  expect(running(told).sort()).toEqual([...parts].sort());
  for (const reason of Object.values(told)) expect(reason ?? 'it runs').toMatch(/\S/);
});

test('every part runs on some provider of the catalogue', async () => {
  const run = new Set<string>();
  for (const entry of catalog) for (const part of running(partsOf(await entry.load()))) run.add(part);
  expect([...run].sort()).toEqual(Object.keys(partsOf(bare)).sort());
});
