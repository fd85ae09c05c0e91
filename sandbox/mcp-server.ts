// An MCP server of somebody else, in the sandbox: tools with and without hints over streamable HTTP, behind an
// authorization server that it names (RFC 9728, 8414, 7591).
import type { Clock } from '../src/clock.ts';
import type { AuthorizationServer } from './authorization.ts';
import { createAuthorizationServer } from './authorization-server.ts';
import type { Answer } from './http.ts';
import type { Call, Emulator } from './providers.ts';

export interface SandboxTool {
  name: string;
  title?: string;
  description?: string;
  inputSchema: Record<string, unknown>;
  annotations?: Record<string, boolean | string>;
  /** A thrown error is answered as the tool's own failure. */
  run(input: Record<string, unknown>): string | Record<string, unknown>;
}

export interface McpEmulator extends Emulator {
  authorization: AuthorizationServer;
  /** What it gives to a client that registers. */
  app: { clientId: string; clientSecret: string };
  /** Changed by tests; listed two at a time. */
  tools: SandboxTool[];
  /** Names and arguments of the calls so far. */
  ran: { name: string; input: Record<string, unknown> }[];
  /** Clients registered so far: their metadata. */
  registered: Record<string, unknown>[];
  /** Parts of its metadata, changed by tests. */
  metadata: { resource: Record<string, unknown>; server: Record<string, unknown> };
  /** Whether calls need a bearer. */
  open: boolean;
}

const json = (status: number, body: unknown, headers: Record<string, string> = {}): Answer => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(body),
});

const pageSize = 2;

/** `host`: of the server; its authorization server is `auth.HOST`. */
export function createMcpEmulator(
  clock: Clock,
  { host = 'mcp.tools.example', provider = 'mcp', path = '/mcp' } = {},
): McpEmulator {
  const signIn = `auth.${host}`;
  const app = { clientId: 'registered-client', clientSecret: 'registered-secret' };
  const authorization = createAuthorizationServer(
    {
      authorizePath: '/authorize',
      tokenPath: '/token',
      revokePath: '/revoke',
      app,
      pkce: 'required',
      clientAuthentication: 'body',
      accessLivesS: 3_600,
      rotation: 'always',
      issuer: `https://${signIn}`,
    },
    clock,
  );
  const emulator: McpEmulator = {
    provider,
    hosts: [host, signIn],
    authorization,
    app,
    tools: [],
    ran: [],
    registered: [],
    open: false,
    metadata: {
      resource: {
        resource: `https://${host}${path}`,
        authorization_servers: [`https://${signIn}`],
        scopes_supported: ['tools'],
      },
      server: {
        issuer: `https://${signIn}`,
        authorization_endpoint: `https://${signIn}/authorize`,
        token_endpoint: `https://${signIn}/token`,
        revocation_endpoint: `https://${signIn}/revoke`,
        registration_endpoint: `https://${signIn}/register`,
        response_types_supported: ['code'],
        code_challenge_methods_supported: ['S256'],
        token_endpoint_auth_methods_supported: ['client_secret_post'],
        authorization_response_iss_parameter_supported: true,
      },
    },
    handle(call) {
      if (call.host === signIn) return signInServer(call);
      if (call.path === `/.well-known/oauth-protected-resource${path}`) {
        return json(200, emulator.metadata.resource);
      }
      if (call.path !== path) return json(404, { error: 'not found' });
      if (call.method !== 'POST') return { status: 405 };
      if (!emulator.open && authorization.scopesOf(call.headers['authorization']) === undefined) {
        const metadata = `https://${host}/.well-known/oauth-protected-resource${path}`;
        return json(
          401,
          { error: 'invalid_token' },
          { 'www-authenticate': `Bearer resource_metadata="${metadata}"` },
        );
      }
      return answer(JSON.parse(call.body));
    },
  };

  function signInServer(call: Call): Answer {
    if (call.path === '/.well-known/oauth-authorization-server') return json(200, emulator.metadata.server);
    if (call.path === '/register' && call.method === 'POST') {
      const asked = JSON.parse(call.body) as Record<string, unknown>;
      emulator.registered.push(asked);
      return json(201, {
        ...asked,
        client_id: app.clientId,
        client_secret: app.clientSecret,
        client_secret_expires_at: 0,
      });
    }
    return authorization.handle(call) ?? json(404, { error: 'not found' });
  }

  function answer(message: { id?: number; method: string; params?: Record<string, unknown> }): Answer {
    const { id, method, params = {} } = message;
    if (id === undefined) return { status: 202 };
    const result = (value: unknown) => json(200, { jsonrpc: '2.0', id, result: value });
    if (method === 'initialize') {
      return result({
        protocolVersion: '2025-11-25',
        capabilities: { tools: {} },
        serverInfo: { name: 'Workbench', version: '3' },
      });
    }
    if (method === 'tools/list') {
      const from = Number(params['cursor'] ?? 0);
      const to = from + pageSize;
      return result({
        tools: emulator.tools.slice(from, to).map(({ run: _run, ...tool }) => tool),
        ...(to < emulator.tools.length ? { nextCursor: String(to) } : {}),
      });
    }
    if (method === 'tools/call') {
      const tool = emulator.tools.find(({ name }) => name === params['name']);
      if (tool === undefined)
        return json(200, { jsonrpc: '2.0', id, error: { code: -32602, message: 'no such tool' } });
      const input = (params['arguments'] ?? {}) as Record<string, unknown>;
      emulator.ran.push({ name: tool.name, input });
      try {
        const said = tool.run(input);
        return result(
          typeof said === 'string'
            ? { content: [{ type: 'text', text: said }] }
            : { content: [{ type: 'text', text: JSON.stringify(said) }], structuredContent: said },
        );
      } catch (thrown) {
        return result({ content: [{ type: 'text', text: String(thrown) }], isError: true });
      }
    }
    return json(200, { jsonrpc: '2.0', id, error: { code: -32601, message: 'no such method' } });
  }

  return emulator;
}
