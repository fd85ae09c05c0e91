// A calendar event as the person who approves it must see it: when, in the event's zone and in the
// reader's; who is invited; how often.
import { html } from 'hono/html';
import type { CalendarCreate } from '../providers/capabilities.ts';
import { instantOf } from '../time.ts';
import { people } from './mail.ts';
import { inline, type Markup, marked } from './text.ts';

const wall = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}$/;
const long = new Intl.DateTimeFormat('en-GB', { timeZone: 'UTC', dateStyle: 'full', timeStyle: 'short' });
const timeOnly = new Intl.DateTimeFormat('en-GB', { timeZone: 'UTC', timeStyle: 'short' });

/** A wall time in words, without moving it; as written when it is none. */
function inWords(text: string, format: Intl.DateTimeFormat): string {
  const ms = wall.test(text) ? Date.parse(`${text}Z`) : Number.NaN;
  return Number.isNaN(ms) ? text : format.format(ms);
}

function span(event: CalendarCreate): string {
  const sameDay = event.start.slice(0, 10) === event.end.slice(0, 10);
  return `${inWords(event.start, long)} to ${inWords(event.end, sameDay ? timeOnly : long)}`;
}

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

const days: Record<string, string> = {
  MO: 'Monday',
  TU: 'Tuesday',
  WE: 'Wednesday',
  TH: 'Thursday',
  FR: 'Friday',
  SA: 'Saturday',
  SU: 'Sunday',
};
const rhythms: Record<string, [string, string]> = {
  DAILY: ['day', 'days'],
  WEEKLY: ['week', 'weeks'],
  MONTHLY: ['month', 'months'],
  YEARLY: ['year', 'years'],
};

/** Common rules in words; undefined for others, which are shown as they stand (RFC 5545, 3.3.10). */
function recurrenceInWords(rule: string): string | undefined {
  const parts = new Map(rule.split(';').map((part) => part.split('=', 2) as [string, string | undefined]));
  const rhythm = rhythms[parts.get('FREQ') ?? ''];
  if (rhythm === undefined) return undefined;
  const interval = Number(parts.get('INTERVAL') ?? 1);
  const words = [interval === 1 ? `every ${rhythm[0]}` : `every ${interval} ${rhythm[1]}`];
  for (const [name, value] of parts) {
    if (value === undefined) return undefined;
    if (name === 'FREQ' || name === 'INTERVAL' || name === 'WKST') continue;
    if (name === 'COUNT') words.push(`${value} times`);
    else if (name === 'UNTIL')
      words.push(`until ${value.slice(0, 8).replace(/(\d{4})(\d{2})(\d{2})/, '$1-$2-$3')}`);
    else if (name === 'BYDAY') {
      const named = value.split(',').map((day) => days[day]);
      if (named.includes(undefined)) return undefined;
      words.push(`on ${named.join(', ')}`);
    } else return undefined;
  }
  const tail = words.filter((word) => !word.startsWith('on '));
  return [tail[0], ...words.filter((word) => word.startsWith('on ')), ...tail.slice(1)].join(', ');
}

function reminder(minutes: number): string {
  if (minutes === 0) return 'at the start';
  if (minutes % 1_440 === 0) return `${minutes / 1_440} d before`;
  if (minutes % 60 === 0) return `${minutes / 60} h before`;
  return `${minutes} min before`;
}

export function eventView(event: CalendarCreate): Markup {
  const rhythm = event.recurrence === undefined ? undefined : recurrenceInWords(event.recurrence);
  return html`
    <section class="sheet" aria-label="The event">
      <dl class="envelope">
        <div><dt>Title</dt><dd class="subject">${inline(event.title)}</dd></div>
        <div><dt>When</dt><dd>
          <p><b>${inline(span(event))}</b></p>
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
            : people('Invited', event.attendees)
        }
        ${event.location === undefined ? '' : html`<div><dt>Where</dt><dd>${inline(event.location)}</dd></div>`}
        ${
          event.reminders.length === 0
            ? ''
            : html`<div><dt>Reminders</dt><dd>${event.reminders.map(reminder).join(', ')}</dd></div>`
        }
      </dl>
      ${event.description === undefined ? '' : html`<pre class="text body" dir="auto">${marked(event.description)}</pre>`}
    </section>`;
}
