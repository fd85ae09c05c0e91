// One tool call over HTTP on the 2026-07-28 wire, as the benches make them.
import type { Pool } from 'undici';

/** Resolves with the answer's text. @throws Error with its beginning when the call failed */
export async function callTool(
  pool: Pool,
  { name, args, key }: { name: string; args: object; key?: string | undefined },
): Promise<string> {
  const body = JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: {
      name,
      arguments: args,
      _meta: {
        'io.modelcontextprotocol/protocolVersion': '2026-07-28',
        'io.modelcontextprotocol/clientInfo': { name: 'bench', version: '1' },
        'io.modelcontextprotocol/clientCapabilities': {},
      },
    },
  });
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': 'tools/call',
    'mcp-name': name,
    ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
  };
  const answer = await pool.request({ path: '/mcp', method: 'POST', headers, body });
  const text = await answer.body.text();
  if (answer.statusCode !== 200 || text.includes('"isError":true'))
    throw new Error(`${answer.statusCode} ${text.slice(0, 300)}`);
  return text;
}
