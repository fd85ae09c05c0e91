// The reference of the start-up and throughput benches: a bare SDK v2 server with one tool, as its guide
// shows it, over stdio or (with a port as argument) over HTTP.
import { createServer } from 'node:http';
import { McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';

function build() {
  const server = new McpServer({ name: 'bare', version: '1.0.0' });
  server.registerTool(
    'echo',
    {
      description: 'Says it again',
      inputSchema: z.object({ text: z.string() }),
      outputSchema: z.object({ text: z.string() }),
    },
    ({ text }) => ({ content: [{ type: 'text', text }], structuredContent: { text } }),
  );
  return server;
}

const port = process.argv[2];
if (port === undefined) {
  const { serveStdio } = await import('@modelcontextprotocol/server/stdio');
  serveStdio(build);
} else {
  const { createMcpHandler } = await import('@modelcontextprotocol/server');
  const { getRequestListener } = await import('@hono/node-server');
  const handler = createMcpHandler(build);
  createServer(getRequestListener((request) => handler.fetch(request))).listen(
    Number(port),
    '127.0.0.1',
    () => process.stderr.write('listening\n'),
  );
}
