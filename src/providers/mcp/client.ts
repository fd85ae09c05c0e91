// One conversation with an MCP server out there, by the official client, through the door. Whatever comes
// back is untrusted.
import type { Client } from '@modelcontextprotocol/client';
import { DrawbridgeError } from '../../errors.ts';
import type { ProviderContext } from '../define.ts';

const callMs = 60_000;
const maxBytes = 4 * 1024 * 1024;

/** The server's address among the connection's fields. */
export function serverUrl(context: Pick<ProviderContext, 'fields'>): URL {
  return new URL(String(context.fields['url']));
}

/**
 * Opens the conversation, works in it, and ends it. The protocol's version is the newest that both speak.
 * @throws DrawbridgeError `provider_unavailable`, `malformed_response`, or what the door said
 */
export async function withServer<Result>(
  context: ProviderContext,
  work: (client: Client) => Promise<Result>,
): Promise<Result> {
  const { Client, StreamableHTTPClientTransport } = await import('@modelcontextprotocol/client');
  const url = serverUrl(context);
  let refused: unknown;
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
      refused = refusalOf(url, response);
      if (refused !== undefined) throw refused;
      return response;
    },
  });
  const client = new Client(
    { name: 'drawbridge', version: '1' },
    { capabilities: {}, versionNegotiation: { mode: 'auto' } },
  );
  try {
    await client.connect(transport);
    return await work(client);
  } catch (thrown) {
    // The client wraps what the door said; our own words come first.
    if (refused instanceof DrawbridgeError) throw refused;
    if (thrown instanceof DrawbridgeError) throw thrown;
    throw new DrawbridgeError('provider_unavailable', `${url.hostname} does not answer as an MCP server.`, {
      cause: thrown,
    });
  } finally {
    await client.close();
  }
}

/** Also what a server says of a session that it has forgotten (404) is left to the client. */
function refusalOf(url: URL, { status }: Response): DrawbridgeError | undefined {
  if (status === 401) {
    return new DrawbridgeError('auth_expired', `${url.hostname} wants a sign-in, or a new one.`);
  }
  if (status === 403) return new DrawbridgeError('permission_denied', `${url.hostname} admits no such call.`);
  if (status === 429) return new DrawbridgeError('rate_limited', `${url.hostname} takes fewer calls.`);
  if (status >= 500)
    return new DrawbridgeError('provider_unavailable', `${url.hostname} is failing (${status}).`);
  return undefined;
}
