// A port for a program that must be told one before it listens.
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * A port on which nothing listens. It is one of those that no system hands out by itself (Linux begins at 32,768,
 * others at 49,152): until the program listens, no other test's `listen(0)` and no outgoing call can get it.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_000);
    const probe = createServer().listen(port, '127.0.0.1');
    try {
      await once(probe, 'listening');
    } catch {
      continue; // taken: another one
    }
    probe.close();
    await once(probe, 'close');
    return port;
  }
}
