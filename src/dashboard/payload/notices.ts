// What a hurried reader could miss in a payload: letters that do not show, text far below the last line
// that seems to end it, and a formatted version that says more than the plain one.
import { mailSend } from '../../providers/capabilities.ts';
import type { Action } from '../../queue/queue.ts';
import { countUnseen } from '../page/text.ts';
import { wordsOnlyInHtml } from './mail-html.ts';

const longBlank = /(?:^[^\S\n]*\n){10,}[^\S\n]*\S/mu;

const mailWithHtml = mailSend.pick({ text: true, html: true }).required();

function texts(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value.flatMap(texts);
  if (typeof value === 'object' && value !== null) return Object.values(value).flatMap(texts);
  return [];
}

/**
 * What a person must know before deciding, on a page and at a terminal alike: what the proposal's own checks
 * found, then what its payload could hide. None for an ordinary one.
 */
export function warningsFor(action: Pick<Action, 'warnings' | 'payload'>): string[] {
  return [...action.warnings, ...noticesFor(action.payload)];
}

function noticesFor(payload: unknown): string[] {
  const all = texts(payload);
  const unseen = all.reduce((sum, text) => sum + countUnseen(text), 0);
  const notices: string[] = [];
  if (unseen > 0) {
    notices.push(
      unseen === 1
        ? 'It holds an invisible character, which is shown by its name where it stands.'
        : `It holds ${unseen} invisible characters, which are shown by their names where they stand.`,
    );
  }
  if (all.some((text) => longBlank.test(text.replaceAll('\r\n', '\n')))) {
    notices.push('The text goes on after a long blank stretch: read it to its end.');
  }
  const mail = mailWithHtml.safeParse(payload);
  const more = mail.success ? wordsOnlyInHtml(mail.data.html, mail.data.text) : [];
  if (more.length > 0) {
    const some = more.slice(0, 12).join(', ');
    notices.push(
      `The formatted version has words that the plain text has not: ${some}${more.length > 12 ? ` and ${more.length - 12} more` : ''}.`,
    );
  }
  return notices;
}
