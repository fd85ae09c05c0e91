// A payload as fields that a person can change, and the payload that those fields make again. A list of people
// is written a line each; whatever else is nested has a field for each leaf, so that nothing is out of reach.
import { isDeepStrictEqual } from 'node:util';
import { calendarCreate, type MailAddress, mailSend } from '../../providers/capabilities.ts';
import type { FieldChange } from '../payload/diff.ts';

export interface EditField {
  /** Its place in the payload, `to` or `contacts.0.name`; a form's name for it is that behind `p.`. */
  path: string;
  kind: 'line' | 'text' | 'number' | 'flag' | 'people' | 'numbers' | 'moment';
  value: string;
}

export interface Fault {
  path: string;
  text: string;
}

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
type Read = (path: string) => string | undefined;

export function peopleText(people: readonly MailAddress[]): string {
  return people.map(({ email, name }) => (name === undefined ? email : `${name} <${email}>`)).join('\n');
}

/** A line each: `Maya Ortiz <maya@lakeside.example>`, or the address alone. Judged by the provider's own rules. */
export function readPeople(text: string): MailAddress[] {
  return text
    .split(/\r\n|\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line) => {
      const match = /^(.*?)\s*<([^<>]*)>$/u.exec(line);
      const name = match?.[1]?.trim() ?? '';
      const email = (match?.[2] ?? line).trim();
      return name === '' ? { email } : { email, name };
    });
}

/** How the fields of a mail and an event are written; undefined for any other payload. */
function known(payload: unknown): Record<string, EditField['kind']> | undefined {
  if (isWhole(mailSend.safeParse(payload), payload)) {
    return { to: 'people', cc: 'people', bcc: 'people', subject: 'line', text: 'text', html: 'text' };
  }
  if (isWhole(calendarCreate.safeParse(payload), payload)) {
    return {
      title: 'line',
      start: 'moment',
      end: 'moment',
      timeZone: 'line',
      attendees: 'people',
      location: 'line',
      description: 'text',
      reminders: 'numbers',
      recurrence: 'line',
    };
  }
  return undefined;
}

function isWhole(parsed: { success: boolean; data?: unknown }, payload: unknown): boolean {
  return parsed.success && isDeepStrictEqual(parsed.data, payload);
}

/** May be left out of the payload: an empty field is a field that is not there. */
const optional = new Set(['html', 'location', 'description', 'recurrence']);

export function editFields(payload: unknown): EditField[] {
  const forms = known(payload);
  if (forms === undefined) return leaves(payload as Json, []);
  const values = payload as Record<string, unknown>;
  return Object.entries(forms)
    .filter(([name]) => name !== 'html' || values[name] !== undefined)
    .map(([path, kind]) => ({ path, kind, value: written(kind, values[path]) }));
}

function written(kind: EditField['kind'], value: unknown): string {
  if (value === undefined) return '';
  if (kind === 'people') return peopleText(value as MailAddress[]);
  if (kind === 'numbers') return (value as number[]).join(', ');
  return String(value);
}

function leaves(value: Json, path: readonly string[]): EditField[] {
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value).flatMap(([key, item]) => leaves(item, [...path, key]));
  }
  const at = path.join('.');
  if (typeof value === 'number') return [{ path: at, kind: 'number', value: String(value) }];
  if (typeof value === 'boolean') return [{ path: at, kind: 'flag', value: value ? 'yes' : 'no' }];
  // What is nothing has no form of its own; it is changed by having it proposed again.
  if (value === null) return [];
  return [{ path: at, kind: value.includes('\n') || value.length > 80 ? 'text' : 'line', value }];
}

/** The payload with what the form says; `read` gives undefined for a field that the form does not have. */
export function readEdit(payload: unknown, read: Read): { edited: unknown; faults: Fault[] } {
  const faults: Fault[] = [];
  const edited = structuredClone(payload) as { [key: string]: Json };
  for (const field of editFields(payload)) {
    const text = read(field.path);
    if (text === undefined) continue;
    const value = readValue(field, text, faults);
    if (known(payload) !== undefined && optional.has(field.path) && text.trim() === '')
      delete edited[field.path];
    else if (value !== undefined) put(edited, field.path.split('.'), value);
  }
  const before = payload as { text?: unknown; html?: unknown };
  if (
    edited['html'] !== undefined &&
    known(payload) !== undefined &&
    edited['html'] === before.html &&
    edited['text'] !== before.text
  ) {
    faults.push({
      path: 'html',
      text: 'The text was changed and the formatted version was not. Change it alike, or empty it.',
    });
  }
  return { edited, faults };
}

function readValue(field: EditField, given: string, faults: Fault[]): Json | undefined {
  // Browsers send line ends as CR LF.
  const text = given.replaceAll('\r\n', '\n');
  if (text === field.value)
    return field.kind === 'people' || field.kind === 'numbers' ? undefined : typed(field, text);
  switch (field.kind) {
    case 'people':
      return readPeople(text).map(({ email, name }) => (name === undefined ? { email } : { email, name }));
    case 'numbers': {
      const parts = text.split(/[\s,]+/).filter((part) => part !== '');
      if (parts.some((part) => !/^\d+$/.test(part))) {
        faults.push({ path: field.path, text: 'Write whole numbers with commas between them.' });
        return undefined;
      }
      return parts.map(Number);
    }
    case 'number':
      if (text.trim() === '' || !Number.isFinite(Number(text))) {
        faults.push({ path: field.path, text: 'Write a number.' });
        return undefined;
      }
      return Number(text);
    case 'moment':
      // A browser leaves out seconds that are none.
      return /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}$/.test(text) ? `${text}:00` : text;
    default:
      return typed(field, text);
  }
}

function typed(field: EditField, text: string): Json {
  if (field.kind === 'number') return Number(text);
  return field.kind === 'flag' ? text === 'yes' : text;
}

/** Only where something stands already: a form makes no new places. */
function put(into: Json, [step, ...rest]: readonly string[], value: Json): void {
  if (step === undefined || typeof into !== 'object' || into === null) return;
  const place = into as { [key: string]: Json };
  const here = Object.hasOwn(place, step) ? place[step] : undefined;
  if (rest.length > 0) put(here ?? null, rest, value);
  else if (step !== '__proto__') place[step] = value;
}

/** What two payloads differ in, by field of the outermost level. */
export function changedFields(from: unknown, to: unknown): FieldChange[] {
  const record = (value: unknown): Record<string, unknown> =>
    typeof value === 'object' && value !== null ? { ...value } : { value };
  const [a, b] = [record(from), record(to)];
  return [...new Set([...Object.keys(a), ...Object.keys(b)])]
    .map((name) => ({ name, from: a[name], to: b[name], changes: !isDeepStrictEqual(a[name], b[name]) }))
    .filter(({ changes }) => changes);
}
