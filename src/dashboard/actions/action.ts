// The approval page: who asks for what, everything that would happen, and the two buttons. What stands here
// is what was hashed; the forms carry that hash.
import { html } from 'hono/html';
import type { Session } from '../../auth/sign-in.ts';
import type { Action, ActionEvent } from '../../queue/queue.ts';
import { keysDialog } from '../page/keys-dialog.ts';
import { page } from '../page/layout.ts';
import { actionFingerprint } from '../page/live.ts';
import { inline, type Markup, marked } from '../page/text.ts';
import { isFinal, money, statusPill } from '../page/words.ts';
import { diffTable, recordDiff } from '../payload/diff.ts';
import { warningsFor } from '../payload/notices.ts';
import { type PayloadView, payloadView } from '../payload/payload.ts';
import { askedAgain } from './asked-again.ts';
import { decisionBar, laterForms } from './decision-bar.ts';
import { changedFields } from './edit-fields.ts';
import { erasedView, eraseLink } from './erase.ts';
import type { Evidence } from './evidence.ts';
import { outcomeView, settleBar, timeline } from './outcome.ts';
import { citationsOf, factsOf, noteOf, policyLine } from './why.ts';

export function actionPage(given: {
  action: Action;
  events: readonly ActionEvent[];
  evidence: Evidence;
  session: Session;
  /** Whether a passkey has to sign its approval. */
  signed: boolean;
  now: number;
}): Promise<string> {
  const { action, session, now, evidence } = given;
  const payload = payloadView(action, evidence.flags);
  const waiting = action.status === 'pending';
  const { amount } = evidence;
  const again = waiting ? askedAgain(given.events) : undefined;
  const assignee = evidence.members.find(({ id }) => id === action.assignedTo)?.name;
  return page({
    title: waiting ? payload.question.replace(/\?$/, '') : payload.kind,
    session,
    live: isFinal(action.status)
      ? undefined
      : `/events?action=${action.id}&seen=${actionFingerprint(action)}`,
    refresh: action.status === 'approved' || action.status === 'executing' ? 3 : undefined,
    content: html`
      <article class="action">
        <div class="head crumb"><a href="/">← Approvals</a>${keysDialog('action')}</div>
        <div class="head">
          <h1>${waiting ? payload.question : heading(payload)}</h1>
          ${statusPill(action.status)}
        </div>
        ${payload.name === undefined ? html`<p class="lead">${inline(action.summary)}</p>` : ''}
        ${amount === undefined ? '' : html`<p class="amount">${money(amount)}</p>`}
        ${erasedView(action)}
        ${again?.notice ?? ''}
        ${outcomeView(action, session)}
        ${factsOf(action, now, assignee)}
        ${noteOf(action)}
        ${policyLine(action)}
        ${notices(action, evidence)}
        ${editedBefore(action)}
        ${action.before === undefined ? '' : recordDiff(action.before, action.effect, again?.changed)}
        ${action.erasedAt === undefined ? payload.view : ''}
        ${citationsOf(evidence.citations)}
        ${exact(action)}
        <details><summary>What happened so far</summary>${timeline(given.events)}</details>
        ${eraseLink(action)}
        ${waiting ? laterForms(action, session, evidence.members) : ''}
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

function notices(action: Action, { flags }: Evidence): Markup {
  const alike = [...flags].flatMap(([address, all]) =>
    all.filter(({ kind }) => kind === 'look-alike').map(({ text }) => `${address}: ${text}.`),
  );
  const lines = [...alike, ...warningsFor(action)];
  if (lines.length === 0) return '';
  return html`<section class="notices" aria-label="Worth knowing first"><h2>Worth knowing first</h2><ul>${lines.map((line) => html`<li>${marked(line)}</li>`)}</ul></section>`;
}

/** What a person changed before approving, beside what had been proposed. */
function editedBefore({ proposed, payload }: Action): Markup {
  if (proposed === undefined) return '';
  return html`<section class="sheet" aria-label="Edited before it was approved">${diffTable(
    html`<span class="subject">Edited before it was approved</span>${proposed.reason === undefined ? '' : html` <span class="soft">${inline(proposed.reason)}</span>`}`,
    ['Proposed', 'Approved'],
    changedFields(proposed.payload, payload),
  )}</section>`;
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
      ${action.proof === undefined ? '' : html`<div><dt>Signed by</dt><dd>the passkey ${inline(action.proof.name)}</dd></div>`}
    </dl>
    <pre class="source" dir="ltr">${marked(JSON.stringify(action.payload, null, 2))}</pre>
  </details>`;
}
