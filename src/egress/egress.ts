// The one way out to the network, as the rest of the house sees it. Addresses are judged at connect time,
// after DNS; nothing upstairs opens a socket by itself.

import type { DrawbridgeError } from '../errors.ts';

/** Live calls that one connection may make. */
export interface CallLimit {
  perSecond: number;
  burst: number;
  concurrent: number;
  /** Sliding windows beside the bucket: `calls` in any `ms`. */
  windows?: readonly { calls: number; ms: number }[];
}

/** Why a call is made. Only what a tool causes counts against the plan's calls an hour. */
export type Cause = 'tool' | 'sync' | 'status' | 'connect';

export interface Caller {
  orgId: string;
  provider: string;
  /** Undefined while a connection is being made. */
  connectionId: string | undefined;
  operation: string;
  cause: Cause;
  /** The provider's own; egress has a modest default. Shared by all processes. */
  limit?: CallLimit;
  /** Of the registered app: shared by all orgs, too. */
  app?: { name: string; limit: CallLimit };
}

/** A call as it ended, for the log of calls. Neither path, query nor body: they hold people's data. */
export interface CallRecord {
  caller: Caller;
  method: string;
  host: string;
  /** `ok` or an HTTP status, or the code of the error. */
  outcome: string;
  /** Set when it failed by an error of ours. */
  error?: DrawbridgeError;
  attempts: number;
  ms: number;
}

/** What would have left, in a dry run: credentials masked. */
export interface DryCall {
  method: string;
  host: string;
  /** With its query. */
  path: string;
  headers: Record<string, string>;
  body: string | undefined;
}

export interface FetchOptions extends RequestInit {
  /** No attempt after the first, whatever comes: a token call is never made twice by itself. */
  once?: boolean;
  /** Whole-call limit in ms, redirects and retries included. Default 30,000. */
  timeoutMs?: number;
  /** Whether a repeat is harmless. Default: GET and HEAD are, nothing else is. */
  idempotent?: boolean;
  /** Largest body accepted, bytes. Default 32 MiB. */
  maxBytes?: number;
  /** Several calls in one. */
  batch?: Batch;
}

/** A call that holds several: the provider's limits count each, and its body says of each how it went. */
export interface Batch {
  calls: number;
  /** Of those in this body that say something of limits; none where it is no such body. */
  answers(body: string): readonly { status: number; headers: Headers }[];
}

/** Where a mail or other socket client may connect: the address that passed the policy, and the name for TLS. */
export interface Dialled {
  /** The resolved, admitted IP address. */
  address: string;
  port: number;
  /** The name the certificate must carry. */
  servername: string;
  /** False only on loopback with DRAWBRIDGE_ALLOW_LOOPBACK=1: then clear text is admitted. */
  tlsRequired: boolean;
}

export interface Egress {
  /** A fetch bound to its caller. Throws DrawbridgeError (network, timeout, rate_limited, provider_unavailable, permission_denied for a refused address). An HTTP error status is returned, not thrown. */
  fetchFor(caller: Caller): (input: string | URL | Request, init?: FetchOptions) => Promise<Response>;
  /**
   * Runs work of a client that takes no fetch (axios, the process-wide undici dispatcher) as this caller:
   * what it sends goes through the same door. Outside of it such clients are refused.
   * @param through a fetch of this caller to send by (one that adds the credential); default: `fetchFor`
   */
  within<Result>(
    caller: Caller,
    work: () => Promise<Result>,
    through?: ReturnType<Egress['fetchFor']>,
  ): Promise<Result>;
  /** The same code, stopped at the wire: `work` fails at its first call, which is returned. */
  dryRun(work: () => Promise<unknown>): Promise<DryCall | undefined>;
  /** Resolves and admits `host` for a TLS socket. Throws DrawbridgeError. */
  dial(caller: Caller, host: string, port: number): Promise<Dialled>;
  /** Runs one socket conversation (IMAP, SMTP) under the caller's limits, breaker and metrics. Never retried. */
  converse<Result>(
    caller: Caller,
    work: (signal: AbortSignal) => Promise<Result>,
    options?: { timeoutMs?: number },
  ): Promise<Result>;
  metrics(): EgressMetric[];
  /** Before the rest is closed: calls that ask are given up, and no new ones leave; a renewal of a token may end. */
  giveUp(): void;
  close(): Promise<void>;
}

export interface EgressMetric {
  provider: string;
  operation: string;
  outcome: string;
  count: number;
  totalMs: number;
}
