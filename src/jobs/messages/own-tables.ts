// The verbs on tables of our own. Each is one transaction; a kill in between leaves a message that comes again.
import type { Transaction } from 'kysely';
import { newId } from '../../ids.ts';
import { fromJson, toJson } from '../../store/codec.ts';
import type { OrgStore } from '../../store/store.ts';
import type { OrgTables } from '../../store/tables.ts';
import type { Message, QueueMetrics } from './messages.ts';

/** Of the newest id that this process gave out. */
let lastSent = 0;

export async function send(
  org: OrgStore,
  queue: string,
  body: unknown,
  { delayMs = 0 }: { delayMs?: number } = {},
): Promise<string> {
  return org.write(async (tx) => {
    const now = await org.now();
    // A millisecond apart, ids keep the order in which this process sent them.
    lastSent = Math.max(now, lastSent + 1);
    const id = newId('msg', lastSent);
    await tx
      .insertInto('messages')
      .values({
        org_id: org.orgId,
        queue,
        id,
        read_count: 0,
        enqueued_at: now,
        visible_at: now + delayMs,
        message: toJson(body),
      })
      .execute();
    return id;
  });
}

export async function read(
  org: OrgStore,
  queue: string,
  { visibleInMs, quantity }: { visibleInMs: number; quantity: number },
): Promise<Message[]> {
  // Most looks find nothing: those take no write lock.
  const waiting = await org.read(async (db) => {
    const now = await org.now();
    return db
      .selectFrom('messages')
      .select('id')
      .where('org_id', '=', org.orgId)
      .where('queue', '=', queue)
      .where('visible_at', '<=', now)
      .limit(1)
      .executeTakeFirst();
  });
  if (waiting === undefined) return [];
  return org.write(async (tx) => {
    const now = await org.now();
    let due = tx
      .selectFrom('messages')
      .selectAll()
      .where('org_id', '=', org.orgId)
      .where('queue', '=', queue)
      .where('visible_at', '<=', now)
      .orderBy('id')
      .limit(quantity);
    // SQLite's write lock is one already.
    if (org.dialect === 'postgres') due = due.forUpdate().skipLocked();
    const rows = await due.execute();
    if (rows.length === 0) return [];
    await tx
      .updateTable('messages')
      .set((row) => ({ visible_at: now + visibleInMs, read_count: row('read_count', '+', 1) }))
      .where('org_id', '=', org.orgId)
      .where('queue', '=', queue)
      .where(
        'id',
        'in',
        rows.map(({ id }) => id),
      )
      .execute();
    return rows.map((row) => ({
      id: row.id,
      readCount: row.read_count + 1,
      enqueuedAt: row.enqueued_at,
      body: fromJson<unknown>(row.message),
    }));
  });
}

export async function setVisibility(
  org: OrgStore,
  queue: string,
  id: string,
  visibleInMs: number,
): Promise<boolean> {
  return org.write(async (tx) => {
    const now = await org.now();
    const { numUpdatedRows } = await tx
      .updateTable('messages')
      .set({ visible_at: now + visibleInMs })
      .where('org_id', '=', org.orgId)
      .where('queue', '=', queue)
      .where('id', '=', id)
      .executeTakeFirst();
    return numUpdatedRows === 1n;
  });
}

async function take(tx: Transaction<OrgTables>, orgId: string, queue: string, id: string) {
  return tx
    .deleteFrom('messages')
    .where('org_id', '=', orgId)
    .where('queue', '=', queue)
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst();
}

export async function archive(org: OrgStore, queue: string, id: string): Promise<boolean> {
  return org.write(async (tx) => {
    const archivedAt = await org.now();
    const row = await take(tx, org.orgId, queue, id);
    if (row === undefined) return false;
    await tx
      .insertInto('archived_messages')
      .values({ ...row, archived_at: archivedAt })
      .execute();
    return true;
  });
}

export async function remove(org: OrgStore, queue: string, id: string): Promise<boolean> {
  return org.write(async (tx) => (await take(tx, org.orgId, queue, id)) !== undefined);
}

export async function metrics(org: OrgStore, queue: string): Promise<QueueMetrics> {
  return org.read(async (db) => {
    const now = await org.now();
    const all = db
      .selectFrom('messages')
      .where('org_id', '=', org.orgId)
      .where('queue', '=', queue)
      .select((is) => [is.fn.countAll().as('count'), is.fn.min('enqueued_at').as('oldest')]);
    const { count, oldest } = await all.executeTakeFirstOrThrow();
    const visible = await all.where('visible_at', '<=', now).executeTakeFirstOrThrow();
    return {
      length: Number(count),
      visible: Number(visible.count),
      oldestMs: Number(count) === 0 ? undefined : now - Number(oldest),
    };
  });
}

export async function sweepArchive(org: OrgStore, queue: string, keptMs: number): Promise<void> {
  await org.write(async (tx) => {
    const now = await org.now();
    await tx
      .deleteFrom('archived_messages')
      .where('org_id', '=', org.orgId)
      .where('queue', '=', queue)
      .where('archived_at', '<', now - keptMs)
      .execute();
  });
}
