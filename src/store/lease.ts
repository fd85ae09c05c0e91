// A lease: one holder at a time, by name, by the database's time. Each holder gets a higher fencing token, so
// that the late write of one that was paused is refused.
import type { Transaction } from 'kysely';
import { DrawbridgeError } from '../errors.ts';
import type { OrgStore } from './store.ts';
import type { OrgTables } from './tables.ts';

/** No lease is longer; one that claims to be was written by a clock that has been set back since. */
export const longestLeaseMs = 600_000;

export interface Lease {
  name: string;
  owner: string;
  /** Grows with every holder of this name. */
  fencing: number;
  /** Integer ms, by the database's time. */
  until: number;
}

/**
 * Takes the lease, or answers undefined while another holds it (the same owner included: a holder renews).
 * `ttlMs`: 1 to 600,000.
 */
export async function acquireLease(
  org: OrgStore,
  wanted: { name: string; owner: string; ttlMs: number },
): Promise<Lease | undefined> {
  const { name, owner, ttlMs } = wanted;
  checkTtl(ttlMs);
  return org.write(async (tx) => {
    const now = await org.now();
    const until = now + ttlMs;
    return tx
      .insertInto('leases')
      .values({ org_id: org.orgId, name, owner, fencing: 1, until })
      .onConflict((conflict) =>
        conflict
          .columns(['org_id', 'name'])
          .doUpdateSet((row) => ({ owner, until, fencing: row('leases.fencing', '+', 1) }))
          .where((row) =>
            row.or([row('leases.until', '<=', now), row('leases.until', '>', now + longestLeaseMs)]),
          ),
      )
      .returning(['name', 'owner', 'fencing', 'until'])
      .executeTakeFirst();
  });
}

/** When the lease of that name runs out unless it is renewed, integer ms by the database's time; 0 when nobody ever held it. */
export async function leaseEnds(org: OrgStore, name: string): Promise<number> {
  const row = await org.read((db) =>
    db
      .selectFrom('leases')
      .select('until')
      .where('org_id', '=', org.orgId)
      .where('name', '=', name)
      .executeTakeFirst(),
  );
  return row?.until ?? 0;
}

/** Holds on for `ttlMs` from now; undefined when the lease was lost, and then the work must stop. */
export async function renewLease(org: OrgStore, lease: Lease, ttlMs: number): Promise<Lease | undefined> {
  checkTtl(ttlMs);
  return org.write(async (tx) => {
    const now = await org.now();
    return tx
      .updateTable('leases')
      .set({ until: now + ttlMs })
      .where('org_id', '=', org.orgId)
      .where('name', '=', lease.name)
      .where('owner', '=', lease.owner)
      .where('fencing', '=', lease.fencing)
      .where('until', '>', now)
      .returning(['name', 'owner', 'fencing', 'until'])
      .executeTakeFirst();
  });
}

/** Gives the lease up; nothing happens when it was lost already. */
export async function releaseLease(org: OrgStore, lease: Lease): Promise<void> {
  await org.write((tx) => releaseWith(tx, org.orgId, lease));
}

/** The same as part of a write: work and lease end with one commit. */
export async function releaseWith(tx: Transaction<OrgTables>, orgId: string, lease: Lease): Promise<void> {
  await tx
    .updateTable('leases')
    // The row stays: its fencing token must keep growing.
    .set({ until: 0 })
    .where('org_id', '=', orgId)
    .where('name', '=', lease.name)
    .where('owner', '=', lease.owner)
    .where('fencing', '=', lease.fencing)
    .execute();
}

/**
 * To be awaited inside a write, before it commits: the transaction goes through only while the lease is held.
 * The write lock keeps it so until the commit.
 * @throws DrawbridgeError `conflict` when it expired or another holds it.
 */
export async function requireLease(org: OrgStore, tx: Transaction<OrgTables>, lease: Lease): Promise<void> {
  const now = await org.now();
  const held = await tx
    .selectFrom('leases')
    .select('fencing')
    .where('org_id', '=', org.orgId)
    .where('name', '=', lease.name)
    .where('owner', '=', lease.owner)
    .where('fencing', '=', lease.fencing)
    .where('until', '>', now)
    .executeTakeFirst();
  if (held === undefined) {
    throw new DrawbridgeError(
      'conflict',
      `The lease "${lease.name}" is no longer held: nothing was written.`,
      {
        retry: 'later',
      },
    );
  }
}

function checkTtl(ttlMs: number): void {
  if (!Number.isInteger(ttlMs) || ttlMs < 1 || ttlMs > longestLeaseMs) {
    throw new DrawbridgeError('internal', `A lease lasts 1 to ${longestLeaseMs} ms, not ${ttlMs}.`);
  }
}
