// What every provider of the catalogue promises, whatever it is: connecting, tokens, feeds, failures, limits,
// secrets. No provider has a file of its own here; its emulator stands in sandbox/emulators.ts.
import { describe, expect, test } from 'vitest';
import { DrawbridgeError } from '../../src/errors.ts';
import type { CatalogEntry } from '../../src/providers/entry.ts';
import { Secret } from '../../src/secret.ts';
import { probePath } from '../providers/contract.ts';
import { apiPlaces, failure, json, many } from './provider-asks.ts';
import { describeFeeds } from './provider-feeds.ts';
import { describeFailures, describeReading } from './provider-reads.ts';
import { openProviderWorld, type ProviderWorld } from './provider-world.ts';

export async function describeProvider(entry: CatalogEntry): Promise<void> {
  const provider = await entry.load();
  const overHttp = provider.http !== undefined && provider.auth.kind !== 'password';
  const rounds = provider.auth.kind === 'oauth2';

  describe(entry.id, () => {
    describe('connecting', () => {
      test('ends ACTIVE and says whose account it is; the same account again is the same connection', async () => {
        const world = await openProviderWorld(entry);
        const { connections, org } = world;
        const first = await world.connect();
        expect(first).toMatchObject({ provider: entry.id, state: 'ACTIVE' });
        expect(first.account).toMatch(/\S/);
        expect(first.label).toMatch(/\S/);
        await connections.check(org, first.id);
        const again = await world.connect();
        expect([again.id, again.account, again.label]).toEqual([first.id, first.account, first.label]);
        expect(await connections.list(org)).toHaveLength(1);
      });

      test.runIf(rounds)('denied by the person leaves no account behind', async () => {
        const world = await openProviderWorld(entry);
        await expect(world.connect({ press: 'deny' })).rejects.toMatchObject({ code: 'permission_denied' });
        expect((await world.connections.list(world.org)).filter(({ state }) => state === 'ACTIVE')).toEqual(
          [],
        );
      });

      test.runIf(rounds)('come back with the state of somebody else connects nothing', async () => {
        const world = await openProviderWorld(entry);
        authorizationOf(world).next('wrong-state');
        await expect(world.connect()).rejects.toBeInstanceOf(DrawbridgeError);
        expect((await world.connections.list(world.org)).filter(({ state }) => state === 'ACTIVE')).toEqual(
          [],
        );
      });

      const issuer = provider.auth.kind === 'oauth2' ? provider.auth.issuer : undefined;
      test.runIf(issuer !== undefined)('come back from another issuer connects nothing', async () => {
        const world = await openProviderWorld(entry);
        authorizationOf(world).next('wrong-issuer');
        await expect(world.connect()).rejects.toBeInstanceOf(DrawbridgeError);
        expect((await world.connections.list(world.org)).filter(({ state }) => state === 'ACTIVE')).toEqual(
          [],
        );
      });

      test.skipIf(rounds)('with a credential that is refused connects nothing, and says so', async () => {
        const world = await openProviderWorld(entry);
        const error = await failure(world.connect({ wrong: true }));
        expect(['auth_expired', 'auth_revoked', 'permission_denied']).toContain(error.code);
        expect(await world.connections.list(world.org)).toEqual([]);
      });
    });

    describe.runIf(rounds)('tokens', () => {
      test('an ended one is renewed once, as often as it ends, and nobody notices', async () => {
        const world = await openProviderWorld(entry);
        const connection = await world.connect();
        const authorization = authorizationOf(world);
        for (const round of [1, 2]) {
          authorization.expireAccess();
          await world.connections.check(world.org, connection.id);
          const renewals = authorization.tokenCalls().filter(({ grant }) => grant === 'refresh_token');
          expect(renewals).toEqual(
            Array.from({ length: round }, () => ({ grant: 'refresh_token', ok: true })),
          );
        }
        expect((await world.connections.get(world.org, connection.id)).state).toBe('ACTIVE');
      });

      test('a grant that is gone makes the account EXPIRED, and says to connect it again', async () => {
        const world = await openProviderWorld(entry);
        const connection = await world.connect();
        authorizationOf(world).revokeAll();
        const error = await failure(world.connections.check(world.org, connection.id));
        expect(error.retry).toBe('reconnect');
        expect((await world.connections.get(world.org, connection.id)).state).toBe('EXPIRED');
      });

      test('disconnecting ends the grant at the provider, and forgets', async () => {
        const world = await openProviderWorld(entry);
        const connection = await world.connect();
        const bearer = await (await world.context(connection)).token();
        const result = await world.connections.disconnect(world.org, connection.id);
        const declared = provider.auth.kind === 'oauth2' && provider.auth.revocation !== undefined;
        expect(result.revoked).toBe(declared);
        if (declared) {
          expect(authorizationOf(world).scopesOf(`Bearer ${bearer.reveal()}`)).toBeUndefined();
        } else expect(result.why).toMatch(/\S/);
        const left = await world.org.read((db) => db.selectFrom('secrets').selectAll().execute());
        expect(left).toEqual([]);
      });
    });

    describeReading(entry, provider, overHttp);
    describeFailures(entry, provider, overHttp);
    describeFeeds(entry, provider);

    describe('secrets', () => {
      test('are in no line of the log and in no error, whatever goes wrong', async () => {
        const world = await openProviderWorld(entry);
        const connection = await world.connect();
        const secrets = await secretsOf(world, connection.id);
        expect(secrets.length).toBeGreaterThan(0);
        const errors: DrawbridgeError[] = [];
        const note = async (work: Promise<unknown>) => {
          await work.catch((thrown: unknown) => {
            if (thrown instanceof DrawbridgeError) errors.push(thrown);
          });
        };
        await note(world.connections.check(world.org, connection.id));
        for (const status of overHttp ? [401, 403, 429, 500] : []) {
          // An answer that repeats what it was sent.
          const text = JSON.stringify({ error: { message: secrets.join(' ') }, message: secrets.join(' ') });
          for (const place of apiPlaces(world)) {
            world.hosts.faults.failNext({ kind: 'refuse', status, text, ...json }, place, many);
          }
          await note(world.connections.check(world.org, connection.id));
          world.hosts.faults.clear();
          world.clock?.advance(10 * 60_000);
        }
        await note(world.connect({ wrong: true, press: 'deny' }));
        await note(world.connections.disconnect(world.org, connection.id).then(() => undefined));
        const said = [
          ...world.lines,
          ...errors.map((error) => `${error.message} ${JSON.stringify(error)} ${error.field}`),
        ].join('\n');
        for (const secret of secrets) {
          const at = said.indexOf(secret);
          expect(at < 0 ? '' : said.slice(Math.max(0, at - 300), at + 80), secret).toBe('');
        }
      });
    });

    test.runIf(overHttp)('no more calls are under way at the provider than it declares', async () => {
      const world = await openProviderWorld(entry);
      const context = await world.context(await world.connect());
      const { concurrent, burst } = provider.limit;
      const place = world.hosts.calls().at(-1);
      const release = Promise.withResolvers<void>();
      const before = world.hosts.calls().length;
      world.hosts.faults.failNext({ kind: 'hold', until: release.promise }, probePath, 4 * many);
      const running = Array.from({ length: Math.min(2 * concurrent + 2, burst + concurrent) }, (_, n) =>
        // Each another one: equal questions are asked once.
        context.fetch(`https://${place?.host}${probePath}?n=${n}`).catch(() => undefined),
      );
      const underWay = () => world.hosts.calls().length - before;
      while (underWay() < Math.min(concurrent, burst)) await turn();
      for (let turns = 0; turns < 50; turns += 1) await turn();
      expect(underWay()).toBeLessThanOrEqual(concurrent);
      release.resolve();
      await Promise.all(running);
    });

    test('declares a limit that a call fits in', () => {
      const { perSecond, burst, concurrent, windows = [] } = provider.limit;
      for (const value of [perSecond, burst, concurrent]) expect(value).toBeGreaterThan(0);
      expect(burst).toBeGreaterThanOrEqual(1);
      for (const { calls, ms } of windows) expect(calls / ms).toBeGreaterThan(0);
    });

    test.runIf(provider.webhook !== undefined)(
      'a delivery is believed with its own signature and soon, and no other',
      async () => {
        const world = await openProviderWorld(entry);
        const { webhook } = provider;
        const sign = world.emulated.sign;
        if (webhook === undefined || sign === undefined) throw new Error(`${entry.id} signs nothing here`);
        const now = 1_767_614_400_000;
        const delivery = { method: 'POST', url: 'https://drawbridge.example/hook', body: '[{"id":1}]' };
        const signed = sign(delivery, 'the-signing-secret', now);
        const verify = (
          change: Partial<{
            url: string;
            body: string;
            secret: string;
            now: number;
            headers: Record<string, string>;
          }>,
        ) =>
          webhook.verify(
            {
              method: signed.method,
              url: change.url ?? signed.url,
              headers: new Headers(change.headers ?? signed.headers),
              body: Buffer.from(change.body ?? signed.body),
            },
            new Secret(change.secret ?? 'the-signing-secret'),
            change.now ?? now,
          );
        expect(verify({})).toBe(true);
        expect(verify({ body: '[{"id":2}]' })).toBe(false);
        expect(verify({ secret: 'another-secret' })).toBe(false);
        expect(verify({ headers: {} })).toBe(false);
        for (const [name, value] of Object.entries(signed.headers)) {
          const other = `${value.startsWith('A') ? 'B' : 'A'}${value.slice(1)}`;
          expect(verify({ headers: { ...signed.headers, [name]: other } }), name).toBe(false);
          expect(verify({ headers: { ...signed.headers, [name]: '' } }), name).toBe(false);
        }
        // Where it sends a time, an old delivery and one from the future are refused.
        const later = sign(delivery, 'the-signing-secret', now + 1_000);
        if (JSON.stringify(later.headers) !== JSON.stringify(signed.headers)) {
          expect(verify({ now: now + 3_600_000 })).toBe(false);
          expect(verify({ now: now - 3_600_000 })).toBe(false);
        }
      },
    );
  });
}

/** What is ready to run has run. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

function authorizationOf({ emulated }: ProviderWorld) {
  if (emulated.way.kind !== 'browser') throw new Error('no sign-in here');
  return emulated.way.authorization;
}

/** What was given, and what was sent as a credential. */
async function secretsOf(world: ProviderWorld, id: string): Promise<string[]> {
  const { way } = world.emulated;
  if (way.kind === 'form') return Object.values(way.secrets);
  const connection = await world.connections.get(world.org, id);
  const bearer = await (await world.context(connection)).token();
  const sent = world.hosts.calls().flatMap(({ body }) => {
    const form = new URLSearchParams(body);
    return ['refresh_token', 'code', 'code_verifier', 'client_secret'].flatMap(
      (name) => form.get(name) ?? [],
    );
  });
  return [...new Set([bearer.reveal(), way.clientSecret, ...sent])];
}
