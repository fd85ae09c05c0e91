import { describe, expect, test } from 'vitest';
import { isAllowed, move } from '../../src/connections/states.ts';
import { DrawbridgeError, type ErrorCode } from '../../src/errors.ts';
import type { ConnectionState } from '../../src/store/tables.ts';
import { agencyCatalog, agencyServer } from './agency.ts';
import { openOffice } from './office.ts';

const states: ConnectionState[] = [
  'PENDING',
  'AUTHORIZING',
  'CONNECTED',
  'ACTIVE',
  'DEGRADED',
  'ERROR',
  'EXPIRED',
  'REVOKED',
  'DELETED',
];

async function active() {
  const agency = await agencyServer();
  const office = await openOffice(agencyCatalog);
  const { connections, org, clock } = office;
  const made = await connections.connect(org, 'agency', {
    fields: { url: agency.url },
    secrets: { token: 'token-one' },
  });
  const put = (state: ConnectionState) =>
    org.write((tx) => tx.updateTable('connected_sources').set({ state }).where('id', '=', made.id).execute());
  const now = () =>
    org.read((db) =>
      db.selectFrom('connected_sources').selectAll().where('id', '=', made.id).executeTakeFirstOrThrow(),
    );
  const events = async () =>
    (await org.read((db) => db.selectFrom('connection_events').selectAll().execute())).length;
  return { ...office, agency, made, put, now, events, clock };
}

describe('the table of moves', () => {
  test('is this one, and no other', () => {
    const table = states.map((from) => `${from}: ${states.filter((to) => isAllowed(from, to)).join(' ')}`);
    expect(table).toMatchInlineSnapshot(`
      [
        "PENDING: AUTHORIZING REVOKED",
        "AUTHORIZING: CONNECTED EXPIRED REVOKED",
        "CONNECTED: ACTIVE REVOKED",
        "ACTIVE: DEGRADED ERROR EXPIRED REVOKED",
        "DEGRADED: ACTIVE EXPIRED REVOKED",
        "ERROR: ACTIVE EXPIRED REVOKED",
        "EXPIRED: AUTHORIZING REVOKED",
        "REVOKED: DELETED",
        "DELETED: ",
      ]
    `);
  });

  test('every pair that is not in it is refused, and leaves state and events alone', async () => {
    const { org, made, put, now, events } = await active();
    for (const from of states) {
      for (const to of states.filter((state) => !isAllowed(from, state))) {
        await put(from);
        const before = await events();
        const refused = org.write((tx) =>
          move({}, tx, { orgId: org.orgId, id: made.id, from, to, reason: 'test', at: 1 }),
        );
        await expect(refused).rejects.toMatchObject({ code: 'conflict' });
        expect([(await now()).state, await events()]).toEqual([from, before]);
      }
    }
  });

  test('a move from a state that has passed meanwhile is refused with its event', async () => {
    const { org, made, put, now, events } = await active();
    await put('EXPIRED');
    const before = await events();
    const late = org.write((tx) =>
      move({}, tx, { orgId: org.orgId, id: made.id, from: 'ACTIVE', to: 'DEGRADED', reason: 'late', at: 1 }),
    );
    await expect(late).rejects.toMatchObject({ code: 'conflict' });
    expect([(await now()).state, await events()]).toEqual(['EXPIRED', before]);
  });
});

describe('what a call or a sync reports', () => {
  test.each<[ErrorCode, ConnectionState]>([
    ['network', 'DEGRADED'],
    ['timeout', 'DEGRADED'],
    ['provider_unavailable', 'DEGRADED'],
    ['rate_limited', 'DEGRADED'],
    ['quota_exhausted', 'DEGRADED'],
    ['permission_denied', 'ERROR'],
    ['malformed_response', 'ERROR'],
    ['internal', 'ERROR'],
    ['auth_expired', 'EXPIRED'],
    ['auth_revoked', 'EXPIRED'],
    ['not_found', 'ACTIVE'],
    ['invalid_request', 'ACTIVE'],
    ['conflict', 'ACTIVE'],
  ])('%s leaves an active connection %s', async (code, state) => {
    const { connections, org, made, clock } = await active();
    await connections.report(org, made.id, { error: new DrawbridgeError(code, 'It went wrong.') });
    const after = await connections.get(org, made.id);
    expect(after.state).toBe(state);
    expect(after.lastError).toEqual(
      state === 'ACTIVE' ? undefined : { code, message: 'It went wrong.', at: clock.now() },
    );
  });

  test.each<ConnectionState>(['DEGRADED', 'ERROR'])(
    'a sync that works makes a %s connection active again',
    async (state) => {
      const { connections, org, made, put, clock } = await active();
      await put(state);
      clock.advance(5000);
      await connections.report(org, made.id, { synced: true });
      expect(await connections.get(org, made.id)).toMatchObject({
        state: 'ACTIVE',
        lastError: undefined,
        lastSyncAt: clock.now(),
      });
    },
  );

  test.each<ConnectionState>(['EXPIRED', 'REVOKED', 'DELETED'])(
    'a late report changes nothing about a %s one',
    async (state) => {
      const { connections, org, made, put, now } = await active();
      await put(state);
      const before = await now();
      await connections.report(org, made.id, { synced: true });
      await connections.report(org, made.id, { error: new DrawbridgeError('network', 'x') });
      expect(await now()).toEqual(before);
    },
  );

  test('a caller that gave up says nothing', async () => {
    const { connections, org, made } = await active();
    await connections.report(org, made.id, { error: new DOMException('given up', 'AbortError') });
    expect(await connections.get(org, made.id)).toMatchObject({ state: 'ACTIVE', lastError: undefined });
  });

  test('an error from elsewhere is kept without its words: they may hold anything', async () => {
    const { connections, org, made } = await active();
    await connections.report(org, made.id, { error: new TypeError('at /home/maria/secret-token') });
    const { state, lastError } = await connections.get(org, made.id);
    expect(state).toBe('ERROR');
    expect(lastError?.message).not.toContain('secret-token');
  });

  test('an expired account is authorised again by connecting it, under its own id', async () => {
    const { connections, org, made, agency } = await active();
    await connections.report(org, made.id, { error: new DrawbridgeError('auth_expired', 'x') });
    const again = await connections.connect(org, 'agency', {
      fields: { url: agency.url },
      secrets: { token: 'token-one' },
    });
    expect(again).toMatchObject({ id: made.id, state: 'ACTIVE', lastError: undefined });
  });
});
