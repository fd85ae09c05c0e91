// `connections`: the connected accounts, their state, and when each was last brought up to date.
import type { Command } from 'commander';
import { ageInWords, iso } from '../../time.ts';
import { openSession, withRooms } from '../command.ts';
import { shownLine } from '../terminal/shown.ts';

async function connections(options: { json?: boolean }): Promise<void> {
  const session = openSession(options);
  const { output, clock } = session;
  await withRooms(session, async (rooms) => {
    const [all, notices] = await Promise.all([
      rooms.connections.list(rooms.org),
      rooms.connections.notices(rooms.org),
    ]);
    const needs = (id: string) => notices.find(({ connectionId }) => connectionId === id)?.text;
    if (output.json) {
      output.value(
        all.map(({ lastSyncAt, lastError, scopes, mcpServerUrl, ...connection }) => ({
          id: connection.id,
          provider: connection.provider,
          account: connection.account,
          label: connection.label,
          state: connection.state,
          capabilities: connection.capabilities,
          feedKinds: connection.feedKinds,
          via: mcpServerUrl === undefined ? 'api' : 'mcp',
          scopes: scopes ?? null,
          needs: needs(connection.id) ?? null,
          lastSyncAt: lastSyncAt === undefined ? null : iso(lastSyncAt),
          lastError: lastError === undefined ? null : { ...lastError, at: iso(lastError.at) },
        })),
      );
      return;
    }
    for (const { text } of notices) output.line(`${output.style('yellow', '!')} ${shownLine(text)}`);
    if (all.length === 0) {
      output.line(
        'No account is connected. Begin with: drawbridge connect gmail, drawbridge connect mailbox, or drawbridge import PATH',
      );
      return;
    }
    for (const each of all) {
      const colour = each.state === 'ACTIVE' ? 'green' : 'yellow';
      const synced =
        each.lastSyncAt === undefined
          ? each.hasFeeds
            ? ', never synced'
            : ''
          : `, synced ${ageInWords(Math.max(0, clock.now() - each.lastSyncAt))} ago`;
      const way = each.mcpServerUrl === undefined ? '' : ' by its MCP server';
      output.line(
        `${output.style('bold', shownLine(each.label))} (${each.providerTitle}${way}) ${output.style(colour, each.state)}${synced}`,
      );
      output.line(output.style('dim', `  ${each.id}`));
      if (needs(each.id) !== undefined) output.line(`  drawbridge connect ${each.provider}`);
      if (each.lastError !== undefined) output.line(`  last error: ${shownLine(each.lastError.message)}`);
    }
  });
}

export function declare(command: Command): void {
  command.option('--json', 'answer as JSON').action(connections);
}
