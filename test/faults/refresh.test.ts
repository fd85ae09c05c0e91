// One token call a round, whoever asks at once: real processes, an authorization server that ends a grant
// whose refresh token is used twice. The long form is refresh-race.ts.
import { afterEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { makeDatabase, serverUrl } from '../store/databases.ts';
import { type Ground, openGround, round } from './refresh-round.ts';

let ground: Ground;
let removeDatabase: (() => Promise<void>) | undefined;
afterEach(async () => {
  await ground.close();
  await removeDatabase?.();
  removeDatabase = undefined;
});

async function emptyDatabase(): Promise<string | undefined> {
  const made = await makeDatabase(serverUrl ?? '');
  removeDatabase = made.remove;
  await made.permit();
  return made.url;
}

describe('one expired token and several processes', () => {
  test.each(['SQLite', ...(serverUrl === undefined ? [] : ['PostgreSQL'])])(
    'exactly one token call a round, and everybody succeeds: %s',
    async (name) => {
      const databaseUrl = name === 'PostgreSQL' ? await emptyDatabase() : undefined;
      ground = await openGround({ databaseUrl });
      const readers = await ground.start(4);
      for (let number = 1; number <= 6; number += 1) {
        const found = await round(ground, readers, number, number % 2 === 0 ? 'age' : 'refused');
        expect(found).toMatchObject({ tokenCalls: 1, refused: 0, successes: 4, errors: [] });
      }
    },
  );

  test('a token endpoint that takes longer than the lease is still asked once', async () => {
    // The holder renews its lease in time though the machine is crowded, and the answer takes several leases.
    const leaseMs = 2_000;
    ground = await openGround({ leaseMs });
    const readers = await ground.start(3);
    const asked = () => ground.hosts.calls().filter(({ path }) => path === '/token').length;
    const before = asked();
    const gate = Promise.withResolvers<void>();
    ground.hosts.faults.failNext({ kind: 'hold', until: gate.promise }, '/token');
    const reading = round(ground, readers, 1, 'age');
    await expect.poll(asked).toBe(before + 1);
    await systemClock.sleep(3 * leaseMs);
    gate.resolve();
    const found = await reading;
    expect(found).toMatchObject({ tokenCalls: 1, successes: 3, errors: [] });
    expect(found.ms).toBeGreaterThan(2 * leaseMs);
  });
});

describe('a process that dies when the provider has rotated, and nothing is stored', () => {
  test('the account expires with the way back, once, and nobody asks the provider in circles', async () => {
    ground = await openGround({ leaseMs: 600 });
    const [dying] = await ground.start(1, { diesAfterRotation: true });
    const [second, third] = await ground.start(2);
    await ground.expire('age');
    expect(await dying?.read(1)).toBeUndefined();
    const told = await second?.read(1);
    expect(told?.error).toContain(`/connect/harbour?account=${ground.connectionId}`);
    expect(await ground.state()).toBe('EXPIRED');
    expect(ground.refreshes()).toMatchObject([{ ok: true }, { ok: false }]);
    expect((await third?.read(1))?.error).toContain('/connect/harbour');
    expect(ground.refreshes()).toHaveLength(2);
    // The person follows the link, and all is as before.
    expect(await ground.connect()).toBe(ground.connectionId);
    expect((await third?.read(2))?.error).toBeUndefined();
  });

  test('where the provider gives a grace, the next process goes on as if nothing had been', async () => {
    ground = await openGround({ leaseMs: 600, graceS: 60 });
    const [dying] = await ground.start(1, { diesAfterRotation: true });
    const [second] = await ground.start(1);
    await ground.expire('age');
    expect(await dying?.read(1)).toBeUndefined();
    expect((await second?.read(1))?.error).toBeUndefined();
    expect(await ground.state()).toBe('ACTIVE');
  });
});

test('an account that is disconnected while another process renews it stays gone', async () => {
  ground = await openGround();
  const [reader] = await ground.start(1);
  const gate = Promise.withResolvers<void>();
  ground.hosts.faults.failNext({ kind: 'hold', until: gate.promise }, '/token');
  await ground.expire('age');
  const reading = reader?.read(1);
  await expect.poll(() => ground.hosts.calls().filter(({ path }) => path === '/token').length).toBe(2);
  ground.hosts.faults.failNext({ kind: 'refuse', status: 500 }, '/revoke');
  await ground.connections.disconnect(ground.org, ground.connectionId);
  gate.resolve();
  expect((await reading)?.error).toBeDefined();
  const left = await ground.org.read((db) => db.selectFrom('secrets').selectAll().execute());
  expect(left).toEqual([]);
  const revoked = ground.hosts.calls().filter(({ path }) => path === '/revoke');
  expect(revoked).toHaveLength(2);
});
