// The shape of a provider: declarations, no plumbing. Everything else about it (annotations, retry rules,
// default policy, the connect form) is derived from what stands here.
import type { z } from 'zod';
import type { Clock } from '../clock.ts';
import type { Dialled, FetchOptions } from '../egress/egress.ts';
import type { Log } from '../log.ts';
import type { Secret } from '../secret.ts';
import type { Capability } from './capabilities.ts';
import type { DocumentKind, SourceRecord } from './record.ts';

export type WriteEffect = 'create' | 'update' | 'delete' | 'send' | 'money';

/** What an operation or feed may use. All of it is bound to one connection, and all of it leaves through egress. */
export interface ProviderContext {
  connectionId: string;
  /** Non-secret settings, as the provider's `fields` schema parsed them. */
  fields: Readonly<Record<string, unknown>>;
  /** @throws DrawbridgeError `auth_expired` when the credential is not there. */
  secret(name: string): Secret;
  fetch(input: string | URL | Request, init?: FetchOptions): Promise<Response>;
  dial(host: string, port: number): Promise<Dialled>;
  converse<Result>(
    work: (signal: AbortSignal) => Promise<Result>,
    options?: { timeoutMs?: number },
  ): Promise<Result>;
  clock: Clock;
  log: Log;
  signal?: AbortSignal | undefined;
}

export interface WriteContext extends ProviderContext {
  /**
   * The identifier that we chose for this effect when it was proposed: unguessable, stable over every
   * attempt, safe in a Message-ID, a UID or a header (`[a-z0-9_]+`).
   */
  effectKey: string;
  /** Bytes of an attachment named in the payload. @throws DrawbridgeError `not_found` */
  attachment(sha256: string): Promise<Uint8Array>;
  /**
   * Call directly before the first byte that could cause the effect. Rejects when this run has lost its
   * lease or its record cannot be written: then nothing may be sent.
   */
  aboutToSend(): Promise<void>;
}

/** What a write came to. `reference` is the provider's own id of the effect. */
export interface WriteOutcome {
  reference: string;
  url?: string;
  /** Shown to people and agents; no secrets. */
  details: Record<string, unknown>;
  /** Something after the effect went wrong (the copy in Sent, say): the effect itself stands. */
  warning?: string;
}

export type LookUp =
  | { found: true; outcome: WriteOutcome }
  /** `conclusive`: absence proves that the effect did not happen. */
  | { found: false; conclusive: boolean; evidence: string };

/** How a repeat is told from a first try: the provider's own key, an id that we choose, a look-up afterwards, or nothing. */
export type Idempotency = 'provider-key' | 'own-id' | 'look-up' | 'none';

export interface ReadOperation<Input = unknown, Output = unknown> {
  effect: 'read';
  title: string;
  input: z.ZodType<Input>;
  run(context: ProviderContext, input: Input): Promise<Output>;
}

interface WriteBase<Payload> {
  effect: WriteEffect;
  /** Raised when the meaning of the payload changes; part of the hash. */
  version: number;
  title: string;
  input: z.ZodType<Payload>;
  /** One line that a person reads, from the whole payload. */
  summary(payload: Payload, account: string): string;
  /** @throws DrawbridgeError `invalid_request` with `field`, before anything is queued. */
  validate?(payload: Payload): void;
  /**
   * Causes the effect. A DrawbridgeError thrown before `aboutToSend()` resolved means that nothing
   * happened. After it, only an error that the provider answered with (a refusal) means that; anything else
   * leaves the outcome unclear, and the action becomes `unknown`: throw `EffectUnclear` or anything else.
   */
  run(context: WriteContext, payload: Payload): Promise<WriteOutcome>;
}

/** A write does not compile without an effect, a version, a summary and an idempotency; a look-up where it claims one. */
export type WriteOperation<Payload = unknown> = WriteBase<Payload> &
  (
    | { idempotency: 'none' }
    | {
        idempotency: Exclude<Idempotency, 'none'>;
        lookUp(context: WriteContext, payload: Payload): Promise<LookUp>;
      }
  );

/** The provider answered that it did not do it: nothing happened, and the action is `failed`. */
export class EffectRefused extends Error {
  override readonly name = 'EffectRefused';
}

export interface FeedPage {
  records: SourceRecord[];
  /** External ids that are gone at the provider. */
  deleted: string[];
  /** Where to go on from; stored in the same transaction as the records. */
  cursor: unknown;
  /** Progress, where the provider tells: records still to come after this page. */
  remaining?: number;
  /** Set on the last page of a full run: every external id (or all beginning with a prefix) that exists now; others are tombstoned. */
  complete?: { ids: string[]; prefix?: string };
}

export interface Feed {
  kinds: readonly DocumentKind[];
  /** From `cursor` (undefined: from the beginning) to now, page by page. A kill between pages loses nothing. */
  pages(context: ProviderContext, cursor: unknown): AsyncIterable<FeedPage>;
}

/** A credential that the connect form and the command line ask for. */
export interface SecretField {
  name: string;
  title: string;
  /** Where a person finds it, in a sentence. */
  hint: string;
  /** It may be left out (another one takes its place, say); `identity` judges whether the rest is enough. */
  optional?: boolean;
}

export interface Provider {
  id: string;
  title: string;
  /** Non-secret settings. Each property has a description: the form and `--help` print it. */
  fields: z.ZodType<Record<string, unknown>>;
  secrets: readonly SecretField[];
  /** The least fields of an invented account, for help and error texts: `{ email: 'you@example.com' }`. */
  example?: Readonly<Record<string, string>>;
  /** Fills in what a preset knows, before `fields` is parsed. */
  complete?(given: Record<string, string>): Record<string, string>;
  /** Logs in and says whose account this is. The id is part of every approval's hash. */
  identity(context: ProviderContext): Promise<{ id: string; label: string }>;
  operations: Readonly<Record<string, ReadOperation | WriteOperation>>;
  /** Capability → name of the operation that fulfils it. */
  capabilities: Readonly<Partial<Record<Capability, string>>>;
  feeds: Readonly<Record<string, Feed>>;
  /** Live calls that one connection may make. */
  limit: { perSecond: number; burst: number; concurrent: number };
}

/** Checks that every capability names a declared operation, and keeps the literal types. */
export function defineProvider<const P extends Provider>(provider: P): P {
  for (const [capability, operation] of Object.entries(provider.capabilities)) {
    if (!(operation in provider.operations)) {
      throw new Error(`${provider.id}: capability ${capability} names the undeclared operation ${operation}`);
    }
  }
  return provider;
}

export function readOperation<Input, Output>(
  operation: ReadOperation<Input, Output>,
): ReadOperation<Input, Output> {
  return operation;
}

export function writeOperation<Payload>(operation: WriteOperation<Payload>): WriteOperation<Payload> {
  return operation;
}
