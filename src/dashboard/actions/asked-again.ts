// Why an action that somebody approved waits once more: what it would change is not what was shown then.
import { html } from 'hono/html';
import type { ActionEvent } from '../../queue/queue.ts';
import { inline, type Markup } from '../page/text.ts';
import { instant } from '../page/words.ts';
import { fieldTitle } from '../payload/fields.ts';

export interface AskedAgain {
  /** Fields of the live record that stand otherwise than when it was shown. */
  changed: readonly string[];
  notice: Markup;
}

/** Of an action that waits; undefined where it waits for the first time. */
export function askedAgain(events: readonly ActionEvent[]): AskedAgain | undefined {
  const last = events.at(-1);
  const reason = last?.detail['reason'];
  if (last?.to !== 'pending' || last.from === undefined || typeof reason !== 'string') return undefined;
  const given = last.detail['changed'];
  const changed = Array.isArray(given) ? given.map(String) : [];
  const approval = last.from === 'pending' ? undefined : events.findLast(({ to }) => to === 'approved');
  const names = changed.map((name) => fieldTitle(name).toLowerCase());
  const what =
    changed.length === 0
      ? `${reason.charAt(0).toUpperCase()}${reason.slice(1)}.`
      : `Meanwhile ${listed.format(names)} ${names.length === 1 ? 'was' : 'were'} changed at the provider.`;
  return {
    changed,
    notice: html`<section class="panel unclear" role="status"><h2>Nothing was done: it asks again</h2>
      ${approval === undefined ? '' : html`<p>Approved by ${inline(approval.by.name)}, ${instant(approval.at)}.</p>`}
      <p>${inline(what)} Approve what stands here now, or reject it.</p>
    </section>`,
  };
}

const listed = new Intl.ListFormat('en-GB');
