// Editing before approving: first the fields, then the whole of what would run beside what was proposed. Only
// the second page approves, and it carries both hashes.
import { html } from 'hono/html';
import type { Session } from '../../auth/sign-in.ts';
import type { Action } from '../../queue/queue.ts';
import { csrfField, page } from '../page/layout.ts';
import { inline, type Markup, marked } from '../page/text.ts';
import { diffTable } from '../payload/diff.ts';
import { fieldTitle } from '../payload/fields.ts';
import { payloadView } from '../payload/payload.ts';
import type { Flags } from '../payload/recipients.ts';
import { signing } from './decision-bar.ts';
import { changedFields, type EditField, editFields, type Fault } from './edit-fields.ts';

interface EditPage {
  action: Action;
  session: Session;
  /** What was written, where the form comes back. */
  given?: ((path: string) => string | undefined) | undefined;
  faults?: readonly Fault[];
}

const hints: Record<EditField['kind'], string> = {
  line: '',
  text: '',
  number: '',
  flag: '',
  people: 'A line each: Maya Ortiz <maya@lakeside.example>, or the address alone.',
  numbers: 'Whole numbers with commas between them.',
  moment: 'Like 2026-03-02T15:00:00, in the zone below.',
};

function input(field: EditField, value: string, fault: string | undefined): Markup {
  const id = `p.${field.path}`;
  const hint = hints[field.kind];
  const told = [fault === undefined ? '' : `${id}-fault`, hint === '' ? '' : `${id}-hint`].filter(
    (one) => one !== '',
  );
  const rest = html`id="${id}" name="${id}" ${fault === undefined ? '' : html`aria-invalid="true"`} ${told.length === 0 ? '' : html`aria-describedby="${told.join(' ')}"`}`;
  return html`<div>
    <label for="${id}">${field.path.split('.').map(fieldTitle).join(', ')}</label>
    ${hint === '' ? '' : html`<p class="soft" id="${id}-hint">${hint}</p>`}
    ${
      field.kind === 'text' || field.kind === 'people'
        ? // HTML drops a first line feed; this one is it.
          html`<textarea ${rest} rows="${field.kind === 'people' ? Math.min(8, Math.max(2, value.split('\n').length)) : 12}">${'\n'}${value}</textarea>`
        : field.kind === 'flag'
          ? html`<select ${rest}><option value="yes" ${value === 'yes' ? html`selected` : ''}>yes</option><option value="no" ${value === 'no' ? html`selected` : ''}>no</option></select>`
          : html`<input ${rest} value="${value}" ${field.kind === 'number' ? html`inputmode="decimal"` : ''} autocomplete="off">`
    }
    ${fault === undefined ? '' : html`<p class="fault" id="${id}-fault">${marked(fault)}</p>`}
  </div>`;
}

/** The field that a fault is about: its own, or the one that holds it (`to` of `to.0.email`). */
function belongs(fault: Fault, field: EditField): boolean {
  return fault.path === field.path || fault.path.startsWith(`${field.path}.`);
}

export function editPage({ action, session, given, faults = [] }: EditPage): Promise<string> {
  const fields = editFields(action.payload);
  const loose = faults.filter((fault) => !fields.some((field) => belongs(fault, field)));
  return page({
    title: 'Edit',
    session,
    content: html`
      <p class="crumb"><a href="/actions/${action.id}">← Back, unchanged</a></p>
      <h1>Edit before approving</h1>
      <p class="lead short">${inline(action.summary)}</p>
      ${faults.length === 0 ? '' : html`<section class="notices" role="alert"><h2>Not like this</h2><ul>${(loose.length === 0 ? [{ text: 'See the fields below.' }] : loose).map(({ text }) => html`<li>${marked(text)}</li>`)}</ul></section>`}
      <form class="edit sheet" method="post" action="/actions/${action.id}/edit" data-again>
        ${csrfField(session)}
        <input type="hidden" name="hash" value="${action.payloadHash}">
        ${fields.map((field) =>
          input(
            field,
            given?.(field.path) ?? field.value,
            faults.find((fault) => belongs(fault, field))?.text,
          ),
        )}
        ${
          action.attachments.length === 0
            ? ''
            : html`<fieldset><legend>Attachments to send</legend>${action.attachments.map(
                ({ name, sha256 }) =>
                  html`<p><label class="check"><input type="checkbox" name="keep.${sha256}" value="yes" ${given === undefined || given(`keep ${sha256}`) === 'yes' ? html`checked` : ''}> ${inline(name)}</label></p>`,
              )}</fieldset>`
        }
        <div><label for="reason">Why? The agent reads this. <span class="soft">May be left empty.</span></label>
          <input id="reason" name="reason" maxlength="500" autocomplete="off" value="${given?.('reason') ?? ''}"></div>
        <button class="primary" type="submit">See it whole</button>
      </form>`,
  });
}

export function reviewPage(parts: {
  action: Action;
  /** What would be approved, as the queue has sealed it. */
  sealed: Pick<Action, 'payload' | 'payloadHash' | 'summary'>;
  /** As it was written, for the queue to seal again. */
  edited: unknown;
  reason: string;
  flags: Flags;
  session: Session;
  signed: boolean;
}): Promise<string> {
  const { action, sealed, session, signed } = parts;
  const shown = payloadView({ ...action, ...sealed }, parts.flags);
  const changes = changedFields(action.payload, sealed.payload);
  return page({
    title: 'Approve as edited',
    session,
    content: html`
      <article class="action">
        <p class="crumb"><a href="/actions/${action.id}">← Back, unchanged</a></p>
        <h1>Approve it like this?</h1>
        <p class="lead">${inline(sealed.summary)}</p>
        ${
          changes.length === 0
            ? html`<p>Nothing was changed.</p>`
            : html`<section class="sheet" aria-label="What you changed">${diffTable(html`<span class="subject">What you changed</span>`, ['Proposed', 'Yours'], changes)}</section>`
        }
        ${shown.view}
        <details><summary>Exactly what is approved</summary>
          <dl class="fields"><div><dt>Hash</dt><dd class="mono">${sealed.payloadHash}</dd></div></dl>
          <pre class="source" dir="ltr">${marked(JSON.stringify(sealed.payload, null, 2))}</pre>
        </details>
      </article>`,
    bar: html`
      <form method="post" action="/actions/${action.id}/decision" ${signed ? signing(action) : ''}>
        ${csrfField(session)}
        <input type="hidden" name="verdict" value="approve">
        <input type="hidden" name="hash" value="${action.payloadHash}">
        <input type="hidden" name="covered" value="${sealed.payloadHash}">
        <input type="hidden" name="edited" value="${JSON.stringify(parts.edited)}">
        <input type="hidden" name="reason" value="${parts.reason}">
        ${signed ? html`<input type="hidden" name="presence">` : ''}
        <button type="submit" class="primary">${shown.approve}, as edited</button>
      </form>`,
  });
}
