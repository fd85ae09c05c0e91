// Disconnecting an account of a provider that can revoke: there first, here whatever came of it.
import { expect, test } from 'vitest';
import { createConnections } from '../../src/connections/create.ts';
import { loadSecrets } from '../../src/connections/credentials.ts';
import { agencyCatalog, agencyServer } from './agency.ts';
import { type GuildOffice, guildApps, guildCatalog, openGuild } from './guild.ts';
import { log, openOffice } from './office.ts';

const revocations = ({ guild }: GuildOffice) =>
  guild.hosts.calls().filter(({ path, host }) => path === '/revoke' && host === 'login.guild.example');

async function leftOf({ org }: GuildOffice) {
  return org.read(async (db) => [
    ...(await db.selectFrom('secrets').select('field').execute()),
    ...(await db.selectFrom('oauth_tokens').select('version').execute()),
  ]);
}

test('ends the grant at the provider, then forgets the tokens', async () => {
  const office = await openGuild();
  const made = await office.connect();
  const refreshToken = (await loadSecrets(office.org, office.vault, made.id)).get('refresh_token');
  expect(await office.connections.disconnect(office.org, made.id)).toEqual({ revoked: true });
  const [call] = revocations(office);
  expect(new URLSearchParams(call?.body).get('token')).toBe(refreshToken?.reveal());
  expect(await leftOf(office)).toEqual([]);
  expect((await office.moves(made.id)).slice(-2)).toEqual(['ACTIVE → REVOKED', 'REVOKED → DELETED']);
});

test('a provider that refuses, or is gone, keeps nobody: the tokens are forgotten, and the person is told', async () => {
  const office = await openGuild();
  for (const fault of [
    { kind: 'refuse', status: 503 },
    { kind: 'drop', after: 'nothing' },
  ] as const) {
    const made = await office.connect();
    office.guild.hosts.faults.failNext(fault);
    const told = await office.connections.disconnect(office.org, made.id);
    expect(told.revoked).toBe(false);
    expect(told.why).toContain('Remove Drawbridge in the settings of the account at Guild.');
    expect(await leftOf(office)).toEqual([]);
  }
});

test('a provider that never answers is waited for ten seconds', async () => {
  const office = await openGuild();
  const made = await office.connect();
  const held = Promise.withResolvers<void>();
  office.guild.hosts.faults.failNext({ kind: 'hold', until: held.promise });
  const ended = office.connections.disconnect(office.org, made.id);
  await office.clock.asleep((ms) => ms === 10_000);
  office.clock.advance(10_000);
  expect(await ended).toMatchObject({ revoked: false, why: expect.stringContaining('in time') });
  expect(await leftOf(office)).toEqual([]);
  held.resolve();
});

test('another account on the same grant is not taken down with it; the last one ends it', async () => {
  const office = await openGuild();
  const guild = await office.connect();
  const ledger = await office.connect({ provider: 'ledger' });
  const told = await office.connections.disconnect(office.org, guild.id);
  expect(told).toMatchObject({ revoked: false, why: expect.stringContaining('Guild Ledger') });
  expect(revocations(office)).toEqual([]);
  expect((await office.connections.get(office.org, ledger.id)).state).toBe('ACTIVE');
  expect(await office.connections.disconnect(office.org, ledger.id)).toEqual({ revoked: true });
});

test('without its app, which nobody can name any more, it is forgotten all the same', async () => {
  const office = await openGuild();
  const made = await office.connect();
  const connections = createConnections({ ...office, log, catalog: guildCatalog, apps: new Map() });
  expect(await connections.disconnect(office.org, made.id)).toMatchObject({ revoked: false });
  expect(await leftOf(office)).toEqual([]);
});

test('to a provider that is switched off nothing is said', async () => {
  const office = await openGuild();
  const made = await office.connect();
  const connections = createConnections({
    ...office,
    log,
    catalog: guildCatalog,
    apps: guildApps,
    providersOff: ['guild'],
  });
  expect(await connections.disconnect(office.org, made.id)).toMatchObject({
    revoked: false,
    why: expect.stringContaining('switched off'),
  });
  expect(revocations(office)).toEqual([]);
  expect(await leftOf(office)).toEqual([]);
});

test('credentials that cannot be revoked are forgotten, and the person is told that they stay valid', async () => {
  const agency = await agencyServer();
  const { connections, org } = await openOffice(agencyCatalog);
  const made = await connections.connect(org, 'agency', {
    fields: { url: agency.url },
    secrets: { token: 'token-one' },
  });
  expect(await connections.disconnect(org, made.id)).toEqual({
    revoked: false,
    why: 'Drawbridge has forgotten the credentials; they stay valid at Agency.',
  });
});
