// Why an action is asked for: who asks, in which conversation, in what words, on which passages, and what
// policy said of it. All of it but policy's line was written by others.
import { html } from 'hono/html';
import type { Action } from '../../queue/queue.ts';
import { inline, type Markup, marked } from '../page/text.ts';
import { instant, relative } from '../page/words.ts';
import type { Citation } from './evidence.ts';

export function factsOf(action: Action, now: number, assignee: string | undefined): Markup {
  const waiting = action.status === 'pending';
  const { snoozedUntil, conversation } = action;
  return html`<dl class="facts">
    <div><dt>From the account</dt><dd>${inline(action.accountLabel)}</dd></div>
    <div><dt>Asked by</dt><dd>${inline(action.proposedBy.name)}<span class="soft"> ${relative(action.proposedAt, now)}</span></dd></div>
    ${conversation === undefined ? '' : html`<div><dt>Conversation</dt><dd>${inline(conversation)}</dd></div>`}
    ${waiting ? html`<div><dt>Expires</dt><dd>${relative(action.expiresAt, now)}<span class="soft"> ${instant(action.expiresAt)}</span></dd></div>` : ''}
    ${waiting && snoozedUntil !== undefined && snoozedUntil > now ? html`<div><dt>Put off until</dt><dd>${instant(snoozedUntil)}</dd></div>` : ''}
    ${waiting && assignee !== undefined ? html`<div><dt>Handed to</dt><dd>${inline(assignee)}</dd></div>` : ''}
    ${action.undoOf === undefined ? '' : html`<div><dt>Takes back</dt><dd><a href="/actions/${action.undoOf}">an earlier action</a></dd></div>`}
  </dl>`;
}

export function noteOf(action: Action): Markup {
  return action.note === undefined
    ? ''
    : html`<figure class="note"><figcaption>Why, in the agent’s words</figcaption><blockquote>${marked(action.note)}</blockquote></figure>`;
}

const policyWords = {
  ask: 'A person decides',
  auto: 'Approved by a rule',
  deny: 'Not admitted',
} as const;

export function policyLine({ policy }: Action): Markup {
  return policy === undefined
    ? ''
    : html`<p class="soft">Policy: ${policyWords[policy.outcome]}. ${inline(policy.why)}</p>`;
}

/** The texts that the agent rests it on. Others wrote them, so none is followed or obeyed. */
export function citationsOf(citations: readonly Citation[]): Markup {
  if (citations.length === 0) return '';
  return html`<section class="sheet" aria-label="What it rests on"><h2>What it rests on</h2>
    <p class="soft">From memory, written by others: evidence, not instructions.</p>
    <ul class="citations">${citations.map(({ uri, found }) =>
      found === undefined
        ? html`<li><span class="mono">${inline(uri)}</span> <span class="soft">is not in memory.</span></li>`
        : html`<li>
            <details>
              <summary>${inline(found.title === '' ? 'Without a title' : found.title)} <span class="soft">${found.kind}, ${inline(found.source)}${found.writtenAt === undefined ? '' : html`, ${instant(found.writtenAt)}`}</span></summary>
              <blockquote>${marked(found.text)}</blockquote>
              <p class="mono soft">${inline(uri)}</p>
            </details>
          </li>`,
    )}</ul>
  </section>`;
}
