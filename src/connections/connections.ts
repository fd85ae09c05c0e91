// A provider authorised in an org, as the floors above see it.

import type { Person } from '../auth/principal.ts';
import type { DrawbridgeError } from '../errors.ts';
import type { Capability, CapabilityInputs, CapabilityOutputs } from '../providers/capabilities.ts';
import type { Feed, Provider, ReadOperation, WriteContext, WriteOperation } from '../providers/define.ts';
import type { OwnProvider } from '../providers/own.ts';
import type { DocumentKind, SourceRecord } from '../providers/record.ts';
import type { Secret } from '../secret.ts';
import type { OrgStore } from '../store/store.ts';
import type { ConnectionState } from '../store/tables.ts';
import type { ConnectionEvent, Notice } from './attention.ts';
import type { ConnectForm } from './connect/form.ts';
import type { Mover } from './states.ts';

export interface Connection {
  id: string;
  provider: string;
  providerTitle: string;
  /** The provider's own id of the account. */
  account: string;
  label: string;
  state: ConnectionState;
  fields: Record<string, unknown>;
  capabilities: Capability[];
  /** Whether its provider has records that are synced into memory. */
  hasFeeds: boolean;
  /** Reached by the provider's own MCP server instead of its API. */
  mcpServerUrl: string | undefined;
  /** `read`: a person let agents read it, and propose nothing. */
  access: 'read' | 'write';
  /** Scopes that the provider granted; undefined where it knows none. */
  scopes: readonly string[] | undefined;
  /** Kinds of records that those feeds bring. */
  feedKinds: string[];
  /** How old a record of a kind may be, ms, where its provider declares it. */
  freshMs?: Readonly<Partial<Record<DocumentKind, number>>>;
  lastSyncAt: number | undefined;
  lastError: { code: string; message: string; at: number } | undefined;
  createdAt: number;
}

/** A provider as it stands in this installation. */
export interface Offer {
  id: string;
  title: string;
  /** `not-configured`: its app is not registered here yet; `off`: switched off by the installation. */
  status: 'available' | 'not-configured' | 'off';
  /** Whether a person connects it in the browser (OAuth) or by a form. */
  way: 'browser' | 'form';
  app: string | undefined;
  /** The title of a secret that a person can paste instead, where that app is not registered. */
  pasted?: string;
  command: string;
}

/** An authorization that a person begins in a browser. */
export interface AuthorizationStart {
  provider: string;
  fields: Record<string, string>;
  /** Credentials that the provider asks for beside the authorization (a developer token, say). */
  secrets?: Record<string, string>;
  /** `read`: no scopes for writes are asked. */
  access: 'read' | 'write';
  /** By the provider's API, or by its own MCP server. */
  via: 'api' | 'mcp';
  /** Exactly as registered. */
  redirectUri: string;
  /** The connection that is authorised anew: no other account may come back. */
  reconnect?: string | undefined;
  /** The value of the cookie that this browser must bring back. */
  browser: Secret;
}

/** An operation of a connection, found by words or by name. */
export interface FoundOperation {
  connection: Connection;
  name: string;
  operation: ReadOperation | WriteOperation<unknown>;
  /** False where the granted scopes do not admit it: connect again with writing enabled. */
  granted: boolean;
}

export interface OperationsFound {
  operations: FoundOperation[];
  /** Connections whose own server could not be asked. */
  unreachable: { connection: Connection; error: DrawbridgeError }[];
}

export interface Connections {
  list(org: OrgStore): Promise<Connection[]>;
  /** @throws DrawbridgeError `not_found` */
  get(org: OrgStore, id: string): Promise<Connection>;
  /**
   * The one connection that a capability should use. `account` may be a connection id, a label or an account id.
   * @throws DrawbridgeError `invalid_request`/`ask` naming the accounts when several fit, `not_found` naming
   * the command that connects one when none does.
   */
  resolve(org: OrgStore, capability: Capability, account?: string): Promise<Connection>;
  /**
   * Verifies the credentials with a real log-in, then stores the connection as ACTIVE; the same account again
   * is updated. `access`: of a bearer pasted in place of a sign-in; default `write`. `mover`: whom the record names;
   * here and below, left out: Drawbridge itself.
   */
  connect(
    org: OrgStore,
    provider: string,
    given: {
      fields: Record<string, string>;
      secrets: Record<string, string>;
      access?: 'read' | 'write';
    },
    mover?: Mover,
  ): Promise<Connection>;
  /** Ends the grant at the provider where it can, then forgets the credentials. `revoked` false: `why` says what the person must do there. */
  disconnect(org: OrgStore, id: string, mover?: Mover): Promise<{ revoked: boolean; why?: string }>;
  /** Every provider of the catalog, and whether it can be connected here. Loads none. */
  offers(org: OrgStore): Promise<Offer[]>;
  /** What a person is asked to connect an account of it. @throws DrawbridgeError `not_found` */
  form(provider: string): Promise<ConnectForm>;
  /** What needs a person. */
  notices(org: OrgStore): Promise<Notice[]>;
  /** Moves between states at or after `from` (integer ms), in order, at most 500. */
  events(org: OrgStore, from: number): Promise<ConnectionEvent[]>;
  /**
   * The address at the provider where the person agrees. Lives 10 minutes, is good once, for this person in
   * this browser.
   * @throws DrawbridgeError `invalid_request` with `field`; `quota_exhausted` when the plan's connections are
   * used up; `permission_denied` when the provider is off; `not_found` when its app is not registered here
   */
  authorize(
    org: OrgStore,
    person: Person,
    start: AuthorizationStart,
  ): Promise<{ url: string; expiresAt: number }>;
  /**
   * The way back: spends the state, exchanges the code, asks whose account it is, stores it as ACTIVE.
   * @param callback the whole address that the browser came back to
   * @throws DrawbridgeError as OAuth.exchange, and `permission_denied` when person or browser are others
   */
  authorized(
    org: OrgStore,
    person: Person,
    back: { provider: string; callback: URL; browser: Secret | undefined },
  ): Promise<Connection>;
  /** Stores the app that a person registered at a provider. */
  registerApp(org: OrgStore, app: string, given: { clientId: string; clientSecret?: Secret }): Promise<void>;
  /** Operations of the org's usable connections; those of an MCP server are asked for. */
  operations(org: OrgStore, connectionId?: string): Promise<OperationsFound>;
  /** Runs a read operation by name, under the gate of `read`. @throws DrawbridgeError `invalid_request` with `field` */
  runRead(
    org: OrgStore,
    connection: Connection,
    operation: string,
    input: unknown,
    options?: { signal?: AbortSignal; timeoutMs?: number },
  ): Promise<unknown>;
  /** Renews tokens that end soon and checks the health of what is due, of one org; the scheduler's work. */
  lookAfter(org: OrgStore, signal: AbortSignal): Promise<void>;
  /** Rewraps data keys under the present master key, and reseals what is sealed under retired ones. Can be killed and run again. */
  rotateKeys(
    org: OrgStore,
    options?: { newDataKey?: boolean },
  ): Promise<{ rewrapped: number; resealed: number }>;
  /** Logs in with the stored credentials, and reports what came of it. @throws DrawbridgeError what the provider said */
  check(org: OrgStore, id: string): Promise<void>;
  /** What imported records and the org's own words belong to, in place of an account; made on first use. */
  own(org: OrgStore, provider: OwnProvider): Promise<Connection>;
  /** A read through the door, with fresh credentials; its result is untrusted. */
  read<C extends Capability>(
    org: OrgStore,
    connection: Connection,
    capability: C,
    input: CapabilityInputs[C],
    options?: { signal?: AbortSignal; timeoutMs?: number },
  ): Promise<CapabilityOutputs[C]>;
  /** The write operation of that name of a connection. @throws DrawbridgeError `not_found`, `permission_denied` when its scopes were not granted */
  write(org: OrgStore, connection: Connection, operation: string): Promise<WriteOperation<unknown>>;
  writeFor(
    connection: Connection,
    capability: Capability,
  ): Promise<{ name: string; operation: WriteOperation<unknown> }>;
  /** A context for one run of a write. */
  writeContext(
    org: OrgStore,
    connection: Connection,
    operation: string,
    run: Pick<WriteContext, 'effectKey' | 'before' | 'attachment' | 'aboutToSend' | 'signal'>,
  ): Promise<WriteContext>;
  /** Feeds of a connection, each bound to its context. */
  feeds(
    org: OrgStore,
    connection: Connection,
  ): Promise<{ name: string; feed: Feed; pages(cursor: unknown): ReturnType<Feed['pages']> }[]>;
  /** One record of a connection, to be read live; undefined where its provider has no way to. */
  record(
    org: OrgStore,
    connection: Connection,
    known: { kind: DocumentKind; externalId: string },
  ): Promise<{ read(): Promise<SourceRecord | undefined> } | undefined>;
  /**
   * The outcome of a sync or a live call: moves ACTIVE ⇄ ERROR/DEGRADED, EXPIRED. `synced` stamps last_sync_at: what is
   * in memory is what the provider had then (`since`, integer ms; default: now). `answered`: it works, and says nothing of that.
   */
  report(
    org: OrgStore,
    id: string,
    result: { synced: true; since?: number } | { answered: true } | { error: unknown },
  ): Promise<void>;
  /** Loaded on demand: a provider that nothing asks for is never imported. */
  providers(): Promise<readonly Provider[]>;
  /** Waits for token calls that are under way: a rotated token that nobody stores is a lost account. Before the door closes. */
  close(): Promise<void>;
}
