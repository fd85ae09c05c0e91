// An office for the tools: the sandbox's servers, the real rooms over them, and a clock whose date a test sets.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Sandbox, startSandbox } from '../../sandbox/start.ts';
import { type Clock, systemClock } from '../../src/clock.ts';
import { loadConfig } from '../../src/config.ts';
import type { Connection } from '../../src/connections/connections.ts';
import { seenBy } from '../../src/memory/documents/seen-by.ts';
import { openRooms, type Rooms } from '../../src/rooms.ts';
import { type CallResult, callTool } from '../../src/tools/call/call.ts';
import type { ToolContext, ToolRooms } from '../../src/tools/define.ts';
import { tools } from '../../src/tools/surface.ts';

export interface Office {
  sandbox: Sandbox;
  clock: Clock;
  rooms: Rooms;
  /** Calls a tool as an agent does. */
  call(name: string, input: object): Promise<CallResult>;
  /** What a call of that agent stands on. */
  context(given?: Partial<ToolRooms>): Promise<ToolContext>;
  /** The same, with some rooms replaced. */
  callWith(given: Partial<ToolRooms>, name: string, input: object): Promise<CallResult>;
  /** Moves the date, for the rooms and the sandbox alike. */
  pass(ms: number): void;
  mailbox(): Promise<Connection>;
  calendar(): Promise<Connection>;
  zillow(): Promise<Connection>;
  /** An account of any provider, by what a person would type. */
  connect(
    provider: string,
    fields: Record<string, string>,
    secrets: Record<string, string>,
  ): Promise<Connection>;
  close(): Promise<void>;
}

export async function openOffice(): Promise<Office> {
  let passed = 0;
  const clock: Clock = { ...systemClock, now: () => systemClock.now() + passed };
  const home = mkdtempSync(join(tmpdir(), 'drawbridge-tools-'));
  const sandbox = await startSandbox({ clock });
  const rooms = await openRooms(
    loadConfig({
      DRAWBRIDGE_HOME: home,
      DRAWBRIDGE_ALLOW_LOOPBACK: '1',
      DRAWBRIDGE_HOLD_SECONDS: '0',
      DRAWBRIDGE_LOG_LEVEL: 'fatal',
    }),
    { clock },
  );
  const { mail, imap, smtp, caldav, zillow } = sandbox;
  const agent = {
    kind: 'agent',
    orgId: rooms.org.orgId,
    agentId: 'stdio',
    memberId: rooms.owner.memberId,
    name: 'test',
    scopes: ['read', 'propose'],
  } as const;
  const connect = (provider: string, fields: Record<string, string>, secrets: Record<string, string>) =>
    rooms.connections.connect(rooms.org, provider, { fields, secrets });
  async function context(given: Partial<ToolRooms> = {}): Promise<ToolContext> {
    return {
      rooms: { ...rooms, approveUrl: (id) => `http://localhost/actions/${id}`, ...given },
      org: await seenBy(rooms.store, rooms.org, agent),
      agent,
      signal: new AbortController().signal,
      progress: async () => undefined,
    };
  }
  async function callWith(given: Partial<ToolRooms>, name: string, input: object): Promise<CallResult> {
    const tool = tools.find((known) => known.name === name);
    if (tool === undefined) throw new Error(`no tool ${name}`);
    return callTool(tool, input, () => context(given));
  }
  return {
    sandbox,
    clock,
    rooms,
    context,
    callWith,
    call: (name, input) => callWith({}, name, input),
    pass(ms) {
      passed += ms;
    },
    mailbox: () =>
      connect(
        'mailbox',
        { email: mail.address, imap: `${imap.host}:${imap.port}`, smtp: `${smtp.host}:${smtp.port}` },
        { password: mail.password },
      ),
    calendar: () => connect('caldav', { url: caldav.url, user: caldav.user }, { password: caldav.password }),
    connect,
    zillow: () => connect('zillow', { host: zillow.host }, { rapidapi_key: zillow.key }),
    async close() {
      await rooms.close();
      await sandbox.close();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

/** The text view of an answer. */
export function textOf(result: CallResult): string {
  return result.content.map((part) => (part.type === 'text' ? part.text : '')).join('\n');
}

/** What stands in an answer's text outside every frame around what others wrote. */
export function outside(result: CallResult): string {
  return textOf(result).replace(/\[[^\n]*until the mark (\S+) returns\]\n[\s\S]*?\n\[\1\]/g, '');
}
