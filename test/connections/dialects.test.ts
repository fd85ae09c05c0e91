// The same life of a connection on every database, with everything that can happen at once happening at once.
import { describe, expect, test } from 'vitest';
import { DrawbridgeError } from '../../src/errors.ts';
import { databases } from '../store/databases.ts';
import { agencyCatalog, agencyServer } from './agency.ts';
import { openGuild } from './guild.ts';
import { openOffice } from './office.ts';

// PGlite's first start takes seconds, and many of them on a busy machine.
describe.each(databases)('on $name', { timeout: 60_000 }, (database) => {
  test('connects, uses, reports and disconnects, however many at once', async () => {
    const agency = await agencyServer();
    const { connections, org } = await openOffice(agencyCatalog, { database });
    const connect = () =>
      connections.connect(org, 'agency', { fields: { url: agency.url }, secrets: { token: 'token-one' } });

    const made = await Promise.all([connect(), connect(), connect()]);
    expect(new Set(made.map(({ id }) => id)).size).toBe(1);
    const id = made[0]?.id ?? '';
    expect(await connections.read(org, await connections.get(org, id), 'listing.get', { id: '1' })).toEqual({
      id: '1',
      address: '1 Quay',
    });

    const trouble = { error: new DrawbridgeError('network', 'It went wrong.') };
    await Promise.all([1, 2, 3, 4].map(() => connections.report(org, id, trouble)));
    expect((await connections.get(org, id)).state).toBe('DEGRADED');
    await Promise.all([1, 2, 3, 4].map(() => connections.report(org, id, { synced: true })));
    expect((await connections.get(org, id)).state).toBe('ACTIVE');
    const moves = await org.read((db) => db.selectFrom('connection_events').selectAll().execute());
    expect(moves.filter(({ to_state }) => to_state === 'DEGRADED')).toHaveLength(1);

    await connections.disconnect(org, id);
    expect(await org.read((db) => db.selectFrom('secrets').selectAll().execute())).toEqual([]);
    const again = await connect();
    expect(again.id).not.toBe(id);
    expect(await connections.list(org)).toEqual([again]);
  });

  test('the last place of a plan is taken once, and a state is spent once, however many come', async () => {
    const office = await openGuild({ database, options: { plan: 'professional' } });
    for (const name of ['a', 'b']) {
      office.guild.account = `${name}@guild.example`;
      await office.connect();
    }
    office.guild.account = 'late@guild.example';
    const [one, two] = [
      await office.consent((await office.start()).url),
      await office.consent((await office.start({ provider: 'ledger' })).url),
    ];
    const all = await Promise.allSettled([
      office.back(one),
      office.back(two, { provider: 'ledger' }),
      office.back(one),
    ]);
    expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await office.connections.list(office.org)).toHaveLength(3);
  });
});
