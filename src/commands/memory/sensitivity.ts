// `sensitivity`: what agents may not see. People see it all the same.
import type { Command } from 'commander';
import { refuseBelowAgent } from '../../auth/ancestry.ts';
import { changeSensitivity, readSensitivity } from '../../memory/documents/sensitivity.ts';
import type { Hidden } from '../../viewer.ts';
import { openSession, stdioServers, withRooms } from '../command.ts';
import { findConnection } from '../connections/find-connection.ts';
import { shownLine } from '../terminal/shown.ts';

interface Options {
  hideKind?: string[];
  hideAccount?: string[];
  hideLabel?: string[];
  showKind?: string[];
  showAccount?: string[];
  showLabel?: string[];
  reset?: boolean;
  json?: boolean;
}

async function sensitivity(options: Options): Promise<void> {
  const session = openSession(options);
  const { output } = session;
  await withRooms(session, async (rooms) => {
    const { org, owner, store, connections } = rooms;
    const all = await connections.list(org);
    const ids = (named: string[] | undefined) => (named ?? []).map((one) => findConnection(all, one).id);
    const of = (verb: 'hide' | 'show'): Hidden => ({
      kinds: options[`${verb}Kind`] ?? [],
      connections: ids(options[`${verb}Account`]),
      labels: options[`${verb}Label`] ?? [],
    });
    const [hide, show] = [of('hide'), of('show')];
    const changes = [...Object.values(hide), ...Object.values(show)].some((names) => names.length > 0);
    let hidden: Hidden;
    if (changes || options.reset === true) {
      await refuseBelowAgent('sensitivity', await stdioServers(store));
      const change = { hide, show, reset: options.reset === true };
      hidden = await changeSensitivity(rooms, org, owner, { change, channel: 'terminal' });
    } else hidden = await readSensitivity(org);
    if (output.json) {
      output.value(hidden);
      return;
    }
    const labels = new Map(all.map(({ id, label }) => [id, label]));
    const lines = [
      ...hidden.kinds.map((kind) => `kind ${kind}`),
      ...hidden.connections.map((id) => `account ${shownLine(labels.get(id) ?? id)} (${id})`),
      ...hidden.labels.map((label) => `label ${shownLine(label)}`),
    ];
    if (lines.length === 0) output.line('Nothing is hidden from agents.');
    else {
      output.line('Hidden from agents, never from people:');
      for (const line of lines) output.line(`  ${line}`);
      output.aside(
        'It holds for what memory shows. What an agent reads live from an account is not of memory.',
      );
    }
  });
}

export function declare(command: Command): void {
  command
    .option('--hide-kind <kind...>', 'hide records of these kinds (mail, deal …)')
    .option('--hide-account <account...>', 'hide what these accounts hold: id or label')
    .option('--hide-label <label...>', 'hide what a provider filed under these labels')
    .option('--show-kind <kind...>', 'show these kinds again')
    .option('--show-account <account...>', 'show these accounts again')
    .option('--show-label <label...>', 'show these labels again')
    .option('--reset', 'hide nothing')
    .option('--json', 'answer as JSON')
    .action(sensitivity);
}
