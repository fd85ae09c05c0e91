// Renewal on every database: two stores on one database are two processes to each other.
import { setImmediate } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createConnections } from '../../src/connections/create.ts';
import { databases, type OpenedDatabase } from '../store/databases.ts';
import { guildApps, guildCatalog, openGuild } from './guild.ts';
import { log } from './office.ts';

const hour = 3_600_000;

describe.each(databases)('on $name', { timeout: 60_000 }, (database) => {
  test('two processes renew one token by one call, look after it, and see it end', async () => {
    let opened: OpenedDatabase | undefined;
    const office = await openGuild({
      database: {
        ...database,
        async open(options) {
          opened = await database.open(options);
          return opened;
        },
      },
    });
    const { clock, org, connections, egress, vault, guild } = office;
    const made = await office.connect();
    const store = await (opened as OpenedDatabase).again();
    onTestFinished(() => store.close());
    const apps = guildApps;
    const other = createConnections({ store, egress, vault, clock, log, catalog: guildCatalog, apps });
    const otherOrg = await store.forOrg(org.orgId);
    const refreshes = () => guild.server.tokenCalls().filter(({ grant }) => grant === 'refresh_token');

    for (let round = 1; round <= 3; round += 1) {
      clock.advance(2 * hour);
      let reading = true;
      const read = (by: typeof other, through: typeof org) =>
        by.runRead(through, made, 'roll', {}, { timeoutMs: hour });
      const reads = Promise.all([
        read(connections, org),
        read(other, otherOrg),
        read(connections, org),
        read(other, otherOrg),
      ]).finally(() => {
        reading = false;
      });
      // Who waits for the other process looks again when its time has come.
      while (reading) {
        const ms = await Promise.race([reads, clock.asleep((wait) => wait <= 1_000)]);
        if (typeof ms === 'number') clock.advance(ms);
        await setImmediate();
      }
      await reads;
      expect(refreshes()).toEqual(Array(round).fill({ grant: 'refresh_token', ok: true }));
    }

    clock.advance(hour);
    await connections.lookAfter(org, new AbortController().signal);
    expect(refreshes()).toHaveLength(4);
    const checks = await org.read((db) => db.selectFrom('health_checks').selectAll().execute());
    expect(checks).toMatchObject([{ connection_id: made.id, outcome: 'ok' }]);

    guild.server.revokeAll();
    clock.advance(hour);
    await connections.lookAfter(org, new AbortController().signal);
    expect((await other.get(otherOrg, made.id)).state).toBe('EXPIRED');
  });
});
