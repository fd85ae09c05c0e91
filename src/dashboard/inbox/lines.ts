// One line of a list, and lines that are alike folded into one: what a conversation proposes many times over
// takes little room, but each is still opened and decided by itself.
import { html } from 'hono/html';
import type { ActionLine } from '../../queue/find.ts';
import { inline, type Markup } from '../page/text.ts';
import { relative, statusPill } from '../page/words.ts';

function when(action: ActionLine, now: number): string {
  if (action.status !== 'pending') {
    return relative(action.finishedAt ?? action.decidedAt ?? action.proposedAt, now);
  }
  if (action.snoozedUntil !== undefined && action.snoozedUntil > now) {
    return `back ${relative(action.snoozedUntil, now)}`;
  }
  return `expires ${relative(action.expiresAt, now)}`;
}

export function line(action: ActionLine, now: number): Markup {
  return html`<li>
    <a href="/actions/${action.id}" data-line>
      <span class="summary">${inline(action.summary)}</span>
      <span class="soft">${inline(action.accountLabel)} · asked by ${inline(action.proposedBy.name)} · ${when(action, now)}</span>
    </a>
    ${statusPill(action.status)}
  </li>`;
}

/** Alike: of one conversation, by one agent, the same operation in the same account, in the same state. */
function likeness(action: ActionLine): string | undefined {
  if (action.conversation === undefined) return undefined;
  const { conversation, proposedBy, operation, connectionId, status } = action;
  return JSON.stringify([conversation, proposedBy.id, operation, connectionId, status]);
}

/** The lines of a page; of three and more that are alike the newest stands open, the others folded beneath. */
export function grouped(actions: readonly ActionLine[], now: number): Markup {
  const alike = Map.groupBy(actions, (action) => likeness(action) ?? action.id);
  return html`${[...alike.values()].map((group) => {
    const [first, ...others] = group;
    if (first === undefined || others.length < 2) return group.map((one) => line(one, now));
    return html`${line(first, now)}<li class="folded"><details>
      <summary>${others.length} more like it, from the same conversation</summary>
      <ul>${others.map((one) => line(one, now))}</ul>
    </details></li>`;
  })}`;
}
