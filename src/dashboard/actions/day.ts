// The day of a proposed event in the connected calendars: what stands there already, and what clashes. Drawn,
// and in words beneath, for who does not see the drawing.
import { html } from 'hono/html';
import type { Connection } from '../../connections/connections.ts';
import { DrawbridgeError } from '../../errors.ts';
import { calendarCreate } from '../../providers/capabilities.ts';
import type { Action } from '../../queue/queue.ts';
import type { OrgStore } from '../../store/store.ts';
import { day, hour, instantOf, wallTime } from '../../time.ts';
import { asset } from '../assets.ts';
import type { PageRooms } from '../environment.ts';
import { inline, type Markup } from '../page/text.ts';

export interface Block {
  start: number;
  end: number;
  title: string | undefined;
  account: string;
}

interface Day {
  title: string;
  zone: string;
  /** Half-open, integer ms: the hours that are drawn, and the event. */
  from: number;
  to: number;
  start: number;
  end: number;
  blocks: readonly Block[];
  /** Calendars that did not answer: what they hold is unknown. */
  unanswered: readonly string[];
}

/** A page in a frame waits for a calendar no longer than this. */
const timeoutMs = 4_000;
const width = 640;
const left = 56;
const hourHeight = 30;
const colour = { busy: 'busy', clash: 'clash', new: 'new' } as const;

/** The page for the frame; undefined for what is no event. */
export async function dayPage(rooms: PageRooms, org: OrgStore, action: Action): Promise<string | undefined> {
  const parsed = calendarCreate.safeParse(action.payload);
  if (!parsed.success) return undefined;
  const { start, end, timeZone: zone, title } = parsed.data;
  const span = spanOf(start, end, zone);
  if (span === undefined)
    return frame(html`<p>The day cannot be drawn: its time is none that calendars know.</p>`);
  const around = hoursAround(span, zone);
  const found = await busyIn(rooms, org, around);
  return frame(dayView({ title, zone, ...around, ...span, ...found }));
}

function spanOf(start: string, end: string, zone: string): { start: number; end: number } | undefined {
  try {
    const [from, to] = [instantOf(start, zone), instantOf(end, zone)];
    return Number.isFinite(from) && Number.isFinite(to) && to > from ? { start: from, end: to } : undefined;
  } catch (thrown) {
    // A zone or a time that is none (Intl): the provider refuses it, here it is only not drawn.
    if (thrown instanceof RangeError) return undefined;
    throw thrown;
  }
}

/** From 8 to 18 o'clock of that day in its zone, and more where the event is outside; at most a day. */
function hoursAround(
  { start, end }: { start: number; end: number },
  zone: string,
): { from: number; to: number } {
  const date = wallTime(start, zone).slice(0, 10);
  const [eight, six] = [instantOf(`${date}T08:00:00`, zone), instantOf(`${date}T18:00:00`, zone)];
  const from = Math.min(eight, Math.floor(start / hour) * hour);
  return { from, to: Math.min(Math.max(six, Math.ceil(end / hour) * hour), from + day) };
}

async function busyIn(
  rooms: PageRooms,
  org: OrgStore,
  span: { from: number; to: number },
): Promise<Pick<Day, 'blocks' | 'unanswered'>> {
  const calendars = (await rooms.connections.list(org)).filter(
    ({ capabilities, state }) =>
      capabilities.includes('calendar.free-busy') && state !== 'DELETED' && state !== 'REVOKED',
  );
  const answers = await Promise.all(calendars.map((calendar) => ask(rooms, org, calendar, span)));
  return {
    blocks: answers.flatMap((one) => one.blocks ?? []).sort((a, b) => a.start - b.start || a.end - b.end),
    unanswered: answers.filter(({ blocks }) => blocks === undefined).map(({ label }) => label),
  };
}

async function ask(
  rooms: PageRooms,
  org: OrgStore,
  calendar: Connection,
  span: { from: number; to: number },
): Promise<{ label: string; blocks: Block[] | undefined }> {
  const { label } = calendar;
  try {
    const { busy } = await rooms.connections.read(org, calendar, 'calendar.free-busy', span, { timeoutMs });
    const inside = busy.filter((one) => one.start < span.to && one.end > span.from);
    return { label, blocks: inside.map(({ start, end, title }) => ({ start, end, title, account: label })) };
  } catch (thrown) {
    if (!(thrown instanceof DrawbridgeError)) throw thrown;
    return { label, blocks: undefined };
  }
}

async function frame(content: Markup): Promise<string> {
  const document = await html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>That day</title>
<meta name="color-scheme" content="light dark">
<link rel="stylesheet" href="${asset('style.css').path}"><link rel="stylesheet" href="${asset('inbox.css').path}">
</head><body class="framed">${content}</body></html>`;
  return document.toString();
}

const timeIn = (ms: number, zone: string) => wallTime(ms, zone).slice(11, 16);

function dayView(given: Day): Markup {
  const { zone, start, end, blocks, unanswered, from, to } = given;
  const clashes = blocks.filter((one) => one.start < end && one.end > start);
  const others = blocks.filter((one) => !clashes.includes(one));
  const words = (one: Block) =>
    html`<li>${timeIn(one.start, zone)} to ${timeIn(one.end, zone)}: ${inline(one.title ?? 'busy')} <span class="soft">(${inline(one.account)})</span></li>`;
  return html`
    <h2>${clashes.length === 0 ? 'Nothing clashes' : `Clashes with ${clashes.length === 1 ? 'one entry' : `${clashes.length} entries`}`} <span class="soft">in the calendars that answered, ${inline(zone)}</span></h2>
    ${unanswered.length === 0 ? '' : html`<p class="warning">Did not answer, so their time is unknown: ${unanswered.join(', ')}.</p>`}
    ${clashes.length === 0 ? '' : html`<ul>${clashes.map(words)}</ul>`}
    ${drawing(given, clashes)}
    ${others.length === 0 ? '' : html`<details><summary>The rest of that day</summary><ul>${others.map(words)}</ul></details>`}
    ${from > start || to < end ? html`<p class="soft">It goes on beyond the day that is drawn.</p>` : ''}`;
}

function drawing({ title, zone, from, to, start, end, blocks }: Day, clashes: readonly Block[]): Markup {
  const y = (ms: number) => ((Math.min(Math.max(ms, from), to) - from) / hour) * hourHeight + 10;
  const hours = Array.from({ length: Math.ceil((to - from) / hour) + 1 }, (_, index) => from + index * hour);
  const half = (width - left) / 2;
  const box = (
    kind: keyof typeof colour,
    at: number,
    span: { start: number; end: number },
    name: string,
  ) => html`
    <rect class="${colour[kind]}" x="${at}" y="${y(span.start)}" width="${half - 8}" height="${Math.max(y(span.end) - y(span.start), 4)}" rx="5"/>
    <text x="${at + 8}" y="${y(span.start) + 16}">${name.slice(0, 40)}</text>`;
  return html`<svg class="day" viewBox="0 0 ${width} ${y(to) + 10}" aria-hidden="true" focusable="false">
    ${hours.map((at) => html`<text class="hour" x="0" y="${y(at) + 4}">${timeIn(at, zone)}</text><line x1="${left - 8}" y1="${y(at)}" x2="${width}" y2="${y(at)}"/>`)}
    ${blocks.map((one) => box(clashes.includes(one) ? 'clash' : 'busy', left, one, one.title ?? 'busy'))}
    ${box('new', left + half, { start, end }, title)}
  </svg>`;
}
