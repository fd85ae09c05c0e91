// The ground of the sandbox's HTTP servers: a whole body in, a whole answer out, and faults on order.
import { createServer, type IncomingMessage } from 'node:http';
import { Faults } from './faults.ts';
import { listen } from './listen.ts';

export interface Asked {
  method: string;
  /** Path, still percent-encoded. */
  path: string;
  query: URLSearchParams;
  /** Names in lower case. */
  headers: Record<string, string>;
  body: string;
}

export interface Answer {
  status: number;
  headers?: Record<string, string>;
  body?: string;
  /** In place of `body`, where it is no text by itself (a part of a file). */
  bytes?: Uint8Array;
}

export interface HttpServer {
  host: string;
  port: number;
  /** Steps are labelled `METHOD /path?query`. */
  faults: Faults;
  requests(): Asked[];
  close(): Promise<void>;
}

async function read(message: IncomingMessage): Promise<Asked> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk);
  const url = new URL(message.url ?? '/', 'http://sandbox.test');
  const headers = Object.entries(message.headers).map(([name, value]) => [name, String(value)]);
  return {
    method: message.method ?? 'GET',
    path: url.pathname,
    query: url.searchParams,
    headers: Object.fromEntries(headers),
    body: Buffer.concat(chunks).toString('utf8'),
  };
}

/**
 * Starts a server on loopback; `handle` answers each request whole.
 * @param told hears of every request, and of its answer where that was no ordered fault
 */
export async function startHttp(
  handle: (asked: Asked) => Answer,
  told: (asked: Asked, answer: Answer | undefined) => void = () => undefined,
): Promise<HttpServer> {
  const faults = new Faults();
  const requests: Asked[] = [];
  const server = createServer((message, response) => {
    void (async () => {
      const asked = await read(message);
      requests.push(asked);
      const fault = faults.take(`${asked.method} ${message.url}`);
      if (fault?.kind === 'hold') await fault.until;
      if (fault?.kind === 'drop') {
        told(asked, fault.after === 'effect' ? handle(asked) : undefined);
        message.socket.destroy();
        return;
      }
      let answer: Answer;
      if (fault?.kind === 'refuse') {
        answer = { status: fault.status, headers: fault.headers ?? {}, body: fault.text ?? '' };
      } else if (fault?.kind === 'garble') {
        const type = fault.contentType ?? 'application/json';
        answer = { status: 200, headers: { 'content-type': type }, body: fault.body };
      } else answer = handle(asked);
      told(asked, fault?.kind === 'refuse' || fault?.kind === 'garble' ? undefined : answer);
      response.writeHead(answer.status, answer.headers);
      response.end(answer.bytes ?? answer.body);
    })().catch((thrown: unknown) => {
      // A client that hung up gets nothing; anything else is a fault of the sandbox, and says so.
      if (!response.headersSent) response.writeHead(500, { 'content-type': 'text/plain' });
      response.end(thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown));
    });
  });
  const { host, port } = await listen(server);
  return {
    host,
    port,
    faults,
    requests: () => [...requests],
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
