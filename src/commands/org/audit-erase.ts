// `audit erase`: a person takes what was said out of the record and out of the queue; hashes and times stay.
import type { Command } from 'commander';
import { refuseBelowAgent } from '../../auth/ancestry.ts';
import { makerOf } from '../../auth/record-change.ts';
import type { Rooms } from '../../rooms.ts';
import { openSession, type Session, stdioServers, usageError, withRooms } from '../command.ts';
import { askYes, canAsk } from '../terminal/ask.ts';
import { shownLine } from '../terminal/shown.ts';

interface Options {
  person?: string;
  reason?: string;
  yes?: boolean;
  json?: boolean;
}

const isAction = (subject: string) => subject.startsWith('act_');

async function isSure({ output }: Session, what: string, yes: boolean | undefined): Promise<boolean> {
  if (yes === true) return true;
  if (output.json || !canAsk()) throw usageError('--yes: nobody is here to be asked; give it to go on.');
  if (await askYes(`Erase ${what}? That cannot be taken back.`)) return true;
  output.line('Nothing was erased.');
  return false;
}

function reasonOf({ reason }: Options): string {
  if (reason === undefined || reason.trim() === '') throw usageError('--reason: say why; it is recorded.');
  return reason;
}

async function eraseSubject(session: Session, rooms: Rooms, subject: string, options: Options) {
  const { output } = session;
  const { audit, org, owner, queue } = rooms;
  const reason = isAction(subject) ? reasonOf(options) : '';
  const what = isAction(subject)
    ? `what ${shownLine(subject)} said: payload, history, attachments, outcome`
    : `the names and words that the record keeps of ${shownLine(subject)}`;
  if (!(await isSure(session, what, options.yes))) return;
  if (isAction(subject)) {
    const action = await queue.erase(org, owner, { actionId: subject, reason, channel: 'terminal' });
    if (output.json) output.value({ subject, erased: true, hash: action.payloadHash });
    else {
      output.line(`${output.style('green', '✓')} What it said is erased; the record still verifies.`);
      output.line(`  commitment kept: ${action.payloadHash}`);
    }
    return;
  }
  const erased = await audit.erase(org, subject, makerOf(owner), 'terminal');
  if (output.json) output.value({ subject, erased });
  else if (erased === 0) output.line('The record keeps nothing personal of it.');
  else output.line(`${output.style('green', '✓')} ${erased} values are erased; the record still verifies.`);
}

async function erasePerson(session: Session, rooms: Rooms, address: string, options: Options) {
  const { output } = session;
  const reason = reasonOf(options);
  const sure = await isSure(session, `every action that names ${shownLine(address)}`, options.yes);
  if (!sure) return;
  const found = await rooms.queue.erasePerson(rooms.org, rooms.owner, {
    address,
    reason,
    channel: 'terminal',
  });
  if (found.live.length > 0) process.exitCode = 1;
  if (output.json) {
    output.value({ erased: found.actions, live: found.live, values: found.values });
    return;
  }
  output.line(
    `${output.style('green', '✓')} ${found.actions.length} actions are erased, and ${found.values} other values of the record.`,
  );
  for (const { id, status } of found.live) {
    output.line(`${output.style('yellow', '!')} ${id} is ${status} and was left; end it, and erase again.`);
  }
  output.aside('Memory keeps its own copies: what was read is forgotten where its account is disconnected.');
}

async function erase(subject: string | undefined, options: Options): Promise<void> {
  if ((subject === undefined) === (options.person === undefined)) {
    throw usageError('Give the id of what is to be erased, or --person with an address.');
  }
  const session = openSession(options);
  await withRooms(session, async (rooms) => {
    // An agent could take out of sight what it had been told to do.
    await refuseBelowAgent('audit erase', await stdioServers(rooms.store));
    if (options.person !== undefined) await erasePerson(session, rooms, options.person, options);
    else if (subject !== undefined) await eraseSubject(session, rooms, subject, options);
  });
}

export function declareErase(command: Command): void {
  command
    .command('erase')
    .description(
      'erase what is kept of an action that has ended, a person, a key; hashes stay, and the record still verifies',
    )
    .argument('[subject]', 'its id')
    .option('--person <address>', 'in its place: every action and value that names this e-mail address')
    .option('--reason <text>', 'why (asked for with an action or a person)')
    .option('--yes', 'do not ask')
    .option('--json', 'answer as JSON')
    .action(erase);
}
