// `serve`: the pages and MCP over HTTP, until a signal ends it.
import type { Command } from 'commander';
import { keepNurserySmall } from '../small-nursery.ts';
import { openSession, usageError } from './command.ts';

function portOf(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535)
    throw usageError(`--port: "${text}" is no port (0 to 65535).`);
  return port;
}

async function serve(options: { port?: number; json?: boolean }): Promise<void> {
  keepNurserySmall();
  const { output, config } = openSession({ json: options.json, serves: true });
  const { runServe } = await import('../server.ts');
  const serving = await runServe(config, options.port === undefined ? {} : { port: options.port });
  const web = serving.web();
  const url = web?.url ?? '';
  const mcp = `${web?.programUrl ?? ''}/mcp`;
  if (output.json) output.value({ url, mcp, pid: process.pid });
  else {
    output.line(`Drawbridge serves at ${output.style('bold', url)}`);
    if (web?.note !== undefined) output.line(web.note);
    output.line(`Agents connect to ${mcp} with a key: drawbridge keys create --name NAME`);
    if (config.signIn !== undefined) output.line(`Members sign in at ${config.signIn.origin}/sign-in`);
    output.line('Sign in from another terminal: drawbridge open. Ctrl-C ends it.');
  }
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
  await serving.close();
}

export function declare(command: Command): void {
  command
    .option(
      '--port <number>',
      'port to listen on; 0 takes a free one (default: DRAWBRIDGE_PORT, 7331)',
      portOf,
    )
    .option('--json', 'tell the address as JSON')
    .action(serve);
}
