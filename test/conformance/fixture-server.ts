// The fixture registry on the real HTTP stack: the same app, guards and MCP mount as the program. The
// conformance runner has no key, so a proxy in front writes one into its requests.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServerEvent } from '@modelcontextprotocol/server';
import { Hono } from 'hono';
import { createKeys } from '../../src/auth/keys.ts';
import { systemClock } from '../../src/clock.ts';
import { loadConfig } from '../../src/config.ts';
import type { PageEnv } from '../../src/dashboard/environment.ts';
import { createHttpApp } from '../../src/http/app.ts';
import { listen } from '../../src/http/listen.ts';
import { mountMcp } from '../../src/http/mcp.ts';
import { createLog } from '../../src/log.ts';
import { openRooms } from '../../src/rooms.ts';
import { buildFixture } from './fixture.ts';

/** Starts it on a free port of loopback. */
export async function startFixtureServer(): Promise<{ url: string; close(): Promise<void> }> {
  const home = mkdtempSync(join(tmpdir(), 'drawbridge-fixture-'));
  const log = createLog({ level: 'silent' });
  const rooms = await openRooms(loadConfig({ DRAWBRIDGE_HOME: home, DRAWBRIDGE_LOG_LEVEL: 'silent' }));
  const listeners = new Set<(event: ServerEvent) => void>();
  const key = (
    await createKeys(rooms).create(rooms.org.orgId, 'conformance', ['read', 'propose'])
  ).key.reveal();
  const mcp = mountMcp({
    build: () =>
      buildFixture((event) => {
        for (const tell of listeners) tell(event);
      }),
    onChange: (_org, tell) => {
      listeners.add(tell);
      return () => listeners.delete(tell);
    },
    clock: systemClock,
    log,
  });
  const app = createHttpApp({
    rooms: { ...rooms, orgFor: (id) => rooms.store.forOrg(id), wake: () => undefined },
    mcp: mcp.fetch,
    log,
  });
  const proxy = new Hono<PageEnv>();
  proxy.all('*', (c) => {
    const { method, headers, body, signal } = c.req.raw;
    const request = new Request(c.req.url, { method, headers, body, signal, duplex: 'half' });
    request.headers.set('authorization', `Bearer ${key}`);
    return app.fetch(request, c.env);
  });
  const web = await listen(proxy, { host: '127.0.0.1', port: 0 });
  return {
    url: `http://127.0.0.1:${web.port}/mcp`,
    async close() {
      await mcp.close();
      await web.close();
      await rooms.close();
      rmSync(home, { recursive: true, force: true });
    },
  };
}
