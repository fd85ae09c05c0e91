// What a change does to a record: each field as it stands at the provider, beside what it will be.
import { isDeepStrictEqual } from 'node:util';
import { html } from 'hono/html';
import type { LiveRecord } from '../../providers/define.ts';
import { inline, type Markup } from '../page/text.ts';
import { fieldTitle, fieldValue } from './fields.ts';

export interface FieldChange {
  name: string;
  from: unknown;
  to: unknown;
  changes: boolean;
}

/** What is read first. The rest stays as it comes, which is by name. */
const first = ['title', 'number', 'customer', 'start', 'end'];
const placeOf = (name: string): number => (first.includes(name) ? first.indexOf(name) : first.length);

/** Changed fields first; of the others, what names the record. */
function changesOf({ fields, after }: Pick<LiveRecord, 'fields' | 'after'>): FieldChange[] {
  const names = [...new Set([...Object.keys(fields), ...Object.keys(after)])].toSorted(
    (a, b) => placeOf(a) - placeOf(b),
  );
  const all = names.map((name) => {
    const to = Object.hasOwn(after, name) ? after[name] : fields[name];
    return { name, from: fields[name], to, changes: !isDeepStrictEqual(fields[name], to) };
  });
  return [...all.filter(({ changes }) => changes), ...all.filter(({ changes }) => !changes)];
}

export function diffTable(
  caption: Markup,
  columns: readonly [string, string],
  changes: readonly FieldChange[],
  meanwhile: readonly string[] = [],
): Markup {
  return html`<table class="diff">
    <caption>${caption}</caption>
    <thead><tr><th scope="col">Field</th><th scope="col">${columns[0]}</th><th scope="col">${columns[1]}</th></tr></thead>
    <tbody>${changes.map(
      ({ name, from, to, changes: differs }) => html`<tr>
        <th scope="row">${titleOf(name, meanwhile)}</th>
        ${
          differs
            ? html`<td><span class="unseen-words">${columns[0]}: </span><del>${fieldValue(from)}</del></td><td><span class="unseen-words">${columns[1]}: </span><ins>${fieldValue(to)}</ins></td>`
            : html`<td>${fieldValue(from)}</td><td class="soft">unchanged</td>`
        }
      </tr>`,
    )}</tbody>
  </table>`;
}

/**
 * @param effect of the write: only an update changes the record that is shown; what is deleted, or made beside it, is
 * told as it stands
 * @param meanwhile names of the fields that stand otherwise than when it was shown before
 */
export function recordDiff(record: LiveRecord, effect: string, meanwhile: readonly string[] = []): Markup {
  const changes = changesOf(record);
  const count = changes.filter((one) => one.changes).length;
  const name = html`<span class="subject">${inline(record.title)}</span>`;
  if (count === 0 && (effect !== 'update' || Object.keys(record.after).length === 0)) {
    return html`<section class="sheet" aria-label="As it stands">${standing(name, changes, meanwhile)}</section>`;
  }
  return html`<section class="sheet" aria-label="What changes">${diffTable(
    html`${name} <span class="soft">${count === 0 ? 'nothing would change' : `${count} ${count === 1 ? 'field changes' : 'fields change'}`}</span>`,
    ['As it stands', 'As it will be'],
    changes,
    meanwhile,
  )}</section>`;
}

function standing(name: Markup, fields: readonly FieldChange[], meanwhile: readonly string[]): Markup {
  return html`<table class="diff">
    <caption>${name} <span class="soft">as it stands</span></caption>
    <thead><tr><th scope="col">Field</th><th scope="col">As it stands</th></tr></thead>
    <tbody>${fields.map(
      (one) =>
        html`<tr><th scope="row">${titleOf(one.name, meanwhile)}</th><td>${fieldValue(one.from)}</td></tr>`,
    )}</tbody>
  </table>`;
}

function titleOf(name: string, meanwhile: readonly string[]): Markup {
  return html`${inline(fieldTitle(name))}${meanwhile.includes(name) ? html` <span class="meanwhile">changed meanwhile</span>` : ''}`;
}
