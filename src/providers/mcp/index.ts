// Any MCP server: its tools become operations under our gate. Also the second way in to a provider that has
// a server of its own.
import { z } from 'zod';
import { visibleLine } from '../../untrusted.ts';
import { defineProvider, type ProviderContext } from '../define.ts';
import { serverOf, withServer } from './client.ts';
import { discover } from './tools.ts';

export const provider = defineProvider({
  id: 'mcp',
  title: 'MCP server',
  fields: z
    .object({
      url: z
        .url({ protocol: /^https?$/, error: 'must be the https address of an MCP server' })
        .optional()
        .describe('Address of the MCP server'),
      command: z
        .string()
        .trim()
        .min(1)
        .max(2_000)
        .optional()
        .describe(
          'Instead of an address: the program to start, with its arguments (needs DRAWBRIDGE_ALLOW_PROGRAMS=1)',
        ),
      name: z
        .string()
        .trim()
        .min(1)
        .max(60)
        .optional()
        .describe('What to call it; needed for a second account at the same server'),
    })
    .refine(({ url, command }) => (url === undefined) !== (command === undefined), {
      path: ['url'],
      error: 'give the address of the server, or the command that starts it',
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
    'A program is started for each conversation, with none of our variables in its environment; what it sends does not go through the door.',
    'Sign-in follows the MCP authorization specification: protected resource metadata (RFC 9728), the authorization server found there (RFC 8414), dynamic registration (RFC 7591), PKCE, and the resource parameter (RFC 8707). Checked against the sandbox, not against each server of the field.',
  ],
  verified: 'A server of the sandbox, and the official client of the protocol.',
});

/** A server tells no account: its address does, and the name that a person gave. */
async function identity(context: ProviderContext): Promise<{ id: string; label: string }> {
  const given = context.fields['name'];
  const title = await withServer(context, async (client) => client.getServerVersion()?.name);
  const server = serverOf(context);
  const [address, place] =
    'command' in server
      ? [`program ${server.words.join(' ')}`, 'this machine']
      : [`${server.url.origin}${server.url.pathname}`, server.url.hostname];
  const id = `${address}${typeof given === 'string' ? `#${given}` : ''}`;
  return {
    id,
    label: typeof given === 'string' ? given : `${visibleLine(title ?? 'MCP server', 80)} at ${place}`,
  };
}
