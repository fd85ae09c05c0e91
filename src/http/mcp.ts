// MCP over streamable HTTP, both eras on one address: 2026-07-28 without state, one server a request; the
// older ones with sessions that can be resumed. A session belongs to the key that opened it, or to the person
// and client whose token did.
import { randomUUID } from 'node:crypto';
import {
  type AuthInfo,
  createMcpHandler,
  type EventStore,
  isInitializeRequest,
  isLegacyRequest,
  type JSONRPCMessage,
  type McpHttpHandler,
  type McpRequestContext,
  type McpServer,
  type ServerEvent,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server';
import type { Agent } from '../auth/principal.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';

/** Largest request body, bytes. */
export const maxBody = 4 * 1024 * 1024;
const idleLimit = 30 * 60_000;
const mostSessions = 1_000;
const keptEvents = 500;

export interface McpMountOptions {
  /** Builds the server for one request (2026) or one session (older). */
  build(
    agent: Agent,
    era: McpRequestContext['era'],
  ): { server: McpServer; subscriptions: { has(uri: string): boolean } };
  /** Calls back with what changed in the org. Returns the unsubscribe. */
  onChange(orgId: string, tell: (event: ServerEvent) => void): () => void;
  clock: Clock;
  log: Log;
}

export interface McpMount {
  fetch(request: Request, agent: Agent): Promise<Response>;
  close(): Promise<void>;
}

interface Session {
  transport: WebStandardStreamableHTTPServerTransport;
  server: McpServer;
  agent: Agent;
  lastUsed: number;
  /** Streams on which the client listens. */
  listening: number;
  unsubscribe: () => void;
}

export function mountMcp(options: McpMountOptions): McpMount {
  const { clock, log } = options;
  const sessions = new Map<string, Session>();
  // One handler an org: its listen streams hear of that org's resources and of no others.
  const modern = new Map<string, { handler: McpHttpHandler; unsubscribe: () => void }>();

  function modernFor(agent: Agent): McpHttpHandler {
    const known = modern.get(agent.orgId);
    if (known !== undefined) return known.handler;
    const handler = createMcpHandler((context) => options.build(agentOf(context.authInfo), 'modern').server, {
      legacy: 'reject',
      maxRequestBodySize: maxBody,
      onerror: (err) => log.debug({ err }, 'mcp request refused'),
    });
    const unsubscribe = options.onChange(agent.orgId, (event) => handler.bus.publish(event));
    modern.set(agent.orgId, { handler, unsubscribe });
    return handler;
  }

  async function openSession(agent: Agent): Promise<Session> {
    await sweep();
    if (sessions.size >= mostSessions) throw new SessionsFull();
    const { server, subscriptions } = options.build(agent, 'legacy');
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: () => randomUUID(),
      eventStore: recentEvents(),
      maxRequestBodySize: maxBody,
      onsessioninitialized: (id) => void sessions.set(id, session),
      onsessionclosed: (id) => void sessions.delete(id),
    });
    const unsubscribe = options.onChange(agent.orgId, (event) => {
      if (event.kind !== 'resource_updated' || !subscriptions.has(event.uri)) return;
      server.server
        .sendResourceUpdated({ uri: event.uri })
        .catch((err: unknown) => log.debug({ err }, 'update not delivered'));
    });
    const session: Session = {
      transport,
      server,
      agent,
      lastUsed: clock.elapsed(),
      listening: 0,
      unsubscribe,
    };
    await server.connect(transport);
    const closed = transport.onclose;
    transport.onclose = () => {
      unsubscribe();
      if (transport.sessionId !== undefined) sessions.delete(transport.sessionId);
      closed?.();
    };
    return session;
  }

  async function sweep(): Promise<void> {
    const now = clock.elapsed();
    for (const session of [...sessions.values()]) {
      // A client that listens is there, though it may ask for nothing all day.
      if (session.listening === 0 && now - session.lastUsed > idleLimit) await session.server.close();
    }
  }

  /** The stream of a GET, counted until either side ends it. */
  function counted(answer: Response, session: Session): Response {
    if (!answer.ok || answer.body === null) return answer;
    session.listening += 1;
    const counting = new TransformStream<Uint8Array, Uint8Array>();
    const over = () => {
      session.listening -= 1;
      session.lastUsed = clock.elapsed();
    };
    // A stream that breaks off is over as one that ends: by then nobody listens who could be told.
    answer.body.pipeTo(counting.writable).then(over, over);
    return new Response(counting.readable, answer);
  }

  /** `body`: undefined where there is none that is JSON. */
  async function legacy(request: Request, agent: Agent, body: unknown): Promise<Response> {
    const id = request.headers.get('mcp-session-id');
    if (id !== null) {
      const session = sessions.get(id);
      // Another agent's session is as unknown as one that never was; so is one from when this agent might more.
      if (session === undefined || !sameAgent(session.agent, agent)) {
        return rpcError(404, -32001, 'Session not found. Initialize a new one.');
      }
      session.lastUsed = clock.elapsed();
      const answer = await session.transport.handleRequest(request, {
        authInfo: authInfoOf(agent),
        ...parsed(body),
      });
      return request.method === 'GET' ? counted(answer, session) : answer;
    }
    if (request.method !== 'POST')
      return rpcError(400, -32000, 'Mcp-Session-Id header is missing. Initialize first.');
    if (!isInitializeRequest(body)) {
      return body === undefined
        ? rpcError(400, -32700, 'The body is not JSON.')
        : rpcError(400, -32000, 'Not initialized: send initialize first, then its Mcp-Session-Id.');
    }
    try {
      const session = await openSession(agent);
      return await session.transport.handleRequest(request, {
        parsedBody: body,
        authInfo: authInfoOf(agent),
      });
    } catch (thrown) {
      if (thrown instanceof SessionsFull)
        return rpcError(503, -32000, 'Too many open sessions. Close some, or try again later.');
      throw thrown;
    }
  }

  return {
    async fetch(request, agent) {
      // Read once, within what the body guard lets through: the SDK would read a copy of it to tell the era, and
      // copy it again to answer.
      const body = request.method === 'POST' ? await bodyOf(request) : undefined;
      const isNoJson = request.method === 'POST' && body === undefined;
      if (isNoJson || (await isLegacyRequest(request, body))) return legacy(request, agent, body);
      return modernFor(agent).fetch(request, { authInfo: authInfoOf(agent), ...parsed(body) });
    },
    async close() {
      for (const { handler, unsubscribe } of modern.values()) {
        unsubscribe();
        await handler.close();
      }
      for (const session of [...sessions.values()]) await session.server.close();
    },
  };
}

/** `agentId` names the key, or the person and the client that a token was given to. */
function sameAgent(one: Agent, other: Agent): boolean {
  const { orgId, agentId, scopes } = other;
  return one.orgId === orgId && one.agentId === agentId && one.scopes.join() === scopes.join();
}

class SessionsFull extends Error {}

/** Undefined where it is no JSON, or cannot be read. */
async function bodyOf(request: Request): Promise<unknown> {
  try {
    return await request.json();
  } catch {
    return undefined;
  }
}

function parsed(body: unknown): { parsedBody?: unknown } {
  return body === undefined ? {} : { parsedBody: body };
}

function rpcError(status: number, code: number, message: string): Response {
  return Response.json({ jsonrpc: '2.0', error: { code, message }, id: null }, { status });
}

function authInfoOf(agent: Agent): AuthInfo {
  return { token: '', clientId: agent.agentId, scopes: [...agent.scopes], extra: { agent } };
}

function agentOf(authInfo: AuthInfo | undefined): Agent {
  const agent = authInfo?.extra?.['agent'];
  if (agent === undefined) throw new Error('an MCP request without its agent');
  return agent as Agent;
}

/** The last events of one session, so that a client that lost its stream hears what it missed. */
function recentEvents(): EventStore {
  const events: { id: string; stream: string; message: JSONRPCMessage }[] = [];
  let count = 0;
  return {
    async storeEvent(stream, message) {
      count += 1;
      const id = `${stream}:${count}`;
      events.push({ id, stream, message });
      if (events.length > keptEvents) events.shift();
      return id;
    },
    async replayEventsAfter(lastId, { send }) {
      const from = events.findIndex((event) => event.id === lastId);
      const stream = lastId.slice(0, lastId.lastIndexOf(':'));
      // An id that is no longer kept replays all that still is: late is better than lost.
      for (const event of events.slice(from + 1)) {
        if (event.stream === stream && Object.keys(event.message).length > 0)
          await send(event.id, event.message);
      }
      return stream;
    },
  };
}
