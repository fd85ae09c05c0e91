// `disconnect ID`: the account's credentials are gone at once; what it brought stays in memory.
import type { Command } from 'commander';
import { askYes, canAsk } from './ask.ts';
import { openSession, usageError, withRooms } from './command.ts';
import { findConnection } from './find-connection.ts';

async function disconnect(name: string, options: { yes?: boolean; json?: boolean }): Promise<void> {
  const session = openSession(options);
  const { output } = session;
  await withRooms(session, async (rooms) => {
    const connection = findConnection(await rooms.connections.list(rooms.org), name);
    if (options.yes !== true) {
      if (output.json || !canAsk()) throw usageError('--yes: nobody is here to be asked; give it to go on.');
      const sure = await askYes(
        `Remove ${connection.label} (${connection.providerTitle}) and its credentials?`,
      );
      if (!sure) {
        output.line('Nothing was removed.');
        return;
      }
    }
    await rooms.connections.disconnect(rooms.org, connection.id);
    if (output.json) output.value({ id: connection.id, label: connection.label, disconnected: true });
    else output.line(`${connection.label} is disconnected; its credentials are deleted.`);
  });
}

export function declare(command: Command): void {
  command
    .argument('<account>', 'id or label, as `drawbridge connections` lists them')
    .option('--yes', 'do not ask')
    .option('--json', 'answer as JSON')
    .action(disconnect);
}
