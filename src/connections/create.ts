// Connections: a provider authorised in an org. Accounts are verified before they are stored, chosen by
// what they can do, and used through the door with credentials unsealed for that one call.
import type { Vault } from '../auth/vault.ts';
import type { Clock } from '../clock.ts';
import type { Cause, Egress } from '../egress/egress.ts';
import { DrawbridgeError } from '../errors.ts';
import type { Log } from '../log.ts';
import { catalog as allProviders } from '../providers/catalog.ts';
import type { Provider, ProviderContext, WriteOperation } from '../providers/define.ts';
import type { CatalogEntry } from '../providers/entry.ts';
import type { OrgStore } from '../store/store.ts';
import { removeConnection, storeConnection } from './connect.ts';
import type { Connection, Connections } from './connections.ts';
import { providerContext } from './context.ts';
import { loadSecrets } from './credentials.ts';
import { checkGiven } from './given.ts';
import { runRead } from './read.ts';
import { type Report, reportOutcome } from './report.ts';
import { assertUsable, chooseConnection } from './resolve.ts';
import { allRows, rowByAccount, rowById, toConnection } from './rows.ts';

export interface ConnectionsOptions {
  egress: Egress;
  vault: Vault;
  clock: Clock;
  log: Log;
  /** For tests; default: the generated catalog. */
  catalog?: readonly CatalogEntry[];
  /** Settings of the installation that a provider's fields fall back to. */
  defaults?: { zillowHost?: string };
}

function notYet(name: string): () => Promise<never> {
  return async () => {
    throw new DrawbridgeError('internal', `${name} is not built yet.`);
  };
}

const files = { provider: 'files', account: 'files', label: 'Imported files' };

export function createConnections(options: ConnectionsOptions): Connections {
  const { egress, vault, clock, log } = options;
  const catalog = options.catalog ?? allProviders;
  const defaults: Record<string, Record<string, string>> = {
    zillow: options.defaults?.zillowHost === undefined ? {} : { host: options.defaults.zillowHost },
  };

  function entryOf(provider: string): CatalogEntry | undefined {
    return catalog.find((entry) => entry.id === provider);
  }

  async function load(provider: string): Promise<Provider> {
    const entry = entryOf(provider);
    if (entry !== undefined) return entry.load();
    const known = catalog.filter(({ connectable }) => connectable).map(({ id }) => id);
    throw new DrawbridgeError(
      'not_found',
      `There is no provider ${provider}. There are: ${known.join(', ')}.`,
      {
        field: 'provider',
      },
    );
  }

  async function get(org: OrgStore, id: string): Promise<Connection> {
    const row = await org.read((db) => rowById(db, org.orgId, id));
    if (row === undefined) throw new DrawbridgeError('not_found', `There is no connection ${id}.`);
    return toConnection(row, entryOf(row.provider));
  }

  /** A context with credentials as they are now; refuses a connection that has lost them since. */
  async function contextOf(
    org: OrgStore,
    connection: Connection,
    operation: string,
    cause: Cause,
    signal?: AbortSignal,
  ): Promise<ProviderContext> {
    const provider = await load(connection.provider);
    const now = await get(org, connection.id);
    assertUsable(now, catalog);
    const secrets = await loadSecrets(org, vault, connection.id);
    return providerContext({
      egress,
      clock,
      log,
      orgId: org.orgId,
      provider,
      connectionId: now.id,
      operation,
      cause,
      fields: now.fields,
      secrets,
      signal,
    });
  }

  function report(org: OrgStore, id: string, result: Report): Promise<void> {
    return reportOutcome(org, clock, id, result);
  }

  /** What a read says of its connection; a record that cannot be written takes no answer away. */
  async function tell(org: OrgStore, connection: Connection, result: Report): Promise<void> {
    const nothingNew =
      'answered' in result && connection.state === 'ACTIVE' && connection.lastError === undefined;
    if (nothingNew) return;
    try {
      await report(org, connection.id, result);
    } catch (error) {
      log.warn({ err: error, connection: connection.id }, 'the state of a connection could not be recorded');
    }
  }

  async function list(org: OrgStore): Promise<Connection[]> {
    return (await allRows(org)).map((row) => toConnection(row, entryOf(row.provider)));
  }

  async function writeNamed(providerId: string, name: string): Promise<WriteOperation<unknown>> {
    const provider = await load(providerId);
    const operation = Object.hasOwn(provider.operations, name) ? provider.operations[name] : undefined;
    if (operation === undefined || operation.effect === 'read') {
      throw new DrawbridgeError('not_found', `${provider.title} has no write called ${name}.`);
    }
    // Its payload passes the operation's own schema before it is run: the queue sees to that.
    return operation as WriteOperation<unknown>;
  }

  return {
    list,
    get,
    report,
    async resolve(org, capability, account) {
      return chooseConnection(await list(org), catalog, capability, account);
    },

    async connect(org, providerId, given) {
      if (entryOf(providerId)?.connectable === false) {
        throw new DrawbridgeError('invalid_request', `${providerId} has no account to connect.`, {
          field: 'provider',
        });
      }
      const provider = await load(providerId);
      const checked = checkGiven(provider, given, defaults[providerId] ?? {});
      const who = await provider.identity(
        providerContext({
          egress,
          clock,
          log,
          orgId: org.orgId,
          provider,
          connectionId: undefined,
          operation: 'connect',
          cause: 'connect',
          ...checked,
        }),
      );
      const id = await storeConnection(
        org,
        { vault, clock },
        {
          ...checked,
          provider: providerId,
          account: who.id,
          label: who.label,
        },
      );
      return get(org, id);
    },

    async disconnect(org, id) {
      await removeConnection(org, clock, id);
      return { revoked: false };
    },
    offers: notYet('offers'),
    authorize: notYet('authorize'),
    authorized: notYet('authorized'),
    registerApp: notYet('registerApp'),
    operations: notYet('operations'),
    runRead: notYet('runRead'),
    lookAfter: notYet('lookAfter'),
    rotateKeys: (org, given) => vault.rotate(org, given),

    async check(org, id) {
      const connection = await get(org, id);
      const provider = await load(connection.provider);
      try {
        await provider.identity(await contextOf(org, connection, 'check', 'status'));
      } catch (error) {
        await report(org, id, { error });
        throw error;
      }
      await report(org, id, { answered: true });
    },

    async files(org) {
      const row = await org.read((db) => rowByAccount(db, org.orgId, files.provider, files.account));
      const id =
        row?.id ??
        (await storeConnection(org, { vault, clock }, { ...files, fields: {}, secrets: new Map() }));
      return get(org, id);
    },

    async read(org, connection, capability, input, limits = {}) {
      const provider = await load(connection.provider);
      return runRead({
        provider,
        capability,
        input,
        clock,
        ...limits,
        context: (operation, signal) => contextOf(org, connection, operation, 'tool', signal),
        report: (result) => tell(org, connection, result),
      });
    },

    write: (_org, connection, operation) => writeNamed(connection.provider, operation),

    async writeFor(connection, capability) {
      const provider = await load(connection.provider);
      const name = provider.capabilities[capability];
      if (name === undefined) {
        throw new DrawbridgeError(
          'not_found',
          `${connection.label} (${provider.title}) cannot do ${capability}.`,
        );
      }
      return { name, operation: await writeNamed(connection.provider, name) };
    },

    async writeContext(org, connection, operation, run) {
      return { ...(await contextOf(org, connection, operation, 'tool', run.signal)), ...run };
    },

    async feeds(org, connection) {
      const provider = await load(connection.provider);
      const feeds = Object.entries(provider.feeds);
      return Promise.all(
        feeds.map(async ([name, feed]) => {
          const context = await contextOf(org, connection, name, 'sync');
          return { name, feed, pages: (cursor: unknown) => feed.pages(context, cursor) };
        }),
      );
    },

    providers: () => Promise.all(catalog.map((entry) => entry.load())),
  };
}
