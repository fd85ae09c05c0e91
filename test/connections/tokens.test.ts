// Tokens of connected accounts, against an authorization server that rotates them and ends a grant whose
// refresh token is used twice.
import { describe, expect, onTestFinished, test } from 'vitest';
import { loadSecrets } from '../../src/connections/credentials.ts';
import { Secret } from '../../src/secret.ts';
import { acquireLease } from '../../src/store/lease.ts';
import type { OrgStore } from '../../src/store/store.ts';
import { type GuildOffice, openGuild } from './guild.ts';

const hour = 3_600_000;

async function open(given: Parameters<typeof openGuild>[0] = {}) {
  const office = await openGuild(given);
  const made = await office.connect();
  const { org, connections, guild, vault } = office;
  return {
    ...office,
    made,
    roll: async (through = org) =>
      connections.runRead(through, await connections.get(org, made.id), 'roll', {}),
    refreshes: () => guild.server.tokenCalls().filter(({ grant }) => grant === 'refresh_token'),
    state: async () => (await connections.get(org, made.id)).state,
    secrets: () => loadSecrets(org, vault, made.id),
    tokens: () =>
      org.read((db) =>
        db
          .selectFrom('oauth_tokens')
          .selectAll()
          .where('connection_id', '=', made.id)
          .executeTakeFirstOrThrow(),
      ),
  };
}

/** Holds the next token call until it is let go; the server has then not yet seen it. */
function holdTokenCall({ guild }: Pick<GuildOffice, 'guild'>): () => void {
  const gate = Promise.withResolvers<void>();
  guild.hosts.faults.failNext({ kind: 'hold', until: gate.promise }, '/token');
  onTestFinished(() => gate.resolve());
  return () => gate.resolve();
}

const refusedOnce = { kind: 'refuse', status: 401, text: '{}' } as const;

describe('a token that ends', () => {
  test('is left alone while it has long to live', async () => {
    const office = await open();
    office.clock.advance(0.79 * hour);
    await office.roll();
    expect(office.refreshes()).toEqual([]);
  });

  test('is renewed when a fifth of its life is left, before its use', async () => {
    const office = await open();
    const before = await office.secrets();
    office.clock.advance(0.8 * hour);
    await office.roll();
    expect(office.refreshes()).toEqual([{ grant: 'refresh_token', ok: true }]);
    const after = await office.secrets();
    expect(after.get('access_token')?.reveal()).not.toBe(before.get('access_token')?.reveal());
    expect(office.guild.hosts.calls().at(-1)?.headers['authorization']).toBe(
      `Bearer ${after.get('access_token')?.reveal()}`,
    );
    expect(await office.tokens()).toMatchObject({
      version: 2,
      access_expires_at: office.clock.now() + hour,
      refreshed_at: office.clock.now(),
    });
  });

  test('is renewed a day before its end where it lives for weeks', async () => {
    const office = await open({ authorization: { accessLivesS: 30 * 86_400 } });
    office.clock.advance(29 * 24 * hour - 1);
    await office.roll();
    expect(office.refreshes()).toHaveLength(0);
    office.clock.advance(1);
    await office.roll();
    expect(office.refreshes()).toHaveLength(1);
  });

  test('that has ended is renewed before anything is sent with it', async () => {
    const office = await open();
    office.clock.advance(2 * hour);
    const sent = office.guild.hosts.calls().length;
    await office.roll();
    expect(
      office.guild.hosts
        .calls()
        .slice(sent)
        .map(({ path }) => path),
    ).toEqual(['/token', '/me']);
  });

  test('many callers of one process make one token call', async () => {
    const office = await open();
    office.clock.advance(2 * hour);
    await Promise.all(Array.from({ length: 16 }, () => office.roll()));
    expect(office.refreshes()).toEqual([{ grant: 'refresh_token', ok: true }]);
  });

  test('that still works is used though its renewal fails', async () => {
    const office = await open();
    office.clock.advance(0.9 * hour);
    office.guild.hosts.faults.failNext({ kind: 'refuse', status: 503 }, '/token');
    await office.roll();
    expect(await office.state()).toBe('ACTIVE');
    await office.roll();
    expect(office.refreshes()).toEqual([{ grant: 'refresh_token', ok: true }]);
  });

  test('that still works is used while its renewal takes long, and the renewal is not lost', async () => {
    const office = await open();
    office.clock.advance(0.9 * hour);
    const letGo = holdTokenCall(office);
    const reading = office.roll();
    await office.clock.asleep((ms) => ms === 2_000);
    office.clock.advance(2_000);
    await reading;
    expect((await office.tokens()).version).toBe(1);
    letGo();
    await office.connections.close();
    expect((await office.tokens()).version).toBe(2);
  });

  test('a slow answer is waited for: it may hold the only valid refresh token there is', async () => {
    const office = await open();
    office.clock.advance(2 * hour);
    const letGo = holdTokenCall(office);
    const reading = office.connections.runRead(office.org, office.made, 'roll', {}, { timeoutMs: 200_000 });
    await expect.poll(() => office.guild.hosts.calls().at(-1)?.path).toBe('/token');
    office.clock.advance(100_000);
    letGo();
    await reading;
    expect(office.refreshes()).toEqual([{ grant: 'refresh_token', ok: true }]);
  });

  test('a caller that gives up leaves the renewal to the others', async () => {
    const office = await open();
    office.clock.advance(2 * hour);
    const letGo = holdTokenCall(office);
    const patience = new AbortController();
    const limits = { signal: patience.signal, timeoutMs: 100 * hour };
    const impatient = office.connections.runRead(office.org, office.made, 'roll', {}, limits);
    const given = expect(impatient).rejects.toThrow('enough');
    const patient = office.roll();
    await expect.poll(() => office.guild.hosts.calls().at(-1)?.path).toBe('/token');
    patience.abort(new Error('enough'));
    await given;
    letGo();
    await patient;
    expect(office.refreshes()).toEqual([{ grant: 'refresh_token', ok: true }]);
  });

  test('a failing renewal of one that has ended is told as what it is, and the next call tries again', async () => {
    const office = await open();
    office.clock.advance(2 * hour);
    office.guild.hosts.faults.failNext({ kind: 'refuse', status: 503 }, '/token');
    await expect(office.roll()).rejects.toMatchObject({ code: 'provider_unavailable' });
    expect(await office.state()).toBe('DEGRADED');
    await office.roll();
    expect(await office.state()).toBe('ACTIVE');
  });
});

describe('what a token answer brings', () => {
  test('a rotated refresh token is stored before the new bearer is used', async () => {
    const office = await open();
    office.clock.advance(2 * hour);
    const before = await office.secrets();
    // The call that uses the new bearer fails; the tokens are kept all the same.
    office.guild.hosts.faults.failNext({ kind: 'refuse', status: 500 }, '/me');
    await expect(office.roll()).rejects.toThrow();
    const after = await office.secrets();
    expect(after.get('refresh_token')?.reveal()).not.toBe(before.get('refresh_token')?.reveal());
    office.clock.advance(2 * hour);
    await office.roll();
    expect(office.refreshes()).toEqual(Array(2).fill({ grant: 'refresh_token', ok: true }));
  });

  test('without a refresh token the old one stays, and works again', async () => {
    const office = await open({ authorization: { rotation: 'never' } });
    const before = await office.secrets();
    for (let i = 0; i < 3; i += 1) {
      office.clock.advance(2 * hour);
      await office.roll();
    }
    expect((await office.secrets()).get('refresh_token')?.reveal()).toBe(
      before.get('refresh_token')?.reveal(),
    );
    expect(office.refreshes()).toEqual(Array(3).fill({ grant: 'refresh_token', ok: true }));
  });

  test('an answer that cannot be stored at once is kept, and no second call is made', async () => {
    const office = await open();
    office.clock.advance(2 * hour);
    let full = true;
    // The disk is full, from the moment of the answer.
    const org: OrgStore = {
      ...office.org,
      write: async (work) => {
        if (full && office.refreshes().length > 0) throw new Error('the disk is full');
        return office.org.write(work);
      },
    };
    const reading = office.roll(org).catch((error: unknown) => error);
    for (let tries = 1; tries < 6; tries += 1) {
      const most = 50 * 2 ** tries;
      await office.clock.asleep((ms) => ms <= most);
      office.clock.advance(most);
    }
    expect(await reading).toBeInstanceOf(Error);
    full = false;
    // The lease of the failed renewal could not be given up: it runs out.
    office.clock.advance(30_000);
    await office.roll(org);
    expect(office.refreshes()).toEqual([{ grant: 'refresh_token', ok: true }]);
    expect((await office.tokens()).version).toBe(2);
  });
});

describe('a bearer that is refused', () => {
  test('is renewed once, and the call is made again', async () => {
    const office = await open();
    office.guild.server.expireAccess();
    const sent = office.guild.hosts.calls().length;
    await office.roll();
    expect(
      office.guild.hosts
        .calls()
        .slice(sent)
        .map(({ path }) => path),
    ).toEqual(['/me', '/token', '/me']);
  });

  test('a refusal that stays is told after one renewal', async () => {
    const office = await open();
    office.guild.hosts.faults.failNext(refusedOnce, '/me', 2);
    await expect(office.roll()).rejects.toMatchObject({ code: 'auth_expired' });
    expect(office.refreshes()).toHaveLength(1);
    expect(await office.state()).toBe('EXPIRED');
  });

  test('many refused calls make one token call', async () => {
    const office = await open();
    office.guild.server.expireAccess();
    await Promise.all(Array.from({ length: 16 }, () => office.roll()));
    expect(office.refreshes()).toEqual([{ grant: 'refresh_token', ok: true }]);
  });
});

describe('the end of a grant', () => {
  test('expires the connection, and says how to connect again', async () => {
    const office = await open();
    office.guild.server.revokeAll();
    await expect(office.roll()).rejects.toMatchObject({
      code: 'auth_revoked',
      retry: 'reconnect',
      message: expect.stringContaining(`/connect/guild?account=${office.made.id}`),
    });
    expect(await office.state()).toBe('EXPIRED');
    expect(await office.moves(office.made.id)).toContain('ACTIVE → EXPIRED');
    const calls = office.refreshes().length;
    await expect(office.roll()).rejects.toMatchObject({ retry: 'reconnect' });
    expect(office.refreshes()).toHaveLength(calls);
  });

  test('is not believed where somebody else has stored other tokens meanwhile', async () => {
    const office = await open();
    office.clock.advance(2 * hour);
    const letGo = holdTokenCall(office);
    const reading = office.roll();
    await expect.poll(() => office.guild.hosts.calls().at(-1)?.path).toBe('/token');
    // A person connects the same account again, and the grant of the call under way ends.
    office.guild.server.revokeAll();
    await office.connect({ reconnect: office.made.id });
    letGo();
    await reading;
    expect(await office.state()).toBe('ACTIVE');
    expect(office.refreshes()).toEqual([{ grant: 'refresh_token', ok: false }]);
  });

  test('an app that is refused expires nobody: it goes on when the app is mended', async () => {
    const office = await open();
    office.clock.advance(2 * hour);
    office.guild.hosts.faults.failNext(
      { kind: 'refuse', status: 401, text: '{"error":"invalid_client"}' },
      '/token',
    );
    await expect(office.roll()).rejects.toMatchObject({ code: 'permission_denied' });
    expect(await office.state()).toBe('ERROR');
    await office.roll();
    expect(await office.state()).toBe('ACTIVE');
  });
});

describe('disconnected in the middle of a renewal', () => {
  test('the result is dropped and revoked, and nothing comes back to life', async () => {
    const office = await open();
    office.clock.advance(2 * hour);
    const letGo = holdTokenCall(office);
    const reading = office.roll().catch((error: unknown) => error);
    await expect.poll(() => office.guild.hosts.calls().at(-1)?.path).toBe('/token');
    // The revocation does not get through, so that the grant outlives the connection.
    office.guild.hosts.faults.failNext({ kind: 'refuse', status: 503 }, '/revoke');
    expect(await office.connections.disconnect(office.org, office.made.id)).toMatchObject({ revoked: false });
    letGo();
    expect(await reading).toMatchObject({ code: 'auth_expired' });
    await office.connections.close();
    expect((await office.secrets()).size).toBe(0);
    const revoked = office.guild.hosts.calls().filter(({ path }) => path === '/revoke');
    expect(revoked).toHaveLength(2);
    const token = new URLSearchParams(revoked.at(-1)?.body).get('token');
    expect(token).toMatch(/^sandbox-refresh-/);
    expect(office.refreshes()).toEqual([{ grant: 'refresh_token', ok: true }]);
  });
});

describe('another process', () => {
  const lease = (office: Awaited<ReturnType<typeof open>>, ttlMs = 30_000) =>
    acquireLease(office.org, { name: `refresh/${office.made.id}`, owner: 'another', ttlMs });

  test('that renews is waited for where the token has ended', async () => {
    const office = await open();
    office.clock.advance(2 * hour);
    await lease(office);
    const reading = office.roll();
    for (let look = 0; look < 3; look += 1) {
      await office.clock.asleep((ms) => ms <= 400);
      office.clock.advance(400);
    }
    expect(office.refreshes()).toEqual([]);
    // It stores what it got, as this process would see it.
    await office.org.write((tx) =>
      tx
        .updateTable('oauth_tokens')
        .set({ version: 2, access_expires_at: office.clock.now() + hour })
        .execute(),
    );
    office.guild.hosts.faults.failNext({ kind: 'garble', body: '{"account":"m","town":"t"}' }, '/me');
    await office.clock.asleep((ms) => ms <= 1_000);
    office.clock.advance(1_000);
    await reading;
    expect(office.refreshes()).toEqual([]);
  });

  test('that died while it renewed is followed when its lease has run out', async () => {
    const office = await open();
    office.clock.advance(2 * hour);
    await lease(office, 1_000);
    const reading = office.roll();
    await office.clock.asleep((ms) => ms <= 50);
    office.clock.advance(1_000);
    await reading;
    expect(office.refreshes()).toEqual([{ grant: 'refresh_token', ok: true }]);
  });

  test('that renews is not waited for while the token still works', async () => {
    const office = await open();
    office.clock.advance(0.9 * hour);
    await lease(office);
    await office.roll();
    expect(office.refreshes()).toEqual([]);
  });

  test('one that lost its lease stores its answer when the next holder has got none', async () => {
    const office = await open();
    office.clock.advance(2 * hour);
    const letGo = holdTokenCall(office);
    const reading = office.roll();
    await expect.poll(() => office.guild.hosts.calls().at(-1)?.path).toBe('/token');
    // As after a long pause: the lease has run out, and another takes it.
    await office.org.write((tx) => tx.updateTable('leases').set({ until: 1 }).execute());
    await lease(office, 1_000);
    letGo();
    await office.clock.asleep((ms) => ms <= 50);
    expect((await office.tokens()).version).toBe(1);
    office.clock.advance(1_000);
    await reading;
    expect((await office.tokens()).version).toBe(2);
    expect(office.refreshes()).toEqual([{ grant: 'refresh_token', ok: true }]);
  });
});

describe('where the credential goes', () => {
  test('to the hosts of the provider, and to no other that only looks like one', async () => {
    const office = await open();
    const { connections, org, made, guild } = office;
    const context = await connections.writeContext(org, made, 'send', {
      effectKey: 'k',
      attachment: async () => new Uint8Array(),
      aboutToSend: async () => undefined,
    });
    for (const url of [
      'https://login.guild.example/other',
      'https://api.guild.example.login.guild.example/me',
      'https://api.guild.example:8443/me',
    ]) {
      const before = guild.hosts.calls().length;
      await context.fetch(url);
      const calls = guild.hosts.calls().slice(before);
      expect(calls.map(({ headers }) => headers['authorization'])).toEqual([undefined]);
    }
  });

  test('it does not follow a redirect to another host, and what that one refuses renews nothing', async () => {
    const office = await open();
    const { connections, org, made, guild } = office;
    const context = await connections.writeContext(org, made, 'send', {
      effectKey: 'k',
      attachment: async () => new Uint8Array(),
      aboutToSend: async () => undefined,
    });
    guild.hosts.faults.failNext(
      { kind: 'refuse', status: 302, headers: { location: 'https://login.guild.example/elsewhere' } },
      '/file',
    );
    expect((await context.fetch('https://api.guild.example/file')).status).toBe(401);
    const [first, second] = guild.hosts.calls().slice(-2);
    expect(first?.headers['authorization']).toMatch(/^Bearer /);
    expect(second).toMatchObject({ host: 'login.guild.example', path: '/elsewhere' });
    expect(second?.headers['authorization']).toBeUndefined();
    expect(office.refreshes()).toEqual([]);
  });

  test('a write that is refused for its bearer is made again with its whole body', async () => {
    const office = await open();
    const { connections, org, made, guild } = office;
    const context = await connections.writeContext(org, made, 'send', {
      effectKey: 'k',
      attachment: async () => new Uint8Array(),
      aboutToSend: async () => undefined,
    });
    const bodies = {
      text: (): [string, RequestInit] => ['https://api.guild.example/w', { method: 'POST', body: 'whole' }],
      stream: (): [string, RequestInit] => [
        'https://api.guild.example/w',
        { method: 'POST', body: new Blob(['whole']).stream(), duplex: 'half' },
      ],
      request: (): [Request] => [
        new Request('https://api.guild.example/w', { method: 'POST', body: 'whole' }),
      ],
    };
    for (const [kind, call] of Object.entries(bodies)) {
      guild.server.expireAccess();
      const answer = await context.fetch(...(call() as [string, RequestInit]));
      expect([kind, answer.status]).toEqual([kind, 200]);
      const [first, , second] = guild.hosts.calls().slice(-3);
      expect([first?.body, second?.body]).toEqual(['whole', 'whole']);
    }
  });

  test('a provider has the bearer by token(), and the refresh token not at all', async () => {
    const office = await open();
    const context = await office.connections.writeContext(office.org, office.made, 'send', {
      effectKey: 'k',
      attachment: async () => new Uint8Array(),
      aboutToSend: async () => undefined,
    });
    expect(await context.token()).toBeInstanceOf(Secret);
    expect(() => context.secret('refresh_token')).toThrow();
    expect(() => context.secret('access_token')).toThrow();
  });
});
