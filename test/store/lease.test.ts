// Leases are judged by the database's time, and a holder that was paused writes nothing late.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Clock } from '../../src/clock.ts';
import {
  acquireLease,
  type Lease,
  longestLeaseMs,
  releaseLease,
  renewLease,
  requireLease,
} from '../../src/store/lease.ts';
import type { OrgStore } from '../../src/store/store.ts';
import { databases, type OpenedDatabase } from './databases.ts';

describe.each(databases)('on $name', (database) => {
  let opened: OpenedDatabase;
  let org: OrgStore;
  let count = 0;
  let ahead = 0;
  const clock: Clock = {
    now: () => Date.now() + ahead,
    elapsed: () => performance.now(),
    sleep: async () => undefined,
  };

  beforeAll(async () => {
    opened = await database.open({ clock });
    org = await opened.store.forOrg(await opened.store.createOrg('Brightwater Homes'));
  });
  afterAll(() => opened.close());

  function freshName(): string {
    count += 1;
    return `executor ${count}`;
  }

  /** Until the database says that the lease's time is over. PostgreSQL keeps its own time: it is asked again. */
  async function expiry(lease: Lease): Promise<void> {
    ahead += Math.max(0, lease.until - (await org.now()));
    while ((await org.now()) < lease.until) await new Promise(setImmediate);
  }
  function take(name: string, owner: string, ttlMs = 60_000): Promise<Lease | undefined> {
    return acquireLease(org, { name, owner, ttlMs });
  }
  async function taken(name: string, owner: string, ttlMs?: number): Promise<Lease> {
    const lease = await take(name, owner, ttlMs);
    if (lease === undefined) throw new Error(`${owner} was refused ${name}`);
    return lease;
  }
  /** A write of the kind that a lease protects. */
  function markWith(lease: Lease, mark: string): Promise<void> {
    return org.write(async (tx) => {
      await tx
        .insertInto('leases')
        .values({ org_id: org.orgId, name: `mark ${mark}`, owner: mark, fencing: 0, until: 0 })
        .execute();
      await requireLease(org, tx, lease);
    });
  }
  async function marks(mark: string): Promise<number> {
    const rows = await org.read((db) =>
      db.selectFrom('leases').select('name').where('owner', '=', mark).execute(),
    );
    return rows.length;
  }

  test('of many that ask at once, one gets the lease', async () => {
    const name = freshName();
    const answers = await Promise.all(['a', 'b', 'c', 'd'].map((owner) => take(name, owner)));
    expect(answers.filter((lease) => lease !== undefined)).toHaveLength(1);
  });

  test('a lease that is held is refused to all, its holder included', async () => {
    const name = freshName();
    await taken(name, 'a');
    expect(await take(name, 'b')).toBeUndefined();
    expect(await take(name, 'a')).toBeUndefined();
  });

  test('each holder has a higher fencing token, after an expiry and after a release', async () => {
    const name = freshName();
    const first = await taken(name, 'a', 50);
    await expiry(first);
    const second = await taken(name, 'b');
    await releaseLease(org, second);
    const third = await taken(name, 'a');
    expect([first.fencing, second.fencing, third.fencing]).toEqual([1, 2, 3]);
  });

  test('a renewed lease outlives its first term', async () => {
    const name = freshName();
    const first = await taken(name, 'a', 1_000);
    const renewed = await renewLease(org, first, 60_000);
    expect(renewed).toMatchObject({ name, owner: 'a', fencing: first.fencing });
    await expiry(first);
    expect(await take(name, 'b')).toBeUndefined();
    await markWith(first, name);
    expect(await marks(name)).toBe(1);
  });

  test("a paused holder's late write is refused whole, whether another holds the lease by then or not", async () => {
    const name = freshName();
    const paused = await taken(name, 'a', 50);
    await expiry(paused);
    await expect(markWith(paused, `${name} late`)).rejects.toMatchObject({ code: 'conflict' });
    const next = await taken(name, 'b');
    await expect(markWith(paused, `${name} late`)).rejects.toMatchObject({ code: 'conflict' });
    expect(await marks(`${name} late`)).toBe(0);
    await markWith(next, `${name} in time`);
    expect(await marks(`${name} in time`)).toBe(1);
  });

  test('a lost lease is neither renewed nor released by its former holder, though the owner has the same name', async () => {
    const name = freshName();
    const lost = await taken(name, 'a', 50);
    await expiry(lost);
    const held = await taken(name, 'a');
    expect(await renewLease(org, lost, 60_000)).toBeUndefined();
    await releaseLease(org, lost);
    await markWith(held, name);
    expect(await marks(name)).toBe(1);
    expect(await take(name, 'b')).toBeUndefined();
  });

  test('a lease from a time that the clock has since left does not stand in the way', async () => {
    const name = freshName();
    const future = await taken(name, 'a');
    await org.write((tx) =>
      tx
        .updateTable('leases')
        .set({ until: future.until + 10 * longestLeaseMs })
        .where('name', '=', name)
        .execute(),
    );
    expect(await take(name, 'b')).toMatchObject({ owner: 'b', fencing: 2 });
  });

  test('a lease lasts at least a millisecond and at most ten minutes', async () => {
    for (const ttlMs of [0, -1, 1.5, longestLeaseMs + 1, Number.NaN]) {
      await expect(take(freshName(), 'a', ttlMs)).rejects.toThrow('ms');
    }
  });
});
