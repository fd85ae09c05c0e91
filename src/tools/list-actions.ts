// list-actions: what this agent itself proposed, newest first, and how each stands.
import { z } from 'zod';
import { actionStatuses } from '../store/tables.ts';
import { iso } from '../time.ts';
import { framed, visibleLine } from '../untrusted.ts';
import { countFitting } from './answers/pages.ts';
import { defineTool } from './define.ts';

const cursorShape = /^act_[\w-]{1,80}$/;

const output = z.object({
  actions: z.array(
    z.object({
      actionId: z.string(),
      status: z.string(),
      summary: z.string(),
      proposedAt: z.string(),
      changed: z.boolean().optional().describe('A person edited it'),
    }),
  ),
  nextCursor: z.string().optional(),
});

export const listActions = defineTool({
  name: 'list-actions',
  title: 'Your proposals',
  description: 'What you proposed, newest first. action-status tells one whole.',
  kind: 'read',
  live: false,
  input: z.object({
    status: z.enum(actionStatuses).optional(),
    limit: z.int().min(1).max(50).default(20),
    cursor: z.string().regex(cursorShape, 'is not one that an earlier answer gave').optional(),
  }),
  output,
  async run({ rooms, org, agent }, input) {
    const found = await rooms.queue.list(org, {
      proposedBy: { kind: agent.kind, id: agent.agentId },
      limit: input.limit + 1,
      ...(input.status === undefined ? {} : { statuses: [input.status] }),
      ...(input.cursor === undefined ? {} : { before: input.cursor }),
    });
    const rows = found.slice(0, input.limit).map((action) => ({
      actionId: action.id,
      status: action.status,
      summary: visibleLine(action.summary, 300),
      proposedAt: iso(action.proposedAt),
      ...(action.proposed === undefined ? {} : { changed: true }),
    }));
    const actions = rows.slice(0, countFitting(rows));
    const last = actions.at(-1);
    const nextCursor = actions.length < found.length ? last?.actionId : undefined;
    const lines = actions.map(
      ({ actionId, status, summary, changed }) =>
        `${actionId} ${status}${changed === true ? ' (changed by a person)' : ''}: ${summary}`,
    );
    return {
      data: { actions, ...(nextCursor === undefined ? {} : { nextCursor }) },
      text: [
        actions.length === 0 ? 'You proposed no such action.' : framed(lines.join('\n'), 'Your proposals'),
        ...(nextCursor === undefined ? [] : [`More with cursor ${nextCursor}.`]),
      ].join('\n'),
    };
  },
});
