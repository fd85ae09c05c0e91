// Any MCP server: its tools become operations under our gate. Also the second way in to a provider that has
// a server of its own.
import { z } from 'zod';
import { defineProvider, type ProviderContext } from '../define.ts';
import { serverUrl, withServer } from './client.ts';
import { discover } from './tools.ts';

export const provider = defineProvider({
  id: 'mcp',
  title: 'MCP server',
  fields: z.object({
    url: z
      .url({ protocol: /^https?$/, error: 'must be the https address of an MCP server' })
      .describe('Address of the MCP server'),
    name: z
      .string()
      .trim()
      .min(1)
      .max(60)
      .optional()
      .describe('What to call it; needed for a second account at the same server'),
  }),
  secrets: [
    {
      name: 'token',
      title: 'Bearer token',
      hint: 'Only where the server gives out tokens by itself. Otherwise leave it out: a sign-in in the browser follows where the server asks for one.',
      optional: true,
    },
  ],
  example: { url: 'https://mcp.example.com/mcp' },
  auth: { kind: 'discovered' },
  identity,
  operations: {},
  discover,
  capabilities: {},
  feeds: {},
  // One operation is three calls: two to open the conversation.
  limit: { perSecond: 10, burst: 40, concurrent: 4 },
  notes: [
    'What a tool says of itself is a hint: only one that calls itself read-only runs without approval, and a tool whose definition changed after it was approved does not run.',
    'Sign-in follows the MCP authorization specification: protected resource metadata (RFC 9728), the authorization server found there (RFC 8414), dynamic registration (RFC 7591), PKCE, and the resource parameter (RFC 8707). Checked against the sandbox, not against each server of the field.',
  ],
});

/** A server tells no account: its address does, and the name that a person gave. */
async function identity(context: ProviderContext): Promise<{ id: string; label: string }> {
  const url = serverUrl(context);
  const given = context.fields['name'];
  const title = await withServer(context, async (client) => client.getServerVersion()?.name);
  const id = `${url.origin}${url.pathname}${typeof given === 'string' ? `#${given}` : ''}`;
  return { id, label: typeof given === 'string' ? given : `${title ?? 'MCP server'} at ${url.hostname}` };
}
