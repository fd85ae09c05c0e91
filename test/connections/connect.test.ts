import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { agencyCatalog, agencyServer } from './agency.ts';
import { type Office, openOffice } from './office.ts';

async function open() {
  const agency = await agencyServer();
  const office = await openOffice(agencyCatalog);
  const given = (token = 'token-one') => ({ fields: { url: agency.url }, secrets: { token } });
  return { agency, ...office, given };
}

function moves({ org }: Pick<Office, 'org'>) {
  return org.read((db) =>
    db
      .selectFrom('connection_events')
      .select(['connection_id', 'from_state', 'to_state', 'reason'])
      .orderBy('id')
      .execute()
      .then((rows) => rows.map((row) => `${row.from_state} → ${row.to_state}`).sort()),
  );
}

describe('connecting', () => {
  test('logs in for real, then stores the account as ACTIVE with every step recorded', async () => {
    const { agency, connections, org, given } = await open();
    const made = await connections.connect(org, 'agency', given());
    expect(agency.seen.map(({ url, headers }) => [url, headers.authorization])).toEqual([
      ['/me', 'token-one'],
    ]);
    expect(made).toMatchObject({
      provider: 'agency',
      providerTitle: 'Agency',
      account: 'maria@example.com',
      label: 'maria@example.com at Agency',
      state: 'ACTIVE',
      fields: { url: agency.url },
      capabilities: ['listing.get', 'mail.send'],
      hasFeeds: true,
      feedKinds: ['mail'],
      lastError: undefined,
      lastSyncAt: undefined,
    });
    expect(await connections.list(org)).toEqual([made]);
    expect(await moves({ org })).toEqual(
      ['null → PENDING', 'PENDING → AUTHORIZING', 'AUTHORIZING → CONNECTED', 'CONNECTED → ACTIVE'].sort(),
    );
  });

  test('stores nothing when the log-in fails', async () => {
    const { connections, org, given } = await open();
    await expect(connections.connect(org, 'agency', given('wrong-token'))).rejects.toMatchObject({
      code: 'auth_expired',
    });
    expect(await connections.list(org)).toEqual([]);
    const secrets = await org.read((db) => db.selectFrom('secrets').selectAll().execute());
    expect(secrets).toEqual([]);
  });

  test('the same account again keeps its id, and takes the new credentials and settings', async () => {
    const { agency, connections, org, given } = await open();
    const first = await connections.connect(org, 'agency', given());
    agency.accounts.set('token-two', 'maria@example.com');
    const again = await connections.connect(org, 'agency', {
      fields: { url: agency.url, region: 'south' },
      secrets: { token: 'token-two', pin: '123456' },
    });
    expect(again.id).toBe(first.id);
    expect(again.fields).toEqual({ url: agency.url, region: 'south' });
    agency.accounts.delete('token-one');
    await connections.read(org, again, 'listing.get', { id: '1' });
    expect(agency.seen.at(-1)?.headers.authorization).toBe('token-two');
    expect(await connections.list(org)).toHaveLength(1);
  });

  test('two connects of one account at once end in one connection', async () => {
    const { connections, org, given } = await open();
    const both = await Promise.all([1, 2].map(() => connections.connect(org, 'agency', given())));
    expect(both[0]?.id).toBe(both[1]?.id);
    expect(await connections.list(org)).toHaveLength(1);
  });

  test('another account of the provider is another connection', async () => {
    const { agency, connections, org, given, clock } = await open();
    agency.accounts.set('token-two', 'ben@example.com');
    await connections.connect(org, 'agency', given());
    clock.advance(1);
    await connections.connect(org, 'agency', given('token-two'));
    expect((await connections.list(org)).map(({ account }) => account)).toEqual([
      'maria@example.com',
      'ben@example.com',
    ]);
  });

  test('another org neither sees it nor can use it', async () => {
    const { connections, org, store, given } = await open();
    const made = await connections.connect(org, 'agency', given());
    const other = await store.forOrg(await store.createOrg('Other'));
    expect(await connections.list(other)).toEqual([]);
    await expect(connections.get(other, made.id)).rejects.toMatchObject({ code: 'not_found' });
    await expect(connections.read(other, made, 'listing.get', { id: '1' })).rejects.toMatchObject({
      code: 'not_found',
    });
    await expect(connections.disconnect(other, made.id)).rejects.toMatchObject({ code: 'not_found' });
  });

  test('no file of the home holds the credential in clear', async () => {
    const { connections, org, home, given, agency, store } = await open();
    agency.accounts.set('a-very-recognisable-token', 'maria@example.com');
    await connections.connect(org, 'agency', given('a-very-recognisable-token'));
    await store.close();
    const files = await readdir(home, { recursive: true, withFileTypes: true });
    const bytes = await Promise.all(
      files.filter((file) => file.isFile()).map((file) => readFile(join(file.parentPath, file.name))),
    );
    expect(bytes.length).toBeGreaterThanOrEqual(3);
    for (const content of bytes) {
      expect(content.includes('a-very-recognisable-token')).toBe(false);
      expect(content.includes(Buffer.from('a-very-recognisable-token').toString('base64').slice(0, 20))).toBe(
        false,
      );
    }
    expect(bytes.some((content) => content.includes('maria@example.com'))).toBe(true);
  });

  test.each([
    ['a missing setting', {}, { token: 'x' }, 'url', /url is missing/],
    ['an unusable setting', { url: 'no url' }, { token: 'x' }, 'url', /^url: /],
    [
      'an unusable choice',
      { url: 'https://a.example', region: 'west' },
      { token: 'x' },
      'region',
      /^region: /,
    ],
    [
      'an unknown setting',
      { url: 'https://a.example', colour: 'red' },
      { token: 'x' },
      'colour',
      /no setting called colour/,
    ],
    [
      'a missing credential',
      { url: 'https://a.example' },
      {},
      'token',
      /Token is missing. The agency prints it/,
    ],
    ['an empty credential', { url: 'https://a.example' }, { token: '\r\n' }, 'token', /Token is missing/],
    [
      'a credential of two lines',
      { url: 'https://a.example' },
      { token: 'a\r\nX-Admin: 1' },
      'token',
      /single line/,
    ],
    [
      'an unknown credential',
      { url: 'https://a.example' },
      { token: 'x', word: 'y' },
      'word',
      /no credential called word/,
    ],
  ])(
    '%s is named, and nobody is called',
    async (_what, fields: Record<string, string>, secrets: Record<string, string>, field, message) => {
      const { agency, connections, org } = await open();
      const refused = connections.connect(org, 'agency', { fields, secrets });
      await expect(refused).rejects.toMatchObject({ code: 'invalid_request', field });
      await expect(refused).rejects.toThrow(message);
      expect(agency.seen).toEqual([]);
    },
  );

  test('the line break of a pipe is no part of the credential', async () => {
    const { connections, org, agency } = await open();
    await connections.connect(org, 'agency', {
      fields: { url: agency.url },
      secrets: { token: 'token-one\n' },
    });
    expect(agency.seen[0]?.headers.authorization).toBe('token-one');
  });

  test('an unknown provider is answered with those there are; imported files have no account', async () => {
    const { connections, org, given } = await open();
    await expect(connections.connect(org, 'fax', given())).rejects.toThrow(
      /no provider fax.*agency, branch\./,
    );
    await expect(connections.connect(org, 'files', given())).rejects.toMatchObject({
      code: 'invalid_request',
    });
  });
});

describe('disconnecting', () => {
  test('removes the credentials at once, and leaves the account out of every answer', async () => {
    const { connections, org, given } = await open();
    const made = await connections.connect(org, 'agency', given());
    await connections.disconnect(org, made.id);
    expect(await org.read((db) => db.selectFrom('secrets').selectAll().execute())).toEqual([]);
    expect(await connections.list(org)).toEqual([]);
    await expect(connections.get(org, made.id)).rejects.toMatchObject({ code: 'not_found' });
    await expect(connections.read(org, made, 'listing.get', { id: '1' })).rejects.toMatchObject({
      code: 'not_found',
    });
    expect(await moves({ org })).toContain('ACTIVE → REVOKED');
    expect(await moves({ org })).toContain('REVOKED → DELETED');
  });

  test('the same account may come again, as a new connection', async () => {
    const { connections, org, given } = await open();
    const first = await connections.connect(org, 'agency', given());
    await connections.disconnect(org, first.id);
    const second = await connections.connect(org, 'agency', given());
    expect(second.id).not.toBe(first.id);
    expect(await connections.list(org)).toEqual([second]);
  });
});

test('the connection of imported files is made once, on first use', async () => {
  const { connections, org } = await open();
  const both = await Promise.all([connections.own(org, 'files'), connections.own(org, 'files')]);
  expect(both[0]).toEqual(both[1]);
  expect(both[0]).toMatchObject({ provider: 'files', state: 'ACTIVE', capabilities: [], hasFeeds: false });
  expect(await connections.list(org)).toHaveLength(1);
});
