// The one way out to the network, as the rest of the house sees it. Addresses are judged at connect time,
// after DNS; nothing upstairs opens a socket by itself.

/** Live calls that one connection may make. */
export interface CallLimit {
  perSecond: number;
  burst: number;
  concurrent: number;
}

export interface Caller {
  orgId: string;
  provider: string;
  /** Undefined while a connection is being made. */
  connectionId: string | undefined;
  operation: string;
  /** The provider's own; egress has a modest default. */
  limit?: CallLimit;
}

export interface FetchOptions extends RequestInit {
  /** Whole-call limit in ms, redirects and retries included. Default 30,000. */
  timeoutMs?: number;
  /** Whether a repeat is harmless. Default: GET and HEAD are, nothing else is. */
  idempotent?: boolean;
  /** Largest body accepted, bytes. Default 32 MiB. */
  maxBytes?: number;
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
  /** Resolves and admits `host` for a TLS socket. Throws DrawbridgeError. */
  dial(caller: Caller, host: string, port: number): Promise<Dialled>;
  /** Runs one socket conversation (IMAP, SMTP) under the caller's limits, breaker and metrics. Never retried. */
  converse<Result>(
    caller: Caller,
    work: (signal: AbortSignal) => Promise<Result>,
    options?: { timeoutMs?: number },
  ): Promise<Result>;
  metrics(): EgressMetric[];
  close(): Promise<void>;
}

export interface EgressMetric {
  provider: string;
  operation: string;
  outcome: string;
  count: number;
  totalMs: number;
}
