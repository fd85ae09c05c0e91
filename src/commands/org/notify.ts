// `notify`: whether a person is told by mail that decisions wait. Nobody is, unless they say so here.
import type { Command } from 'commander';
import { refuseBelowAgent } from '../../auth/ancestry.ts';
import { allowMailNotice, readMailNotice, stopMailNotice } from '../../jobs/notify-mail-setting.ts';
import { iso } from '../../time.ts';
import { openSession, stdioServers, usageError, withRooms } from '../command.ts';
import { findConnection } from '../connections/find-connection.ts';
import { shownLine } from '../terminal/shown.ts';

async function notify(options: { mail?: string; stop?: boolean; json?: boolean }): Promise<void> {
  if (options.mail !== undefined && options.stop === true)
    throw usageError('Give --mail or --stop, not both.');
  const session = openSession(options);
  const { output } = session;
  await withRooms(session, async (rooms) => {
    const { org, owner, store, connections, audit } = rooms;
    if (options.mail !== undefined || options.stop === true) {
      await refuseBelowAgent('notify', await stdioServers(store));
    }
    if (options.mail !== undefined) {
      const connection = findConnection(await connections.list(org), options.mail);
      await allowMailNotice({ store, audit }, org, owner, { connection, channel: 'terminal' });
    }
    if (options.stop === true) await stopMailNotice({ audit }, org, owner, 'terminal');
    const notice = await readMailNotice(org);
    if (output.json) {
      output.value(notice === undefined ? null : { ...notice, since: iso(notice.since) });
    } else if (notice === undefined) {
      output.line('Nobody is told by mail that decisions wait.');
    } else {
      output.line(
        `Told by mail: ${shownLine(notice.to)}, through ${notice.connection}, since ${iso(notice.since)}.`,
      );
      output.aside(
        'At most one mail in 15 minutes, from a server that runs; it says how many wait, and where.',
      );
    }
  });
}

export function declare(command: Command): void {
  command
    .option('--mail <account>', 'tell me by mail, through this connected mailbox, at my own address')
    .option('--stop', 'tell nobody by mail')
    .option('--json', 'answer as JSON')
    .action(notify);
}
