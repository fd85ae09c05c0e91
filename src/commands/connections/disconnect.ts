// `disconnect ID`: the grant is ended at the provider, and the credentials are gone whatever came of that; what
// the account brought stays in memory.

import type { Command } from 'commander';
import { makerOf } from '../../auth/record-change.ts';
import { openSession, usageError, withRooms } from '../command.ts';
import { askYes, canAsk } from '../terminal/ask.ts';
import { shownLine } from '../terminal/shown.ts';
import { findConnection } from './find-connection.ts';

async function disconnect(name: string, options: { yes?: boolean; json?: boolean }): Promise<void> {
  const session = openSession(options);
  const { output } = session;
  await withRooms(session, async (rooms) => {
    const connection = findConnection(await rooms.connections.list(rooms.org), name);
    if (options.yes !== true) {
      if (output.json || !canAsk()) throw usageError('--yes: nobody is here to be asked; give it to go on.');
      const sure = await askYes(
        `Remove ${shownLine(connection.label)} (${connection.providerTitle}) and its credentials?`,
      );
      if (!sure) {
        output.line('Nothing was removed.');
        return;
      }
    }
    const { revoked, why } = await rooms.connections.disconnect(rooms.org, connection.id, {
      by: makerOf(rooms.owner),
      channel: 'terminal',
    });
    const { id, label } = connection;
    if (output.json) {
      output.value({ id, label, disconnected: true, revoked, ...(why === undefined ? {} : { why }) });
      return;
    }
    const ended = revoked ? ', and its grant is ended at the provider' : '';
    output.line(`${shownLine(label)} is disconnected; its credentials are deleted${ended}.`);
    if (why !== undefined) output.line(shownLine(why));
  });
}

export function declare(command: Command): void {
  command
    .argument('<account>', 'id or label, as `drawbridge connections` lists them')
    .option('--yes', 'do not ask')
    .option('--json', 'answer as JSON')
    .action(disconnect);
}
