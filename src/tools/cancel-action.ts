// cancel-action: takes back a proposal that has not left yet.
import { z } from 'zod';
import { actionAnswer, actionOutput } from './action-status.ts';
import { defineTool } from './define.ts';

export const cancelAction = defineTool({
  name: 'cancel-action',
  title: 'Take back a proposal',
  description: 'Cancels an action that you proposed, while it is pending or approved and has not begun.',
  kind: 'propose',
  live: false,
  input: z.object({ actionId: z.string().min(1).max(100) }),
  output: actionOutput,
  async run(context, input) {
    const { rooms, org, agent } = context;
    const action = await rooms.queue.get(org, input.actionId);
    // Taken back already: the same call again has the same answer.
    if (action.status === 'cancelled') return actionAnswer(context, action);
    return actionAnswer(context, await rooms.queue.cancel(org, agent, input.actionId, 'mcp'));
  },
});
