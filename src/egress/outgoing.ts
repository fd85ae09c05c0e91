// A call as it was asked for, made ready to be sent, and to be sent again.
import { DrawbridgeError } from '../errors.ts';
import type { FetchOptions } from './egress.ts';
import type { Outgoing } from './transport.ts';

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

/** The call with its body in hand, so that it can be sent again; made by the fetch standard's own rules. */
export async function outgoing(input: string | URL | Request, init: FetchOptions): Promise<Outgoing> {
  const url = URL.parse(input instanceof Request ? input.url : String(input));
  // The text may hold a credential, so neither message repeats it.
  if (url === null) throw new DrawbridgeError('invalid_request', 'The address is no URL.');
  if (url.username !== '' || url.password !== '') {
    throw new DrawbridgeError(
      'invalid_request',
      `The URL of ${url.hostname} carries a user name: give credentials apart.`,
    );
  }
  const {
    timeoutMs: _timeout,
    idempotent: _idempotent,
    maxBytes: _bytes,
    once: _once,
    batch: _batch,
    ...standard
  } = init;
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
