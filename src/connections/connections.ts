// A provider authorised in an org, as the floors above see it.
import type { Capability, CapabilityInputs, CapabilityOutputs } from '../providers/capabilities.ts';
import type { Feed, Provider, WriteContext, WriteOperation } from '../providers/define.ts';
import type { OrgStore } from '../store/store.ts';
import type { ConnectionState } from '../store/tables.ts';

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
  /** Kinds of records that those feeds bring. */
  feedKinds: string[];
  lastSyncAt: number | undefined;
  lastError: { code: string; message: string; at: number } | undefined;
  createdAt: number;
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
  /** Verifies the credentials with a real log-in, then stores the connection as ACTIVE; the same account again is updated. */
  connect(
    org: OrgStore,
    provider: string,
    given: { fields: Record<string, string>; secrets: Record<string, string> },
  ): Promise<Connection>;
  disconnect(org: OrgStore, id: string): Promise<void>;
  /** Logs in with the stored credentials, and reports what came of it. @throws DrawbridgeError what the provider said */
  check(org: OrgStore, id: string): Promise<void>;
  /** A connection of the pseudo-provider `files`, to which imported records belong; made on first use. */
  files(org: OrgStore): Promise<Connection>;
  /** A read through the door, with fresh credentials; its result is untrusted. */
  read<C extends Capability>(
    org: OrgStore,
    connection: Connection,
    capability: C,
    input: CapabilityInputs[C],
    options?: { signal?: AbortSignal; timeoutMs?: number },
  ): Promise<CapabilityOutputs[C]>;
  /** The write operation behind `provider.operation`. @throws DrawbridgeError `not_found` */
  write(provider: string, operation: string): Promise<WriteOperation<unknown>>;
  writeFor(
    connection: Connection,
    capability: Capability,
  ): Promise<{ name: string; operation: WriteOperation<unknown> }>;
  /** A context for one run of a write. */
  writeContext(
    org: OrgStore,
    connection: Connection,
    operation: string,
    run: Pick<WriteContext, 'effectKey' | 'attachment' | 'aboutToSend' | 'signal'>,
  ): Promise<WriteContext>;
  /** Feeds of a connection, each bound to its context. */
  feeds(
    org: OrgStore,
    connection: Connection,
  ): Promise<{ name: string; feed: Feed; pages(cursor: unknown): ReturnType<Feed['pages']> }[]>;
  /** The outcome of a sync or a live call: moves ACTIVE ⇄ ERROR/DEGRADED, EXPIRED, and stamps last_sync_at. */
  report(org: OrgStore, id: string, result: { synced: true } | { error: unknown }): Promise<void>;
  /** Loaded on demand: a provider that nothing asks for is never imported. */
  providers(): Promise<readonly Provider[]>;
}
