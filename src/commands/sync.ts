// `sync [ACCOUNT]`: brings what is new into memory, and ends.
import type { Command } from 'commander';
import { openSession, withRooms } from './command.ts';
import { findConnection } from './find-connection.ts';

async function sync(account: string | undefined, options: { json?: boolean }): Promise<void> {
  const session = openSession(options);
  const { output } = session;
  const { syncAndTell } = await import('./sync-and-tell.ts');
  await withRooms(session, async (rooms) => {
    const all = await rooms.connections.list(rooms.org);
    const chosen =
      account === undefined ? all.filter((each) => each.hasFeeds) : [findConnection(all, account)];
    if (chosen.length === 0 && !output.json) output.line('No connected account has anything to sync.');
    const told = await syncAndTell(session, rooms, chosen);
    if (output.json) output.value(told);
  });
}

export function declare(command: Command): void {
  command
    .argument('[account]', 'id or label; without it, every account')
    .option('--json', 'answer as JSON')
    .action(sync);
}
