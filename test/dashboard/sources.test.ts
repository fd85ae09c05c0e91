// The page of sources: what came, what runs, what failed and what to do, what is asked; and the deeds of a person.
import { get, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { newId } from '../../src/ids.ts';
import { leaseName } from '../../src/jobs/sync.ts';
import type { OrgTables } from '../../src/store/tables.ts';
import { manualClock } from '../egress/manual-clock.ts';
import { type Browser, type House, openHouse } from '../http/house.ts';

let house: House;
let browser: Browser;
const clock = manualClock();

beforeAll(async () => {
  house = await openHouse({ clock });
  browser = await house.browser();
});
afterAll(() => house.close());

const now = async () => house.org.now();

beforeEach(async () => {
  await house.org.write(async (tx) => {
    for (const table of [
      'held_deletions',
      'sync_schedules',
      'ingestion_jobs',
      'messages',
      'leases',
    ] as const) {
      await tx.deleteFrom(table).where('org_id', '=', house.org.orgId).execute();
    }
  });
});

async function job(given: Partial<OrgTables['ingestion_jobs']> = {}): Promise<void> {
  const at = await now();
  await house.org.write((tx) =>
    tx
      .insertInto('ingestion_jobs')
      .values({
        org_id: house.org.orgId,
        id: newId('job', at),
        connection_id: 'con_1',
        kind: 'sync',
        state: 'completed',
        source: '["mail"]',
        total: null,
        seen: 40,
        inserted: 12,
        updated: 3,
        unchanged: 25,
        deleted: 1,
        rejected: 0,
        problems: '[]',
        resume: null,
        started_at: at,
        updated_at: at,
        finished_at: at,
        cause: 'person',
        ...given,
      } as never)
      .execute(),
  );
}

async function schedule(given: Partial<OrgTables['sync_schedules']> = {}): Promise<void> {
  const at = await now();
  const row = {
    org_id: house.org.orgId,
    connection_id: 'con_1',
    every_ms: null,
    paused: 0,
    next_at: at + 6 * 3_600_000,
    failures: 0,
    last_error: null,
    full_wanted: 0,
    waiting_since: null,
    live_before: null,
    forgotten: 0,
    asked_at: null,
    updated_at: at,
  };
  await house.org.write((tx) =>
    tx
      .insertInto('sync_schedules')
      .values({ ...row, ...given })
      .execute(),
  );
}

async function lease(): Promise<void> {
  // Beyond whatever a test moves the clock by while it waits for a stream.
  const until = (await now()) + 24 * 3_600_000;
  await house.org.write((tx) =>
    tx
      .insertInto('leases')
      .values({ org_id: house.org.orgId, name: leaseName('con_1'), owner: 'x', fencing: 1, until })
      .execute(),
  );
}

/** The page's own stream of events. */
function listen(path: string): Promise<IncomingMessage> {
  const { host } = new URL(house.origin);
  const headers = { cookie: browser.cookie, host };
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port: house.listening.port, path, headers }, (answer) => resolve(answer)).on(
      'error',
      reject,
    );
  });
}

const row = async () =>
  house.org.read((db) => db.selectFrom('sync_schedules').selectAll().executeTakeFirst());
const text = async () => (await browser.get('/sources')).body.replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' ');
const post = (path: string, fields: Record<string, string> = {}) =>
  browser.post(path, { csrf: browser.csrf, ...fields });

test('says of each account what came, and what is next', async () => {
  await job();
  await schedule();
  const said = await text();
  expect(said).toContain('ana@northgate.example');
  expect(said).toContain('(12 new, 3 changed, 1 gone)');
  expect(said).toContain('Next in 6 hours, each night.');
  expect(said).toContain('Up to date');
});

test('a sync that brought nothing says so in words', async () => {
  await job({ inserted: 0, updated: 0, deleted: 0 });
  await schedule();
  expect(await text()).toContain('(nothing new)');
});

test('a sync that runs shows how far it is, and the stream tells when it is further', async () => {
  await job({ state: 'running', seen: 40, total: 160, finished_at: null });
  await schedule();
  await lease();
  const page = (await browser.get('/sources')).body;
  expect(page).toContain('40 of 160 records read, 12 new, 3 changed');
  expect(page).toMatch(/<progress [^>]*max="160" value="40"/);
  const live = /data-live="([^"]+)"/.exec(page)?.[1] ?? '';
  const stream = await listen(live);
  let heard = '';
  stream.setEncoding('utf8').on('data', (text: string) => {
    heard += text;
  });
  const until = async (words: string) =>
    expect
      .poll(
        () => {
          clock.advance(1_000);
          return heard;
        },
        { interval: 10 },
      )
      .toContain(words);
  await until('40 of 160 records read');
  await house.org.write((tx) =>
    tx.updateTable('ingestion_jobs').set({ seen: 90 }).where('org_id', '=', house.org.orgId).execute(),
  );
  await until('90 of 160 records read');
  await house.org.write((tx) =>
    tx
      .updateTable('ingestion_jobs')
      .set({ state: 'completed' })
      .where('org_id', '=', house.org.orgId)
      .execute(),
  );
  await until('event: changed');
  stream.destroy();
});

test('one whose process died is not said to be running', async () => {
  await job({ state: 'running', finished_at: null });
  await schedule();
  expect(await text()).not.toContain('Syncing');
});

test('an error is said with what to do about it, and nothing of it is markup', async () => {
  await job({ state: 'failed' });
  const last_error = JSON.stringify({
    code: 'auth_expired',
    message: 'Refused <b>now</b>.',
    at: await now(),
  });
  await schedule({ failures: 2, last_error });
  const { body } = await browser.get('/sources');
  expect(body).toContain('Refused &lt;b&gt;now&lt;/b&gt;.');
  expect(body).toContain('href="/connect/post?account=con_1"');
  expect(await text()).toContain('Tried again in 6 hours');
});

test('a person asks for a sync, once or from the beginning', async () => {
  expect((await post('/sources/con_1/sync')).status).toBe(303);
  expect(await row()).toMatchObject({ full_wanted: 0, waiting_since: await now() });
  expect(await text()).toContain('Begins soon');
  await post('/sources/con_1/sync', { full: 'yes' });
  expect(await row()).toMatchObject({ full_wanted: 1 });
  const waiting = await house.org.read((db) => db.selectFrom('messages').select('message').execute());
  expect(waiting.map(({ message }) => JSON.parse(message))).toEqual([
    { connectionId: 'con_1', cause: 'person' },
  ]);
});

test('a person pauses and resumes it, and says how often', async () => {
  await schedule();
  await post('/sources/con_1/pause');
  expect(await row()).toMatchObject({ paused: 1 });
  expect(await text()).toContain('Paused: it is synced when you say so.');
  await post('/sources/con_1/resume');
  expect(await row()).toMatchObject({ paused: 0 });
  await post('/sources/con_1/every', { every: '6h' });
  expect(await row()).toMatchObject({ every_ms: 6 * 3_600_000 });
  expect(await text()).toContain('every 6 hours');
  expect((await post('/sources/con_1/every', { every: '1s' })).status).toBe(400);
});

test('what is gone at once asks on the page and above every other, and the answer counts', async () => {
  await schedule({ asked_at: await now() });
  await house.org.write((tx) =>
    tx
      .insertInto('held_deletions')
      .values(
        ['a', 'b', 'c'].map((external_id) => ({
          org_id: house.org.orgId,
          connection_id: 'con_1',
          external_id,
          state: 'held' as const,
          at: 0,
        })),
      )
      .execute(),
  );
  expect(await text()).toContain('3 records are gone at once');
  const inbox = (await browser.get('/')).body;
  expect(inbox).toContain('href="/sources#con_1"');
  expect((await post('/sources/con_1/deletions', { answer: 'perhaps' })).status).toBe(400);
  expect((await post('/sources/con_1/deletions', { answer: 'keep' })).status).toBe(303);
  expect(await text()).not.toContain('gone at once');
  const states = await house.org.read((db) => db.selectFrom('held_deletions').select('state').execute());
  expect(states).toEqual([{ state: 'kept' }, { state: 'kept' }, { state: 'kept' }]);
  expect((await post('/sources/con_1/deletions', { answer: 'forget' })).status).toBe(404);
});

test('without the session’s token, and for an agent’s key, nothing changes', async () => {
  await schedule();
  const key = await house.key();
  for (const deed of ['sync', 'pause', 'resume', 'every', 'deletions']) {
    const path = `/sources/con_1/${deed}`;
    expect((await browser.post(path, { csrf: 'x', every: '6h', answer: 'forget' })).status).toBe(403);
    const asked = await house.ask(path, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${key}`,
        origin: house.origin,
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: 'every=6h&answer=forget',
    });
    expect([303, 401, 403]).toContain(asked.status);
  }
  expect(await row()).toMatchObject({ paused: 0, every_ms: null, waiting_since: null });
  expect((await post('/sources/con_404/sync')).status).toBe(404);
});

test('with no account the page says what to do', async () => {
  const all = house.connections.splice(0);
  try {
    expect(await text()).toContain('Nothing is synced yet');
  } finally {
    house.connections.push(...all);
  }
});
