// An action as a person reads it before deciding: everything that was hashed, nothing cut, nothing that a
// terminal obeys. What others wrote stands behind a bar, so that it cannot pass for one of our own lines.
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { warningsFor } from '../../dashboard/payload/notices.ts';
import type { Action } from '../../queue/queue.ts';
import { iso } from '../../time.ts';
import { editsBetween } from '../../tools/propose/edits.ts';
import type { Output } from '../terminal/output.ts';
import { size } from '../terminal/progress.ts';
import { shown, shownLine } from '../terminal/shown.ts';

const label = 14;
// Long texts come last, under a line of their own; the rest in the order of a letter's head.
const order = [
  'from',
  'to',
  'cc',
  'bcc',
  'inReplyTo',
  'references',
  'subject',
  'title',
  'start',
  'end',
  'timeZone',
];
const texts = ['text', 'description', 'html'];

const attachment = z.object({
  name: z.string(),
  mediaType: z.string(),
  size: z.number(),
  sha256: z.string(),
});

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function addressText(value: Record<string, unknown>): string | undefined {
  const { email, name } = value;
  if (typeof email !== 'string' || Object.keys(value).some((key) => key !== 'email' && key !== 'name'))
    return undefined;
  return typeof name === 'string' ? `${shownLine(name)} <${shownLine(email)}>` : shownLine(email);
}

/** A value as lines; each item of a list on its own line. */
function valueLines(value: unknown): string[] {
  if (Array.isArray(value)) return value.length === 0 ? ['(none)'] : value.flatMap(valueLines);
  if (isRecord(value)) return [addressText(value) ?? shownLine(JSON.stringify(value))];
  if (typeof value === 'string') return [shownLine(value)];
  return [shownLine(JSON.stringify(value) ?? 'undefined')];
}

function field(output: Output, name: string, lines: readonly string[]): void {
  for (const [index, text] of lines.entries()) {
    const head = index === 0 ? output.style('bold', `${name}:`.padEnd(label)) : ' '.repeat(label);
    output.line(`${head} ${text}`);
  }
}

function quoted(output: Output, text: string): void {
  for (const line of shown(text).split('\n')) output.line(`${output.style('dim', '│')} ${line}`);
}

function payloadKeys(payload: Record<string, unknown>): string[] {
  const place = (key: string) => {
    if (texts.includes(key)) return 1000 + texts.indexOf(key);
    const known = order.indexOf(key);
    return known === -1 ? 500 : known;
  };
  return Object.keys(payload).sort((a, b) => place(a) - place(b) || (a < b ? -1 : 1));
}

/** What the payload names, as that is what was hashed and what is sent; then whatever else is held beside it. */
function writeAttachments(output: Output, action: Action, named: unknown): void {
  const listed = z.array(attachment).safeParse(named ?? []);
  if (!listed.success) {
    field(output, 'attachments', valueLines(named));
    return;
  }
  const hashes = new Set(listed.data.map((each) => each.sha256));
  const beside = action.attachments.filter((each) => !hashes.has(each.sha256));
  if (listed.data.length + beside.length === 0) return;
  output.line();
  output.line(output.style('bold', 'Attachments:'));
  for (const each of [...listed.data, ...beside]) {
    const held = action.attachments.some(({ sha256 }) => sha256 === each.sha256);
    output.line(
      `  ${shownLine(each.name)}  ${shownLine(each.mediaType)}, ${size(each.size)} (${each.size} bytes)`,
    );
    output.line(`  ${output.style('dim', `sha256 ${shownLine(each.sha256)}`)}`);
    if (!held)
      output.line(output.style('yellow', '  Warning: its bytes are not there; the action will fail.'));
  }
}

/** One value beside another, each of its lines behind a sign. */
function writeChange(output: Output, name: string, was: unknown, is: unknown): void {
  const lines = (value: unknown) =>
    value === undefined ? [] : shown(typeof value === 'string' ? value : JSON.stringify(value)).split('\n');
  output.line(`  ${shownLine(name)}:`);
  for (const line of lines(was)) output.line(output.style('red', `  - ${line}`));
  for (const line of lines(is)) output.line(output.style('green', `  + ${line}`));
}

/** The live record that it changes: what was read, and the step that is approved. */
function writeStep(output: Output, before: Action['before']): void {
  if (before === undefined) return;
  const { title, url, fields, after } = before;
  output.line();
  output.line(output.style('bold', 'At the provider now:'));
  output.line(`  ${shownLine(title)}${url === undefined ? '' : `  ${shownLine(url)}`}`);
  for (const name of new Set([...Object.keys(fields), ...Object.keys(after)])) {
    const [was, is] = [fields[name], Object.hasOwn(after, name) ? after[name] : fields[name]];
    if (isDeepStrictEqual(was, is)) output.line(`  ${shownLine(name)}: ${valueLines(was).join(', ')}`);
    else writeChange(output, name, was, is);
  }
}

/** What a person changed: the payload above is the one that was approved. */
function writeEdits(output: Output, { proposed, payload }: Action): void {
  if (proposed === undefined) return;
  output.line();
  const why = proposed.reason === undefined ? '' : ` (${shownLine(proposed.reason)})`;
  output.line(output.style('bold', `Changed by a person${why}:`));
  for (const edit of editsBetween(proposed.payload, payload)) {
    writeChange(output, edit.field, edit.proposed, edit.approved);
  }
}

/** Writes the whole action: account, every recipient and field, the full texts, attachments with size and hash. */
export function writeAction(output: Output, action: Action, now: number): void {
  field(output, 'Action', [`${action.id}  ${action.status}`]);
  field(output, 'What', [
    `${shownLine(action.operation)} (${action.effect}) through ${shownLine(action.provider)}`,
  ]);
  field(output, 'Account', [shownLine(action.accountLabel)]);
  field(output, 'Proposed by', [
    `${shownLine(action.proposedBy.name)} (${shownLine(action.proposedBy.kind)}), ${iso(action.proposedAt)}`,
  ]);
  const left = action.expiresAt - now;
  field(output, 'Expires', [
    `${iso(action.expiresAt)}${left <= 0 && action.status === 'pending' ? ' (past)' : ''}`,
  ]);
  if (action.erasedAt !== undefined) field(output, 'Erased', [`${iso(action.erasedAt)}; the hash is kept`]);
  if (action.note !== undefined) field(output, 'Note', [shownLine(action.note)]);
  if (action.conversation !== undefined) field(output, 'Conversation', [shownLine(action.conversation)]);
  if (action.citations.length > 0) field(output, 'Rests on', action.citations.map(shownLine));
  if (action.policy !== undefined) field(output, 'Policy', [shownLine(action.policy.why)]);
  if (action.undoOf !== undefined) field(output, 'Takes back', [shownLine(action.undoOf)]);
  if (action.snoozedUntil !== undefined) field(output, 'Put off until', [iso(action.snoozedUntil)]);
  if (action.holdUntil !== undefined && action.status === 'approved')
    field(output, 'Leaves at', [
      `${iso(action.holdUntil)}; until then: drawbridge actions cancel ${action.id}`,
    ]);
  output.line();
  const payload = isRecord(action.payload) ? action.payload : { payload: action.payload };
  for (const key of payloadKeys(payload)) {
    const value = payload[key];
    if (key === 'attachments') continue;
    if (texts.includes(key) && typeof value === 'string') {
      output.line();
      output.line(
        output.style('bold', key === 'html' ? 'HTML version, as it is sent:' : `${shownLine(key)}:`),
      );
      quoted(output, value);
    } else {
      field(output, shownLine(key), valueLines(value));
    }
  }
  writeAttachments(output, action, payload['attachments']);
  writeStep(output, action.before);
  writeEdits(output, action);
  output.line();
  field(output, 'Hash', [action.payloadHash]);
}

/** What the page puts above the payload stands last here: a terminal shows the end, and the question is there. */
export function writeWarnings(output: Output, action: Action): void {
  for (const warning of warningsFor(action))
    output.line(output.style('yellow', `Warning: ${shownLine(warning)}`));
}

/** What became of an action, in a line or a few. */
export function writeOutcome(output: Output, action: Action): void {
  const { outcome } = action;
  if (outcome === undefined) {
    output.line(`The action is ${action.status}.`);
  } else if (outcome.kind === 'completed') {
    const url = outcome.url === undefined ? '' : ` ${shownLine(outcome.url)}`;
    output.line(
      `${output.style('green', '✓')} Done: ${shownLine(action.summary)} [${shownLine(outcome.reference)}]${url}`,
    );
    if (outcome.warning !== undefined)
      output.line(output.style('yellow', `Warning: ${shownLine(outcome.warning)}`));
  } else if (outcome.kind === 'failed') {
    output.line(
      `${output.style('red', '✗')} Failed, nothing was done: ${shownLine(outcome.message)} (${outcome.code})`,
    );
  } else {
    output.line(
      `${output.style('yellow', '?')} It is not known whether it happened: ${shownLine(outcome.message)}`,
    );
    for (const each of outcome.evidence) output.line(`  ${shownLine(each)}`);
    output.line(
      `Look at the provider, then say: drawbridge actions settle ${action.id} --happened (or --did-not-happen)`,
    );
  }
}
