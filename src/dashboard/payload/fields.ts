// Any payload as a table that a person can read: every field, nested ones too, nothing left out.
import { html } from 'hono/html';
import { inline, type Markup, marked } from '../page/text.ts';
import { instant } from '../page/words.ts';

/** A moment to the minute: nothing of it is lost in the reader's own time. */
const moment = /^\d{4}-\d\d-\d\dT\d\d:\d\d:00(?:\.000)?Z$/;

/** `durationMinutes` as "Duration minutes". */
export function fieldTitle(key: string): string {
  const words = key
    .replace(/[_-]+/g, ' ')
    .replace(/(?<=[a-z0-9])(?=[A-Z])/g, ' ')
    .trim();
  return words === '' ? key : words.charAt(0).toUpperCase() + words.slice(1).toLowerCase();
}

export function fieldValue(value: unknown): Markup {
  if (value === null || value === undefined) return html`<span class="soft">nothing</span>`;
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'string') {
    if (moment.test(value) && !Number.isNaN(Date.parse(value))) return instant(Date.parse(value));
    if (value === '') return html`<span class="soft">empty</span>`;
    return value.includes('\n') ? html`<pre class="text" dir="auto">${marked(value)}</pre>` : inline(value);
  }
  if (Array.isArray(value)) {
    if (value.length === 0) return html`<span class="soft">none</span>`;
    return html`<ol class="values">${value.map((item) => html`<li>${fieldValue(item)}</li>`)}</ol>`;
  }
  if (typeof value === 'object') return fieldTable(value as Record<string, unknown>);
  return inline(String(value));
}

export function fieldTable(record: Record<string, unknown>): Markup {
  const entries = Object.entries(record);
  if (entries.length === 0) return html`<span class="soft">no fields</span>`;
  return html`<dl class="fields">${entries.map(
    ([key, value]) => html`<div><dt>${inline(fieldTitle(key))}</dt><dd>${fieldValue(value)}</dd></div>`,
  )}</dl>`;
}
