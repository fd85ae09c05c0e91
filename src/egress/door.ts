// The door: the only way out to the network. Public servers only, https only (loopback and clear text by
// the flag), every hop judged, every call bounded in time, size and number.
import { randomInt } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { DrawbridgeError } from '../errors.ts';
import type { Log } from '../log.ts';
import { bareHost, namesLoopback } from './addresses.ts';
import { admit, type Policy, type Resolve, systemResolve } from './admit.ts';
import { type Answer, toResponse } from './answer.ts';
import { masked, runDry, stopIfDry } from './dry.ts';
import type { Caller, CallRecord, Dialled, DryCall, Egress, FetchOptions } from './egress.ts';
import { createFlights } from './flights.ts';
import type { SharedLimits } from './gate.ts';
import { createGuards, type Leave, type ToolLimit } from './guards.ts';
import { runInside } from './inside.ts';
import { confirmed, createKept } from './kept.ts';
import { outgoing } from './outgoing.ts';
import { guardProcess } from './process.ts';
import { followed, isRedirect, mostRedirects } from './redirect.ts';
import { isRetriedError, isRetriedStatus, jitter, mostRetries, refuseLongWait } from './retry.ts';
import { pauseAsked, waitAsked } from './signals.ts';
import { createTransport, type Outgoing } from './transport.ts';

const defaultTimeoutMs = 30_000;
const defaultMaxBytes = 32 * 1024 * 1024;
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
  const flights = createFlights();
  const kept = createKept();
  const transport = createTransport(resolve, sandboxUrl);
  const policy: Reachable = allowLoopback ? 'any' : 'public';
  const unguard = guardProcess(allowLoopback);

  async function hops(first: Outgoing, init: FetchOptions, leave: Leave): Promise<Answer> {
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

  async function attempts(request: Outgoing, init: FetchOptions, leave: Leave): Promise<Answer> {
    const harmless = init.idempotent ?? (request.method === 'GET' || request.method === 'HEAD');
    const most = harmless && !leave.probe && init.once !== true ? mostRetries : 0;
    for (let retry = 0; ; retry += 1) {
      await leave.pace();
      let waitMs = jitter(retry, random);
      try {
        const response = await hops(request, init, leave);
        const { status, headers } = response;
        for (const one of [response, ...answersIn(response, init)]) {
          const pause = pauseAsked(one.status, one.headers, clock.now());
          if (pause !== undefined) await leave.pause(pause);
        }
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

  /** One live call, through all its redirects and attempts. */
  function call(caller: Caller, request: Outgoing, init: FetchOptions, signal: AbortSignal | undefined) {
    const timeoutMs = init.timeoutMs ?? defaultTimeoutMs;
    const calls = init.batch?.calls ?? 1;
    const asking = { method: request.method, name: request.url.hostname, timeoutMs, signal, calls };
    return guards.run(caller, asking, async (leave) => {
      const result = await attempts(request, init, leave);
      const { status } = result;
      return { result, outcome: String(status), verdict: status >= 500 ? 'failing' : 'healthy' };
    });
  }

  /** A read that others may share, and that may be answered by "not modified". */
  async function read(
    caller: Caller,
    request: Outgoing,
    init: FetchOptions,
    signal: AbortSignal | undefined,
  ): Promise<Answer> {
    const connection = JSON.stringify([caller.orgId, caller.connectionId]);
    const { url, headers } = request;
    const told = [...headers].filter(([name]) => name !== 'authorization');
    // A renewed bearer is of the same account, and the provider judges anew whether the answer is still good.
    const key = JSON.stringify([url.href, told]);
    const flight = JSON.stringify([url.href, [...headers], init.timeoutMs, init.maxBytes, init.idempotent]);
    return flights.join(connection, flight, signal, async (shared) => {
      const asked = { ...request, headers: new Headers(headers) };
      const before = kept.ask(connection, key, asked.headers);
      const answer = await call(caller, asked, init, shared);
      if (before !== undefined && answer.status === 304) return confirmed(before, answer);
      kept.keep(connection, key, answer);
      return answer;
    });
  }

  const fetchFor: Egress['fetchFor'] =
    (caller) =>
    async (input, init = {}) => {
      const request = await outgoing(input, init);
      // Before the breaker and the limits: such a call never leaves.
      checkUrl(request.url, policy);
      stopIfDry(() => masked(request));
      const signal = init.signal ?? (input instanceof Request ? input.signal : undefined);
      if (isShared(caller, request, init)) return toResponse(await read(caller, request, init, signal));
      const changes = request.method !== 'GET' && request.method !== 'HEAD';
      const connection = JSON.stringify([caller.orgId, caller.connectionId]);
      if (changes) flights.seal(connection);
      try {
        return toResponse(await call(caller, request, init, signal));
      } finally {
        // What began while it was under way may have been answered before or after it.
        if (changes) flights.seal(connection);
      }
    };

  return {
    fetchFor,
    async within(caller, work, through) {
      // A client is built inside the work, and takes its adapter from what stands here then.
      const { guardAxios } = await import('./axios.ts');
      guardAxios();
      return runInside({ fetch: through ?? fetchFor(caller) }, work);
    },
    dryRun: runDry,
    async dial(_caller, host, port) {
      stopIfDry(() => socketTo(`${host}:${port}`));
      return dial(host, port);
    },
    async converse(caller, work, { timeoutMs = defaultTimeoutMs } = {}) {
      stopIfDry(() => socketTo(caller.provider));
      return guards.run(caller, { method: 'socket', name: caller.provider, timeoutMs }, async (leave) => {
        await leave.pace();
        return { result: await work(leave.signal), outcome: 'ok', verdict: 'healthy' };
      });
    },
    metrics: () => guards.metrics.all(),
    giveUp: () => guards.giveUp(),
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

/** Of a batch: what each of its calls was answered. */
function answersIn({ body }: Answer, { batch }: FetchOptions): readonly Pick<Answer, 'status' | 'headers'>[] {
  return batch === undefined || body === null ? [] : batch.answers(Buffer.from(body).toString('utf8'));
}

/** What a dry run shows of a conversation that is not HTTP. */
function socketTo(host: string): DryCall {
  return { method: 'CONNECT', host, path: '', headers: {}, body: undefined };
}

function isShared(caller: Caller, request: Outgoing, init: FetchOptions): boolean {
  if (caller.connectionId === undefined || request.method !== 'GET' || request.body !== undefined)
    return false;
  if (init.once === true || init.cache === 'no-store') return false;
  if (init.redirect !== undefined && init.redirect !== 'follow') return false;
  return !['if-none-match', 'if-modified-since', 'range'].some((name) => request.headers.has(name));
}
