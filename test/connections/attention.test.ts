// What people are told of: accounts to connect again, trouble that lasts, limits that are reached.
import { expect, test } from 'vitest';
import { DrawbridgeError, type ErrorCode } from '../../src/errors.ts';
import { type GuildOffice, openGuild } from './guild.ts';

const fail = ({ connections, org }: GuildOffice, id: string, code: ErrorCode) =>
  connections.report(org, id, { error: new DrawbridgeError(code, 'The guild says no.') });
const notices = ({ connections, org }: GuildOffice) => connections.notices(org);

test('an account that works needs nobody', async () => {
  const office = await openGuild();
  await office.connect();
  expect(await notices(office)).toEqual([]);
});

test('an expired account is told at once, with the page that mends it, until it is connected again', async () => {
  const office = await openGuild();
  const made = await office.connect();
  await fail(office, made.id, 'auth_revoked');
  const told = {
    kind: 'reconnect',
    connectionId: made.id,
    text: 'maria@guild.example (Guild) must be connected again.',
    path: `/connect/guild?account=${made.id}`,
  };
  expect(await notices(office)).toEqual([told]);
  const { url } = await office.start({ reconnect: made.id });
  expect(await notices(office)).toEqual([told]);
  await office.back(await office.consent(url));
  expect(await notices(office)).toEqual([]);
});

test('an authorization that was only begun needs nobody', async () => {
  const office = await openGuild();
  await office.start();
  expect(await notices(office)).toEqual([]);
});

test('an error is told when it has lasted a quarter of an hour, from its beginning on', async () => {
  const office = await openGuild();
  const made = await office.connect();
  await fail(office, made.id, 'permission_denied');
  office.clock.advance(14 * 60_000);
  await fail(office, made.id, 'permission_denied');
  expect(await notices(office)).toEqual([]);
  office.clock.advance(60_000);
  expect(await notices(office)).toEqual([
    expect.objectContaining({
      kind: 'error',
      text: 'maria@guild.example (Guild) does not work: The guild says no.',
    }),
  ]);
  await office.connections.report(office.org, made.id, { synced: true });
  expect(await notices(office)).toEqual([]);
});

test('a limit at the provider that lasts is told as one', async () => {
  const office = await openGuild();
  const made = await office.connect();
  await fail(office, made.id, 'quota_exhausted');
  office.clock.advance(15 * 60_000);
  expect(await notices(office)).toMatchObject([{ kind: 'limit', connectionId: made.id }]);
});

test('a plan without a place left is told', async () => {
  const office = await openGuild({ options: { plan: 'professional' } });
  for (const name of ['a', 'b', 'c']) {
    expect(await notices(office)).toEqual([]);
    office.guild.account = `${name}@guild.example`;
    await office.connect();
  }
  expect(await notices(office)).toMatchObject([
    { kind: 'limit', text: expect.stringContaining('All 3 connections of the professional plan are in use') },
  ]);
});

test('a refusal that needs a person carries the page, whichever way it was found out', async () => {
  const office = await openGuild({ options: { pageUrl: (path) => `https://bridge.example${path}` } });
  const made = await office.connect();
  const page = `https://bridge.example/connect/guild?account=${made.id}`;
  // The provider refuses the bearer and the refresh token.
  office.guild.server.revokeAll();
  await expect(office.connections.runRead(office.org, made, 'roll', {})).rejects.toThrow(page);
  expect((await office.connections.get(office.org, made.id)).state).toBe('EXPIRED');
  // From now on nobody asks it.
  await expect(office.connections.runRead(office.org, made, 'roll', {})).rejects.toThrow(page);
  await expect(office.connections.resolve(office.org, 'mail.send')).rejects.toThrow(page);
});
