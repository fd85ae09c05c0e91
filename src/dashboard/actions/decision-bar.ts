// What a person can do with an action that waits: approve, edit or reject it at the lower edge; put it off or
// hand it over beneath. Each form carries the hash that was shown.
import { html } from 'hono/html';
import type { Session } from '../../auth/sign-in.ts';
import type { Action } from '../../queue/queue.ts';
import { csrfField } from '../page/layout.ts';
import type { Markup } from '../page/text.ts';

/** Has a passkey sign before the form is sent (assets/passkeys.js). */
export function signing(action: Pick<Action, 'id'>): Markup {
  return html`data-passkey="get" data-begin="/actions/${action.id}/presence" data-answer="presence"`;
}

/** Posted forms end at 64 kB: what is longer is edited by having it proposed again. */
const longestEdit = 30_000;

export function isEditable({ payload }: Action): boolean {
  return (
    typeof payload === 'object' &&
    payload !== null &&
    !Array.isArray(payload) &&
    encodeURIComponent(JSON.stringify(payload)).length < longestEdit
  );
}

export function decisionBar(
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
    ${isEditable(action) ? html`<a class="button plain" href="/actions/${action.id}/edit" data-edit>Edit</a>` : ''}
    <form method="post" action="/actions/${action.id}/decision" ${signed ? signing(action) : ''}>
      ${hidden}
      ${signed ? html`<input type="hidden" name="presence">` : ''}
      <input type="hidden" name="verdict" value="approve">
      <button type="submit" class="primary">${approve}</button>
    </form>`;
}

/** Not now, or not I. */
export function laterForms(
  action: Action,
  session: Session,
  members: readonly { id: string; name: string }[],
): Markup {
  const others = members.filter(({ id }) => id !== session.person.memberId && id !== action.assignedTo);
  return html`<details class="more-deeds">
    <summary>Not now, or not you</summary>
    <form method="post" action="/actions/${action.id}/snooze">
      ${csrfField(session)}<input type="hidden" name="zone" data-zone>
      <button type="submit" name="for" value="hour">In an hour</button>
      <button type="submit" name="for" value="morning">Tomorrow at 9:00</button>
    </form>
    <form method="post" action="/actions/${action.id}/snooze">
      ${csrfField(session)}<input type="hidden" name="zone" data-zone>
      <div><label for="until">Put it off until</label><input id="until" name="until" type="datetime-local" required></div>
      <button type="submit" name="for" value="until">Put it off</button>
    </form>
    ${
      others.length === 0
        ? ''
        : html`<form method="post" action="/actions/${action.id}/hand-over">
        ${csrfField(session)}
        <div><label for="to">Hand it over to</label><select id="to" name="to">${others.map(
          ({ id, name }) => html`<option value="${id}">${name}</option>`,
        )}</select></div>
        <button type="submit">Hand it over</button>
      </form>`
    }
    <p class="soft">It expires all the same. Who may decide now still may.</p>
  </details>`;
}
