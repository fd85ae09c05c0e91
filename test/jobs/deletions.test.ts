// The brake on deletions: what a sync finds gone is forgotten within that sync, unless it is too much at once; then
// nothing is, until a person says so.
import { describe, expect, test } from 'vitest';
import { createAudit } from '../../src/audit/create.ts';
import type { Person } from '../../src/auth/principal.ts';
import { createIngestion } from '../../src/jobs/ingestion.ts';
import { type SyncResult, syncConnection } from '../../src/jobs/sync.ts';
import type { FeedPage } from '../../src/providers/define.ts';
import type { SourceRecord } from '../../src/providers/record.ts';
import { log } from '../connections/office.ts';
import { databases } from '../store/databases.ts';
import { note, notesScene, titles } from './notes-provider.ts';

const audit = createAudit({ signingSeed: () => new Uint8Array(32), knownSeeds: () => [] });
const ids = (count: number, from = 1) =>
  Array.from({ length: count }, (_, i) => `n${String(from + i).padStart(3, '0')}`);

/** The provider has `there`; each run gives the pages that the test says, else all of it as a complete list. */
async function scene(count: number, database?: (typeof databases)[number]) {
  const provider: { there: string[]; pages?: FeedPage[] | undefined; fail?: boolean } = { there: ids(count) };
  const all = await notesScene(
    {
      async *notes() {
        if (provider.pages !== undefined) {
          yield* provider.pages;
          if (provider.fail === true) throw new Error('the line went dead');
          return;
        }
        const { there } = provider;
        yield { records: there.map((id) => note(id)), deleted: [], complete: { ids: there }, cursor: 1 };
      },
    },
    database === undefined ? {} : { database },
  );
  const { org, connection, store } = all;
  const ingestion = createIngestion({ ...all, store, audit, log });
  const sync = (): Promise<SyncResult> => syncConnection({ ...all, log });
  const person: Person = { kind: 'person', orgId: org.orgId, memberId: 'mem_1', name: 'Ann' };
  const asked = async () => (await ingestion.states(org, [connection.id]))[0]?.asked;
  const decide = (answer: 'forget' | 'keep') =>
    ingestion.decide(org, person, { connection, answer, channel: 'terminal' });
  await sync();
  return { ...all, provider, sync, person, asked, decide, ingestion };
}

describe.each(databases)('on $name', (database) => {
  test('a fifth of a connection may go in one sync; one more is asked about, and then nothing goes', async () => {
    const all = await scene(100, database);
    all.provider.there = ids(80, 21);
    expect(await all.sync()).toMatchObject({ deleted: 20, held: 0 });
    expect(await titles(all)).toHaveLength(80);
    all.provider.there = ids(63, 38);
    expect(await all.sync()).toMatchObject({ deleted: 0, held: 17 });
    expect(await titles(all)).toHaveLength(80);
    expect(await all.asked()).toMatchObject({ count: 17, titles: { length: 5 } });
  });

  test('a person who agrees has them forgotten at once, and the record names who it was', async () => {
    const all = await scene(40, database);
    all.provider.there = ids(4);
    await all.sync();
    expect(await all.decide('forget')).toBe(36);
    expect(await titles(all)).toEqual(ids(4));
    expect(await all.asked()).toBeUndefined();
    const entries = await audit.list(all.org);
    expect(entries.find(({ kind }) => kind === 'sync.deletions-confirmed')).toMatchObject({
      subject: all.connection.id,
      by: { kind: 'person', id: 'mem_1' },
      channel: 'terminal',
      facts: { records: 36 },
    });
    expect(await all.sync()).toMatchObject({ deleted: 0, held: 0 });
  });
});

test('a few records may go, however large a part of a small account they are', async () => {
  const all = await scene(12);
  all.provider.there = ids(2);
  expect(await all.sync()).toMatchObject({ deleted: 10, held: 0 });
});

test('what a person keeps stays, is not asked about again, and goes when it comes back and is deleted anew', async () => {
  const all = await scene(40);
  all.provider.there = ids(4);
  await all.sync();
  expect(await all.decide('keep')).toBe(36);
  expect(await all.sync()).toMatchObject({ deleted: 0, held: 0 });
  expect(await titles(all)).toHaveLength(40);
  all.provider.there = ids(5);
  await all.sync();
  all.provider.there = ids(4);
  expect(await all.sync()).toMatchObject({ deleted: 1, held: 0 });
  expect(await titles(all)).not.toContain('n005');
});

test('meanwhile what is new comes in, and what else is gone belongs to the same question', async () => {
  const all = await scene(40);
  all.provider.there = ids(4);
  await all.sync();
  const synced = all.clock.now();
  all.clock.advance(60_000);
  all.provider.there = [...ids(3), 'new'];
  expect(await all.sync()).toMatchObject({ inserted: 1, deleted: 0, held: 37 });
  expect(await titles(all)).toContain('new');
  expect(await all.asked()).toMatchObject({ count: 37 });
  // Or what is gone would pass for verified.
  expect((await all.connections.get(all.org, all.connection.id)).lastSyncAt).toBe(synced);
  await all.decide('forget');
  await all.sync();
  expect((await all.connections.get(all.org, all.connection.id)).lastSyncAt).toBe(synced + 60_000);
});

test('a list that was wrong once asks nothing any more when the next one is right', async () => {
  const all = await scene(40);
  all.provider.pages = [{ records: [], deleted: [], complete: { ids: [] }, cursor: 1 }];
  expect(await all.sync()).toMatchObject({ held: 40 });
  all.provider.pages = undefined;
  expect(await all.sync()).toMatchObject({ deleted: 0, held: 0 });
  expect(await all.asked()).toBeUndefined();
  expect(await titles(all)).toHaveLength(40);
});

test('deletions that are named page by page count as one sync', async () => {
  const all = await scene(100);
  all.provider.pages = [1, 11, 21].map((from) => ({ records: [], deleted: ids(10, from), cursor: from }));
  expect(await all.sync()).toMatchObject({ deleted: 0, held: 30 });
  expect(await titles(all)).toHaveLength(100);
});

test('deletions that come in pieces, because each run fails, count as one sync, too', async () => {
  const all = await scene(100);
  all.provider.fail = true;
  all.provider.pages = [{ records: [], deleted: ids(15), cursor: 2 }];
  await expect(all.sync()).rejects.toThrow('not synced completely');
  expect(await titles(all)).toHaveLength(85);
  all.provider.pages = [{ records: [], deleted: ids(15, 16), cursor: 3 }];
  await expect(all.sync()).rejects.toThrow('not synced completely');
  expect(await titles(all)).toHaveLength(85);
  expect(await all.asked()).toMatchObject({ count: 15 });
});

test('a record that moves, gone on one page and there on the next, is never out of memory', async () => {
  const all = await scene(3);
  all.provider.pages = [
    { records: [], deleted: ['n001'], cursor: 2 },
    { records: [note('n001')], deleted: [], cursor: 3 },
  ];
  expect(await all.sync()).toMatchObject({ unchanged: 1, deleted: 0 });
  expect(await titles(all)).toEqual(ids(3));
});

test('nobody who is no person of the org decides', async () => {
  const all = await scene(40);
  all.provider.there = [];
  await all.sync();
  const agent = { kind: 'agent', orgId: all.org.orgId, agentId: 'stdio', name: 'x', scopes: [] };
  const given = { connection: all.connection, answer: 'forget' as const, channel: 'page' };
  await expect(all.ingestion.decide(all.org, agent as unknown as Person, given)).rejects.toMatchObject({
    code: 'permission_denied',
  });
  await expect(
    all.ingestion.decide(all.org, { ...all.person, orgId: 'org_other' }, given),
  ).rejects.toMatchObject({ code: 'permission_denied' });
  expect(await titles(all)).toHaveLength(40);
});

test('a complete list of one feed says nothing of the records of another', async () => {
  const event = (id: string): SourceRecord => ({
    externalId: id,
    kind: 'event',
    mediaType: 'text/calendar',
    raw: Buffer.from(
      `BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//t//EN\r\nBEGIN:VEVENT\r\nUID:${id}\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:20260302T100000Z\r\nSUMMARY:${id}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n`,
    ),
  });
  const all = await notesScene(
    {
      async *notes() {
        yield { records: ids(30).map((id) => note(id)), deleted: [], cursor: 1 };
      },
      async *events() {
        yield { records: [event('e1')], deleted: [], complete: { ids: ['e1'] }, cursor: 1 };
      },
    },
    { kinds: { events: ['event'] } },
  );
  for (const full of [false, true]) {
    expect(await syncConnection({ ...all, log, full })).toMatchObject({ deleted: 0, held: 0 });
  }
  expect(await titles(all)).toEqual(['e1', ...ids(30)]);
});

test('of a feed that gives no list, reading everything again finds what is not there any more', async () => {
  let there = ids(30);
  const all = await notesScene({
    async *notes() {
      yield { records: there.slice(0, 15).map((id) => note(id)), deleted: [], cursor: 1 };
      yield { records: there.slice(15).map((id) => note(id)), deleted: [], cursor: 2 };
    },
  });
  await syncConnection({ ...all, log });
  there = ids(28);
  expect(await syncConnection({ ...all, log })).toMatchObject({ deleted: 0 });
  expect(await syncConnection({ ...all, log, full: true })).toMatchObject({ deleted: 2 });
  expect(await titles(all)).toEqual(ids(28));
});
