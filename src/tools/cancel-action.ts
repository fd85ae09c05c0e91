// cancel-action: takes back a proposal that has not left yet.
import { z } from 'zod';
import type { Action } from '../queue/queue.ts';
import { actionAnswer, actionOutput } from './action-status.ts';
import { defineTool, type ToolContext } from './define.ts';

const output = actionOutput
  .pick({ actionId: true, summary: true, payloadHash: true })
  .extend({ status: z.string() });

function answer(context: ToolContext, action: Action) {
  const { data, ...rest } = actionAnswer(context, action);
  const { actionId, status, summary, payloadHash } = data;
  return { ...rest, data: { actionId, status, summary, payloadHash } };
}

export const cancelAction = defineTool({
  name: 'cancel-action',
  title: 'Take back a proposal',
  description: 'Cancels an action that you proposed, while it is pending or approved and has not begun.',
  kind: 'propose',
  live: false,
  input: z.object({ actionId: z.string().min(1).max(100) }),
  output,
  async run(context, input) {
    const { rooms, org, agent } = context;
    const action = await rooms.queue.get(org, input.actionId);
    // Taken back already: the same call again has the same answer.
    if (action.status === 'cancelled') return answer(context, action);
    return answer(context, await rooms.queue.cancel(org, agent, input.actionId, 'mcp'));
  },
});
