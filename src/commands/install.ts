// `install CLIENT`: Drawbridge in a client's own MCP configuration, with absolute paths that hold wherever
// the client starts it. What else stands there is kept, and a backup lies beside it.
import { homedir } from 'node:os';
import { join } from 'node:path';
import { Argument, type Command } from 'commander';
import { type Config, defaultHome } from '../config.ts';
import { type Entry, mergeConfiguration } from './client-configuration.ts';
import { openSession } from './command.ts';

export const clients = ['claude-desktop', 'claude-code'] as const;
type Client = (typeof clients)[number];

/**
 * Where a client keeps its MCP servers: https://modelcontextprotocol.io/docs/develop/connect-local-servers,
 * https://docs.claude.com/en/docs/claude-code/mcp (user scope).
 */
export function configurationFile(client: Client, platform: NodeJS.Platform, home: string): string {
  if (client === 'claude-code') return join(home, '.claude.json');
  if (platform === 'darwin')
    return join(home, 'Library', 'Application Support', 'Claude', 'claude_desktop_config.json');
  if (platform === 'win32') return join(home, 'AppData', 'Roaming', 'Claude', 'claude_desktop_config.json');
  return join(home, '.config', 'Claude', 'claude_desktop_config.json');
}

function entryFor(client: Client, config: Config, program: string): Entry {
  // A client started from the desktop has another environment than this terminal: a home that is not the
  // plain default is written down.
  const env: Record<string, string> =
    config.home === defaultHome({}, process.platform) ? {} : { DRAWBRIDGE_HOME: config.home };
  return {
    ...(client === 'claude-code' ? { type: 'stdio' } : {}),
    command: process.execPath,
    args: [program, 'stdio'],
    env,
  };
}

async function install(client: Client, options: { print?: boolean; json?: boolean }): Promise<void> {
  const { output, config, clock } = openSession(options);
  const { realpath } = await import('node:fs/promises');
  const program = await realpath(process.argv[1] ?? '');
  const entry = entryFor(client, config, program);
  const file = configurationFile(client, process.platform, homedir());
  if (options.print === true) {
    output.value({ mcpServers: { drawbridge: entry } });
    if (!output.json) output.aside(`Belongs into ${file}`);
    return;
  }
  const { backup, replaced } = await mergeConfiguration(file, entry, clock.now());
  if (output.json) {
    output.value({ client, file, backup: backup ?? null, replaced, entry });
    return;
  }
  output.line(
    `${output.style('green', '✓')} ${file}: the server "drawbridge" is ${replaced ? 'replaced' : 'added'}.`,
  );
  if (backup !== undefined) output.line(`  What stood there before: ${backup}`);
  if (/[\\/]_npx[\\/]/.test(program)) {
    output.aside(
      'This program lies in a cache of npx that may be emptied: install it for good with npm install -g drawbridge-mcp, then run this again.',
    );
  }
  output.line('  Restart the client to use it.');
}

export function declare(command: Command): void {
  command
    .addArgument(new Argument('<client>', 'the program to configure').choices(clients))
    .option('--print', 'print the configuration and write nothing')
    .option('--json', 'answer as JSON')
    .action(install);
}
