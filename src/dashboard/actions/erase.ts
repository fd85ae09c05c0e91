// Erasing what an action said: offered where it has come to its end, and confirmed on a page of its own, with a
// reason that is recorded.
import { html } from 'hono/html';
import type { Session } from '../../auth/sign-in.ts';
import { DrawbridgeError } from '../../errors.ts';
import type { Action } from '../../queue/queue.ts';
import { csrfField, page } from '../page/layout.ts';
import { inline, type Markup } from '../page/text.ts';
import { instant, isFinal } from '../page/words.ts';

/** Leads to the question; nothing where the action may still run. */
export function eraseLink(action: Action): Markup {
  if (!isFinal(action.status) || action.erasedAt !== undefined) return '';
  return html`<p class="soft"><a href="/actions/${action.id}/erase">Erase what it says…</a></p>`;
}

export function erasedView({ erasedAt, payloadHash }: Action): Markup {
  if (erasedAt === undefined) return '';
  return html`<section class="panel stopped" role="status"><h2>Erased</h2>
    <p>What it said was erased, ${instant(erasedAt)}. That it happened, who decided and the hashes are kept.</p>
    <p>Hash: <span class="mono">${payloadHash}</span></p>
  </section>`;
}

/** @throws DrawbridgeError `conflict` for one that may still run, or was erased already */
export function erasePage(action: Action, session: Session): Promise<string> {
  if (!isFinal(action.status)) {
    throw new DrawbridgeError('conflict', 'It may still run. Decide it, or wait for its outcome, first.');
  }
  if (action.erasedAt !== undefined) throw new DrawbridgeError('conflict', 'It was erased already.');
  return page({
    title: 'Erase',
    session,
    content: html`
      <p class="crumb"><a href="/actions/${action.id}">← Back, unchanged</a></p>
      <h1>Erase what this action says?</h1>
      <p class="lead">${inline(action.summary)}</p>
      <p>Its payload, what was proposed, the live record, notes, attachments, history and outcome go, here and in the
        record. Its hashes, states and times stay, so that the record still verifies. This cannot be taken back.</p>
      <p>What memory has read of it is kept there, and what was sent is at the provider.</p>
      <form class="sheet" method="post" action="/actions/${action.id}/erase">
        ${csrfField(session)}
        <div><label for="reason">Why? It is recorded.</label>
        <input id="reason" name="reason" required maxlength="500" autocomplete="off"></div>
        <button type="submit" name="sure" value="yes" class="danger">Erase it</button>
      </form>`,
  });
}
