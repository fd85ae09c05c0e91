// Keys and the first org: what is kept, what is refused, and what two starts at once end in.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createKeys, type Keys } from '../../src/auth/keys.ts';
import { ensureLocalOrg } from '../../src/auth/local.ts';
import { createSignIn } from '../../src/auth/sign-in.ts';
import { systemClock } from '../../src/clock.ts';
import { createLog } from '../../src/log.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { type ManualClock, manualClock } from '../egress/manual-clock.ts';
import { databases } from '../store/databases.ts';

const log = createLog({ level: 'silent' });
let home: string;
let clock: ManualClock;
let store: Store;
let keys: Keys;
let orgId: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'drawbridge-auth-'));
  clock = manualClock();
  store = await openStore({ config: { home, databaseUrl: undefined }, clock, log });
  keys = createKeys({ store, clock, log });
  orgId = (await ensureLocalOrg(store, clock)).orgId;
});
afterAll(async () => {
  await store.close();
  await rm(home, { recursive: true, force: true });
});

test('a key opens what its scopes say, until it is revoked', async () => {
  const { id, key } = await keys.create(orgId, ' Cursor ', ['read']);
  expect(key.reveal()).toMatch(/^dbk_[\w-]{43}$/);
  expect(String(key)).toBe('[secret]');
  const header = `Bearer ${key.reveal()}`;
  expect(await keys.verify(header)).toEqual({
    kind: 'agent',
    orgId,
    agentId: id,
    name: 'Cursor',
    scopes: ['read'],
  });
  await keys.revoke(orgId, id);
  expect(await keys.verify(header)).toBeUndefined();
  expect((await keys.list(orgId)).find((one) => one.id === id)?.revokedAt).toBe(clock.now());
});

test('no header but a whole key in a Bearer is taken', async () => {
  const key = (await keys.create(orgId, 'One', ['read', 'propose'])).key.reveal();
  for (const header of [
    undefined,
    '',
    key,
    `Basic ${key}`,
    `Bearer ${key.slice(0, -1)}`,
    `Bearer ${key}A`,
    `Bearer ${key}, Bearer ${key}`,
    'Bearer ',
    `Bearer ${key.toUpperCase()}`,
  ]) {
    expect(await keys.verify(header), header).toBeUndefined();
  }
  expect(await keys.verify(`bearer ${key}`)).toBeDefined();
});

test('the last use is written down once a minute, not with each call', async () => {
  const { id, key } = await keys.create(orgId, 'Busy', ['read']);
  const usedAt = async () => (await keys.list(orgId)).find((one) => one.id === id)?.lastUsedAt;
  await keys.verify(`Bearer ${key.reveal()}`);
  const first = await usedAt();
  expect(first).toBe(clock.now());
  clock.advance(59_000);
  await keys.verify(`Bearer ${key.reveal()}`);
  expect(await usedAt()).toBe(first);
  clock.advance(1_000);
  await keys.verify(`Bearer ${key.reveal()}`);
  expect(await usedAt()).toBe(clock.now());
});

test('a key of one org is not revoked, nor listed, from another', async () => {
  const other = await store.createOrg('Other');
  const { id, key } = await keys.create(orgId, 'Mine', ['read']);
  await expect(keys.revoke(other, id)).rejects.toMatchObject({ code: 'not_found' });
  expect(await keys.list(other)).toEqual([]);
  expect(await keys.verify(`Bearer ${key.reveal()}`)).toMatchObject({ orgId });
});

test('a key without a name or a scope is refused', async () => {
  await expect(keys.create(orgId, ' ', ['read'])).rejects.toMatchObject({ field: 'name' });
  await expect(keys.create(orgId, 'x', [])).rejects.toMatchObject({ field: 'scopes' });
});

describe.each(databases)('the first start on $name', (database) => {
  // PGlite is one process and slow to open; three show the race as well.
  const starts = database.dialect === 'sqlite' ? 8 : 3;

  test(`${starts} at once end in one org and one owner`, async () => {
    const opened = await database.open();
    const stores = await Promise.all(Array.from({ length: starts }, () => opened.again()));
    try {
      const found = await Promise.all(stores.map((one) => ensureLocalOrg(one, systemClock)));
      expect(new Set(found.map((one) => one.orgId)).size).toBe(1);
      expect(new Set(found.map((one) => one.owner.memberId)).size).toBe(1);
      const rows = await opened.store.control.read(async (db) => ({
        orgs: await db.selectFrom('orgs').select('id').execute(),
        members: await db.selectFrom('members').select('org_id').execute(),
      }));
      expect(rows.orgs.length).toBe(1);
      expect(rows.members.length).toBe(1);
      for (const one of stores) expect((await one.forOrg(found[0]?.orgId ?? '')).orgId).toBe(found[0]?.orgId);
    } finally {
      for (const one of stores) await one.close();
      await opened.close();
    }
  });

  test('an org that a killed start left without an owner is taken up', async () => {
    const opened = await database.open();
    try {
      const left = await opened.store.createOrg('Home');
      expect((await ensureLocalOrg(opened.store, systemClock)).orgId).toBe(left);
      expect((await ensureLocalOrg(opened.store, systemClock)).orgId).toBe(left);
    } finally {
      await opened.close();
    }
  });

  test('keys, links and sessions work alike', async () => {
    const opened = await database.open();
    try {
      const { orgId: org, owner } = await ensureLocalOrg(opened.store, systemClock);
      const mine = createKeys({ store: opened.store, clock: systemClock, log });
      const { id, key } = await mine.create(org, 'One', ['read']);
      expect(await mine.verify(`Bearer ${key.reveal()}`)).toMatchObject({ agentId: id, scopes: ['read'] });
      await mine.revoke(org, id);
      expect(await mine.verify(`Bearer ${key.reveal()}`)).toBeUndefined();

      const signIn = createSignIn({ store: opened.store, clock: systemClock });
      const link = await signIn.createLink(owner);
      const { token, session } = await signIn.spend(link.reveal(), undefined);
      await expect(signIn.spend(link.reveal(), undefined)).rejects.toMatchObject({
        code: 'permission_denied',
      });
      expect(await signIn.session(token.reveal())).toMatchObject({ person: owner, csrf: session.csrf });
      await signIn.end(token.reveal());
      expect(await signIn.session(token.reveal())).toBeUndefined();
    } finally {
      await opened.close();
    }
  });
});
