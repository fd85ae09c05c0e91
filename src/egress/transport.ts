// One HTTP request to one admitted server, no redirect followed, its whole answer within a byte limit.
// The connector judges addresses when it connects; certificates are always checked, against Node's own
// list of authorities (NODE_EXTRA_CA_CERTS included).
import { isIP, type LookupFunction } from 'node:net';
import type { Agent } from 'undici';
import { DrawbridgeError } from '../errors.ts';
import { bareHost, namesLoopback } from './addresses.ts';
import { admit, type Policy, type Resolve } from './admit.ts';
import type { Answer } from './answer.ts';

const connectMs = 10_000;

export interface Outgoing {
  url: URL;
  method: string;
  headers: Headers;
  body: Uint8Array<ArrayBuffer> | undefined;
}

export interface Transport {
  /** @throws DrawbridgeError `permission_denied`, `network`, `timeout`, `malformed_response` (too large) */
  send(
    request: Outgoing,
    options: { policy: 'public' | 'any'; maxBytes: number; signal: AbortSignal },
  ): Promise<Answer>;
  close(): Promise<void>;
}

/**
 * undici is loaded with the first call: nothing before that needs it.
 * @param sandboxUrl where calls to the world go instead, to a path that begins with the host
 */
export function createTransport(resolve: Resolve, sandboxUrl?: string): Transport {
  const agents = new Map<Policy, Promise<Agent>>();

  function agentFor(policy: Policy): Promise<Agent> {
    const known = agents.get(policy);
    if (known !== undefined) return known;
    const made = createAgent(policy, resolve);
    agents.set(policy, made);
    return made;
  }

  /** Where the socket goes: the address itself, or the sandbox in its place. */
  async function targetOf(url: URL, policy: Policy): Promise<URL> {
    if (sandboxUrl === undefined || url.protocol !== 'https:' || namesLoopback(url.hostname)) return url;
    // A name is not looked up, the sandbox works offline; an address that is written out is judged as ever.
    if (isIP(bareHost(url.hostname)) !== 0) await admit(url.hostname, policy, resolve);
    return new URL(`${sandboxUrl}/${url.host}${url.pathname}${url.search}`);
  }

  return {
    async send(request, { policy, maxBytes, signal }) {
      const target = await targetOf(request.url, policy);
      // Pooled sockets stay with the policy under which they were opened.
      const dispatcher = await agentFor(target.protocol === 'http:' ? 'loopback' : policy);
      const { fetch } = await import('./undici.ts');
      let answer: Awaited<ReturnType<typeof fetch>>;
      try {
        answer = await fetch(target, {
          method: request.method,
          headers: [...request.headers],
          ...(request.body === undefined ? {} : { body: request.body }),
          redirect: 'manual',
          dispatcher,
          signal,
        });
      } catch (thrown) {
        throw networkError(request.url.hostname, thrown, signal);
      }
      const body = await readAll(answer.body, request.url.hostname, maxBytes, signal);
      const { status, statusText } = answer;
      return { url: request.url.href, status, statusText, headers: new Headers([...answer.headers]), body };
    },
    async close() {
      const open = [...agents.values()];
      agents.clear();
      for (const agent of open) await (await agent).destroy();
    },
  };
}

async function createAgent(policy: Policy, resolve: Resolve): Promise<Agent> {
  const { Agent, buildConnector } = await import('./undici.ts');
  const connect = buildConnector({
    timeout: connectMs,
    allowH2: false,
    // Holds against an environment that switches certificate checks off.
    rejectUnauthorized: true,
    lookup: lookupThrough(policy, resolve),
  });
  return new Agent({
    // The whole-call limit covers both.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: (options, callback) => {
      if (isIP(bareHost(options.hostname)) === 0) {
        connect(options, callback);
        return;
      }
      // Node asks no look-up about an address that is written out, so it is judged here.
      admit(options.hostname, policy, resolve).then(
        () => connect(options, callback),
        (error: Error) => callback(error, null),
      );
    },
  });
}

/** A look-up for sockets that answers with admitted addresses alone: what is judged is what is dialled. */
function lookupThrough(policy: Policy, resolve: Resolve): LookupFunction {
  return (hostname, options, callback) => {
    admit(hostname, policy, resolve).then(
      ({ addresses }) => {
        if (options.all === true) callback(null, addresses);
        else callback(null, addresses[0].address, addresses[0].family);
      },
      (error: Error) => callback(error, ''),
    );
  };
}

async function readAll(
  body: ReadableStream<Uint8Array> | null,
  host: string,
  maxBytes: number,
  signal: AbortSignal,
): Promise<Uint8Array<ArrayBuffer> | null> {
  if (body === null) return null;
  const parts: Uint8Array[] = [];
  let size = 0;
  try {
    // Leaving the loop early cancels the stream, and with it the rest of the answer.
    for await (const part of body) {
      size += part.byteLength;
      if (size > maxBytes) {
        throw new DrawbridgeError('malformed_response', `${host} answered with more than ${maxBytes} bytes.`);
      }
      parts.push(part);
    }
  } catch (thrown) {
    throw networkError(host, thrown, signal);
  }
  return Buffer.concat(parts, size);
}

const certificateTrouble = /^(CERT_|ERR_TLS_CERT|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_(GET|VERIFY))/;

/** What undici threw, in our words. The refusal of an address comes through unchanged. */
function networkError(host: string, thrown: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  for (let cause = thrown; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof DrawbridgeError) return cause;
    const code = 'code' in cause ? String(cause.code) : '';
    if (certificateTrouble.test(code)) {
      return new DrawbridgeError(
        'network',
        `The certificate of ${host} does not hold (${code}). For an authority of your own, name its file in NODE_EXTRA_CA_CERTS.`,
        { retry: 'never', cause: thrown },
      );
    }
    if (code === 'UND_ERR_CONNECT_TIMEOUT') {
      return new DrawbridgeError(
        'timeout',
        `${host} did not accept a connection within ${connectMs / 1000} s.`,
        {
          cause: thrown,
        },
      );
    }
    if (code !== '' && cause.cause === undefined) {
      return new DrawbridgeError('network', `${host} could not be reached (${code}).`, { cause: thrown });
    }
  }
  // Without a code it is no trouble of the way but a refusal of undici's own (a port that no web server has).
  return new DrawbridgeError('network', `${host} could not be reached.`, { retry: 'never', cause: thrown });
}
