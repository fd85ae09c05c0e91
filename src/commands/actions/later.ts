// What a person does to an action beside deciding on it: put it off, hand it over, stop it, take it back.
import type { Command } from 'commander';
import { refuseBelowAgent } from '../../auth/ancestry.ts';
import { createMembers } from '../../auth/members.ts';
import { DrawbridgeError } from '../../errors.ts';
import type { Action } from '../../queue/queue.ts';
import type { Rooms } from '../../rooms.ts';
import { hour, iso } from '../../time.ts';
import { openSession, positive, stdioServers, withRooms } from '../command.ts';
import { shownLine } from '../terminal/shown.ts';
import { jsonOf } from './json.ts';

interface Common {
  json?: boolean;
}

/** A person's own act: refused below an agent, which could hide or stop what others proposed. */
async function act(
  name: string,
  options: Common,
  work: (rooms: Rooms) => Promise<Action>,
  words: (action: Action) => string,
): Promise<void> {
  const session = openSession(options);
  const { output } = session;
  await withRooms(session, async (rooms) => {
    await refuseBelowAgent(name, await stdioServers(rooms.store));
    const action = await work(rooms);
    if (output.json) output.value(jsonOf(action));
    else output.line(words(action));
  });
}

const snooze = (id: string, options: Common & { hours: number }) =>
  act(
    'snooze',
    options,
    async ({ queue, org, owner }) =>
      queue.snooze(org, owner, {
        actionId: id,
        until: (await org.now()) + options.hours * hour,
        channel: 'terminal',
      }),
    ({ snoozedUntil }) => `Put off until ${snoozedUntil === undefined ? '?' : iso(snoozedUntil)}.`,
  );

const handOver = (id: string, options: Common & { to: string }) =>
  act(
    'hand-over',
    options,
    async (rooms) => {
      const { queue, org, owner } = rooms;
      const wanted = options.to.trim().toLowerCase();
      const member = (await createMembers(rooms).list(org.orgId)).find(({ email }) => email === wanted);
      if (member === undefined) {
        throw new DrawbridgeError('not_found', 'No member has this address. See: drawbridge members list');
      }
      return queue.handOver(org, owner, { actionId: id, to: member.id, channel: 'terminal' });
    },
    () => `${shownLine(options.to)} is asked now.`,
  );

const cancel = (id: string, options: Common) =>
  act(
    'cancel',
    options,
    ({ queue, org, owner }) => queue.cancel(org, owner, id, 'terminal'),
    ({ summary }) => `Stopped, nothing was done: ${shownLine(summary)}`,
  );

const undo = (id: string, options: Common) =>
  act(
    'undo',
    options,
    async ({ queue, org, owner }) => (await queue.undo(org, owner, id)).action,
    (action) =>
      `Proposed as ${action.id} (${action.status}): ${shownLine(action.summary)}\nDecide on it: drawbridge actions approve ${action.id}`,
  );

export function declareLater(command: Command): void {
  const line = (name: string, description: string) =>
    command.command(name).description(description).argument('<id>').option('--json', 'answer as JSON');
  line('snooze', 'put an action off: it stays pending, and expires when it would have')
    .option('--hours <number>', 'for how long', positive('--hours'), 1)
    .action(snooze);
  line('hand-over', 'ask another member to decide')
    .requiredOption('--to <email>', 'address of the member')
    .action(handOver);
  line('cancel', 'stop an action that has not begun').action(cancel);
  line('undo', 'propose what takes a completed action back').action(undo);
}
