// What every proposing tool answers: the action as it stands, where a person decides on it, and that
// nothing has happened yet.
import { z } from 'zod';
import type { Action, Proposal } from '../../queue/queue.ts';
import { iso } from '../../time.ts';
import { framed, visible, visibleLine } from '../../untrusted.ts';
import { documentUri } from '../answers/hits.ts';
import type { ToolAnswer, ToolContext, ToolLink } from '../define.ts';
import { documentId } from '../names/uris.ts';
import { decideHere } from './decision.ts';

export const proposalOutput = z.object({
  actionId: z.string(),
  status: z.string(),
  summary: z.string(),
  approveUrl: z.string().optional().describe('While a person still has to decide'),
  expiresAt: z.string(),
  payloadHash: z.string(),
  alreadyProposed: z.boolean().optional().describe('This is the action of an identical call before'),
  warnings: z.array(z.string()).optional(),
  outcome: z.string().optional(),
});

/** What every proposing tool takes beside the payload. */
export const proposalInputs = {
  // Their bounds are the queue's: each word here is read by every agent, three times over.
  note: z.string().optional().describe('Why, for the person who decides'),
  citations: z.array(z.string()).optional().describe('Documents it rests on'),
  idempotencyKey: z.string().optional(),
};

/** As the queue takes it. @throws DrawbridgeError `not_found` for a document that the org has not */
export async function toldOf(
  { rooms, org }: ToolContext,
  input: z.output<z.ZodObject<typeof proposalInputs>>,
): Promise<Pick<Proposal, 'note' | 'citations' | 'idempotencyKey'>> {
  const { note, idempotencyKey } = input;
  const citations: string[] = [];
  // One more than the queue takes: it is the queue that says so.
  for (const [index, uri] of (input.citations ?? []).slice(0, 21).entries()) {
    const { id } = await rooms.memory.document(org, documentId(uri, `citations.${index}`));
    citations.push(documentUri(id));
  }
  return {
    ...(note === undefined ? {} : { note }),
    ...(citations.length === 0 ? {} : { citations }),
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
  };
}

function actionUri(id: string): string {
  return `action://${id}`;
}

/** A name of ours: a summary may quote what others wrote, and a link stands in no frame. */
export function actionLink(id: string): ToolLink {
  return { uri: actionUri(id), name: `Action ${id}` };
}

/** What the action says, framed: a summary, a warning and an outcome may each quote what others wrote. */
export function actionWords(action: Action): string {
  const outcome = outcomeInWords(action);
  const lines = [
    action.summary,
    ...action.warnings.map((warning) => `Note: ${warning}`),
    ...(outcome === undefined ? [] : [outcome]),
  ];
  return framed(lines.join('\n'), `What ${action.id} says`);
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
  const proposed = await context.rooms.queue.propose(context.org, context.agent, proposal);
  const { attached } = proposed;
  const { action, note } = await decideHere(context, proposed.action, attached);
  const approveUrl = action.status === 'pending' ? context.rooms.approveUrl(action.id) : undefined;
  const outcome = outcomeInWords(action);
  const data = {
    actionId: action.id,
    status: action.status,
    summary: visible(action.summary),
    ...(approveUrl === undefined ? {} : { approveUrl }),
    expiresAt: iso(action.expiresAt),
    payloadHash: action.payloadHash,
    ...(attached ? { alreadyProposed: true } : {}),
    ...(action.warnings.length === 0 ? {} : { warnings: action.warnings }),
    ...(outcome === undefined ? {} : { outcome }),
  };
  const text = [
    attached ? `The same was proposed before: ${action.id}.` : `Proposed as ${action.id}.`,
    actionWords(action),
    ...(note === undefined ? [] : [note]),
    approveUrl === undefined
      ? `It is ${action.status}.`
      : `Waiting for a person; nothing has been sent or changed. They decide at ${approveUrl} or with: drawbridge actions show ${action.id}`,
    ...(finalStates.includes(action.status) ? [] : ['Ask action-status for the outcome.']),
    ...(approveUrl === undefined ? [] : [`Expires ${data.expiresAt}.`]),
  ].join('\n');
  return { data, text, links: [actionLink(action.id)] };
}

const finalStates: readonly Action['status'][] = ['completed', 'failed', 'rejected', 'expired', 'cancelled'];
