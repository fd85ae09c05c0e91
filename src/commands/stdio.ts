// `stdio`: the MCP server that a desktop client starts. Its road is short, as the client waits: nothing of
// the other commands is loaded.
import type { Command } from 'commander';
import { loadConfig } from '../config.ts';
import { keepNurserySmall } from '../small-nursery.ts';

export async function stdio(): Promise<void> {
  keepNurserySmall();
  const config = loadConfig();
  const { runStdio } = await import('../server.ts');
  await runStdio(config);
}

export function declare(command: Command): void {
  command
    .addHelpText('after', '\nStandard output carries JSON-RPC alone; the log goes to standard error.')
    .action(stdio);
}
