// The door: the only way out to the network. Public servers only, https only (loopback and clear text by
// the flag), every hop judged, every call bounded in time, size and number.
import { randomInt } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { DrawbridgeError } from '../errors.ts';
import type { Log } from '../log.ts';
import { bareHost, namesLoopback } from './addresses.ts';
import { admit, type Policy, type Resolve, systemResolve } from './admit.ts';
import type { CallRecord, Dialled, Egress, FetchOptions } from './egress.ts';
import type { SharedLimits } from './gate.ts';
import { createGuards, type Leave, type ToolLimit } from './guards.ts';
import { runInside } from './inside.ts';
import { guardProcess } from './process.ts';
import { followed, isRedirect, mostRedirects } from './redirect.ts';
import { isRetriedError, isRetriedStatus, jitter, mostRetries, refuseLongWait } from './retry.ts';
import { pauseAsked, waitAsked } from './signals.ts';
import { createTransport, type Outgoing } from './transport.ts';

const defaultTimeoutMs = 30_000;
const defaultMaxBytes = 32 * 1024 * 1024;
// What belongs to the connection, not to the caller (RFC 9110 7.6.1), and the length, which is ours to count.
const transportHeaders = [
  'host',
  'connection',
  'content-length',
  'keep-alive',
  'te',
  'transfer-encoding',
  'upgrade',
];

type Reachable = Exclude<Policy, 'loopback'>;

export interface EgressOptions {
  allowLoopback: boolean;
  /** A server on loopback that plays the providers (config.sandboxUrl); only with `allowLoopback`. */
  sandboxUrl?: string | undefined;
  clock: Clock;
  log: Log;
  /** Limits on calls that all processes share; absent: this process counts alone. */
  limits?: SharedLimits | undefined;
  /** Live calls that an org's tools may cause, by its plan; undefined: no limit. */
  toolLimit?: ((orgId: string) => Promise<ToolLimit | undefined>) | undefined;
  /** Hears of every call as it ended. It may not throw, nor wait. */
  onCall?: ((record: CallRecord) => void) | undefined;
  /** For tests; default: the system's resolver. */
  resolve?: Resolve;
  /** For tests: a number in [0, 1) that spreads retries. */
  random?: () => number;
}

/**
 * The only way out. Answers come back whole: a `Response` has been read to its end, within `maxBytes` and
 * `timeoutMs`, before `fetch` resolves.
 */
export function createEgress(options: EgressOptions): Egress {
  const { allowLoopback, clock, log, sandboxUrl } = options;
  if (sandboxUrl !== undefined) {
    if (!allowLoopback) {
      throw new DrawbridgeError('invalid_request', 'A sandbox needs DRAWBRIDGE_ALLOW_LOOPBACK=1.');
    }
    log.warn({ sandboxUrl }, 'every call to a provider goes to the sandbox: nothing here is real');
  }
  const resolve = options.resolve ?? systemResolve;
  const random = options.random ?? (() => randomInt(2 ** 32) / 2 ** 32);
  const guards = createGuards(options);
  const transport = createTransport(resolve, sandboxUrl);
  const policy: Reachable = allowLoopback ? 'any' : 'public';
  const unguard = guardProcess(allowLoopback);

  async function hops(first: Outgoing, init: FetchOptions, leave: Leave): Promise<Response> {
    let request = first;
    let reach = policy;
    for (let hop = 0; ; hop += 1) {
      checkUrl(request.url, reach);
      const response = await transport.send(request, {
        policy: reach,
        maxBytes: init.maxBytes ?? defaultMaxBytes,
        signal: leave.signal,
      });
      if (!isRedirect(response) || init.redirect === 'manual') return response;
      const host = request.url.hostname;
      if (init.redirect === 'error')
        throw new DrawbridgeError('network', `${host} redirects.`, { retry: 'never' });
      if (hop === mostRedirects) {
        throw new DrawbridgeError('network', `${host} redirects too often.`, { retry: 'never' });
      }
      const next = followed(request, response);
      // A server out there may not send a call to this machine; one on this machine may.
      if (next.url.origin !== request.url.origin && !namesLoopback(host)) reach = 'public';
      request = next;
    }
  }

  async function attempts(request: Outgoing, init: FetchOptions, leave: Leave): Promise<Response> {
    const harmless = init.idempotent ?? (request.method === 'GET' || request.method === 'HEAD');
    const most = harmless && !leave.probe && init.once !== true ? mostRetries : 0;
    for (let retry = 0; ; retry += 1) {
      await leave.pace();
      let waitMs = jitter(retry, random);
      try {
        const response = await hops(request, init, leave);
        const { status, headers } = response;
        const pause = pauseAsked(status, headers, clock.now());
        if (pause !== undefined) await leave.pause(pause);
        if (retry === most || !isRetriedStatus(status)) return response;
        const asked = waitAsked(status, headers, clock.now()) ?? 0;
        refuseLongWait(request.url.hostname, status, asked, leave.left());
        waitMs = Math.max(waitMs, asked);
        if (waitMs >= leave.left()) return response;
      } catch (thrown) {
        const again = thrown instanceof DrawbridgeError && isRetriedError(thrown);
        if (!again || retry === most || leave.signal.aborted || waitMs >= leave.left()) throw thrown;
      }
      // Holds the process: a command waits for this call, and often nothing else is under way.
      await clock.sleep(waitMs, { signal: leave.signal });
    }
  }

  async function dial(host: string, port: number): Promise<Dialled> {
    if (!Number.isInteger(port) || port < 1 || port > 65_535) {
      throw new DrawbridgeError('invalid_request', `${port} is no port: 1 to 65535.`, { field: 'port' });
    }
    // Also keeps paths of Unix sockets and URLs out.
    if (!/^[\p{L}\p{N}._:[\]-]+$/u.test(host)) {
      throw new DrawbridgeError('invalid_request', 'The server must be a host name or an IP address.', {
        field: 'host',
      });
    }
    const { addresses, loopback } = await admit(host, policy, resolve);
    return { address: addresses[0].address, port, servername: bareHost(host), tlsRequired: !loopback };
  }

  const fetchFor: Egress['fetchFor'] =
    (caller) =>
    async (input, init = {}) => {
      const request = await outgoing(input, init);
      // Before the breaker and the limits: such a call never leaves.
      checkUrl(request.url, policy);
      return guards.run(
        caller,
        {
          method: request.method,
          name: request.url.hostname,
          timeoutMs: init.timeoutMs ?? defaultTimeoutMs,
          signal: init.signal ?? (input instanceof Request ? input.signal : undefined),
        },
        async (leave) => {
          const result = await attempts(request, init, leave);
          const { status } = result;
          return { result, outcome: String(status), verdict: status >= 500 ? 'failing' : 'healthy' };
        },
      );
    };

  return {
    fetchFor,
    async within(caller, work, through) {
      // A client is built inside the work, and takes its adapter from what stands here then.
      const { guardAxios } = await import('./axios.ts');
      guardAxios();
      return runInside({ fetch: through ?? fetchFor(caller) }, work);
    },
    dryRun: async () => {
      throw new DrawbridgeError('internal', 'dryRun is not built yet.');
    },
    dial: (_caller, host, port) => dial(host, port),
    converse: (caller, work, { timeoutMs = defaultTimeoutMs } = {}) =>
      guards.run(caller, { method: 'socket', name: caller.provider, timeoutMs }, async (leave) => {
        await leave.pace();
        return { result: await work(leave.signal), outcome: 'ok', verdict: 'healthy' };
      }),
    metrics: () => guards.metrics.all(),
    async close() {
      unguard();
      guards.close();
      await transport.close();
    },
  };
}

function checkUrl(url: URL, reach: Reachable): void {
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && reach === 'any')) {
    throw new DrawbridgeError(
      'permission_denied',
      `${url.hostname || 'The address'} must be reached with https.`,
    );
  }
}

/** The call with its body in hand, so that it can be sent again; made by the fetch standard's own rules. */
async function outgoing(input: string | URL | Request, init: FetchOptions): Promise<Outgoing> {
  const url = URL.parse(input instanceof Request ? input.url : String(input));
  // The text may hold a credential, so neither message repeats it.
  if (url === null) throw new DrawbridgeError('invalid_request', 'The address is no URL.');
  if (url.username !== '' || url.password !== '') {
    throw new DrawbridgeError(
      'invalid_request',
      `The URL of ${url.hostname} carries a user name: give credentials apart.`,
    );
  }
  const { timeoutMs: _timeout, idempotent: _idempotent, maxBytes: _bytes, once: _once, ...standard } = init;
  const request = new Request(input, {
    ...standard,
    signal: null,
    ...(standard.body == null ? {} : { duplex: 'half' }),
  });
  const headers = new Headers(request.headers);
  for (const name of transportHeaders) headers.delete(name);
  if (!headers.has('user-agent')) headers.set('user-agent', 'drawbridge');
  return {
    url,
    method: request.method,
    headers,
    body: request.body === null ? undefined : new Uint8Array(await request.arrayBuffer()),
  };
}
