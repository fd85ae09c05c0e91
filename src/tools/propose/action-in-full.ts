// An action as plain text for a client's dialogue: everything that was hashed, nothing cut, and nothing that the
// eye cannot see.
import type { Action } from '../../queue/queue.ts';

// What hides, reorders or ends a line; a line feed stays.
const unseen =
  /[\p{Default_Ignorable_Code_Point}\p{Co}\p{Cs}\uFFF9-\uFFFB\u2028\u2029\u2800]|[\p{Cc}--[\t\n]]/gv;
const recipients = ['to', 'cc', 'bcc', 'attendees'];
const texts = ['text', 'description', 'html'];

function shown(text: string): string {
  const point = (character: string) =>
    (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  return text.replaceAll('\r\n', '\n').replace(unseen, (character) => `<U+${point(character)}>`);
}

function inLine(text: string): string {
  return shown(text).replace(/[\n\t]/g, ' ');
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function address(value: unknown): string {
  if (!isRecord(value) || typeof value['email'] !== 'string') return inLine(JSON.stringify(value));
  const { email, name, ...rest } = value;
  const more = Object.keys(rest).length === 0 ? '' : ` ${inLine(JSON.stringify(rest))}`;
  return `${typeof name === 'string' ? `${inLine(name)} <${inLine(String(email))}>` : inLine(String(email))}${more}`;
}

function place(key: string): number {
  const [recipient, text] = [recipients.indexOf(key), texts.indexOf(key)];
  if (recipient !== -1) return recipient;
  return text === -1 ? 100 : 200 + text;
}

/** A field of the payload; what others wrote over several lines stands behind a bar. */
function field(key: string, value: unknown): string[] {
  const name = inLine(key);
  if (Array.isArray(value) && value.length === 0) return [];
  if (Array.isArray(value)) return [`${name}: ${value.map(address).join(', ')}`];
  if (typeof value !== 'string') return [`${name}: ${inLine(JSON.stringify(value) ?? 'undefined')}`];
  if (!value.includes('\n') && !texts.includes(key)) return [`${name}: ${inLine(value)}`];
  return [
    `${name}:`,
    ...shown(value)
      .split('\n')
      .map((line) => `│ ${line}`),
  ];
}

/** Recipients first, long texts last, then the live record that it changes, what to beware of, and the hash. */
export async function actionInFull(action: Action): Promise<string> {
  // Loaded when a person is first asked: a start must not wait for it.
  const { warningsFor } = await import('../../dashboard/payload/notices.ts');
  const payload = isRecord(action.payload) ? action.payload : { payload: action.payload };
  const keys = Object.keys(payload).sort((a, b) => place(a) - place(b) || (a < b ? -1 : 1));
  const { before } = action;
  return [
    `${inLine(action.proposedBy.name)} proposes: ${inLine(action.summary)}`,
    `${inLine(action.operation)} (${action.effect}) through ${inLine(action.provider)}, account ${inLine(action.accountLabel)}`,
    ...(action.note === undefined ? [] : [`note: ${inLine(action.note)}`]),
    '',
    ...keys.flatMap((key) => field(key, payload[key])),
    ...(before === undefined ? [] : ['', `now there: ${inLine(JSON.stringify(before))}`]),
    '',
    ...warningsFor(action).map((warning) => `Warning: ${inLine(warning)}`),
    `hash ${action.payloadHash}`,
  ].join('\n');
}
