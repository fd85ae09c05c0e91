// What became of an action, in plain words; and for an unclear one, the evidence and the question that only
// a person can answer.
import { html } from 'hono/html';
import type { Session } from '../../auth/sign-in.ts';
import type { Action, ActionEvent } from '../../queue/queue.ts';
import { csrfField } from '../page/layout.ts';
import { inline, type Markup, marked } from '../page/text.ts';
import { instant } from '../page/words.ts';
import { fieldTable } from '../payload/fields.ts';

function decidedBy(action: Action): Markup {
  if (action.decidedBy === undefined) return '';
  return html`${inline(action.decidedBy.name)}${action.decidedAt === undefined ? '' : html`, ${instant(action.decidedAt)}`}`;
}

export function outcomeView(action: Action, session: Session): Markup {
  const { outcome } = action;
  switch (action.status) {
    case 'pending':
      return '';
    case 'approved':
      return panel(
        'working',
        'Approved. It is about to run.',
        html`<p>Decided by ${decidedBy(action)}.</p>${hold(action, session)}`,
      );
    case 'executing':
      return panel('working', 'It is running.', html`<p>Decided by ${decidedBy(action)}.</p>`);
    case 'rejected':
      return panel(
        'stopped',
        'Rejected. Nothing was done.',
        html`<p>Decided by ${decidedBy(action)}.</p>
        ${action.decisionReason === undefined ? '' : html`<p>Reason: ${inline(action.decisionReason)}</p>`}`,
      );
    case 'expired':
      return panel(
        'stopped',
        'Expired. Nothing was done.',
        html`<p>Nobody decided in time. The agent can propose it again.</p>`,
      );
    case 'cancelled':
      return panel('stopped', 'Withdrawn. Nothing was done.', '');
    case 'completed':
      return panel(
        'done',
        'Done.',
        outcome?.kind === 'completed'
          ? html`<p>Approved by ${decidedBy(action)}; done ${action.finishedAt === undefined ? '' : instant(action.finishedAt)}.</p>
            ${outcome.warning === undefined ? '' : html`<p class="warning">${inline(outcome.warning)}</p>`}
            ${outcome.found === undefined ? '' : html`<p>Known ${outcome.found === 'by look-up' ? 'because it was found at the provider afterwards' : 'because a person said so'}.</p>`}
            <p>Reference: <span class="mono">${inline(outcome.reference)}</span></p>
            ${outcome.url === undefined ? '' : html`<p>At the provider: ${outwards(outcome.url)}</p>`}
            ${Object.keys(outcome.details).length === 0 ? '' : html`<details><summary>Details</summary>${fieldTable(outcome.details)}</details>`}
            ${undoForm(action, session)}`
          : '',
      );
    case 'failed':
      return panel(
        'failed',
        'Failed. Nothing was done.',
        outcome?.kind === 'failed'
          ? html`<p>${marked(outcome.message)}</p><p class="soft mono">${inline(outcome.code)}</p>`
          : '',
      );
    case 'unknown':
      return panel(
        'unclear',
        'Unclear: it may have happened.',
        outcome?.kind === 'unknown'
          ? html`<p>${marked(outcome.message)}</p>
            ${outcome.evidence.length === 0 ? '' : html`<h3>What is known</h3><ul>${outcome.evidence.map((line) => html`<li>${marked(line)}</li>`)}</ul>`}
            <p>It will not be tried again by itself, so that nothing happens twice. Look at the account, then say below what you found.</p>`
          : '',
      );
  }
}

/** An approved send waits until then, and can still be stopped. The script counts; without it the time is told. */
function hold(action: Action, session: Session): Markup {
  const stop = html`<form method="post" action="/actions/${action.id}/cancel">
    ${csrfField(session)}<button type="submit" class="danger">Stop it</button>
  </form>`;
  const { holdUntil } = action;
  return holdUntil === undefined
    ? stop
    : html`<div class="hold"><p role="timer" data-until="${new Date(holdUntil).toISOString()}">It leaves at ${instant(holdUntil)}.</p>${stop}</div>`;
}

/** A link to where it can be seen; what is no https address is told, and leads nowhere. */
function outwards(url: string): Markup {
  return url.startsWith('https://') && URL.canParse(url)
    ? html`<a class="mono" href="${url}" rel="noopener noreferrer nofollow" target="_blank">${inline(url)}<span class="unseen-words"> (in a new window)</span></a>`
    : html`<span class="mono">${inline(url)}</span>`;
}

function undoForm(action: Action, session: Session): Markup {
  if (action.undo === undefined) return '';
  return html`<form method="post" action="/actions/${action.id}/undo">
    ${csrfField(session)}<button type="submit">${action.undo.title}</button>
    <span class="soft">Proposes that; it is decided like any other.</span>
  </form>`;
}

function panel(kind: string, title: string, content: Markup): Markup {
  return html`<section class="panel ${kind}" role="status"><h2>${title}</h2>${content}</section>`;
}

/** "It happened" or "it did not": the bar under an unclear action. */
export function settleBar(action: Action, session: Session): Markup {
  return html`
    <form method="post" action="/actions/${action.id}/settlement" class="settle">
      ${csrfField(session)}
      <label for="found">What you found</label>
      <input id="found" name="reason" required maxlength="500" autocomplete="off" placeholder="It is in the Sent folder">
      <div class="choices">
        <button type="submit" name="happened" value="no">It did not happen</button>
        <button type="submit" name="happened" value="yes">It happened</button>
      </div>
    </form>`;
}

export function timeline(events: readonly ActionEvent[]): Markup {
  return html`<ol class="timeline">${events.map(
    (event) =>
      html`<li><span>${event.to}</span> <span class="soft">by ${inline(event.by.name)} (${event.channel}), ${instant(event.at)}</span></li>`,
  )}</ol>`;
}
