// What the hourly round does for connections that nobody uses.
import { describe, expect, test } from 'vitest';
import { startCare } from '../../src/jobs/care.ts';
import { acquireLease } from '../../src/store/lease.ts';
import type { OrgStore } from '../../src/store/store.ts';
import { openGuild } from './guild.ts';
import { log } from './office.ts';

const hour = 3_600_000;
const never = new AbortController().signal;

async function open() {
  const office = await openGuild();
  const made = await office.connect();
  const { org, connections, guild } = office;
  return {
    ...office,
    made,
    lookAfter: (through: OrgStore = org) => connections.lookAfter(through, never),
    refreshes: () => guild.server.tokenCalls().filter(({ grant }) => grant === 'refresh_token').length,
    logIns: () => guild.hosts.calls().filter(({ path }) => path === '/me').length,
    health: () => org.read((db) => db.selectFrom('health_checks').selectAll().execute()),
  };
}

describe('looking after', () => {
  test('writes nothing where nothing is due', async () => {
    const office = await open();
    const before = office.logIns();
    const org: OrgStore = {
      ...office.org,
      write: async () => {
        throw new Error('nothing is to be written');
      },
    };
    await office.lookAfter(org);
    expect([office.refreshes(), office.logIns() - before]).toEqual([0, 0]);
  });

  test('renews what ends soon and asks whether the account answers', async () => {
    const office = await open();
    const before = office.logIns();
    office.clock.advance(hour);
    await office.lookAfter();
    expect([office.refreshes(), office.logIns() - before]).toEqual([1, 1]);
    expect(await office.health()).toMatchObject([
      { connection_id: office.made.id, outcome: 'ok', at: office.clock.now() },
    ]);
    await office.lookAfter();
    expect([office.refreshes(), office.logIns() - before]).toEqual([1, 1]);
  });

  test('finds an account that has ended before anybody asks it', async () => {
    const office = await open();
    office.guild.server.revokeAll();
    office.clock.advance(hour);
    await office.lookAfter();
    expect((await office.connections.get(office.org, office.made.id)).state).toBe('EXPIRED');
    office.clock.advance(hour);
    const calls = office.guild.hosts.calls().length;
    await office.lookAfter();
    expect(office.guild.hosts.calls()).toHaveLength(calls);
  });

  test('one failing account keeps no other waiting, and is ACTIVE when it answers again', async () => {
    const office = await open();
    office.guild.account = 'ben@guild.example';
    const other = await office.connect();
    office.clock.advance(hour);
    office.guild.hosts.faults.failNext({ kind: 'refuse', status: 500 }, '/me');
    await office.lookAfter();
    const states = async () => (await office.connections.list(office.org)).map(({ state }) => state).sort();
    expect(await states()).toEqual(['ACTIVE', 'DEGRADED']);
    expect((await office.health()).map(({ outcome }) => outcome).sort()).toEqual([
      'ok',
      'provider_unavailable',
    ]);
    office.clock.advance(hour);
    await office.lookAfter();
    expect(await states()).toEqual(['ACTIVE', 'ACTIVE']);
    expect(other.label).toBe('ben@guild.example');
  });

  test('is left to the process that does it already', async () => {
    const office = await open();
    office.clock.advance(hour);
    await acquireLease(office.org, { name: 'care', owner: 'another', ttlMs: 60_000 });
    const calls = office.guild.hosts.calls().length;
    await office.lookAfter();
    expect(office.guild.hosts.calls()).toHaveLength(calls);
  });
});

test('a round replaces the keys that are 90 days old, and the account goes on', async () => {
  const office = await open();
  const keys = () => office.org.read((db) => db.selectFrom('data_keys').select('id').execute());
  const [before] = await keys();
  office.clock.advance(90 * 24 * hour);
  const care = startCare({
    orgs: async () => [office.org],
    connections: office.connections,
    retain: async () => undefined,
    clock: office.clock,
    log,
  });
  await office.clock.asleep((ms) => ms >= 60_000 && ms < 360_000);
  office.clock.advance(360_000);
  await office.clock.asleep((ms) => ms >= hour);
  await care.stop();
  expect((await keys()).map(({ id }) => id)).toEqual([before?.id, expect.any(String)]);
  const sealed = await office.org.read((db) => db.selectFrom('secrets').select('key_id').execute());
  expect(sealed.map(({ key_id }) => key_id)).not.toContain(before?.id);
  await office.connections.check(office.org, office.made.id);
});

test('the scheduler comes round within minutes of the start, then hourly, until it is stopped', async () => {
  const office = await open();
  const rounds: string[] = [];
  const care = startCare({
    orgs: async () => [office.org],
    connections: {
      async lookAfter(org) {
        rounds.push(org.orgId);
        if (rounds.length === 1) throw new Error('the first round fails, the next one comes all the same');
      },
      rotateKeys: (org) => office.connections.rotateKeys(org),
    },
    retain: async () => undefined,
    clock: office.clock,
    log,
  });
  await office.clock.asleep((ms) => ms >= 60_000 && ms < 360_000);
  office.clock.advance(360_000);
  await office.clock.asleep((ms) => ms >= hour);
  expect(rounds).toHaveLength(1);
  office.clock.advance(hour + 300_000);
  await expect.poll(() => rounds.length).toBe(2);
  await care.stop();
  office.clock.advance(10 * hour);
  expect(rounds).toHaveLength(2);
});
