// A person decides at a terminal: shown whole first, asked last, and only on what was shown.
import { refuseBelowAgent } from '../../auth/ancestry.ts';
import { DrawbridgeError } from '../../errors.ts';
import type { Action } from '../../queue/queue.ts';
import type { Rooms } from '../../rooms.ts';
import { type Session, stdioServers } from '../command.ts';
import { ask, askYes } from '../terminal/ask.ts';
import { writeAction, writeWarnings } from './text.ts';

/**
 * The hash that the person said yes to; undefined: they did not.
 * @throws DrawbridgeError `conflict` for an action that is not pending
 */
export async function consentTo({ output, clock }: Session, action: Action): Promise<string | undefined> {
  writeAction(output, action, clock.now());
  if (action.status !== 'pending')
    throw new DrawbridgeError('conflict', `The action is ${action.status}, not pending.`);
  writeWarnings(output, action);
  return (await askYes('\nApprove exactly this?')) ? action.payloadHash : undefined;
}

/** Shows it, asks, and approves. @returns the action approved; undefined: it stays pending */
export async function approveAtTerminal(
  session: Session,
  { queue, org, owner, store }: Rooms,
  id: string,
): Promise<Action | undefined> {
  await refuseBelowAgent('approve', await stdioServers(store));
  const hash = await consentTo(session, await queue.get(org, id));
  if (hash === undefined) return undefined;
  return queue.decide(org, owner, { actionId: id, verdict: 'approve', hash, channel: 'terminal' });
}

/** Asks why, and rejects. */
export async function rejectAtTerminal({ queue, org, owner }: Rooms, action: Action): Promise<Action> {
  const reason = await ask('Why (may be empty)?');
  return queue.decide(org, owner, {
    actionId: action.id,
    verdict: 'reject',
    hash: action.payloadHash,
    channel: 'terminal',
    ...(reason === '' ? {} : { reason }),
  });
}
