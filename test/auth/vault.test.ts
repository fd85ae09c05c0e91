import { execFile } from 'node:child_process';
import { chmod, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { addMasterKey, forgetFormerMasterKeys, readMasterKeys } from '../../src/auth/master-keys.ts';
import { sealBytes } from '../../src/auth/seal.ts';
import { dataKeyLivesMs, openVault, type Vault } from '../../src/auth/vault.ts';
import { Secret } from '../../src/secret.ts';
import { openStore } from '../../src/store/open.ts';
import type { OrgStore, Store } from '../../src/store/store.ts';
import { log, temporaryHome } from '../connections/office.ts';
import { type ManualClock, manualClock } from '../egress/manual-clock.ts';
import { databases, type TestDatabase } from '../store/databases.ts';

const password = new Secret('correct horse battery staple');

interface Scene {
  home: string;
  clock: ManualClock;
  store: Store;
  org: OrgStore;
  vault: Vault;
  /** Another process on the same store and home. */
  again(key?: Secret, formerKey?: Secret): Vault;
  /** Before the test is over: one that opens many would have as many databases at once. */
  close(): Promise<void>;
}

async function open(database?: TestDatabase, key?: Secret): Promise<Scene> {
  const home = await temporaryHome();
  const clock = manualClock();
  const opened = await database?.open({ clock });
  const store = opened?.store ?? (await openStore({ config: { home, databaseUrl: undefined }, clock, log }));
  let closed = false;
  const close = async (): Promise<void> => {
    if (closed) return;
    closed = true;
    await (opened?.close() ?? store.close());
  };
  onTestFinished(close);
  const org = await store.forOrg(await store.createOrg('Harbour Homes'));
  const again = (given?: Secret, formerKey?: Secret) =>
    openVault({ config: { home, key: given, formerKey }, log, clock });
  const vault = again(key);
  return { home, clock, store, org, vault, again, close };
}

/** One connection with a password stored as `connections` stores it. */
async function withSecret(scene: Scene, count = 1): Promise<void> {
  const { org, vault } = scene;
  await vault.open(org);
  await org.write(async (tx) => {
    await tx
      .insertInto('connected_sources')
      .values({
        org_id: org.orgId,
        id: 'con_a',
        provider: 'mailbox',
        account: 'ann',
        label: 'ann',
        state: 'ACTIVE',
        fields: '{}',
        mcp_server_url: null,
        last_sync_at: null,
        last_error: null,
        created_at: 0,
        updated_at: 0,
      })
      .execute();
    for (let n = 0; n < count; n += 1) {
      const field = `password_${n}`;
      const { sealed, keyId } = vault.seal(org.orgId, 'con_a', field, new Secret(`secret number ${n}`));
      await tx
        .insertInto('secrets')
        .values({ org_id: org.orgId, connection_id: 'con_a', field, sealed, key_id: keyId, updated_at: 0 })
        .execute();
    }
    const app = vault.seal(org.orgId, 'provider-app', 'google', password);
    await tx
      .insertInto('provider_apps')
      .values({
        org_id: org.orgId,
        app: 'google',
        client_id: 'id',
        sealed: app.sealed,
        key_id: app.keyId,
        updated_at: 0,
      })
      .execute();
  });
}

async function stored(org: OrgStore) {
  return org.read((db) => db.selectFrom('secrets').selectAll().orderBy('field').execute());
}

async function allOpen(org: OrgStore, vault: Vault): Promise<void> {
  await vault.open(org);
  for (const { field, sealed, key_id } of await stored(org)) {
    expect(vault.unseal(org.orgId, 'con_a', field, { sealed, keyId: key_id }).reveal()).toBe(
      field.replace('password_', 'secret number '),
    );
  }
  const app = await org.read((db) => db.selectFrom('provider_apps').selectAll().executeTakeFirstOrThrow());
  const sealed = { sealed: app.sealed ?? new Uint8Array(), keyId: app.key_id ?? '' };
  expect(vault.unseal(org.orgId, 'provider-app', 'google', sealed).reveal()).toBe(password.reveal());
}

const dataKeys = (org: OrgStore) =>
  org.read((db) => db.selectFrom('data_keys').selectAll().orderBy('created_at').execute());

test('what is sealed opens in its own place, and in each place looks different', async () => {
  const { vault, org } = await open();
  await vault.open(org);
  const one = vault.seal(org.orgId, 'con_a', 'password', password);
  const two = vault.seal(org.orgId, 'con_a', 'password', password);
  expect(vault.unseal(org.orgId, 'con_a', 'password', one).reveal()).toBe(password.reveal());
  expect(Buffer.from(one.sealed).equals(two.sealed)).toBe(false);
  expect(Buffer.from(one.sealed).includes('horse')).toBe(false);
});

test.each([
  ['another connection', 'con_b', 'password'],
  ['another field', 'con_a', 'token'],
  ['a place that reads alike when run together', 'con_apass', 'word'],
  ['a place that reads alike with other separators', 'con_a","password', ''],
])('a value moved to %s does not open', async (_where, connection, field) => {
  const { vault, org } = await open();
  await vault.open(org);
  const sealed = vault.seal(org.orgId, 'con_a', 'password', password);
  expect(() => vault.unseal(org.orgId, connection, field, sealed)).toThrow(
    expect.objectContaining({ code: 'internal', retry: 'reconnect' }),
  );
});

test('a value, or a whole data key, moved to another org does not open there', async () => {
  const { store, vault, org, again } = await open();
  const other = await store.forOrg(await store.createOrg('Lakeside'));
  await vault.open(org);
  await vault.open(other);
  const sealed = vault.seal(org.orgId, 'con_a', 'password', password);
  expect(() => vault.unseal(other.orgId, 'con_a', 'password', sealed)).toThrow(/another key/);
  const [key] = await dataKeys(org);
  if (key === undefined) throw new Error('the org has no data key');
  await other.write(async (tx) => {
    await tx.deleteFrom('data_keys').execute();
    await tx
      .insertInto('data_keys')
      .values({ ...key, org_id: other.orgId })
      .execute();
  });
  await expect(again().open(other)).rejects.toThrow(/altered/);
});

test('one flipped bit anywhere, or a byte less, and nothing opens', async () => {
  const { vault, org } = await open();
  await vault.open(org);
  const { sealed, keyId } = vault.seal(org.orgId, 'con_a', 'password', password);
  for (let byte = 0; byte < sealed.length; byte += 1) {
    const altered = Uint8Array.from(sealed);
    altered[byte] = (altered[byte] ?? 0) ^ (1 << (byte % 8));
    expect(() => vault.unseal(org.orgId, 'con_a', 'password', { sealed: altered, keyId })).toThrow(/altered/);
  }
  for (const length of [0, 11, 12, 27, sealed.length - 1]) {
    const cut = sealed.subarray(0, length);
    expect(() => vault.unseal(org.orgId, 'con_a', 'password', { sealed: cut, keyId })).toThrow(/altered/);
  }
});

test('keys of a lost master key open nothing, and say how to mend it', async () => {
  const scene = await open();
  await withSecret(scene);
  const stranger = scene.again(new Secret(Buffer.alloc(32, 9).toString('base64')));
  await expect(stranger.open(scene.org)).rejects.toMatchObject({
    code: 'auth_expired',
    message: expect.stringMatching(/another key.*connect the accounts again/),
  });
});

test('the key file is made on first use, for its owner alone, and read again', async () => {
  const { home, org, vault, again } = await open();
  expect(await readdir(home)).not.toContain('key');
  await vault.open(org);
  const sealed = vault.seal(org.orgId, 'con_a', 'password', password);
  expect((await stat(join(home, 'key'))).mode & 0o777).toBe(0o600);
  const other = again();
  await other.open(org);
  expect(other.unseal(org.orgId, 'con_a', 'password', sealed).reveal()).toBe(password.reveal());
});

test('without its key file nothing opens, and looking for it makes no other', async () => {
  const scene = await open();
  await withSecret(scene);
  await rm(join(scene.home, 'key'));
  await expect(scene.again().open(scene.org)).rejects.toMatchObject({
    code: 'auth_expired',
    message: expect.stringContaining('is missing'),
  });
  expect(await readdir(scene.home)).not.toContain('key');
});

test('DRAWBRIDGE_KEY takes the place of the file', async () => {
  const { home, org, vault } = await open(undefined, new Secret(Buffer.alloc(32, 7).toString('base64')));
  await vault.open(org);
  expect(await readdir(home)).not.toContain('key');
});

describe.each(databases)('rotation on $name', (database) => {
  test('a new data key takes over, everything stored is sealed under it, and the spent one goes after an hour', async () => {
    const scene = await open(database);
    const { org, vault, again } = scene;
    await withSecret(scene, 120);
    const [first] = await dataKeys(org);
    expect(await vault.rotate(org, { newDataKey: true })).toEqual({ rewrapped: 0, resealed: 121 });
    const [former, current] = await dataKeys(org);
    expect(former).toMatchObject({ id: first?.id, retired_at: expect.any(Number) });
    expect(new Set((await stored(org)).map((row) => row.key_id))).toEqual(new Set([current?.id]));
    await allOpen(org, again());
    expect(await vault.rotate(org)).toEqual({ rewrapped: 0, resealed: 0 });
    expect(await dataKeys(org)).toHaveLength(2);
    await org.write((tx) =>
      tx
        .updateTable('data_keys')
        .set({ retired_at: 1 })
        .where('id', '=', first?.id ?? '')
        .execute(),
    );
    await vault.rotate(org);
    expect((await dataKeys(org)).map(({ id }) => id)).toEqual([current?.id]);
    await allOpen(org, again());
  });

  test('a rotation that was killed at any statement goes on where it stood, and nothing is lost', async () => {
    for (let kill = 1; ; kill += 1) {
      const scene = await open(database);
      const { org, again } = scene;
      await withSecret(scene, 60);
      addMasterKey(scene.home);
      let writes = 0;
      const dying: OrgStore = {
        ...org,
        write: (work) => {
          writes += 1;
          return writes >= kill ? Promise.reject(new Error('killed')) : org.write(work);
        },
      };
      const died = await again()
        .rotate(dying, { newDataKey: true })
        .then(
          () => false,
          () => true,
        );
      await allOpen(org, again());
      await again().rotate(org, { newDataKey: !died });
      forgetFormerMasterKeys(scene.home);
      await allOpen(org, again());
      await scene.close();
      if (!died) return;
      expect(kill).toBeLessThan(20);
    }
  });

  test('processes that come first at once agree on one data key', async () => {
    const { org, again } = await open(database);
    const vaults = Array.from({ length: 6 }, () => again());
    await Promise.all(vaults.map((vault) => vault.open(org)));
    const ids = vaults.map((vault) => vault.seal(org.orgId, 'con_a', 'password', password).keyId);
    expect(new Set(ids).size).toBe(1);
    expect(await dataKeys(org)).toHaveLength(1);
  });
});

test('a data key is replaced by itself after 90 days, not before', async () => {
  const scene = await open();
  await withSecret(scene);
  scene.clock.advance(dataKeyLivesMs - 1);
  expect(await scene.vault.rotate(scene.org)).toMatchObject({ resealed: 0 });
  scene.clock.advance(1);
  expect(await scene.vault.rotate(scene.org)).toMatchObject({ resealed: 2 });
});

test('a process that knows an older key still seals what others can open, and learns of the new one', async () => {
  const scene = await open();
  await withSecret(scene);
  const { org, vault, again, clock } = scene;
  const other = again();
  await other.open(org);
  await vault.rotate(org, { newDataKey: true });
  const late = other.seal(org.orgId, 'con_a', 'late', password);
  expect(vault.unseal(org.orgId, 'con_a', 'late', late).reveal()).toBe(password.reveal());
  clock.advance(60_000);
  await other.open(org);
  const keys = await dataKeys(org);
  expect(other.seal(org.orgId, 'con_a', 'later', password).keyId).toBe(keys.at(-1)?.id);
});

test('from DRAWBRIDGE_KEY_FORMER to DRAWBRIDGE_KEY: rewrapped, the former is needed no more', async () => {
  const one = new Secret(Buffer.alloc(32, 1).toString('base64'));
  const two = new Secret(Buffer.alloc(32, 2).toString('base64'));
  const scene = await open(undefined, one);
  await withSecret(scene);
  expect(await scene.again(two, one).rotate(scene.org)).toEqual({ rewrapped: 1, resealed: 0 });
  await allOpen(scene.org, scene.again(two));
});

test('what the master key itself sealed, before there were data keys, opens, and is resealed', async () => {
  const scene = await open();
  await withSecret(scene);
  const { org, home, again } = scene;
  const { present } = readMasterKeys({ home, key: undefined }, { make: false });
  const place = ['drawbridge secret', org.orgId, 'con_a', 'password_0', present.id];
  const sealed = sealBytes(present.bytes, place, Buffer.from('secret number 0'));
  await org.write((tx) => tx.updateTable('secrets').set({ sealed, key_id: present.id }).execute());
  await allOpen(org, again());
  expect(await again().rotate(org)).toMatchObject({ resealed: 1 });
  await allOpen(org, again());
});

test('sealing before the vault of the org was opened is refused', async () => {
  const { vault, org } = await open();
  expect(() => vault.seal(org.orgId, 'con_a', 'password', password)).toThrow(/not open/);
});

// Windows has no file modes.
test.skipIf(process.platform === 'win32')(
  'a key file that others may read is refused, with the mend',
  async () => {
    const home = await temporaryHome();
    readMasterKeys({ home, key: undefined }, { make: true });
    for (const mode of [0o640, 0o604, 0o660, 0o602]) {
      await chmod(join(home, 'key'), mode);
      expect(() => readMasterKeys({ home, key: undefined }, { make: true })).toThrow(/chmod 600/);
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
  expect(() => readMasterKeys({ home, key: undefined }, { make: true })).toThrow(/does not hold a key/);
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
