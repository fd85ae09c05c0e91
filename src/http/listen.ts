// Listens, and stops listening at once when asked to: no idle connection and no event stream keeps the
// process alive.
import type { Server } from 'node:http';
import { createAdaptorServer } from '@hono/node-server';
import type { Hono } from 'hono';
import { type Clock, systemClock } from '../clock.ts';
import type { PageEnv } from '../dashboard/environment.ts';
import { DrawbridgeError } from '../errors.ts';
import { findLocalName, localOrigin } from './origin.ts';

/** A client that trickles its request holds a socket no longer than this. */
const headersWithinMs = 10_000;
const requestWithinMs = 30_000;
const idleConnectionMs = 15_000;
/** What is being answered may be finished when the server closes. */
const graceMs = 300;

export interface Listening {
  /** Where a person finds the pages. */
  url: string;
  /** Where programs reach `/mcp`: the system's resolver may not know the pages' name. */
  programUrl: string;
  port: number;
  /** Why the pages have another name than usual. */
  note: string | undefined;
  close(): Promise<void>;
}

/**
 * Serves `app` on `host` and `port` (0: a free one).
 * @throws DrawbridgeError `conflict` when the port is taken, `invalid_request` when it cannot be had
 */
export async function listen(
  app: Hono<PageEnv>,
  given: { host: string; port: number; clock?: Clock },
): Promise<Listening> {
  const clock = given.clock ?? systemClock;
  const server = createAdaptorServer({
    fetch: app.fetch as Parameters<typeof createAdaptorServer>[0]['fetch'],
    // Other libraries in this process keep the Request and Response that they know.
    overrideGlobalObjects: false,
    serverOptions: {
      headersTimeout: headersWithinMs,
      requestTimeout: requestWithinMs,
      keepAliveTimeout: idleConnectionMs,
    },
  }) as Server;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => reject(cannotListen(given, cause)));
    server.listen({ host: given.host, port: given.port }, resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : given.port;
  const pages = await findLocalName();

  return {
    url: localOrigin(port, pages.name),
    programUrl: localOrigin(port, '127.0.0.1'),
    port,
    note: pages.note,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      await Promise.race([closed, clock.sleep(graceMs, { unref: true })]);
      server.closeAllConnections();
      await closed;
    },
  };
}

function cannotListen(given: { host: string; port: number }, cause: NodeJS.ErrnoException): DrawbridgeError {
  if (cause.code === 'EADDRINUSE') {
    return new DrawbridgeError(
      'conflict',
      `Port ${given.port} is taken. Choose another one (DRAWBRIDGE_PORT or --port), or 0 for a free one.`,
      { cause },
    );
  }
  return new DrawbridgeError(
    'invalid_request',
    `Cannot listen on ${given.host}:${given.port} (${cause.code ?? cause.message}). Check DRAWBRIDGE_HOST and DRAWBRIDGE_PORT.`,
    { cause },
  );
}
