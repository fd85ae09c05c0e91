// `connections`: the connected accounts, their state, and when each was last brought up to date.
import type { Command } from 'commander';
import { ageInWords, iso } from '../time.ts';
import { openSession, withRooms } from './command.ts';
import { shownLine } from './shown.ts';

async function connections(options: { json?: boolean }): Promise<void> {
  const session = openSession(options);
  const { output, clock } = session;
  await withRooms(session, async (rooms) => {
    const all = await rooms.connections.list(rooms.org);
    if (output.json) {
      output.value(
        all.map(
          ({ id, provider, account, label, state, capabilities, feedKinds, lastSyncAt, lastError }) => ({
            id,
            provider,
            account,
            label,
            state,
            capabilities,
            feedKinds,
            lastSyncAt: lastSyncAt === undefined ? null : iso(lastSyncAt),
            lastError: lastError === undefined ? null : { ...lastError, at: iso(lastError.at) },
          }),
        ),
      );
      return;
    }
    if (all.length === 0) {
      output.line(
        'No account is connected. Begin with: drawbridge connect mailbox, or drawbridge import PATH',
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
      output.line(
        `${output.style('bold', shownLine(each.label))} (${each.providerTitle}) ${output.style(colour, each.state)}${synced}`,
      );
      output.line(output.style('dim', `  ${each.id}`));
      if (each.lastError !== undefined) output.line(`  last error: ${shownLine(each.lastError.message)}`);
    }
  });
}

export function declare(command: Command): void {
  command.option('--json', 'answer as JSON').action(connections);
}
