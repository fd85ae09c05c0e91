// How a payload is shown. A mail and an event have a form of their own, but only when that form shows every
// field; anything else, and anything with a field too many, is a table of all there is.
import { isDeepStrictEqual } from 'node:util';
import { html } from 'hono/html';
import { calendarCreate, mailSend } from '../providers/capabilities.ts';
import type { Action } from '../queue/queue.ts';
import { eventView } from './event.ts';
import { fieldTable, fieldValue } from './fields.ts';
import { mailView } from './mail.ts';
import type { Markup } from './text.ts';

export interface PayloadView {
  /** What is asked, as a question. */
  question: string;
  view: Markup;
}

export function payloadView(action: Action): PayloadView {
  const mail = mailSend.safeParse(action.payload);
  if (mail.success && isDeepStrictEqual(mail.data, action.payload)) {
    return { question: 'Send this e-mail?', view: mailView(action.id, mail.data) };
  }
  const event = calendarCreate.safeParse(action.payload);
  if (event.success && isDeepStrictEqual(event.data, action.payload)) {
    return { question: 'Book this event?', view: eventView(event.data) };
  }
  const table =
    typeof action.payload === 'object' && action.payload !== null && !Array.isArray(action.payload)
      ? fieldTable(action.payload as Record<string, unknown>)
      : fieldValue(action.payload);
  return {
    question: 'Allow this?',
    view: html`<section class="sheet" aria-label="Its fields">${table}</section>`,
  };
}

/** The HTML of a mail payload, if it is one and has any. */
export function formattedPart(action: Action): string | undefined {
  const mail = mailSend.safeParse(action.payload);
  return mail.success ? mail.data.html : undefined;
}
