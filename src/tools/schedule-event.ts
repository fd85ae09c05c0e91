// schedule-event: proposes one calendar event, and says with what it clashes.
import { z } from 'zod';
import type { Connection } from '../connections/connections.ts';
import { DrawbridgeError, toDrawbridgeError } from '../errors.ts';
import type { CalendarCreate } from '../providers/capabilities.ts';
import { checkTimeZone, day, instantOf, minute, parseWallTime, wallTime } from '../time.ts';
import { visibleLine } from '../untrusted.ts';
import { parseAddresses } from './addresses.ts';
import { defineTool, type ToolContext } from './define.ts';
import { proposalOutput, propose } from './proposal.ts';

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
    note: z.string().max(500).optional().describe('Why, for the person who decides'),
  }),
  output: proposalOutput,
  async run(context, input) {
    const { rooms, org } = context;
    const connection = await rooms.connections.resolve(org, 'calendar.create', input.account);
    const timeZone = checkTimeZone(input.timeZone, 'timeZone');
    const start = parseWallTime(input.start, timeZone, 'start');
    const end = endOf(input, start, timeZone);
    const payload: CalendarCreate = {
      title: input.title,
      start: start.wall,
      end: end.wall,
      timeZone,
      attendees: parseAddresses(input.attendees, 'attendees'),
      ...(input.location === undefined ? {} : { location: input.location }),
      ...(input.description === undefined ? {} : { description: input.description }),
      reminders: [...new Set(input.reminders)].sort((a, b) => a - b),
      ...(input.recurrence === undefined ? {} : { recurrence: input.recurrence.replace(/^RRULE:/i, '') }),
    };
    const warnings = [
      ...(start.ms < rooms.clock.now() ? ['It begins in the past.'] : []),
      ...(wallTime(start.ms, timeZone) === start.wall
        ? []
        : [
            `${start.wall} does not exist in ${timeZone} (the clocks change); it would begin at ${wallTime(start.ms, timeZone)}.`,
          ]),
      ...(await clashes(context, connection, start.ms, end.ms, timeZone)),
    ];
    const { name } = await rooms.connections.writeFor(connection, 'calendar.create');
    return propose(context, {
      connectionId: connection.id,
      operation: name,
      payload,
      warnings,
      ...(input.note === undefined ? {} : { note: input.note }),
    });
  },
});

function endOf(
  input: { end?: string | undefined; durationMinutes?: number | undefined },
  start: { wall: string; ms: number },
  zone: string,
) {
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
  return { wall: end.wall, ms: instantOf(end.wall, zone) };
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
      { from, to },
      { signal: context.signal, timeoutMs: clashTimeout },
    );
    return busy
      .filter((block) => block.start < to && block.end > from)
      .slice(0, 10)
      .map(
        (block) =>
          `Clashes with ${block.title === undefined ? 'something' : `"${visibleLine(block.title, 80)}"`}, ${wallTime(block.start, zone).replace('T', ' ').slice(0, 16)} to ${wallTime(block.end, zone).slice(11, 16)}.`,
      );
  } catch (thrown) {
    return [`Whether it clashes is not known: ${toDrawbridgeError(thrown).message}`];
  }
}
