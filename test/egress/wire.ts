// Servers on loopback that remember what they were asked, and a door to reach them by.
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import type { Clock } from '../../src/clock.ts';
import { createEgress, type EgressOptions } from '../../src/egress/door.ts';
import type { Caller, Egress } from '../../src/egress/egress.ts';
import { createLog } from '../../src/log.ts';
import { manualClock } from './manual-clock.ts';

export interface Wire {
  url: string;
  port: number;
  /** Requests in the order of their coming, bodies read. */
  seen: { method: string; url: string; headers: IncomingMessage['headers']; body: string }[];
}

export async function serve(answer: RequestListener): Promise<Wire> {
  const seen: Wire['seen'] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (part: Buffer) => {
      body += part.toString();
    });
    request.on('end', () => {
      seen.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, body });
      answer(request, response);
    });
  });
  const port = await listen(server);
  return { url: `http://127.0.0.1:${port}`, port, seen };
}

export async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

export const caller: Caller = {
  orgId: 'org_a',
  provider: 'zillow',
  connectionId: 'con_a',
  operation: 'search',
  cause: 'tool',
};

export function door(options: Partial<EgressOptions> = {}): {
  egress: Egress;
  fetch: ReturnType<Egress['fetchFor']>;
  clock: Clock;
} {
  const clock = options.clock ?? manualClock();
  const egress = createEgress({
    allowLoopback: true,
    clock,
    log: createLog({ level: 'silent' }),
    random: () => 0.5,
    ...options,
  });
  onTestFinished(() => egress.close());
  return { egress, fetch: egress.fetchFor(caller), clock };
}
