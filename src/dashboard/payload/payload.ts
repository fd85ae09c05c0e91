// How a payload is shown. A mail and an event have a form of their own, but only when that form shows every
// field; anything else, and anything with a field too many, is a table of all there is.
import { isDeepStrictEqual } from 'node:util';
import { html } from 'hono/html';
import { calendarCreate, mailSend } from '../../providers/capabilities.ts';
import type { Action } from '../../queue/queue.ts';
import type { Markup } from '../page/text.ts';
import { approveLabel } from '../page/words.ts';
import { eventView } from './event.ts';
import { fieldTable, fieldValue } from './fields.ts';
import { mailView } from './mail.ts';
import type { Flags } from './recipients.ts';

export interface PayloadView {
  /** What it is, in a word of ours. */
  kind: string;
  /** What tells it from others of its kind, in others' words; undefined when only the summary does. */
  name: string | undefined;
  /** What is asked, as a question. */
  question: string;
  view: Markup;
  /** What the button says. */
  approve: string;
}

/** @param flags what is to be said of a recipient beside the address */
export function payloadView(action: Action, flags: Flags = new Map()): PayloadView {
  const mail = mailSend.safeParse(action.payload);
  if (mail.success && isDeepStrictEqual(mail.data, action.payload)) {
    return {
      kind: 'E-mail',
      name: mail.data.subject,
      question: 'Send this e-mail?',
      view: mailView(action.id, mail.data, flags),
      approve: 'Approve and send',
    };
  }
  const event = calendarCreate.safeParse(action.payload);
  if (event.success && isDeepStrictEqual(event.data, action.payload)) {
    return {
      kind: 'Event',
      name: event.data.title,
      question: 'Book this event?',
      view: eventView(action, event.data, flags),
      approve: 'Approve and book',
    };
  }
  const table =
    typeof action.payload === 'object' && action.payload !== null && !Array.isArray(action.payload)
      ? fieldTable(action.payload as Record<string, unknown>)
      : fieldValue(action.payload);
  return {
    kind: 'Change',
    name: undefined,
    question: 'Allow this?',
    view: html`<section class="sheet" aria-label="Its fields">${table}</section>`,
    approve: approveLabel(action.effect),
  };
}

/** The HTML of a mail payload, if it is one and has any. */
export function formattedPart(action: Action): string | undefined {
  const mail = mailSend.safeParse(action.payload);
  return mail.success ? mail.data.html : undefined;
}

/** The same as a page for the frame: in a plain type, and with links that lead nowhere. */
export function framedMessage(part: string): string {
  return `<!doctype html><meta charset="utf-8"><base target="_blank"><style>body{margin:16px;font:16px/1.55 system-ui,sans-serif;overflow-wrap:anywhere}</style>${part}`;
}
