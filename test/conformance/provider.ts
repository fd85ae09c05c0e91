// What every provider of the catalogue promises, whatever it is: connecting, tokens, feeds, failures, limits,
// secrets. No provider has a file of its own here; its emulator stands in sandbox/emulators.ts.
import { describe, expect } from 'vitest';
import { onExchange } from '../../sandbox/providers.ts';
import { DrawbridgeError } from '../../src/errors.ts';
import type { Provider } from '../../src/providers/define.ts';
import type { CatalogEntry } from '../../src/providers/entry.ts';
import { apiPlaces, failure, json, tokenRequest } from './provider-asks.ts';
import { describeDelivery } from './provider-delivery.ts';
import { describeFeeds } from './provider-feeds.ts';
import { describeLimits } from './provider-limits.ts';
import { group, type Parts, type Promises, partsOf, promisesOf } from './provider-parts.ts';
import { describeFailures, describeReading } from './provider-reads.ts';
import { openProviderWorld, type ProviderWorld } from './provider-world.ts';

export async function describeProvider(entry: CatalogEntry): Promise<void> {
  const provider = await entry.load();
  describe(entry.id, () => {
    const suite = { promise: promisesOf(entry.id), parts: partsOf(provider) };
    describeConnecting(entry, suite);
    describeTokens(entry, provider, suite);
    describeReading(entry, provider, suite);
    describeFailures(entry, provider, suite);
    describeFeeds(entry, provider, suite);
    describeSecrets(entry, suite);
    describeLimits(entry, provider, suite);
    describeDelivery(entry, provider, suite);
  });
}

interface Suite {
  promise: Promises;
  parts: Parts;
}

function describeConnecting(entry: CatalogEntry, { promise, parts }: Suite): void {
  const active = async ({ connections, org }: ProviderWorld) =>
    (await connections.list(org)).filter(({ state }) => state === 'ACTIVE');

  group('connecting', () => {
    promise(
      'ends ACTIVE and says whose account it is; the same account again is the same connection',
      undefined,
      async () => {
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
      },
    );

    promise('denied by the person leaves no account behind', parts.signIn, async () => {
      const world = await openProviderWorld(entry);
      await expect(world.connect({ press: 'deny' })).rejects.toMatchObject({ code: 'permission_denied' });
      expect(await active(world)).toEqual([]);
    });

    promise('come back with the state of somebody else connects nothing', parts.signIn, async () => {
      const world = await openProviderWorld(entry);
      authorizationOf(world).next('wrong-state');
      await expect(world.connect()).rejects.toBeInstanceOf(DrawbridgeError);
      expect(await active(world)).toEqual([]);
    });

    promise('come back from another issuer connects nothing', parts.issuer, async () => {
      const world = await openProviderWorld(entry);
      authorizationOf(world).next('wrong-issuer');
      await expect(world.connect()).rejects.toBeInstanceOf(DrawbridgeError);
      expect(await active(world)).toEqual([]);
    });

    promise('with a credential that is refused connects nothing, and says so', parts.typed, async () => {
      const world = await openProviderWorld(entry);
      const error = await failure(world.connect({ wrong: true }));
      expect(['auth_expired', 'auth_revoked', 'permission_denied']).toContain(error.code);
      expect(await world.connections.list(world.org)).toEqual([]);
    });

    promise('disconnecting forgets, and ends the grant where there is one', undefined, async () => {
      const world = await openProviderWorld(entry);
      const { connections, org, emulated } = world;
      const connection = await world.connect();
      const { auth } = await entry.load();
      const bearer =
        emulated.way.kind === 'browser' ? await (await world.context(connection)).token() : undefined;
      const result = await connections.disconnect(org, connection.id);
      // A server that is found out names its own way to revoke; that of the sandbox has one.
      const declared =
        auth.kind === 'discovered' || (auth.kind === 'oauth2' && auth.revocation !== undefined);
      expect(result.revoked).toBe(declared);
      if (declared && bearer !== undefined) {
        expect(authorizationOf(world).scopesOf(`Bearer ${bearer.reveal()}`)).toBeUndefined();
      } else if (parts.credential === undefined) expect(result.why).toMatch(/\S/);
      expect(await org.read((db) => db.selectFrom('secrets').selectAll().execute())).toEqual([]);
      expect(await connections.list(org)).toEqual([]);
    });
  });
}

function describeTokens(entry: CatalogEntry, provider: Provider, { promise, parts }: Suite): void {
  group('tokens', () => {
    promise(
      'an ended one is renewed once, as often as it ends, and nobody notices',
      parts.renewal,
      async () => {
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
      },
    );

    promise(
      'the refresh token sent is the newest that came; without a new one the old one stays',
      parts.renewal,
      async () => {
        const world = await openProviderWorld(entry);
        let newest: string | undefined;
        const sent: [string | null, string | undefined][] = [];
        const end = onExchange(({ call, answer }) => {
          const form = tokenRequest(call.body);
          if (form.get('grant_type') === 'refresh_token') sent.push([form.get('refresh_token'), newest]);
          const came = /"refresh_token":"([^"]+)"/.exec(answer?.body ?? '')?.[1];
          if (came !== undefined) newest = came;
        });
        try {
          const connection = await world.connect();
          for (let round = 0; round < 3; round += 1) {
            authorizationOf(world).expireAccess();
            await world.connections.check(world.org, connection.id);
          }
        } finally {
          end();
        }
        expect(sent).toHaveLength(3);
        for (const [used, known] of sent) expect(used).toBe(known);
        const { auth } = provider;
        if (
          auth.kind === 'oauth2' &&
          auth.refreshToken !== 'none' &&
          auth.refreshToken.rotation === 'always'
        ) {
          expect(new Set(sent.map(([used]) => used)).size).toBe(3);
        }
      },
    );

    promise(
      'a grant that is gone makes the account EXPIRED, and says to connect it again',
      parts.renewal,
      async () => {
        const world = await openProviderWorld(entry);
        const connection = await world.connect();
        authorizationOf(world).revokeAll();
        const error = await failure(world.connections.check(world.org, connection.id));
        expect(error.retry).toBe('reconnect');
        expect((await world.connections.get(world.org, connection.id)).state).toBe('EXPIRED');
      },
    );

    promise(
      'a credential that is taken no more makes the account EXPIRED, and says to connect it again',
      parts.credential,
      async () => {
        const world = await openProviderWorld(entry);
        const connection = await world.connect();
        world.fail({ kind: 'refuse', status: 401, text: '{}', ...json }, { places: apiPlaces(world) });
        const error = await failure(world.connections.check(world.org, connection.id));
        expect(error.retry).toBe('reconnect');
        expect((await world.connections.get(world.org, connection.id)).state).toBe('EXPIRED');
      },
    );
  });
}

function describeSecrets(entry: CatalogEntry, { promise, parts }: Suite): void {
  promise(
    'secrets are in no line of the log and in no error, whatever goes wrong',
    parts.credential,
    async () => {
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
      for (const status of [403, 429, 500, 401]) {
        // An answer that repeats what it was sent.
        const text = JSON.stringify({ error: { message: secrets.join(' ') }, message: secrets.join(' ') });
        world.fail({ kind: 'refuse', status, text, ...json }, { places: apiPlaces(world) });
        await note(world.connections.check(world.org, connection.id));
        world.mend();
        world.clock.advance(10 * 60_000);
      }
      expect(errors.length).toBeGreaterThan(0);
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
    },
  );
}

function authorizationOf({ emulated }: ProviderWorld) {
  if (emulated.way.kind !== 'browser') throw new Error('no sign-in here');
  return emulated.way.authorization;
}

/** What was given, and what was sent as a credential. */
async function secretsOf(world: ProviderWorld, id: string): Promise<string[]> {
  const { way } = world.emulated;
  if (way.kind === 'none') return [];
  if (way.kind === 'form') return Object.values(way.secrets);
  const connection = await world.connections.get(world.org, id);
  const bearer = await (await world.context(connection)).token();
  const sent = world.hosts.calls().flatMap(({ body }) => {
    const form = tokenRequest(body);
    return ['refresh_token', 'code', 'code_verifier', 'client_secret'].flatMap(
      (name) => form.get(name) ?? [],
    );
  });
  return [...new Set([bearer.reveal(), way.clientSecret, ...sent])];
}
