// One conversation with an MCP server out there, by the official client, through the door. Whatever comes
// back is untrusted.
import type { Client } from '@modelcontextprotocol/client';
import { retryAfterMs } from '../../egress/retry.ts';
import { codeOfStatus, DrawbridgeError } from '../../errors.ts';
import type { ProviderContext } from '../define.ts';

const introduction: ConstructorParameters<typeof Client> = [
  { name: 'drawbridge', version: '1' },
  { capabilities: {}, versionNegotiation: { mode: 'auto' } },
];
const callMs = 60_000;
const maxBytes = 4 * 1024 * 1024;

type Server = { url: URL } | { command: string; words: string[] };

/** What the connection's fields name: an address, or a program. */
export function serverOf({ fields }: Pick<ProviderContext, 'fields'>): Server {
  const { command } = fields as { command?: string };
  if (command === undefined) return { url: new URL(String(fields['url'])) };
  const words = [...command.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(([, a, b, c]) => a ?? b ?? c ?? '');
  return { command: words[0] ?? '', words };
}

/**
 * Opens the conversation, works in it, and ends it. The protocol's version is the newest that both speak.
 * @throws DrawbridgeError `provider_unavailable`, `malformed_response`, or what the door said
 */
export async function withServer<Result>(
  context: ProviderContext,
  work: (client: Client) => Promise<Result>,
): Promise<Result> {
  const server = serverOf(context);
  if ('command' in server) {
    return context.converse(() => withProgram(server, work), { timeoutMs: callMs });
  }
  const { Client, StreamableHTTPClientTransport } = await import('@modelcontextprotocol/client');
  const { url } = server;
  let refused: unknown;
  let status = 0;
  const transport = new StreamableHTTPClientTransport(url, {
    fetch: async (input, init) => {
      // The stream beside the calls would stay open; nothing that comes on it is of use here.
      if ((init?.method ?? 'GET') === 'GET') return new Response(null, { status: 405 });
      const response = await context
        .fetch(input, { ...init, timeoutMs: callMs, maxBytes } as RequestInit)
        .catch((thrown: unknown) => {
          refused = thrown;
          throw thrown;
        });
      status = response.status;
      refused = refusalOf(url, response, context.clock.now());
      if (refused !== undefined) throw refused;
      return response;
    },
  });
  const client = new Client(...introduction);
  try {
    await client.connect(transport);
    return await work(client);
  } catch (thrown) {
    // The client wraps what the door said; our own words come first.
    if (refused instanceof DrawbridgeError) throw refused;
    if (thrown instanceof DrawbridgeError) throw thrown;
    throw strange(url, status, thrown);
  } finally {
    await client.close();
  }
}

/** What the client could not go on with: a refusal that says more by its status, an error of the protocol, or no MCP at all. */
function strange(url: URL, status: number, thrown: unknown): DrawbridgeError {
  // An error of JSON-RPC has a number for its code; the client's own have words.
  const { code } = thrown as { code?: unknown };
  const answered = status >= 200 && status < 300;
  const said = answered ? '' : ` (${status})`;
  return new DrawbridgeError(
    !answered
      ? codeOfStatus(status)
      : typeof code === 'number'
        ? 'provider_unavailable'
        : 'malformed_response',
    `${url.hostname} does not answer as an MCP server${said}.`,
    { cause: thrown },
  );
}

/** A program that is started for this one conversation. No shell reads its words. */
async function withProgram<Result>(
  { command, words }: { command: string; words: string[] },
  work: (client: Client) => Promise<Result>,
): Promise<Result> {
  const { Client } = await import('@modelcontextprotocol/client');
  const { StdioClientTransport } = await import('@modelcontextprotocol/client/stdio');
  // Its environment is the little that the transport passes on: none of our variables.
  const transport = new StdioClientTransport({ command, args: words.slice(1), stderr: 'ignore' });
  const client = new Client(...introduction);
  try {
    await client.connect(transport);
    return await work(client);
  } catch (thrown) {
    if (thrown instanceof DrawbridgeError) throw thrown;
    throw new DrawbridgeError('provider_unavailable', `${command} does not answer as an MCP server.`, {
      cause: thrown,
    });
  } finally {
    await client.close();
  }
}

/**
 * Other refusals are left to the client: to a server that speaks an older version (400, 404) it goes on in that one.
 * @param now integer ms
 */
function refusalOf(url: URL, { status, headers }: Response, now: number): DrawbridgeError | undefined {
  if (status === 401) {
    return new DrawbridgeError('auth_expired', `${url.hostname} wants a sign-in, or a new one.`);
  }
  if (status === 403) return new DrawbridgeError('permission_denied', `${url.hostname} admits no such call.`);
  if (status === 429) {
    const wait = retryAfterMs(headers.get('retry-after'), now);
    return new DrawbridgeError('rate_limited', `${url.hostname} takes fewer calls.`, {
      ...(wait === undefined ? {} : { retryAfterMs: wait }),
    });
  }
  if (status >= 500)
    return new DrawbridgeError('provider_unavailable', `${url.hostname} is failing (${status}).`);
  return undefined;
}
