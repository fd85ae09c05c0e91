// A server of this process, for tests that are its clients over HTTP.
import { loadConfig } from '../../src/config.ts';
import { runServe } from '../../src/server.ts';
import type { Serving } from '../../src/serving.ts';

/** Over an empty or kept `home`, on a port that is free. Whoever starts it closes it. */
export function serveFrom(home: string, env: Readonly<Record<string, string>> = {}): Promise<Serving> {
  return runServe(
    loadConfig({
      DRAWBRIDGE_HOME: home,
      DRAWBRIDGE_PORT: '0',
      DRAWBRIDGE_LOG_LEVEL: 'fatal',
      // The client is in the server's own process, which else lets nothing out past the door.
      DRAWBRIDGE_ALLOW_LOOPBACK: '1',
      ...env,
    }),
    { port: 0 },
  );
}
