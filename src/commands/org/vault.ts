// `vault rotate`: new keys for what is stored. Can be stopped anywhere and run again.
import type { Command } from 'commander';
import { refuseBelowAgent } from '../../auth/ancestry.ts';
import { addMasterKey, forgetFormerMasterKeys } from '../../auth/master-keys.ts';
import { recordChange } from '../../auth/record-change.ts';
import { atTerminal, openSession, stdioServers, usageError, withRooms } from '../command.ts';

interface Options {
  json?: boolean;
  dataKeys?: boolean;
  master?: boolean;
}

async function rotate(options: Options): Promise<void> {
  const session = openSession(options);
  const { output, config } = session;
  if (options.master === true && config.key !== undefined) {
    throw usageError(
      '--master: the master key is DRAWBRIDGE_KEY. Put the new one there, the old one in DRAWBRIDGE_KEY_FORMER, and run `drawbridge vault rotate` without it.',
    );
  }
  await withRooms(session, async (rooms) => {
    await refuseBelowAgent('vault rotate', await stdioServers(rooms.store));
    if (options.master === true) addMasterKey(config.home);
    const orgs = await rooms.store.control.read((db) => db.selectFrom('orgs').select('id').execute());
    let resealed = 0;
    for (const { id } of orgs) {
      const org = await rooms.store.forOrg(id);
      const done = await rooms.connections.rotateKeys(org, { newDataKey: options.dataKeys === true });
      resealed += done.resealed;
      await recordChange(rooms.store, id, atTerminal(rooms), {
        kind: 'vault.rotated',
        subject: 'vault',
        facts: { ...done, newMasterKey: options.master === true, newDataKey: options.dataKeys === true },
      });
    }
    // Only now does nothing need the former ones.
    if (config.key === undefined) forgetFormerMasterKeys(config.home);
    if (output.json) {
      output.value({ orgs: orgs.length, resealed, newMasterKey: options.master === true });
      return;
    }
    output.line(
      `${output.style('green', '✓')} Keys of ${orgs.length} ${orgs.length === 1 ? 'org' : 'orgs'} are in order; ${resealed} ${resealed === 1 ? 'credential was' : 'credentials were'} sealed anew.`,
    );
    if (config.formerKey !== undefined) output.aside('DRAWBRIDGE_KEY_FORMER is needed no more: remove it.');
  });
}

export function declare(command: Command): void {
  command
    .command('rotate')
    .description('rewrap keys under the present master key, and renew those that are 90 days old')
    .option('--data-keys', 'renew the data keys now, whatever their age, and seal every credential anew')
    .option('--master', 'make a new master key in the key file, and remove the former when nothing needs it')
    .option('--json', 'answer as JSON')
    .action((options: Options) => rotate(options));
}
