// schedule-event: proposes one calendar event, and says with what it clashes.
import { z } from 'zod';
import type { Connection } from '../connections/connections.ts';
import { DrawbridgeError, toDrawbridgeError } from '../errors.ts';
import type { CalendarCreate } from '../providers/capabilities.ts';
import { checkTimeZone, day, minute, parseWallTime, wallTime } from '../time.ts';
import { visibleLine } from '../untrusted.ts';
import { defineTool, type ToolContext } from './define.ts';
import { parseAddresses } from './names/addresses.ts';
import { proposalInputs, proposalOutput, propose, toldOf } from './propose/proposal.ts';

const clashTimeout = 5_000;

export const scheduleEvent = defineTool({
  name: 'schedule-event',
  title: 'Propose a calendar event',
  description:
    'Proposes a calendar event; warns of clashes. Nothing is booked and nobody invited until a person approves it.',
  kind: 'propose',
  live: true,
  input: z.object({
    title: z.string().trim().min(1).max(300),
    start: z.string().describe('2026-03-01T15:00, wall time in timeZone (an offset is converted)'),
    end: z.string().optional().describe('Give end or durationMinutes'),
    durationMinutes: z
      .number()
      .int()
      .min(1)
      .max(60 * 24 * 14)
      .optional(),
    timeZone: z.string().describe('IANA, like Europe/Berlin'),
    attendees: z.array(z.string()).max(100).default([]).describe('"a@b.co" or "Name <a@b.co>"'),
    location: z.string().max(500).optional(),
    description: z.string().max(20_000).optional(),
    reminders: z.array(z.number().int().min(0).max(40_320)).max(5).default([]).describe('Minutes before'),
    recurrence: z.string().max(500).optional().describe('RRULE, like FREQ=WEEKLY;COUNT=4'),
    account: z.string().min(1).optional(),
    ...proposalInputs,
  }),
  output: proposalOutput,
  async run(context, input) {
    const { rooms, org } = context;
    const connection = await rooms.connections.resolve(org, 'calendar.create', input.account);
    const timeZone = checkTimeZone(input.timeZone, 'timeZone');
    const start = parseWallTime(input.start, timeZone, 'start');
    const end = endOf(input, start, timeZone);
    const times = timesOf(start.ms, end.ms, timeZone);
    if (times.timeZone !== timeZone && input.recurrence !== undefined) {
      throw new DrawbridgeError(
        'invalid_request',
        `recurrence: an event that repeats can neither begin nor end in the hour that ${timeZone} has twice when its clocks go back. Move it, or leave recurrence out.`,
        { field: 'recurrence' },
      );
    }
    const payload: CalendarCreate = {
      title: input.title,
      ...times,
      attendees: parseAddresses(input.attendees, 'attendees'),
      ...(input.location === undefined ? {} : { location: input.location }),
      ...(input.description === undefined ? {} : { description: input.description }),
      reminders: [...new Set(input.reminders)].sort((a, b) => a - b),
      ...(input.recurrence === undefined ? {} : { recurrence: input.recurrence.replace(/^RRULE:/i, '') }),
    };
    const warnings = [
      ...(start.ms < rooms.clock.now() ? ['It begins in the past.'] : []),
      ...movedNote(start, timeZone, 'begins'),
      ...movedNote(end, timeZone, 'ends'),
      ...(times.timeZone === timeZone
        ? []
        : [
            `The clocks of ${timeZone} go back then and an hour comes twice, so the event is written in UTC: it lasts ${(end.ms - start.ms) / minute} minutes, ${local(start.ms, timeZone)} to ${local(end.ms, timeZone)} there.`,
          ]),
      ...(payload.attendees.length === 0
        ? []
        : ['Whether the attendees are told depends on your calendar server.']),
      ...(await clashes(context, connection, start.ms, end.ms, timeZone)),
    ];
    const { name } = await rooms.connections.writeFor(connection, 'calendar.create');
    return propose(context, {
      connectionId: connection.id,
      operation: name,
      payload,
      warnings,
      ...(await toldOf(context, input)),
    });
  },
});

/** A time as it was asked for, and the instant that it means. */
interface Moment {
  wall: string;
  /** Integer ms. */
  ms: number;
}

function endOf(
  input: { end?: string | undefined; durationMinutes?: number | undefined },
  start: Moment,
  zone: string,
): Moment {
  if ((input.end === undefined) === (input.durationMinutes === undefined)) {
    throw new DrawbridgeError('invalid_request', 'end: give either end or durationMinutes.', {
      field: 'end',
    });
  }
  if (input.end === undefined) {
    const ms = start.ms + (input.durationMinutes ?? 0) * minute;
    return { wall: wallTime(ms, zone), ms };
  }
  const end = parseWallTime(input.end, zone, 'end');
  if (end.ms <= start.ms)
    throw new DrawbridgeError('invalid_request', `end: ${input.end} is not after start (${start.wall}).`, {
      field: 'end',
    });
  if (end.ms - start.ms > 14 * day)
    throw new DrawbridgeError('invalid_request', 'end: the event would last more than 14 days.', {
      field: 'end',
    });
  return end;
}

/** Said of a time that the clocks skip. */
function movedNote({ wall, ms }: Moment, zone: string, verb: 'begins' | 'ends'): string[] {
  const moved = wallTime(ms, zone);
  if (moved === wall) return [];
  return [`${wall} does not exist in ${zone} (the clocks change); it ${verb} at ${moved} instead.`];
}

/**
 * Wall times that mean these instants and no others: in UTC where one of `zone` comes twice. RFC 5545 says that
 * the first is meant, and calendar programs do not agree.
 */
function timesOf(from: number, to: number, zone: string): Pick<CalendarCreate, 'start' | 'end' | 'timeZone'> {
  const timeZone = comesTwice(from, zone) || comesTwice(to, zone) ? 'UTC' : zone;
  return { start: wallTime(from, timeZone), end: wallTime(to, timeZone), timeZone };
}

/** By how many minutes clocks go back: an hour nearly everywhere, half of one on Lord Howe, two at Troll. */
const steps = [30, 60, 120].flatMap((minutes) => [minutes * minute, -minutes * minute]);

function comesTwice(ms: number, zone: string): boolean {
  return steps.some((step) => wallTime(ms + step, zone) === wallTime(ms, zone));
}

function local(ms: number, zone: string): string {
  return wallTime(ms, zone).replace('T', ' ').slice(0, 16);
}

/** Sentences for the person who decides; a calendar that cannot be asked says so instead of "free". */
async function clashes(
  context: ToolContext,
  connection: Connection,
  from: number,
  to: number,
  zone: string,
): Promise<string[]> {
  if (!connection.capabilities.includes('calendar.free-busy')) return [];
  try {
    const { busy } = await context.rooms.connections.read(
      context.org,
      connection,
      'calendar.free-busy',
      { from, to, timeZone: zone },
      { signal: context.signal, timeoutMs: clashTimeout },
    );
    return busy
      .filter((block) => block.start < to && block.end > from)
      .slice(0, 10)
      .map(
        (block) =>
          `Clashes with ${block.title === undefined ? 'something' : `"${visibleLine(block.title, 80)}"`}, ${local(block.start, zone)} to ${wallTime(block.end, zone).slice(11, 16)}.`,
      );
  } catch (thrown) {
    return [`Whether it clashes is not known: ${toDrawbridgeError(thrown).message}`];
  }
}
