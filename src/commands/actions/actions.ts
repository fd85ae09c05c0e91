// `actions`: what agents proposed, and a person's decisions on it. A decision is made on the hash of what
// was shown, or on the one that a script names.
import type { Command } from 'commander';
import { refuseBelowAgent } from '../../auth/ancestry.ts';
import { liveProcesses } from '../../jobs/presence.ts';
import type { Action } from '../../queue/queue.ts';
import type { Rooms } from '../../rooms.ts';
import { type ActionStatus, actionStatuses } from '../../store/tables.ts';
import { ageInWords, iso, minute } from '../../time.ts';
import { openSession, positive, type Session, stdioServers, usageError, withRooms } from '../command.ts';
import { ask, canAsk } from '../terminal/ask.ts';
import { shownLine } from '../terminal/shown.ts';
import { consentTo } from './decide.ts';
import { declareElicitation } from './elicitation.ts';
import { jsonOf } from './json.ts';
import { declareLater } from './later.ts';
import { declareProof } from './proof.ts';
import { writeAction, writeOutcome, writeWarnings } from './text.ts';
import { watch } from './watch.ts';

const underWay: readonly ActionStatus[] = ['approved', 'executing'];
// A server takes up an approved action within a second or two; what it has not begun by then is run here.
const serverTakesUp = 5_000;
const longestWait = 2 * minute;
const lookEvery = 200;

interface Common {
  json?: boolean;
}

function statusesOf(text: string): ActionStatus[] {
  return text.split(',').map((word) => {
    const status = actionStatuses.find((known) => known === word.trim());
    if (status === undefined)
      throw usageError(`--status: "${word}" is none of ${actionStatuses.join(', ')}.`);
    return status;
  });
}

async function list(
  options: Common & { status?: ActionStatus[]; limit: number; snoozed?: boolean },
): Promise<void> {
  const session = openSession(options);
  const { output, clock } = session;
  await withRooms(session, async ({ queue, org }) => {
    const filter = {
      ...(options.status === undefined ? {} : { statuses: options.status }),
      ...(options.snoozed === true ? { snoozed: true } : {}),
    };
    const actions = await queue.list(org, { ...filter, limit: options.limit });
    if (output.json) {
      output.value(actions.map(jsonOf));
      return;
    }
    if (actions.length === 0) output.line('No actions.');
    for (const action of actions) {
      const colour = action.status === 'pending' ? 'yellow' : action.status === 'completed' ? 'green' : 'dim';
      const age = ageInWords(Math.max(0, clock.now() - action.proposedAt));
      output.line(
        `${action.id}  ${output.style(colour, action.status.padEnd(9))}  ${shownLine(action.summary)}`,
      );
      output.line(
        output.style(
          'dim',
          `  ${shownLine(action.accountLabel)}, by ${shownLine(action.proposedBy.name)}, ${age} ago`,
        ),
      );
    }
  });
}

async function show(id: string, options: Common): Promise<void> {
  const session = openSession(options);
  const { output, clock } = session;
  await withRooms(session, async ({ queue, org }) => {
    const action = await queue.get(org, id);
    const events = await queue.events(org, id);
    if (output.json) {
      output.value({ ...jsonOf(action), events: events.map((event) => ({ ...event, at: iso(event.at) })) });
      return;
    }
    writeAction(output, action, clock.now());
    if (action.decidedBy !== undefined) {
      const reason = action.decisionReason === undefined ? '' : `: ${shownLine(action.decisionReason)}`;
      output.line(
        `Decided by ${shownLine(action.decidedBy.name)} (${shownLine(action.decisionChannel ?? '?')})${reason}`,
      );
    }
    for (const event of events) {
      const from = event.from === undefined ? '' : `${event.from} → `;
      output.line(
        output.style(
          'dim',
          `  ${iso(event.at)}  ${from}${event.to}  ${shownLine(event.by.name)} (${event.channel})`,
        ),
      );
    }
    if (action.outcome !== undefined) writeOutcome(output, action);
    writeWarnings(output, action);
  });
}

/** Until the action is final or unknown: run by a live server, or here. */
async function seeThrough(session: Session, rooms: Rooms, id: string): Promise<Action> {
  const { clock } = session;
  const { queue, org, store } = rooms;
  const began = clock.elapsed();
  let ours = (await liveProcesses(store)).length === 0;
  for (;;) {
    if (ours) await queue.runDue(org);
    const action = await queue.get(org, id);
    const waited = clock.elapsed() - began;
    if (!underWay.includes(action.status) || waited > longestWait) return action;
    ours ||= waited > serverTakesUp;
    await clock.sleep(lookEvery);
  }
}

async function approve(id: string, options: Common & { hash?: string }): Promise<void> {
  const session = openSession(options);
  const { output } = session;
  await withRooms(session, async (rooms) => {
    const { queue, org, owner } = rooms;
    await refuseBelowAgent('approve', await stdioServers(rooms.store));
    let hash = options.hash;
    if (hash === undefined) {
      if (output.json || !canAsk() || !output.isTerminal) {
        throw usageError(
          '--hash: nobody is here to read it; give the hash of what was read (drawbridge actions show).',
        );
      }
      hash = await consentTo(session, await queue.get(org, id));
      if (hash === undefined) {
        output.line('Not approved; it stays pending.');
        process.exitCode = 1;
        return;
      }
    }
    await queue.decide(org, owner, { actionId: id, verdict: 'approve', hash, channel: 'terminal' });
    if (!output.json) output.aside('Approved.');
    const action = await seeThrough(session, rooms, id);
    if (output.json) output.value(jsonOf(action));
    else writeOutcome(output, action);
    if (action.status !== 'completed') process.exitCode = 1;
  });
}

async function reject(id: string, options: Common & { hash?: string; reason?: string }): Promise<void> {
  const session = openSession(options);
  const { output } = session;
  await withRooms(session, async ({ queue, org, owner }) => {
    const hash = options.hash ?? (await queue.get(org, id)).payloadHash;
    const reason = options.reason ?? (canAsk() && !output.json ? await ask('Why (may be empty)?') : '');
    const action = await queue.decide(org, owner, {
      actionId: id,
      verdict: 'reject',
      hash,
      channel: 'terminal',
      ...(reason === '' ? {} : { reason }),
    });
    if (output.json) output.value(jsonOf(action));
    else output.line(`Rejected: ${shownLine(action.summary)}`);
  });
}

async function settle(
  id: string,
  options: Common & { happened?: boolean; didNotHappen?: boolean; reason?: string },
): Promise<void> {
  const happened = options.happened === true;
  if (happened === (options.didNotHappen === true))
    throw usageError('Give one of --happened and --did-not-happen.');
  const reason = options.reason;
  if (reason === undefined) throw usageError('--reason: say how you know.');
  const session = openSession(options);
  const { output } = session;
  await withRooms(session, async (rooms) => {
    await refuseBelowAgent('settle', await stdioServers(rooms.store));
    const action = await rooms.queue.settle(rooms.org, rooms.owner, {
      actionId: id,
      happened,
      reason,
      channel: 'terminal',
    });
    if (output.json) output.value(jsonOf(action));
    else output.line(`The action is ${action.status}.`);
  });
}

export function declare(command: Command): void {
  declareProof(command);
  command
    .command('list')
    .description('what was proposed, newest first')
    .option('--status <list>', `only these, with commas between (${actionStatuses.join(', ')})`, statusesOf)
    .option('--limit <number>', 'most actions', positive('--limit'), 50)
    .option('--snoozed', 'those that were put off, too')
    .option('--json', 'answer as JSON')
    .action(list);
  command
    .command('show')
    .description('one action whole: every recipient, the full text, attachments, its hash and its history')
    .argument('<id>')
    .option('--json', 'answer as JSON')
    .action(show);
  command
    .command('approve')
    .description('show an action whole, ask, and run it; with --hash decide on that hash alone')
    .argument('<id>')
    .option('--hash <hash>', 'for scripts: approve only what has this hash')
    .option('--json', 'answer as JSON; needs --hash')
    .action(approve);
  command
    .command('reject')
    .description('refuse an action; it will never run')
    .argument('<id>')
    .option('--hash <hash>', 'reject only what has this hash')
    .option('--reason <text>', 'why; the agent is told')
    .option('--json', 'answer as JSON')
    .action(reject);
  command
    .command('watch')
    .description('proposals and moves as they come, until Ctrl-C; on a terminal, decide by keys')
    .option('--json', 'one JSON object a line')
    .action(watch);
  declareLater(command);
  declareElicitation(
    command
      .command('elicitation')
      .description('clients that may ask you for a decision in the conversation (none, unless you say so)'),
  );
  command
    .command('settle')
    .description('say what became of an action whose outcome is unknown')
    .argument('<id>')
    .option('--happened', 'it did happen')
    .option('--did-not-happen', 'it did not; it may be proposed again')
    .option('--reason <text>', 'how you know')
    .option('--json', 'answer as JSON')
    .action(settle);
}
