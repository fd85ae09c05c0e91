// A calendar event as the person who approves it must see it: when, in the event's zone and in the
// reader's; who is invited; how often.
import { html } from 'hono/html';
import { recurrenceInWords, spanInWords } from '../../providers/calendar/words.ts';
import type { CalendarCreate } from '../../providers/capabilities.ts';
import type { Action } from '../../queue/queue.ts';
import { instantOf } from '../../time.ts';
import { inline, type Markup, marked } from '../page/text.ts';
import { people } from './mail.ts';
import type { Flags } from './recipients.ts';

/** The start in the reader's own zone, filled in by the page's script; nothing when the zone is unknown. */
function atReader(event: CalendarCreate): Markup {
  try {
    const from = new Date(instantOf(event.start, event.timeZone)).toISOString();
    const to = new Date(instantOf(event.end, event.timeZone)).toISOString();
    return html`<p class="soft" data-span data-from="${from}" data-to="${to}">${from.slice(0, 16).replace('T', ' ')} to ${to.slice(0, 16).replace('T', ' ')} UTC</p>`;
  } catch {
    // The provider refuses what no calendar knows; here it is shown as it was written.
    return '';
  }
}

function reminder(minutes: number): string {
  if (minutes === 0) return 'at the start';
  if (minutes % 1_440 === 0) return `${minutes / 1_440} d before`;
  if (minutes % 60 === 0) return `${minutes / 60} h before`;
  return `${minutes} min before`;
}

export function eventView(
  action: Pick<Action, 'id' | 'status'>,
  event: CalendarCreate,
  flags: Flags,
): Markup {
  const rhythm = event.recurrence === undefined ? undefined : recurrenceInWords(event.recurrence);
  return html`
    <section class="sheet" aria-label="The event">
      <dl class="envelope">
        <div><dt>Title</dt><dd class="subject">${inline(event.title)}</dd></div>
        <div><dt>When</dt><dd>
          <p><b>${inline(spanInWords(event))}</b></p>
          <p class="soft">in ${inline(event.timeZone)}</p>
          ${atReader(event)}
        </dd></div>
        ${
          event.recurrence === undefined
            ? ''
            : html`<div><dt>Repeats</dt><dd>${rhythm === undefined ? '' : html`<p>${inline(rhythm)}</p>`}<p class="mono soft">${inline(event.recurrence)}</p></dd></div>`
        }
        ${
          event.attendees.length === 0
            ? html`<div><dt>Invited</dt><dd class="soft">nobody</dd></div>`
            : people('Invited', event.attendees, flags)
        }
        ${event.location === undefined ? '' : html`<div><dt>Where</dt><dd>${inline(event.location)}</dd></div>`}
        ${
          event.reminders.length === 0
            ? ''
            : html`<div><dt>Reminders</dt><dd>${event.reminders.map(reminder).join(', ')}</dd></div>`
        }
      </dl>
      ${action.status === 'pending' ? html`<iframe class="body" title="That day in the calendars" sandbox="allow-same-origin" height="420" src="/actions/${action.id}/day"></iframe>` : ''}
      ${event.description === undefined ? '' : html`<pre class="text body" dir="auto">${marked(event.description)}</pre>`}
    </section>`;
}
