import { describe, expect, test } from 'vitest';
import { DrawbridgeError } from '../../src/errors.ts';
import type { ConnectionState } from '../../src/store/tables.ts';
import { agencyCatalog, agencyServer } from './agency.ts';
import { openOffice } from './office.ts';

async function open() {
  const agency = await agencyServer();
  agency.accounts.set('token-two', 'ben@example.com');
  const office = await openOffice(agencyCatalog);
  const connect = (token = 'token-one', provider = 'agency') => {
    // Accounts are listed in the order of their coming.
    office.clock.advance(1);
    return office.connections.connect(office.org, provider, {
      fields: { url: agency.url },
      secrets: { token },
    });
  };
  const put = (id: string, state: ConnectionState) =>
    office.org.write((tx) =>
      tx.updateTable('connected_sources').set({ state }).where('id', '=', id).execute(),
    );
  return { agency, connect, put, ...office };
}

describe('which account is meant', () => {
  test('none: the error names the command that connects one', async () => {
    const { connections, org } = await open();
    await expect(connections.resolve(org, 'mail.send')).rejects.toMatchObject({
      code: 'not_found',
      message:
        'No account can send mail yet. Connect one: drawbridge connect agency or drawbridge connect branch',
    });
    await expect(connections.resolve(org, 'mail.send', 'maria@example.com')).rejects.toMatchObject({
      code: 'not_found',
    });
  });

  test('one: it is taken', async () => {
    const { connections, org, connect } = await open();
    const made = await connect();
    expect(await connections.resolve(org, 'mail.send')).toEqual(made);
  });

  test('several: it asks and names them, and never picks', async () => {
    const { connections, org, connect } = await open();
    await connect();
    await connect('token-two');
    await expect(connections.resolve(org, 'mail.send')).rejects.toMatchObject({
      code: 'invalid_request',
      retry: 'ask',
      field: 'account',
      message:
        'account: several accounts can send mail. Say which one: maria@example.com at Agency, ben@example.com at Agency.',
    });
  });

  test('it is known by id, account or label, whatever the case', async () => {
    const { connections, org, connect } = await open();
    await connect();
    const ben = await connect('token-two');
    for (const name of [
      ben.id,
      'ben@example.com',
      'BEN@Example.com',
      'Ben@example.com at agency',
      ` ${ben.id} `,
    ]) {
      expect((await connections.resolve(org, 'mail.send', name)).id).toBe(ben.id);
    }
  });

  test('an unknown name is asked back, with the names there are', async () => {
    const { connections, org, connect } = await open();
    await connect();
    await expect(connections.resolve(org, 'mail.send', 'ben')).rejects.toMatchObject({
      code: 'invalid_request',
      field: 'account',
      message:
        'account: no account called "ben" can send mail. Accounts that can: maria@example.com at Agency.',
    });
  });

  test('two accounts of one label are told apart by their ids', async () => {
    const { connections, org, connect } = await open();
    const one = await connect();
    const two = await connect('token-one', 'branch');
    await expect(connections.resolve(org, 'mail.send', 'maria@example.com')).rejects.toThrow(
      `maria@example.com at Agency (${one.id}), maria@example.com at Agency (${two.id})`,
    );
  });

  test.each<ConnectionState>(['DEGRADED', 'ERROR'])(
    'a %s account is still used: the next call may work',
    async (state) => {
      const { connections, org, connect, put } = await open();
      const made = await connect();
      await put(made.id, state);
      expect((await connections.resolve(org, 'mail.send')).id).toBe(made.id);
    },
  );

  test.each<ConnectionState>(['EXPIRED', 'REVOKED'])(
    'a %s account says that it must be connected again',
    async (state) => {
      const { connections, org, connect, put } = await open();
      const made = await connect();
      await put(made.id, state);
      const refused = {
        code: 'auth_expired',
        retry: 'reconnect',
        message: expect.stringContaining('drawbridge connect agency'),
      };
      await expect(connections.resolve(org, 'mail.send')).rejects.toMatchObject(refused);
      await expect(connections.resolve(org, 'mail.send', made.id)).rejects.toMatchObject(refused);
      // And nothing reaches its credentials by a handle from before.
      await expect(connections.read(org, made, 'listing.get', { id: '1' })).rejects.toMatchObject({
        code: 'auth_expired',
      });
      await expect(connections.feeds(org, made)).rejects.toMatchObject({ code: 'auth_expired' });
      const run = {
        effectKey: 'k',
        attachment: async () => new Uint8Array(),
        aboutToSend: async () => undefined,
      };
      await expect(connections.writeContext(org, made, 'send', run)).rejects.toMatchObject({
        code: 'auth_expired',
      });
    },
  );

  test('an expired account is passed over when another can do it', async () => {
    const { connections, org, connect, put } = await open();
    const old = await connect();
    const ben = await connect('token-two');
    await put(old.id, 'EXPIRED');
    expect((await connections.resolve(org, 'mail.send')).id).toBe(ben.id);
  });
});

describe('reading', () => {
  test('goes out with the stored credential, and answers what the contract says', async () => {
    const { agency, connections, org, connect } = await open();
    agency.listing = () => ({
      status: 200,
      body: { id: '7', address: '7 Quay', price: 1, unknown: 'dropped' },
    });
    const found = await connections.read(org, await connect(), 'listing.get', { id: '7' });
    expect(found).toEqual({ id: '7', address: '7 Quay', price: 1 });
    expect(agency.seen.at(-1)).toMatchObject({
      url: '/listing?id=7',
      headers: { authorization: 'token-one' },
    });
  });

  test('an answer that breaks the contract is malformed, and the connection shows it', async () => {
    const { agency, connections, org, connect } = await open();
    agency.listing = () => ({ status: 200, body: { id: '7', address: 7 } });
    const made = await connect();
    await expect(connections.read(org, made, 'listing.get', { id: '7' })).rejects.toMatchObject({
      code: 'malformed_response',
      message: 'Agency answered with something unexpected at "address".',
    });
    expect(await connections.get(org, made.id)).toMatchObject({
      state: 'ERROR',
      lastError: { code: 'malformed_response' },
    });
  });

  test('a refused credential expires the connection', async () => {
    const { agency, connections, org, connect } = await open();
    const made = await connect();
    agency.accounts.clear();
    await expect(connections.read(org, made, 'listing.get', { id: '7' })).rejects.toMatchObject({
      code: 'auth_expired',
    });
    expect((await connections.get(org, made.id)).state).toBe('EXPIRED');
  });

  test('what is not found says nothing against the connection', async () => {
    const { agency, connections, org, connect } = await open();
    const made = await connect();
    agency.listing = () => ({ status: 404, body: {} });
    await expect(connections.read(org, made, 'listing.get', { id: '7' })).rejects.toMatchObject({
      code: 'not_found',
    });
    expect(await connections.get(org, made.id)).toEqual(made);
  });

  test('a success makes a degraded connection active again', async () => {
    const { connections, org, connect } = await open();
    const made = await connect();
    await connections.report(org, made.id, { error: new DrawbridgeError('network', 'x') });
    await connections.read(org, await connections.get(org, made.id), 'listing.get', { id: '7' });
    expect(await connections.get(org, made.id)).toMatchObject({
      state: 'ACTIVE',
      lastError: undefined,
      lastSyncAt: undefined,
    });
  });

  test('ends with its time, and marks the connection', async () => {
    const { agency, connections, org, connect, clock } = await open();
    const made = await connect();
    agency.listing = () => {
      clock.advance(9_000);
      return undefined;
    };
    await expect(
      connections.read(org, made, 'listing.get', { id: '7' }, { timeoutMs: 9_000 }),
    ).rejects.toMatchObject({ code: 'timeout' });
    expect((await connections.get(org, made.id)).state).toBe('DEGRADED');
  });

  test('ends when its caller gives up, and says nothing against the connection', async () => {
    const { agency, connections, org, connect } = await open();
    const made = await connect();
    const stop = new AbortController();
    agency.listing = () => {
      stop.abort(new DrawbridgeError('timeout', 'The question took too long.'));
      return undefined;
    };
    await expect(
      connections.read(org, made, 'listing.get', { id: '7' }, { signal: stop.signal }),
    ).rejects.toThrow('The question took too long.');
    expect(await connections.get(org, made.id)).toEqual(made);
  });

  test('an input that the operation does not take names its field, and nobody is called', async () => {
    const { agency, connections, org, connect } = await open();
    const made = await connect();
    const before = agency.seen.length;
    const wrong = { id: 7 } as unknown as { id: string };
    await expect(connections.read(org, made, 'listing.get', wrong)).rejects.toMatchObject({ field: 'id' });
    expect(agency.seen).toHaveLength(before);
  });

  test('what the provider cannot read is refused', async () => {
    const { connections, org, connect } = await open();
    const made = await connect();
    await expect(connections.read(org, made, 'calendar.free-busy', { from: 0, to: 1 })).rejects.toMatchObject(
      { code: 'not_found' },
    );
    await expect(connections.read(org, made, 'mail.send', {} as never)).rejects.toMatchObject({
      code: 'not_found',
    });
  });
});

describe('writing', () => {
  test('a write is found by name or by what it can do, a read or a stranger is not', async () => {
    const { connections, connect, org } = await open();
    const made = await connect();
    expect(await connections.writeFor(made, 'mail.send')).toMatchObject({
      name: 'send',
      operation: { effect: 'send' },
    });
    expect((await connections.write(org, made, 'send')).title).toBe('Send');
    for (const name of ['get', 'toString', '__proto__', 'nothing']) {
      await expect(connections.write(org, made, name)).rejects.toMatchObject({ code: 'not_found' });
    }
    await expect(connections.writeFor(made, 'calendar.create')).rejects.toMatchObject({ code: 'not_found' });
    await expect(connections.writeFor(made, 'listing.get')).rejects.toMatchObject({ code: 'not_found' });
  });

  test('its context carries the run: the effect key, the last check, the credential', async () => {
    const { agency, connections, org, connect } = await open();
    const made = await connect();
    const order: string[] = [];
    const context = await connections.writeContext(org, made, 'send', {
      effectKey: 'eff_1',
      attachment: async () => new Uint8Array(),
      aboutToSend: async () => void order.push('asked'),
    });
    const { operation } = await connections.writeFor(made, 'mail.send');
    expect(await operation.run(context, {})).toEqual({ reference: 'eff_1', details: {} });
    expect(order).toEqual(['asked']);
    expect(agency.seen.at(-1)).toMatchObject({ method: 'POST', url: '/send', body: 'eff_1' });
    expect(context.secret('token').reveal()).toBe('token-one');
    expect(() => context.secret('pin')).toThrow(expect.objectContaining({ code: 'auth_expired' }));
    expect(JSON.stringify(context.secret('token'))).not.toContain('token-one');
  });
});

test('feeds go on from their cursor with the stored credential', async () => {
  const { agency, connections, org, connect } = await open();
  const [feed] = await connections.feeds(org, await connect());
  expect(feed?.name).toBe('letters');
  const cursors: unknown[] = [];
  for await (const page of feed?.pages(4) ?? []) cursors.push(page.cursor);
  expect(cursors).toEqual([5]);
  expect(agency.seen.at(-1)?.headers.authorization).toBe('token-one');
});

test('a credential sealed under a lost key says so', async () => {
  const { connections, org, connect } = await open();
  const made = await connect();
  await org.write((tx) => tx.updateTable('secrets').set({ key_id: '00000000' }).execute());
  await expect(connections.read(org, made, 'listing.get', { id: '1' })).rejects.toThrow(/another key/);
});

test('a credential copied from another connection does not open', async () => {
  const { connections, org, connect, agency } = await open();
  const maria = await connect();
  const ben = await connect('token-two');
  await org.write(async (tx) => {
    const row = await tx
      .selectFrom('secrets')
      .selectAll()
      .where('connection_id', '=', ben.id)
      .executeTakeFirstOrThrow();
    await tx
      .updateTable('secrets')
      .set({ sealed: row.sealed })
      .where('connection_id', '=', maria.id)
      .execute();
  });
  const before = agency.seen.length;
  await expect(connections.read(org, maria, 'listing.get', { id: '1' })).rejects.toThrow(/altered/);
  expect(agency.seen).toHaveLength(before);
});

test('an answer is handed over, though the state of its connection cannot be written', async () => {
  const { connections, org, connect } = await open();
  const made = await connect();
  await connections.report(org, made.id, { error: new DrawbridgeError('network', 'x') });
  const degraded = await connections.get(org, made.id);
  const full = { ...org, write: () => Promise.reject(new Error('the disk is full')) };
  expect(await connections.read(full, degraded, 'listing.get', { id: '1' })).toMatchObject({ id: '1' });
});
