// The approval page: who asks for what, everything that would happen, and the two buttons. What stands here
// is what was hashed; the forms carry that hash.
import { html } from 'hono/html';
import type { Session } from '../auth/sign-in.ts';
import type { Action, ActionEvent } from '../queue/queue.ts';
import { csrfField, page } from './layout.ts';
import { actionFingerprint } from './live.ts';
import { warningsFor } from './notices.ts';
import { outcomeView, settleBar, timeline } from './outcome.ts';
import { type PayloadView, payloadView } from './payload.ts';
import { inline, type Markup, marked } from './text.ts';
import { instant, isFinal, relative, statusPill } from './words.ts';

export function actionPage(given: {
  action: Action;
  events: readonly ActionEvent[];
  session: Session;
  /** Whether a passkey has to sign its approval. */
  signed: boolean;
  now: number;
}): Promise<string> {
  const { action, session, now } = given;
  const payload = payloadView(action);
  const waiting = action.status === 'pending';
  const notices = warningsFor(action);
  return page({
    title: waiting ? payload.question.replace(/\?$/, '') : payload.kind,
    session,
    live: isFinal(action.status)
      ? undefined
      : `/events?action=${action.id}&seen=${actionFingerprint(action)}`,
    refresh: action.status === 'approved' || action.status === 'executing' ? 3 : undefined,
    content: html`
      <article class="action">
        <p class="crumb"><a href="/">← Approvals</a></p>
        <div class="head">
          <h1>${waiting ? payload.question : heading(payload)}</h1>
          ${statusPill(action.status)}
        </div>
        ${payload.name === undefined ? html`<p class="lead">${inline(action.summary)}</p>` : ''}
        ${outcomeView(action)}
        <dl class="facts">
          <div><dt>From the account</dt><dd>${inline(action.accountLabel)}</dd></div>
          <div><dt>Asked by</dt><dd>${inline(action.proposedBy.name)}<span class="soft"> ${relative(action.proposedAt, now)}</span></dd></div>
          ${waiting ? html`<div><dt>Expires</dt><dd>${relative(action.expiresAt, now)}<span class="soft"> ${instant(action.expiresAt)}</span></dd></div>` : ''}
        </dl>
        ${action.note === undefined ? '' : html`<figure class="note"><figcaption>Why, in the agent’s words</figcaption><blockquote>${marked(action.note)}</blockquote></figure>`}
        ${notices.length === 0 ? '' : html`<section class="notices" aria-label="Worth knowing first"><h2>Worth knowing first</h2><ul>${notices.map((line) => html`<li>${marked(line)}</li>`)}</ul></section>`}
        ${payload.view}
        ${exact(action)}
        <details><summary>What happened so far</summary>${timeline(given.events)}</details>
      </article>`,
    ...(waiting
      ? { bar: decisionBar(action, session, { approve: payload.approve, signed: given.signed }) }
      : {}),
    ...(action.status === 'unknown' ? { bar: settleBar(action, session) } : {}),
  });
}

function heading({ kind, name }: PayloadView): Markup {
  return name === undefined ? kind : html`${kind}: ${inline(name)}`;
}

function exact(action: Action): Markup {
  return html`<details>
    <summary>Exactly what is approved</summary>
    <dl class="fields">
      <div><dt>Summary</dt><dd>${inline(action.summary)}</dd></div>
      <div><dt>Operation</dt><dd class="mono">${inline(`${action.provider}.${action.operation}`)}</dd></div>
      <div><dt>Effect</dt><dd>${inline(action.effect)}</dd></div>
      <div><dt>Action</dt><dd class="mono">${action.id}</dd></div>
      <div><dt>Hash</dt><dd class="mono">${action.payloadHash}</dd></div>
    </dl>
    <pre class="source" dir="ltr">${marked(JSON.stringify(action.payload, null, 2))}</pre>
  </details>`;
}

/** Has a passkey sign before the form is sent (assets/passkeys.js). */
function signing(action: Action): Markup {
  return html`data-passkey="get" data-begin="/actions/${action.id}/presence" data-answer="presence"`;
}

function decisionBar(
  action: Action,
  session: Session,
  { approve, signed }: { approve: string; signed: boolean },
): Markup {
  const hidden = html`${csrfField(session)}<input type="hidden" name="hash" value="${action.payloadHash}">`;
  return html`
    <details class="reject">
      <summary><span class="when-closed">Reject</span><span class="when-open">Back</span></summary>
      <form method="post" action="/actions/${action.id}/decision">
        ${hidden}
        <input type="hidden" name="verdict" value="reject">
        <label for="reason">Why not? The agent reads this. <span class="soft">May be left empty.</span></label>
        <input id="reason" name="reason" maxlength="500" autocomplete="off">
        <button type="submit" class="danger">Reject</button>
      </form>
    </details>
    <form method="post" action="/actions/${action.id}/decision" ${signed ? signing(action) : ''}>
      ${hidden}
      ${signed ? html`<input type="hidden" name="presence">` : ''}
      <input type="hidden" name="verdict" value="approve">
      <button type="submit" class="primary">${approve}</button>
    </form>`;
}
