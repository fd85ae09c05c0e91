// The fixture registry on the real HTTP stack: the same app, guards and MCP mount as the program, only the
// key is not asked for, as the conformance runner has none.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServerEvent } from '@modelcontextprotocol/server';
import type { Agent } from '../../src/auth/principal.ts';
import { systemClock } from '../../src/clock.ts';
import { loadConfig } from '../../src/config.ts';
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
  const agent: Agent = {
    kind: 'agent',
    orgId: rooms.org.orgId,
    agentId: 'conformance',
    name: 'conformance runner',
    scopes: ['read', 'propose'],
  };
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
    rooms: { ...rooms, orgFor: rooms.store.forOrg, wake: () => undefined },
    mcp: mcp.fetch,
    log,
    authenticate: async () => agent,
  });
  const web = await listen(app, { host: '127.0.0.1', port: 0 });
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
