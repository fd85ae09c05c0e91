// action://{id}: a queued write as it stands: what exactly, for which account, what became of it.
import { iso } from '../time.ts';
import { visibleLine } from '../untrusted.ts';
import { asJson, type ResourceKind } from './define.ts';

export const actions: ResourceKind = {
  name: 'action',
  title: 'Proposed action',
  description: 'A queued write: its payload, hash, state, events and outcome.',
  prefix: 'action://',
  mimeType: 'application/json',
  async read({ org, rooms }, id) {
    const action = await rooms.queue.get(org, id);
    const events = await rooms.queue.events(org, id);
    const text = asJson({
      id: action.id,
      status: action.status,
      summary: action.summary,
      account: action.accountLabel,
      operation: action.operation,
      payload: action.payload,
      payloadHash: action.payloadHash,
      warnings: action.warnings,
      attachments: action.attachments,
      ...(action.status === 'pending' ? { approveUrl: rooms.approveUrl(action.id) } : {}),
      proposedAt: iso(action.proposedAt),
      expiresAt: iso(action.expiresAt),
      ...(action.decidedAt === undefined
        ? {}
        : { decidedAt: iso(action.decidedAt), reason: action.decisionReason }),
      policy: action.policy?.why,
      before: action.before,
      ...(action.proposed === undefined
        ? {}
        : { proposed: action.proposed.payload, editReason: action.proposed.reason }),
      ...(action.holdUntil === undefined ? {} : { holdUntil: iso(action.holdUntil) }),
      undo: action.undo?.title,
      undoOf: action.undoOf,
      ...(action.erasedAt === undefined ? {} : { erasedAt: iso(action.erasedAt) }),
      outcome: action.outcome,
      events: events.map((e) => ({
        at: iso(e.at),
        from: e.from,
        to: e.to,
        by: e.by.name,
        channel: e.channel,
      })),
    });
    // Its words come from an agent, which has read what others wrote.
    return { mimeType: 'application/json', text, trust: 'untrusted' };
  },
  async list({ org, rooms }, limit) {
    const newest = await rooms.queue.list(org, { limit });
    return newest.map((a) => ({ id: a.id, name: visibleLine(a.summary, 100), description: a.status }));
  },
};
