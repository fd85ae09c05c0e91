// action-status: what became of a proposal.
import { z } from 'zod';
import type { Action } from '../queue/queue.ts';
import { actionStatuses } from '../store/tables.ts';
import { iso } from '../time.ts';
import { framed, visible, visibleLine } from '../untrusted.ts';
import { defineTool, type ToolContext } from './define.ts';
import { editsBetween } from './propose/edits.ts';
import { actionLink, actionWords, outcomeInWords } from './propose/proposal.ts';

const pollEvery = 400;

export const actionOutput = z.object({
  actionId: z.string(),
  status: z.enum(actionStatuses),
  summary: z.string(),
  approveUrl: z.string().optional().describe('While a person still has to decide'),
  expiresAt: z.string(),
  decidedAt: z.string().optional(),
  reason: z.string().optional().describe('What the person said'),
  outcome: z.string().optional(),
  reference: z.string().optional().describe("The provider's id of what was done"),
  payloadHash: z.string(),
  policy: z.string().optional(),
  edits: z
    .array(z.object({ field: z.string(), proposed: z.string().optional(), approved: z.string().optional() }))
    .optional()
    .describe('What the person changed'),
  editReason: z.string().optional(),
  holdUntil: z.string().optional().describe('Can be cancelled until then'),
  undo: z.string().optional().describe('How a person can take it back'),
});

export function actionAnswer(context: ToolContext, action: Action) {
  const outcome = outcomeInWords(action);
  const data: z.input<typeof actionOutput> = {
    actionId: action.id,
    status: action.status,
    summary: visible(action.summary),
    ...(action.status === 'pending' ? { approveUrl: context.rooms.approveUrl(action.id) } : {}),
    expiresAt: iso(action.expiresAt),
    ...(action.decidedAt === undefined ? {} : { decidedAt: iso(action.decidedAt) }),
    ...(action.decisionReason === undefined ? {} : { reason: visibleLine(action.decisionReason, 500) }),
    ...(outcome === undefined ? {} : { outcome }),
    ...(action.outcome?.kind === 'completed'
      ? { reference: visibleLine(action.outcome.reference, 300) }
      : {}),
    payloadHash: action.payloadHash,
    ...(action.policy === undefined ? {} : { policy: visibleLine(action.policy.why, 300) }),
    ...edited(action),
    ...(action.holdUntil === undefined || action.status !== 'approved'
      ? {}
      : { holdUntil: iso(action.holdUntil) }),
    ...(action.undo === undefined ? {} : { undo: visibleLine(action.undo.title) }),
  };
  const text = [
    `${data.actionId}: ${data.status}.`,
    actionWords(action),
    ...editWords(data),
    ...(data.policy === undefined ? [] : [`Policy: ${data.policy}`]),
    ...(data.holdUntil === undefined
      ? []
      : [`It leaves at ${data.holdUntil}; cancel-action stops it until then.`]),
    ...(data.undo === undefined ? [] : [`A person can take it back: ${data.undo}.`]),
    ...(data.approveUrl === undefined
      ? []
      : [`A person decides at ${data.approveUrl} until ${data.expiresAt}.`]),
    ...(data.reason === undefined ? [] : [`They said: ${data.reason}`]),
  ].join('\n');
  return { data, text, links: [actionLink(action.id)] };
}

function edited({ proposed, payload }: Action): Pick<z.input<typeof actionOutput>, 'edits' | 'editReason'> {
  if (proposed === undefined) return {};
  return {
    edits: editsBetween(proposed.payload, payload),
    ...(proposed.reason === undefined ? {} : { editReason: visibleLine(proposed.reason, 500) }),
  };
}

/** Framed: what was proposed and what stands there now may each quote what others wrote. */
function editWords({ actionId, edits, editReason }: z.input<typeof actionOutput>): string[] {
  if (edits === undefined) return [];
  const lines = edits.map(
    ({ field, proposed, approved }) => `${field}: ${proposed ?? '(nothing)'} → ${approved ?? '(removed)'}`,
  );
  return [
    `A person changed it before approving${editReason === undefined ? '.' : `: ${editReason}`}`,
    framed(lines.join('\n'), `What was changed in ${actionId}`),
  ];
}

export const actionStatus = defineTool({
  name: 'action-status',
  title: 'Status of a proposal',
  description: 'What became of a proposed action. With waitSeconds it waits for a change of state.',
  kind: 'read',
  live: false,
  input: z.object({
    actionId: z.string().min(1).max(100),
    waitSeconds: z.number().min(0).max(20).default(0),
  }),
  output: actionOutput,
  async run(context, input) {
    const { rooms, org, signal } = context;
    let action = await rooms.queue.get(org, input.actionId);
    const began = action.status;
    const asked = rooms.clock.elapsed();
    const deadline = asked + input.waitSeconds * 1000;
    // Another process may make the move, so it is the database that is asked, not a listener.
    while (
      action.status === began &&
      ['pending', 'approved', 'executing'].includes(began) &&
      rooms.clock.elapsed() < deadline
    ) {
      await context.progress(
        `${action.id} is ${action.status}`,
        // Not rounded: by the protocol, each must be more than the last.
        (rooms.clock.elapsed() - asked) / 1000,
        input.waitSeconds,
      );
      await rooms.clock.sleep(Math.min(pollEvery, Math.max(1, deadline - rooms.clock.elapsed())), { signal });
      action = await rooms.queue.get(org, input.actionId);
    }
    return actionAnswer(context, action);
  },
});
