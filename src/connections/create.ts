// Connections: a provider authorised in an org. Accounts are verified before they are stored, chosen by
// what they can do, and used through the door with credentials unsealed for that one call.
import type { Audit } from '../audit/audit.ts';
import type { OAuth } from '../auth/oauth/oauth.ts';
import type { Person } from '../auth/principal.ts';
import { makerOf } from '../auth/record-change.ts';
import type { Vault } from '../auth/vault.ts';
import type { Clock } from '../clock.ts';
import type { AppCredentials, Config } from '../config.ts';
import type { Cause, Egress } from '../egress/egress.ts';
import { DrawbridgeError } from '../errors.ts';
import type { Log } from '../log.ts';
import { catalog as allProviders } from '../providers/catalog.ts';
import type { ProviderContext, WriteOperation } from '../providers/define.ts';
import type { CatalogEntry } from '../providers/entry.ts';
import { ownLabels } from '../providers/own.ts';
import type { OrgStore, Store } from '../store/store.ts';
import { eventsSince, noticesOf } from './attention.ts';
import { storeApp } from './connect/apps.ts';
import { type AuthorizeParts, authorize } from './connect/authorize.ts';
import { authorized } from './connect/authorized.ts';
import { connectByForm } from './connect/by-form.ts';
import { storeConnection } from './connect/connect.ts';
import { disconnect } from './connect/disconnect.ts';
import { formOf } from './connect/form.ts';
import { knownProviders } from './connect/known.ts';
import { assertOn, offersOf } from './connect/offers.ts';
import { assertGranted } from './connect/scopes.ts';
import { sweepUnfinished } from './connect/unfinished.ts';
import type { Connection, Connections } from './connections.ts';
import { loadSecrets } from './credentials.ts';
import { checkHealth } from './health.ts';
import { providerContext } from './operate/context.ts';
import { type FeedParts, feedsOf, recordOf } from './operate/feeds.ts';
import { createOperations } from './operate/operations.ts';
import { runRead } from './operate/read.ts';
import { assertUsable, chooseConnection, withLink } from './operate/resolve.ts';
import { assertShown } from './operate/shown.ts';
import { type Report, reportOutcome } from './report.ts';
import { allRows, rowByAccount, rowById, toConnection } from './rows.ts';
import type { Mover } from './states.ts';
import { lookAfter } from './tokens/look-after.ts';
import type { Timing } from './tokens/tokens.ts';
import { giveBack, tokensOf } from './tokens/tokens-of.ts';

export interface ConnectionsOptions {
  store: Pick<Store, 'control'>;
  egress: Egress;
  vault: Vault;
  clock: Clock;
  log: Log;
  /** Where every move is recorded, in its own transaction; default: nowhere. */
  audit?: Pick<Audit, 'append'>;
  /** For tests; default: the generated catalog. */
  catalog?: readonly CatalogEntry[];
  /** Settings of the installation that a provider's fields fall back to. */
  defaults?: { zillowHost?: string };
  /** Apps of the installation, by name; default: none. */
  apps?: ReadonlyMap<string, AppCredentials>;
  /** Providers that are switched off. */
  providersOff?: readonly string[];
  /** Whether an MCP server may be a program that is started here; default: no. */
  allowPrograms?: boolean;
  /** Of orgs that have none of their own; default: `local`. */
  plan?: Config['plan'];
  /** Address of a page of ours, for whom has to go there. */
  pageUrl?(path: string): string;
  /** For tests; default: the real one. */
  oauth?: OAuth;
  /** For tests: waits and leases of token renewal. */
  tokenTiming?: Partial<Timing>;
}

function onPage(person: Person): Mover {
  return { by: makerOf(person), channel: 'page' };
}

export function createConnections(options: ConnectionsOptions): Connections {
  const { egress, vault, clock, log } = options;
  const catalog = options.catalog ?? allProviders;
  const defaults: Record<string, Record<string, string>> = {
    zillow: options.defaults?.zillowHost === undefined ? {} : { host: options.defaults.zillowHost },
  };

  const allowPrograms = options.allowPrograms === true;
  const { entryOf, load, loadFor, overMcp } = knownProviders(catalog, { allowPrograms });
  const apps = options.apps ?? new Map<string, AppCredentials>();
  const providersOff = options.providersOff ?? [];
  const plan = options.plan ?? 'local';
  const pageUrl = options.pageUrl ?? ((path: string) => path);
  const reconnect = ({ provider, id }: Connection, more = ''): string =>
    `${pageUrl(`/connect/${provider}?account=${id}${more}`)} (or in a terminal: drawbridge connect ${provider})`;
  const withWriting = (connection: Connection): string => reconnect(connection, '&access=write');
  let oauth: Promise<OAuth> | undefined;
  const authorizing: AuthorizeParts = {
    control: options.store.control,
    audit: options.audit,
    vault,
    clock,
    log,
    egress,
    apps,
    plan,
    async oauth() {
      oauth ??=
        options.oauth === undefined
          ? import('../auth/oauth/create.ts').then(({ createOAuth }) => createOAuth({ clock }))
          : Promise.resolve(options.oauth);
      return oauth;
    },
    defaults: (provider) => defaults[provider] ?? {},
    giveBack: (org, grant, answer) =>
      giveBack(
        org,
        { appOf: (provider) => entryOf(provider)?.app, oauth: () => authorizing.oauth(), log },
        grant,
        answer,
      ),
    context: (org, provider, given) =>
      providerContext({
        egress,
        clock,
        log,
        orgId: org.orgId,
        provider,
        connectionId: undefined,
        operation: 'connect',
        cause: 'connect',
        ...given,
      }),
  };

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
    const now = await get(org, connection.id);
    const provider = await loadFor(now);
    assertOn(provider, providersOff);
    assertUsable(now, reconnect);
    const declared = Object.hasOwn(provider.operations, operation)
      ? provider.operations[operation]
      : undefined;
    if (declared !== undefined) assertGranted(now, declared, withWriting(now));
    const oauth2 = provider.auth.kind === 'oauth2';
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
      // Bearers are read when one is needed, and again when it was renewed.
      secrets: oauth2 && provider.secrets.length === 0 ? new Map() : await loadSecrets(org, vault, now.id),
      mcpServerUrl: now.mcpServerUrl,
      ...(oauth2
        ? {
            bearer: {
              fresh: () => tokens.fresh(org, now.id, signal),
              instead: (refused) => tokens.instead(org, now.id, refused, signal),
            },
          }
        : {}),
      signal,
    });
  }

  const tokens = tokensOf({
    ...authorizing,
    get,
    load: loadFor,
    appOf: (provider) => entryOf(provider)?.app,
    reconnect,
    timing: options.tokenTiming,
  });

  function report(org: OrgStore, id: string, result: Report): Promise<void> {
    return reportOutcome(org, { clock, audit: options.audit }, id, result);
  }

  async function check(org: OrgStore, id: string, signal?: AbortSignal): Promise<void> {
    const connection = await get(org, id);
    const provider = await loadFor(connection);
    const context = (limit: AbortSignal) => contextOf(org, connection, 'check', 'status', limit);
    const tellIt = (result: Report) => report(org, id, result);
    await checkHealth(org, { clock, connection, provider, context, report: tellIt }, signal);
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

  const operations = createOperations({
    clock,
    log,
    list,
    load: async (connection) => {
      const provider = await loadFor(connection);
      assertOn(provider, providersOff);
      return provider;
    },
    context: contextOf,
    report: tell,
  });

  async function feedParts(org: OrgStore, connection: Connection): Promise<FeedParts> {
    const provider = await loadFor(connection);
    const { scopes } = await get(org, connection.id);
    return {
      provider,
      scopes,
      context: (operation, cause) => contextOf(org, connection, operation, cause),
    };
  }

  async function writeNamed(
    org: OrgStore,
    connection: Connection,
    name: string,
  ): Promise<WriteOperation<unknown>> {
    const operation = await operations.named(org, connection, name);
    if (operation.effect === 'read') {
      throw new DrawbridgeError('not_found', `${connection.providerTitle} has no write called ${name}.`);
    }
    // Its payload passes the operation's own schema before it is run: the queue sees to that.
    return operation as WriteOperation<unknown>;
  }

  return {
    list,
    get,
    report,
    async resolve(org, capability, account) {
      return chooseConnection(await list(org), catalog, capability, { account, reconnect });
    },

    async connect(org, providerId, given, mover) {
      if (entryOf(providerId)?.connectable === false) {
        throw new DrawbridgeError('invalid_request', `${providerId} has no account to connect.`, {
          field: 'provider',
        });
      }
      const provider = await load(providerId);
      assertOn(provider, providersOff);
      const parts = { ...authorizing, mover, allowPrograms, pageUrl };
      return get(org, await connectByForm(org, parts, provider, given));
    },

    disconnect: (org, id, mover) =>
      disconnect(
        org,
        {
          ...authorizing,
          mover,
          load: async (provider) => entryOf(provider)?.load(),
          reached: async (row) =>
            entryOf(row.provider) === undefined
              ? undefined
              : loadFor(toConnection(row, entryOf(row.provider))),
          appOf: (provider) => entryOf(provider)?.app,
          isOff: (provider) => providersOff.includes(provider),
        },
        id,
      ),
    offers: (org) => offersOf(org, { catalog, apps, providersOff }),
    form: async (provider) => formOf(await load(provider)),
    notices: async (org) => noticesOf(org, await list(org), { plan, now: clock.now() }),
    events: eventsSince,
    async authorize(org, person, start) {
      const declared = await load(start.provider);
      assertOn(declared, providersOff);
      const provider =
        start.via === 'mcp' && declared.mcp !== undefined
          ? { ...(await overMcp(declared)), mcp: declared.mcp }
          : declared;
      return authorize(org, { ...authorizing, mover: onPage(person) }, person, provider, start);
    },
    async authorized(org, person, back) {
      const declared = await load(back.provider);
      assertOn(declared, providersOff);
      const over = () => overMcp(declared);
      const parts = { ...authorizing, mover: onPage(person) };
      return get(org, await authorized(org, parts, person, { declared, over }, back));
    },
    async registerApp(org, app, given) {
      if (!catalog.some((entry) => entry.app === app)) {
        throw new DrawbridgeError('not_found', `No provider uses an app called ${app}.`, { field: 'app' });
      }
      await storeApp(org, authorizing, app, given);
    },
    operations: (org, connectionId) => operations.find(org, connectionId),
    async runRead(org, connection, name, input, given) {
      assertShown(org, connection);
      const now = await get(org, connection.id);
      assertGranted(now, await operations.named(org, connection, name), withWriting(now));
      return withLink(
        () => reconnect(connection),
        () => operations.read(org, connection, name, input, given),
      );
    },
    lookAfter: (org, signal) =>
      lookAfter(
        org,
        {
          clock,
          log,
          tokens,
          check,
          sweep: (from) => sweepUnfinished(from, { audit: options.audit }, clock.now()),
          isOAuth: (provider) => entryOf(provider)?.app !== undefined,
          canCheck: (provider) => entryOf(provider)?.connectable === true && !providersOff.includes(provider),
        },
        signal,
      ),
    rotateKeys: (org, given) => vault.rotate(org, given),

    check: (org, id) => check(org, id),

    async own(org, provider) {
      const account = { provider, account: provider, label: ownLabels[provider] };
      const row = await org.read((db) => rowByAccount(db, org.orgId, provider, provider));
      const id =
        row?.id ?? (await storeConnection(org, authorizing, { ...account, fields: {}, secrets: new Map() }));
      return get(org, id);
    },

    async read(org, connection, capability, input, limits = {}) {
      assertShown(org, connection);
      const provider = await load(connection.provider);
      const run = () =>
        runRead({
          provider,
          capability,
          input,
          clock,
          ...limits,
          context: (operation, signal) => contextOf(org, connection, operation, 'tool', signal),
          report: (result) => tell(org, connection, result),
        });
      return withLink(() => reconnect(connection), run);
    },

    async write(org, connection, name) {
      const operation = await writeNamed(org, connection, name);
      const now = await get(org, connection.id);
      assertGranted(now, operation, withWriting(now));
      return operation;
    },

    async writeFor(connection, capability) {
      const provider = await load(connection.provider);
      const name = provider.capabilities[capability];
      if (name === undefined) {
        throw new DrawbridgeError(
          'not_found',
          `${connection.label} (${provider.title}) cannot do ${capability}.`,
        );
      }
      const operation = provider.operations[name];
      if (operation === undefined || operation.effect === 'read') {
        throw new DrawbridgeError('not_found', `${provider.title} has no write called ${name}.`);
      }
      return { name, operation: operation as WriteOperation<unknown> };
    },

    async writeContext(org, connection, operation, run) {
      return { ...(await contextOf(org, connection, operation, 'tool', run.signal)), ...run };
    },

    async feeds(org, connection) {
      return feedsOf(await feedParts(org, connection));
    },

    async record(org, connection, known) {
      const record = recordOf(await feedParts(org, connection), known);
      if (record === undefined) return undefined;
      return {
        read: async () => {
          try {
            const found = await withLink(() => reconnect(connection), record.read);
            await tell(org, connection, { answered: true });
            return found;
          } catch (error) {
            await tell(org, connection, { error });
            throw error;
          }
        },
      };
    },

    providers: () => Promise.all(catalog.map((entry) => entry.load())),
    close: () => tokens.close(),
  };
}
