// check-availability: when the connected calendars are busy, and which gaps are long enough.
import { z } from 'zod';
import { DrawbridgeError, toDrawbridgeError } from '../errors.ts';
import { checkTimeZone, day, minute, parseWallTime, wallTime } from '../time.ts';
import { framed, visibleLine } from '../untrusted.ts';
import { pageOf } from './answers/pages.ts';
import { defineTool } from './define.ts';

const timeout = 8_000;
const longestSpan = 62 * day;
const timeOfDay = z
  .string()
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time from 00:00 to 23:59, like 09:00');

export const checkAvailability = defineTool({
  name: 'check-availability',
  title: 'Check availability',
  description: 'Busy times and free gaps between two times, asked live of the connected calendars.',
  kind: 'read',
  live: true,
  input: z.object({
    from: z.string().describe('2026-03-01T09:00, wall time in timeZone'),
    to: z.string(),
    timeZone: z.string().describe('IANA, like Europe/Berlin'),
    durationMinutes: z.number().int().min(5).max(1440).default(30).describe('Shortest useful gap'),
    workingHours: z
      .strictObject({ start: timeOfDay, end: timeOfDay })
      .optional()
      .describe('Like 09:00 to 17:00; gaps outside are left out'),
    account: z.string().min(1).optional().describe('One calendar; default all'),
    cursor: z.string().optional(),
  }),
  output: z.object({
    busy: z.array(
      z.object({ start: z.string(), end: z.string(), title: z.string().optional(), account: z.string() }),
    ),
    free: z.array(z.object({ start: z.string(), end: z.string(), minutes: z.number().int() })),
    timeZone: z.string(),
    unanswered: z
      .array(z.string())
      .optional()
      .describe('Calendars that could not be asked: their time is unknown, not free'),
    nextCursor: z.string().optional().describe('Not all is listed yet: what is not is unknown, not free'),
    trust: z.literal('untrusted').describe('Titles were written by others'),
  }),
  async run({ rooms, org, signal }, input) {
    const zone = checkTimeZone(input.timeZone, 'timeZone');
    const from = parseWallTime(input.from, zone, 'from').ms;
    const to = parseWallTime(input.to, zone, 'to').ms;
    if (to <= from) throw new DrawbridgeError('invalid_request', 'to: is not after from.', { field: 'to' });
    if (to - from > longestSpan)
      throw new DrawbridgeError(
        'invalid_request',
        'to: more than 62 days after from; ask for a shorter span.',
        { field: 'to' },
      );
    if (input.workingHours !== undefined && input.workingHours.end <= input.workingHours.start)
      throw new DrawbridgeError('invalid_request', 'workingHours.end: is not after workingHours.start.', {
        field: 'workingHours.end',
      });
    const calendars =
      input.account === undefined
        ? (await rooms.connections.list(org)).filter(
            (c) =>
              c.capabilities.includes('calendar.free-busy') && c.state !== 'DELETED' && c.state !== 'REVOKED',
          )
        : [await rooms.connections.resolve(org, 'calendar.free-busy', input.account)];
    // No calendar at all: the error of resolve names the command that connects one.
    if (calendars.length === 0) await rooms.connections.resolve(org, 'calendar.free-busy');
    const unanswered: string[] = [];
    const blocks: { start: number; end: number; title: string | undefined; account: string }[] = [];
    await Promise.all(
      calendars.map(async (calendar) => {
        try {
          const { busy } = await rooms.connections.read(
            org,
            calendar,
            'calendar.free-busy',
            { from, to, timeZone: zone },
            { signal, timeoutMs: timeout },
          );
          for (const block of busy)
            blocks.push({ start: block.start, end: block.end, title: block.title, account: calendar.label });
        } catch (thrown) {
          unanswered.push(visibleLine(`${calendar.label}: ${toDrawbridgeError(thrown).message}`, 400));
        }
      }),
    );
    // One order for every page: calendars answer in any.
    blocks.sort((a, b) => a.start - b.start || a.end - b.end || a.account.localeCompare(b.account));
    unanswered.sort();
    const free =
      unanswered.length > 0
        ? []
        : gaps(blocks, from, to, input.durationMinutes * minute, zone, input.workingHours);
    const local = (ms: number) => wallTime(ms, zone).slice(0, 16);
    const { shown, nextCursor } = pageOf(
      {
        unanswered,
        free: free.map((g) => ({
          start: local(g.start),
          end: local(g.end),
          minutes: Math.floor((g.end - g.start) / minute),
        })),
        busy: blocks.map((b) => ({
          start: local(b.start),
          end: local(b.end),
          ...(b.title === undefined ? {} : { title: visibleLine(b.title, 100) }),
          account: b.account,
        })),
      },
      input.cursor,
    );
    const data = {
      busy: shown.busy,
      free: shown.free,
      timeZone: zone,
      ...(unanswered.length === 0 ? {} : { unanswered: shown.unanswered }),
      ...(nextCursor === undefined ? {} : { nextCursor }),
      trust: 'untrusted' as const,
    };
    const booked = data.busy.map((b) => `busy ${b.start} – ${b.end} ${b.title ?? ''} (${b.account})`);
    const text = [
      `Times in ${zone}.`,
      ...(booked.length > 0
        ? [framed(booked.join('\n'), 'Booked')]
        : // Of a calendar that did not answer nothing is known.
          unanswered.length > 0 || blocks.length > 0
          ? []
          : ['Nothing is booked.']),
      ...(unanswered.length > 0
        ? shown.unanswered.map((line) => `Not answered, so what is free is unknown: ${line}`)
        : data.free.map((g) => `free ${g.start} – ${g.end}`)),
      ...(nextCursor === undefined
        ? []
        : [`Busy in all: ${blocks.length}, free: ${free.length}. More: cursor ${nextCursor}`]),
    ].join('\n');
    return { data, text };
  },
});

/** Gaps of at least `shortest` ms between sorted busy blocks, cut to the working hours of each day. */
function gaps(
  busy: { start: number; end: number }[],
  from: number,
  to: number,
  shortest: number,
  zone: string,
  hours: { start: string; end: string } | undefined,
): { start: number; end: number }[] {
  const open: { start: number; end: number }[] = [];
  let cursor = from;
  for (const block of [...busy, { start: to, end: to }]) {
    if (block.start > cursor) open.push({ start: cursor, end: Math.min(block.start, to) });
    cursor = Math.max(cursor, block.end);
  }
  const within = hours === undefined ? open : open.flatMap((gap) => workingParts(gap, zone, hours));
  return within.filter((gap) => gap.end - gap.start >= shortest);
}

function workingParts(
  gap: { start: number; end: number },
  zone: string,
  hours: { start: string; end: string },
) {
  const parts: { start: number; end: number }[] = [];
  const lastDay = wallTime(gap.end, zone).slice(0, 10);
  let date = wallTime(gap.start, zone).slice(0, 10);
  while (date <= lastDay) {
    const start = Math.max(gap.start, parseWallTime(`${date}T${hours.start}`, zone, 'workingHours.start').ms);
    const end = Math.min(gap.end, parseWallTime(`${date}T${hours.end}`, zone, 'workingHours.end').ms);
    if (end > start) parts.push({ start, end });
    date = new Date(Date.parse(`${date}T00:00:00Z`) + day).toISOString().slice(0, 10);
  }
  return parts;
}
