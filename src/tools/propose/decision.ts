// A decision in the conversation: the person whom the client speaks for is shown the whole action and approves or
// rejects it there. Whatever else comes back, or nothing, leaves it pending.
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import type { Action } from '../../queue/queue.ts';
import type { ToolContext } from '../define.ts';
import { actionInFull } from './action-in-full.ts';

/** Characters that a person reads in a dialogue. What is longer is decided on its page, where it stands whole. */
const longestMessage = 4_000;
const answer = z.object({
  decision: z.enum(['approve', 'reject']),
  reason: z.string().max(2_000).optional(),
});

const form = {
  type: 'object' as const,
  properties: {
    // Without a default: what is sent on unread must not be an approval.
    decision: { type: 'string' as const, title: 'Decision', enum: ['approve', 'reject'] },
    reason: { type: 'string' as const, title: 'Reason (the agent reads it)', maxLength: 2_000 },
  },
  required: ['decision'],
};

/**
 * Asks where the org allowed the client to carry decisions, and once: a proposal made again asks nobody again.
 * @param attached whether the action was there before this call
 * @returns the action as it stands then, and what to tell the agent of the asking
 * @throws AskFirst
 */
export async function decideHere(
  context: ToolContext,
  action: Action,
  attached: boolean,
): Promise<{ action: Action; note?: string }> {
  const { asks, rooms, org, agent } = context;
  if (asks === undefined || action.status !== 'pending') return { action };
  const subject = `${action.id} ${action.payloadHash}`;
  if (attached && !(await asks.answers(subject))) return { action };
  const person = await rooms.queue.carrier(org, agent, action);
  if (person === undefined) return { action };
  const message = asks.form ? await actionInFull(action) : '';
  if (!asks.form || message.length > longestMessage) {
    if (!asks.url) return { action };
    const said = await asks.ask(subject, {
      mode: 'url',
      url: rooms.approveUrl(action.id),
      message: 'An action waits for your decision in Drawbridge. Open its page?',
    });
    return {
      action: await rooms.queue.get(org, action.id),
      note:
        said.action === 'accept' ? 'The person was led to its page.' : 'The person did not open its page.',
    };
  }
  const said = await asks.ask(subject, { mode: 'form', message, schema: form });
  const decided = said.action === 'accept' ? answer.safeParse(said.content) : undefined;
  if (decided?.success !== true) {
    return { action, note: 'The person was asked here and decided nothing.' };
  }
  const { decision, reason } = decided.data;
  try {
    const moved = await rooms.queue.decide(org, person, {
      actionId: action.id,
      verdict: decision,
      hash: action.payloadHash,
      channel: 'elicitation',
      client: agent.agentId,
      ...(reason === undefined || reason.trim() === '' ? {} : { reason }),
    });
    return { action: moved, note: `The person decided here: ${decision}.` };
  } catch (thrown) {
    // Decided elsewhere meanwhile, or forbidden since: the action itself says what became of it.
    if (!(thrown instanceof DrawbridgeError)) throw thrown;
    return { action: await rooms.queue.get(org, action.id), note: `Not decided here: ${thrown.message}` };
  }
}
