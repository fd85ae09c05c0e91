// A tiny provider on loopback that counts what it did, and the write operation that talks to it: shared by
// the fault suite, its script, and the process that is killed.
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import { systemClock } from '../../src/clock.ts';
import type { Connections } from '../../src/connections/connections.ts';
import { DrawbridgeError } from '../../src/errors.ts';
import { createLog } from '../../src/log.ts';
import type { WriteOperation } from '../../src/providers/define.ts';
import { connectionsOver, createPost, fakeConnection } from '../queue/world.ts';

export interface Counter {
  port: number;
  /** How often each effect was caused, by its key. */
  effects: Map<string, number>;
  /** What it does once it has caused the effect. */
  after: 'answer' | 'drop' | 'error';
  close(): Promise<void>;
}

/** POST /KEY causes an effect, GET /KEY tells whether it was. */
export async function startCounter(): Promise<Counter> {
  const server = createServer((req, res) => {
    const key = (req.url ?? '/').slice(1);
    req.resume().on('end', () => {
      if (req.method === 'GET') {
        res.writeHead(counter.effects.has(key) ? 200 : 404).end();
        return;
      }
      counter.effects.set(key, (counter.effects.get(key) ?? 0) + 1);
      if (counter.after === 'drop') req.socket.destroy();
      else if (counter.after === 'error') res.writeHead(503).end();
      else res.writeHead(201).end('taken');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const counter: Counter = {
    port: (server.address() as AddressInfo).port,
    effects: new Map(),
    after: 'answer',
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return counter;
}

/** Status of one exchange; `arrived` is called when the answer's head is there and its body is unread. */
function exchange(port: number, method: string, key: string, arrived: () => void): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, method, path: `/${key}`, agent: false }, (res) => {
      arrived();
      res.resume().on('end', () => resolve(res.statusCode ?? 0));
      res.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(method === 'POST' ? 'a letter' : undefined);
  });
}

const payload = z.object({ to: z.string() });

export type OperationStep = 'before-effect' | 'before-answer';

/** Connections with one account, whose one write goes to the counter. */
export function counted(port: number, at: (step: OperationStep) => void = () => undefined): Connections {
  const operation: WriteOperation<z.infer<typeof payload>> = {
    effect: 'send',
    version: 1,
    title: 'Send a letter',
    input: payload,
    summary: (letter) => `Letter to ${letter.to}`,
    idempotency: 'look-up',
    async run(context) {
      await context.aboutToSend();
      at('before-effect');
      const status = await exchange(port, 'POST', context.effectKey, () => at('before-answer'));
      if (status !== 201) throw new DrawbridgeError('provider_unavailable', `It answered ${status}.`);
      return { reference: context.effectKey, details: {} };
    },
    async lookUp(context) {
      const status = await exchange(port, 'GET', context.effectKey, () => undefined);
      if (status === 200) return { found: true, outcome: { reference: context.effectKey, details: {} } };
      return { found: false, conclusive: status === 404, evidence: `It answered ${status}.` };
    },
  };
  const log = createLog({ level: 'silent' });
  return {
    ...connectionsOver(createPost(), [fakeConnection()], { clock: systemClock, log }),
    // The queue hands a payload that this very schema admitted.
    write: async () => operation as unknown as WriteOperation<unknown>,
  };
}
