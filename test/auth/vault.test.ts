import { execFile } from 'node:child_process';
import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { openVault, type Vault } from '../../src/auth/vault.ts';
import { Secret } from '../../src/secret.ts';
import { log, temporaryHome } from '../connections/office.ts';

const password = new Secret('correct horse battery staple');

async function newVault(): Promise<Vault> {
  return openVault({ config: { home: await temporaryHome(), key: undefined }, log });
}

test('what is sealed opens in its own place, and in each place looks different', async () => {
  const vault = await newVault();
  const one = vault.seal('org_a', 'con_a', 'password', password);
  const two = vault.seal('org_a', 'con_a', 'password', password);
  expect(vault.unseal('org_a', 'con_a', 'password', one).reveal()).toBe(password.reveal());
  expect(Buffer.from(one.sealed).equals(two.sealed)).toBe(false);
  expect(Buffer.from(one.sealed).includes('horse')).toBe(false);
});

test.each([
  ['another org', 'org_b', 'con_a', 'password'],
  ['another connection', 'org_a', 'con_b', 'password'],
  ['another field', 'org_a', 'con_a', 'token'],
  ['a place that reads alike when run together', 'org_acon', '_a', 'password'],
  ['a place that reads alike with other separators', 'org_a","con_a', '', 'password'],
])('a value moved to %s does not open', async (_where, org, connection, field) => {
  const vault = await newVault();
  const sealed = vault.seal('org_a', 'con_a', 'password', password);
  expect(() => vault.unseal(org, connection, field, sealed)).toThrow(
    expect.objectContaining({ code: 'internal', retry: 'reconnect' }),
  );
});

test('one flipped bit anywhere, or a byte less, and nothing opens', async () => {
  const vault = await newVault();
  const { sealed, keyId } = vault.seal('org_a', 'con_a', 'password', password);
  for (let byte = 0; byte < sealed.length; byte += 1) {
    const altered = Uint8Array.from(sealed);
    altered[byte] = (altered[byte] ?? 0) ^ (1 << (byte % 8));
    expect(() => vault.unseal('org_a', 'con_a', 'password', { sealed: altered, keyId })).toThrow(/altered/);
  }
  for (const length of [0, 11, 12, 27, sealed.length - 1]) {
    const cut = sealed.subarray(0, length);
    expect(() => vault.unseal('org_a', 'con_a', 'password', { sealed: cut, keyId })).toThrow(/altered/);
  }
});

test('a value sealed under another key says so, and how to mend it', async () => {
  const sealed = (await newVault()).seal('org_a', 'con_a', 'password', password);
  const vault = await newVault();
  vault.seal('org_a', 'con_a', 'password', password);
  expect(() => vault.unseal('org_a', 'con_a', 'password', sealed)).toThrow(
    expect.objectContaining({
      code: 'auth_expired',
      message: expect.stringMatching(/another key.*connect the account again/),
    }),
  );
  // And a forged key id does not help.
  const { keyId } = vault.seal('org_a', 'con_a', 'password', password);
  expect(() => vault.unseal('org_a', 'con_a', 'password', { ...sealed, keyId })).toThrow(/altered/);
});

test('the key file is made on first use, for its owner alone, and read again', async () => {
  const home = join(await temporaryHome(), 'not', 'there', 'yet');
  const vault = openVault({ config: { home, key: undefined }, log });
  await expect(stat(home)).rejects.toThrow();
  const sealed = vault.seal('org_a', 'con_a', 'password', password);
  expect((await stat(join(home, 'key'))).mode & 0o777).toBe(0o600);
  expect(await readdir(home)).toEqual(['key']);
  const again = openVault({ config: { home, key: undefined }, log });
  expect(again.unseal('org_a', 'con_a', 'password', sealed).reveal()).toBe(password.reveal());
});

test('without its key nothing opens, and looking for it makes no other', async () => {
  const sealed = (await newVault()).seal('org_a', 'con_a', 'password', password);
  const home = await temporaryHome();
  const vault = openVault({ config: { home, key: undefined }, log });
  expect(() => vault.unseal('org_a', 'con_a', 'password', sealed)).toThrow(
    expect.objectContaining({ code: 'auth_expired', message: expect.stringContaining('is missing') }),
  );
  expect(await readdir(home)).toEqual([]);
});

test('DRAWBRIDGE_KEY takes the place of the file', async () => {
  const home = await temporaryHome();
  const key = new Secret(Buffer.alloc(32, 7).toString('base64'));
  openVault({ config: { home, key }, log }).seal('org_a', 'con_a', 'password', password);
  expect(await readdir(home)).toEqual([]);
});

test.skipIf(process.platform === 'win32')(
  'a key file that others may read is refused, with the mend',
  async () => {
    const home = await temporaryHome();
    openVault({ config: { home, key: undefined }, log }).seal('o', 'c', 'f', password);
    for (const mode of [0o640, 0o604, 0o660, 0o602]) {
      await chmod(join(home, 'key'), mode);
      const vault = openVault({ config: { home, key: undefined }, log });
      expect(() => vault.seal('o', 'c', 'f', password)).toThrow(/chmod 600/);
    }
  },
);

test.each([
  '',
  'short',
  'A'.repeat(44),
  `${Buffer.alloc(31).toString('base64')}`,
  'not base64 at all, but as long as a key is!!=',
])('a key file that holds "%s" is refused, not replaced', async (content) => {
  const home = await temporaryHome();
  await writeFile(join(home, 'key'), content, { mode: 0o600 });
  const vault = openVault({ config: { home, key: undefined }, log });
  expect(() => vault.seal('o', 'c', 'f', password)).toThrow(/does not hold a key/);
  expect(await readFile(join(home, 'key'), 'utf8')).toBe(content);
});

test('processes that start together agree on one key', async () => {
  const home = await temporaryHome();
  const program = fileURLToPath(new URL('./fixtures/key-id.ts', import.meta.url));
  const runs = Array.from({ length: 6 }, () => promisify(execFile)(process.execPath, [program, home]));
  const ids = (await Promise.all(runs)).map(({ stdout }) => stdout);
  expect(ids[0]).toMatch(/^[0-9a-f]{8}$/);
  expect(new Set(ids).size).toBe(1);
  expect(await readdir(home)).toEqual(['key']);
});
