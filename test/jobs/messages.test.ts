// The verbs of messages, the same on every database: in tables of our own, and through pgmq where it is there.
import { PGlite } from '@electric-sql/pglite';
import { pgmq } from '@electric-sql/pglite-pgmq';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { createMessages, type Messages, ownMessages } from '../../src/jobs/messages/messages.ts';
import { createLog } from '../../src/log.ts';
import { openStore } from '../../src/store/open.ts';
import { createPgmq, hasPgmq } from '../../src/store/postgres/pgmq.ts';
import { resultParsers } from '../../src/store/postgres/source.ts';
import type { OrgStore, Store } from '../../src/store/store.ts';
import { manualClock } from '../egress/manual-clock.ts';
import { databases, sourceOf } from '../store/databases.ts';

interface Place {
  messages: Messages;
  org: OrgStore;
  other: OrgStore;
  /** Lets time pass for what is stored. */
  pass(ms: number): Promise<void>;
}

async function orgsOf(store: Store): Promise<{ org: OrgStore; other: OrgStore }> {
  return {
    org: await store.forOrg(await store.createOrg('Harbour Homes')),
    other: await store.forOrg(await store.createOrg('Quay Lettings')),
  };
}

let pgmqOpened: Promise<{ db: PGlite; store: Store }> | undefined;
afterAll(async () => (await pgmqOpened)?.db.close());

/** One database for all, in which each test has orgs of its own: it takes seconds to start. */
function pgmqPlace(): Promise<{ db: PGlite; store: Store }> {
  pgmqOpened ??= (async () => {
    const db = await PGlite.create({ extensions: { pgmq }, parsers: { ...resultParsers } });
    await db.exec('create extension pgmq');
    const config = { home: '', databaseUrl: undefined };
    const log = createLog({ level: 'silent' });
    return { db, store: await openStore({ config, clock: manualClock(), log, postgres: sourceOf(db) }) };
  })();
  return pgmqOpened;
}

const places: { name: string; open(): Promise<Place> }[] = [
  // A real server keeps its own time, which no test moves.
  ...databases
    .filter(({ name }) => name !== 'PostgreSQL')
    .map(({ name, open }) => ({
      name: `in tables on ${name}`,
      async open(): Promise<Place> {
        const clock = manualClock();
        const opened = await open({ clock });
        onTestFinished(() => opened.close());
        const pass = async (ms: number) => clock.advance(ms);
        return { messages: ownMessages, ...(await orgsOf(opened.store)), pass };
      },
    })),
  {
    name: 'through pgmq on PGlite',
    async open(): Promise<Place> {
      const { db, store } = await pgmqPlace();
      expect(await hasPgmq(store)).toBe(true);
      const { org, other } = await orgsOf(store);
      const pass = async (ms: number) => {
        for (const one of [org, other]) {
          const name = `pgmq.q_work_${one.orgId}`;
          if ((await db.query(`select 1 where to_regclass('${name}') is null`)).rows.length > 0) continue;
          await db.exec(
            `update ${name} set vt = vt - interval '${ms} ms', enqueued_at = enqueued_at - interval '${ms} ms'`,
          );
        }
      };
      return { messages: createPgmq(store), org, other, pass };
    },
  },
];

const take = { visibleInMs: 30_000, quantity: 10 };

describe.each(places)('messages $name', ({ open }) => {
  test('are read in the order in which they were sent, and by one reader each', async () => {
    const { messages, org } = await open();
    const sent = [await messages.send(org, 'work', { n: 1 }), await messages.send(org, 'work', { n: 2 })];
    const first = await messages.read(org, 'work', { ...take, quantity: 1 });
    expect(first).toMatchObject([{ id: sent[0], readCount: 1, body: { n: 1 } }]);
    expect(await messages.read(org, 'work', take)).toMatchObject([{ id: sent[1], body: { n: 2 } }]);
    expect(await messages.read(org, 'work', take)).toEqual([]);
  });

  test('come again when their time is over, and say how often they were read', async () => {
    const { messages, org, pass } = await open();
    const id = await messages.send(org, 'work', 'once');
    await messages.read(org, 'work', take);
    await pass(29_000);
    expect(await messages.read(org, 'work', take)).toEqual([]);
    await pass(2_000);
    expect(await messages.read(org, 'work', take)).toMatchObject([{ id, readCount: 2 }]);
  });

  test('wait as long as they were sent to wait', async () => {
    const { messages, org, pass } = await open();
    await messages.send(org, 'work', 'later', { delayMs: 60_000 });
    expect(await messages.read(org, 'work', take)).toEqual([]);
    expect(await messages.metrics(org, 'work')).toMatchObject({ length: 1, visible: 0 });
    await pass(61_000);
    expect(await messages.read(org, 'work', take)).toMatchObject([{ body: 'later', readCount: 1 }]);
  });

  test('stay with their reader for as long as it says, or come back at once', async () => {
    const { messages, org, pass } = await open();
    const id = await messages.send(org, 'work', 'long');
    await messages.read(org, 'work', take);
    expect(await messages.setVisibility(org, 'work', id, 120_000)).toBe(true);
    await pass(60_000);
    expect(await messages.read(org, 'work', take)).toEqual([]);
    await messages.setVisibility(org, 'work', id, 0);
    expect(await messages.read(org, 'work', take)).toMatchObject([{ id, readCount: 2 }]);
    expect(await messages.setVisibility(org, 'work', '999999', 1_000)).toBe(false);
  });

  test('are gone once they are archived or deleted, and only once', async () => {
    const { messages, org, pass } = await open();
    const one = await messages.send(org, 'work', 1);
    const two = await messages.send(org, 'work', 2);
    expect(await messages.archive(org, 'work', one)).toBe(true);
    expect(await messages.archive(org, 'work', one)).toBe(false);
    expect(await messages.delete(org, 'work', two)).toBe(true);
    expect(await messages.delete(org, 'work', two)).toBe(false);
    await pass(3_600_000);
    expect(await messages.read(org, 'work', take)).toEqual([]);
    expect(await messages.metrics(org, 'work')).toEqual({ length: 0, visible: 0, oldestMs: undefined });
  });

  test('are counted with their age', async () => {
    const { messages, org, pass } = await open();
    await messages.send(org, 'work', 1);
    await messages.send(org, 'work', 2);
    await pass(5_000);
    await messages.read(org, 'work', { ...take, quantity: 1 });
    const { length, visible, oldestMs } = await messages.metrics(org, 'work');
    expect({ length, visible }).toEqual({ length: 2, visible: 1 });
    expect(Math.round((oldestMs ?? 0) / 1_000)).toBe(5);
  });

  test('of another org, and of another queue, are not there', async () => {
    const { messages, org, other } = await open();
    const id = await messages.send(org, 'work', 'mine');
    expect(await messages.read(other, 'work', take)).toEqual([]);
    expect(await messages.read(org, 'rest', take)).toEqual([]);
    expect(await messages.archive(other, 'work', id)).toBe(false);
    expect(await messages.metrics(org, 'work')).toMatchObject({ length: 1 });
  });
});

test('without pgmq the tables of our own are used', async () => {
  const [sqlite] = databases;
  const opened = await sqlite?.open();
  if (opened === undefined) throw new Error('SQLite is always there');
  onTestFinished(() => opened.close());
  const { org } = await orgsOf(opened.store);
  const messages = createMessages(opened.store);
  await messages.send(org, 'work', 'mine');
  expect(await ownMessages.read(org, 'work', take)).toMatchObject([{ body: 'mine' }]);
});
