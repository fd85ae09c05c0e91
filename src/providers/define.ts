// The shape of a provider: declarations, no plumbing. Everything else about it (annotations, retry rules,
// default policy, the connect form) is derived from what stands here.
import type { z } from 'zod';
import type { Clock } from '../clock.ts';
import type { Dialled, FetchOptions } from '../egress/egress.ts';
import type { Log } from '../log.ts';
import type { Secret } from '../secret.ts';
import type { Auth, OAuth2 } from './auth.ts';
import type { Capability, CapabilityInputs, CapabilityOutputs } from './capabilities.ts';
import type { Http } from './http.ts';
import type { DocumentKind, SourceRecord } from './record.ts';
import type { Template } from './template.ts';

export type WriteEffect = 'create' | 'update' | 'delete' | 'send' | 'money';

/** What an operation or feed may use. All of it is bound to one connection, and all of it leaves through egress. */
export interface ProviderContext {
  connectionId: string;
  /** Non-secret settings, as the provider's `fields` schema parsed them. */
  fields: Readonly<Record<string, unknown>>;
  /** @throws DrawbridgeError `auth_expired` when the credential is not there. */
  secret(name: string): Secret;
  /**
   * The bearer of an OAuth connection, refreshed when it is about to end: for a protocol or a client that
   * takes no fetch. @throws DrawbridgeError `auth_expired`, `auth_revoked`
   */
  token(): Promise<Secret>;
  /**
   * Through the door. A call to one of the provider's hosts (`http`) carries the credential as `auth` says:
   * the provider adds none itself. A bearer that is refused (401) is renewed once, and the call made again.
   */
  fetch(input: string | URL | Request, init?: FetchOptions): Promise<Response>;
  /** Runs work of a client that takes no fetch inside the door: what it sends by axios or undici goes out as this connection's. */
  within<Result>(work: () => Promise<Result>): Promise<Result>;
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
  /**
   * The live record as it was approved, where the operation reads one: what the write must find there (an
   * ETag, a version, values), whatever the payload was proposed from.
   */
  before?: LiveRecord | undefined;
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
  /** For the search of operations: what it is good for, in a sentence. */
  description?: string;
  /** OAuth scopes beyond the provider's own. */
  scopes?: readonly string[];
  input: z.ZodType<Input>;
  /** What it answers with; absent: whatever the provider says, within the size limit of an answer. */
  output?: z.ZodType<Output>;
  run(context: ProviderContext, input: Input): Promise<Output>;
}

/** A record as it stands at the provider. Values are JSON; only what the payload touches, and what names it. */
export interface LiveRecord {
  title: string;
  url?: string;
  /** As they stand, by name. */
  fields: Readonly<Record<string, unknown>>;
  /** As they will stand. */
  after: Readonly<Record<string, unknown>>;
}

/** What every write says of itself. */
export interface WriteBase<Payload> {
  effect: WriteEffect;
  /** Raised when the meaning of the payload changes; part of the hash. */
  version: number;
  title: string;
  /** For the search of operations: what it is good for, in a sentence. */
  description?: string;
  /** OAuth scopes beyond the provider's own; asked for only where writing is enabled. */
  scopes?: readonly string[];
  input: z.ZodType<Payload>;
  /**
   * The live record that this changes, read when it is proposed and again before it runs: what was approved is
   * the step from that to the payload. Undefined where it changes none.
   */
  before?(context: ProviderContext, payload: Payload): Promise<LiveRecord | undefined>;
  /**
   * Whether the live record is the one that the payload names; asked when it is proposed. How it changes after
   * that is for a person to see. @throws DrawbridgeError
   */
  checkMeant?(payload: Payload, live: LiveRecord): void;
  /** What policy and the approval page look at: who gets it, and how much it is; by the record as it was approved. */
  concerns?(
    payload: Payload,
    live?: LiveRecord,
  ): {
    recipients?: readonly string[];
    amount?: { value: number; currency: string };
  };
  /**
   * How what was done is taken back, by another write of the same provider, as an action of its own.
   * `payload`: undefined where nothing takes this one back.
   */
  compensation?: {
    title: string;
    operation: string;
    payload(payload: Payload, outcome: WriteOutcome): unknown;
  };
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

/** How a write is told from its repeat, with the look-up that the claim needs. */
export type Repeat<Payload> =
  | { idempotency: 'none' }
  | {
      idempotency: Exclude<Idempotency, 'none'>;
      lookUp(context: WriteContext, payload: Payload): Promise<LookUp>;
    };

/** A write does not compile without an effect, a version, a summary and an idempotency; a look-up where it claims one. */
export type WriteOperation<Payload = unknown> = WriteBase<Payload> & Repeat<Payload>;

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
  /** OAuth scopes beyond the provider's own. */
  scopes?: readonly string[];
  /** How old a record of it may be before it is asked for again, where that is not as it is for its kind. Ms. */
  freshMs?: number;
  /** From `cursor` (undefined: from the beginning) to now, page by page. A kill between pages loses nothing. */
  pages(context: ProviderContext, cursor: unknown): AsyncIterable<FeedPage>;
  /** One record live, by its external id, where that takes few calls. */
  record?: {
    /** Whether the id is one of this feed's. */
    owns(externalId: string): boolean;
    /** Undefined: it is there no more. */
    read(context: ProviderContext, externalId: string): Promise<SourceRecord | undefined>;
  };
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

/** A non-secret setting that the person does not type: it comes with the connection. */
export interface LearnedField {
  /** `callback`: a parameter of the redirect back; `token`: a member of the token answer; `probe`: from `probe` after connecting. */
  from: 'callback' | 'token' | 'probe';
  /** Its name there; default: its own. */
  as?: string;
  description: string;
  /**
   * What is kept of it. For what becomes part of an address: one of the values that are known, as whoever comes
   * back may have written it. `told`: undefined where it was not. @throws DrawbridgeError for anything else
   */
  read?(told: string | undefined): string;
}

/** A delivery of a webhook, as it came in: bytes, not yet believed. */
export interface Delivery {
  method: string;
  /** As the provider addressed it. */
  url: string;
  headers: Headers;
  body: Uint8Array;
}

export interface Webhook {
  /** Which credential of the app signs: its client secret, or one made for webhooks. */
  signedWith: 'client-secret' | 'webhook-secret';
  /** Constant in time over the signature; bounds the age on both sides where the provider sends a time. `now`: integer ms. */
  verify(delivery: Delivery, secret: Secret, now: number): boolean;
}

type Operation = ReadOperation | WriteOperation;

export interface Provider {
  id: string;
  title: string;
  /** Non-secret settings that a person gives. Each property has a description: the form and `--help` print it. */
  fields: z.ZodType<Record<string, unknown>>;
  learned?: Readonly<Record<string, LearnedField>>;
  secrets: readonly SecretField[];
  /** The least fields of an invented account, for help and error texts: `{ email: 'you@example.com' }`. */
  example?: Readonly<Record<string, string>>;
  /** Fills in what a preset knows, before `fields` is parsed. */
  complete?(given: Record<string, string>): Record<string, string>;
  auth: Auth;
  /** Absent where the provider speaks no HTTP, or its code builds each address itself. */
  http?: Http;
  /** Its own MCP server: a second way in, chosen at connecting (`--via mcp`). */
  mcp?: { url: string };
  /** Logs in and says whose account this is. The id is part of every approval's hash. */
  identity(context: ProviderContext): Promise<{ id: string; label: string }>;
  /** Fields learned by asking, once the credential is there and before `identity`. */
  probe?(context: ProviderContext): Promise<Record<string, string>>;
  operations: Readonly<Record<string, Operation>>;
  /** Operations that differ from account to account (an MCP server's tools), beside those above. */
  discover?(context: ProviderContext): Promise<Readonly<Record<string, Operation>>>;
  /** Capability → name of the operation that fulfils it. */
  capabilities: Readonly<Partial<Record<Capability, string>>>;
  feeds: Readonly<Record<string, Feed>>;
  webhook?: Webhook;
  /** Live calls that one connection may make. */
  limit: Limit;
  /** What all connections of the registered app may make together, by all processes. */
  appLimit?: Limit;
  /** What a person should know, for docs/providers.md: what could not be verified, what the provider refuses. */
  notes?: readonly string[];
  /** For docs/providers.md: what was tried, and against what. */
  verified?: string;
}

/** `windows`: sliding ones beside the bucket, `calls` in any `ms`. */
export interface Limit {
  perSecond: number;
  burst: number;
  concurrent: number;
  windows?: readonly { calls: number; ms: number }[];
}

/** What an operation must be to fulfil a capability. */
type Fulfils<C extends Capability> = C extends 'mail.send' | 'calendar.create'
  ? WriteOperation<CapabilityInputs[C]>
  : ReadOperation<CapabilityInputs[C], CapabilityOutputs[C]>;

type Operations = Readonly<Record<string, Operation>>;
/** Nothing but what an operation has. */
type KnownKeys<Ops extends Operations> = {
  [Name in keyof Ops]: {
    [Key in Exclude<
      keyof Ops[Name],
      keyof ReadOperation | keyof WriteBase<unknown> | 'idempotency' | 'lookUp'
    >]: never;
  };
};
type FieldsSchema = z.ZodType<Record<string, unknown>>;

/** `Name` itself where `secrets` declare it, or where it is not written out: a consent made by a function. */
type Declared<Name extends string, Known extends string> = string extends Name
  ? Name
  : [Exclude<Name, Known>] extends [never]
    ? Name
    : { undeclaredSecret: Exclude<Name, Known> };

/** OAuth2 whose addresses use declared names alone. */
type OAuth2With<
  Known extends string,
  Authorize extends string,
  Token extends string,
  Rest extends string,
  SecretName extends string,
  Pasted extends string,
> = Omit<OAuth2, 'authorizeUrl' | 'tokenUrl' | 'refreshUrl' | 'revocation' | 'pasted'> & {
  authorizeUrl: Authorize & Template<Authorize, Known>;
  tokenUrl: Token & Template<Token, Known>;
  refreshUrl?: Rest & Template<Rest, Known>;
  revocation?: Omit<NonNullable<OAuth2['revocation']>, 'url'> & { url: Rest & Template<Rest, Known> };
  pasted?: Pasted & Declared<Pasted, SecretName>;
};

/** The other ways in, whose credentials and fields are declared ones. */
type AuthWith<Known extends string, SecretName extends string> =
  | (Omit<Extract<Auth, { kind: 'api-key' }>, 'secret'> & { secret: SecretName })
  | {
      kind: 'basic';
      user: { field: Known } | { secret: SecretName };
      password: { secret: SecretName };
    }
  | Extract<Auth, { kind: 'password' | 'none' | 'discovered' }>;

/**
 * Keeps the types of fields, operations and feeds. What does not compile: an unknown key; a `{placeholder}` in an
 * address that neither `fields` nor `learned` declares; a credential that `secrets` does not; a capability
 * whose operation is missing or of another shape.
 */
export function defineProvider<
  const Fields extends FieldsSchema,
  const Ops extends Operations,
  const FeedName extends string,
  const SecretName extends string,
  const Authorize extends string,
  const Token extends string,
  const Rest extends string,
  const Base extends string,
  const Header extends string,
  const Mcp extends string,
  const Pasted extends string,
  const LearnedName extends string = never,
  Known extends string = Extract<keyof z.output<Fields>, string> | LearnedName,
>(
  provider: Omit<
    Provider,
    'fields' | 'learned' | 'secrets' | 'auth' | 'http' | 'mcp' | 'operations' | 'capabilities' | 'feeds'
  > & {
    fields: Fields;
    learned?: Readonly<Record<LearnedName, LearnedField>>;
    secrets: readonly (SecretField & { name: SecretName })[];
    auth:
      | OAuth2With<NoInfer<Known>, Authorize, Token, Rest, NoInfer<SecretName>, Pasted>
      | AuthWith<NoInfer<Known>, NoInfer<SecretName>>;
    http?: Omit<Http, 'baseUrl' | 'headers'> & {
      baseUrl: Base & Template<Base, NoInfer<Known>>;
      headers?: Readonly<Record<string, Header & Template<Header, NoInfer<Known>>>>;
    };
    mcp?: Omit<NonNullable<Provider['mcp']>, 'url'> & { url: Mcp & Template<Mcp, NoInfer<Known>> };
    operations: Ops & KnownKeys<Ops>;
    feeds: Readonly<Record<FeedName, Feed>>;
    capabilities: {
      readonly [C in Capability]?: {
        [Name in keyof Ops]: Ops[Name] extends Fulfils<C> ? Name : never;
      }[keyof Ops] &
        string;
    };
  },
): Provider & { fields: Fields; operations: Ops; feeds: Readonly<Record<FeedName, Feed>> } {
  for (const [capability, operation] of Object.entries(provider.capabilities)) {
    if (!Object.hasOwn(provider.operations, operation)) {
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
