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
        <th scope="row">${inline(fieldTitle(name))}${meanwhile.includes(name) ? html` <span class="meanwhile">changed meanwhile</span>` : ''}</th>
        ${
          differs
            ? html`<td><span class="unseen-words">${columns[0]}: </span><del>${fieldValue(from)}</del></td><td><span class="unseen-words">${columns[1]}: </span><ins>${fieldValue(to)}</ins></td>`
            : html`<td>${fieldValue(from)}</td><td class="soft">unchanged</td>`
        }
      </tr>`,
    )}</tbody>
  </table>`;
}

/** @param meanwhile names of the fields that stand otherwise than when it was shown before */
export function recordDiff(record: LiveRecord, meanwhile: readonly string[] = []): Markup {
  const changes = changesOf(record);
  const count = changes.filter((one) => one.changes).length;
  return html`<section class="sheet" aria-label="What changes">${diffTable(
    html`<span class="subject">${inline(record.title)}</span> <span class="soft">${count === 0 ? 'nothing would change' : `${count} ${count === 1 ? 'field changes' : 'fields change'}`}</span>`,
    ['As it stands', 'As it will be'],
    changes,
    meanwhile,
  )}</section>`;
}
