// What every proposing tool answers: the action as it stands, where a person decides on it, and that
// nothing has happened yet.
import { z } from 'zod';
import type { Action, Proposal } from '../queue/queue.ts';
import { iso } from '../time.ts';
import { visible, visibleLine } from '../untrusted.ts';
import type { ToolAnswer, ToolContext } from './define.ts';

export const proposalOutput = z.object({
  actionId: z.string(),
  status: z.string(),
  summary: z.string(),
  approveUrl: z.string(),
  expiresAt: z.string(),
  payloadHash: z.string(),
  attached: z.boolean().optional().describe('An identical call was already queued; this is its action'),
  warnings: z.array(z.string()).optional(),
  outcome: z.string().optional(),
});

export function actionUri(id: string): string {
  return `action://${id}`;
}

/** The outcome in a sentence, or undefined while there is none. */
export function outcomeInWords(action: Action): string | undefined {
  const { outcome } = action;
  if (outcome === undefined) return undefined;
  if (outcome.kind === 'completed') {
    return [
      `Done: ${outcome.reference}`,
      outcome.url,
      outcome.warning === undefined ? undefined : `Warning: ${outcome.warning}`,
    ]
      .filter((part) => part !== undefined)
      .map((part) => visibleLine(part, 500))
      .join('. ');
  }
  if (outcome.kind === 'failed') return visibleLine(`Failed (${outcome.code}): ${outcome.message}`, 500);
  return visibleLine(`Unclear whether it happened: ${outcome.message}. A person has to look.`, 500);
}

/** Queues a write and returns at once. */
export async function propose(
  context: ToolContext,
  proposal: Proposal,
): Promise<ToolAnswer<z.input<typeof proposalOutput>>> {
  const { action, attached } = await context.rooms.queue.propose(context.org, context.agent, proposal);
  const approveUrl = context.rooms.approveUrl(action.id);
  const outcome = outcomeInWords(action);
  const data = {
    actionId: action.id,
    status: action.status,
    summary: visible(action.summary),
    approveUrl,
    expiresAt: iso(action.expiresAt),
    payloadHash: action.payloadHash,
    ...(attached ? { attached } : {}),
    ...(action.warnings.length === 0 ? {} : { warnings: action.warnings }),
    ...(outcome === undefined ? {} : { outcome }),
  };
  const state =
    action.status === 'pending'
      ? `Waiting for a person; nothing has been sent or changed. They decide at ${approveUrl} or with: drawbridge actions show ${action.id}`
      : `It is ${action.status}.`;
  const text = [
    data.summary,
    ...action.warnings.map((w) => `Note: ${w}`),
    attached ? `The same was proposed before: ${action.id}.` : `Proposed as ${action.id}.`,
    state,
    ...(outcome === undefined ? [] : [outcome]),
    `Ask action-status for the outcome. Expires ${data.expiresAt}.`,
  ].join('\n');
  return { data, text, links: [{ uri: actionUri(action.id), name: visibleLine(action.summary, 80) }] };
}
