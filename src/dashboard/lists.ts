// The lists: what waits for a decision, and what was decided.
import { html } from 'hono/html';
import type { Session } from '../auth/sign-in.ts';
import type { Action } from '../queue/queue.ts';
import { page } from './layout.ts';
import { inline, type Markup } from './text.ts';
import { relative, statusPill } from './words.ts';

function row(action: Action, now: number): Markup {
  const when =
    action.status === 'pending'
      ? `expires ${relative(action.expiresAt, now)}`
      : relative(action.finishedAt ?? action.decidedAt ?? action.proposedAt, now);
  return html`<li>
    <a href="/actions/${action.id}">
      <span class="summary">${inline(action.summary)}</span>
      <span class="soft">${inline(action.accountLabel)} · asked by ${inline(action.proposedBy.name)} · ${when}</span>
    </a>
    ${statusPill(action.status)}
  </li>`;
}

function list(title: string, actions: readonly Action[], now: number): Markup {
  if (actions.length === 0) return '';
  return html`<section><h2>${title}</h2><ul class="actions">${actions.map((action) => row(action, now))}</ul></section>`;
}

export function approvalsPage(given: {
  session: Session;
  waiting: readonly Action[];
  moving: readonly Action[];
  unclear: readonly Action[];
  recent: readonly Action[];
  /** Whether an account is connected yet; decides what the empty page says. */
  connected: boolean;
  live: string;
  now: number;
}): Promise<string> {
  const { waiting, now } = given;
  return page({
    title: waiting.length === 0 ? 'Approvals' : `(${waiting.length}) Approvals`,
    session: given.session,
    current: 'approvals',
    live: given.live,
    content: html`
      <h1>Approvals</h1>
      ${waiting.length + given.unclear.length === 0 ? nothingWaits(given.connected) : ''}
      ${list('Waiting for you', waiting, now)}
      ${list('Unclear: please look', given.unclear, now)}
      ${list('On its way', given.moving, now)}
      ${list('Decided lately', given.recent, now)}`,
  });
}

function nothingWaits(connected: boolean): Markup {
  return html`<section class="empty">
    <h2>Nothing waits for you</h2>
    <p>When an agent wants to send a mail or book an event, it appears here, whole, before anything happens. Nothing leaves without you.</p>
    ${
      connected
        ? html`<p>Give an agent the way in: <a href="/connect">connect an agent</a>.</p>`
        : html`<p>No account is connected yet.</p>
          <p><a class="button" href="/connections">Connect an account</a></p>`
    }
  </section>`;
}

export function historyPage(given: {
  session: Session;
  actions: readonly Action[];
  /** The last id of this page, when there is a next one. */
  next: string | undefined;
  first: boolean;
  now: number;
}): Promise<string> {
  return page({
    title: 'History',
    session: given.session,
    current: 'history',
    content: html`
      <h1>History</h1>
      ${
        given.actions.length === 0
          ? html`<p class="soft">${given.first ? 'No agent has proposed anything yet.' : 'There is nothing older.'}</p>`
          : html`<ul class="actions">${given.actions.map((action) => row(action, given.now))}</ul>`
      }
      <nav class="pager" aria-label="Pages of the history">
        ${given.first ? '' : html`<a href="/history">Newest</a>`}
        ${given.next === undefined ? '' : html`<a href="/history?before=${given.next}">Older</a>`}
      </nav>`,
  });
}
