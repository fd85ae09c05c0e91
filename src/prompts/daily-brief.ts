// daily-brief: the day ahead, from memory: its events, the mail since yesterday, what waits for a decision, and
// which accounts are silent.
import { z } from 'zod';
import { DrawbridgeError } from '../errors.ts';
import type { Passage } from '../memory/memory.ts';
import { readTimeZone } from '../memory/question/time-zone.ts';
import { checkTimeZone, day, instantOf, iso, parseInstant } from '../time.ts';
import { framed, visibleLine } from '../untrusted.ts';
import { definePrompt, type PromptContext } from './define.ts';
import { citing, materialOf } from './material.ts';

const mostOfAKind = 15;
const mostPending = 20;

export const dailyBrief = definePrompt({
  name: 'daily-brief',
  title: 'Daily brief',
  description: 'The day ahead: events, new mail that needs an answer, what waits for approval.',
  arguments: z.object({
    timeZone: z.string().optional().describe('IANA, like Europe/Berlin; that of the settings if not given'),
    date: z.string().optional().describe('YYYY-MM-DD; today if not given'),
  }),
  async text(context, given) {
    const { org, rooms } = context;
    const zone =
      given.timeZone === undefined || given.timeZone === ''
        ? await org.read(() => readTimeZone(org))
        : checkTimeZone(given.timeZone, 'timeZone');
    const date = given.date === undefined || given.date === '' ? today(rooms.clock.now(), zone) : given.date;
    if (!/^\d{4}-\d\d-\d\d$/u.test(date)) {
      throw new DrawbridgeError('invalid_request', 'date: must be like 2026-03-01.', { field: 'date' });
    }
    parseInstant(date, 'date');
    const from = startOf(date, zone);
    const [events, mail, pending, connections] = await Promise.all([
      newest(context, { kinds: ['event'], since: from, until: startOf(following(date), zone) }),
      newest(context, { kinds: ['mail'], since: from - day, until: from + day }),
      rooms.queue.list(org, { statuses: ['pending'], limit: mostPending }),
      rooms.connections.list(org),
    ]);
    const { text, receiptId } = materialOf(context, 'daily-brief', {
      question: `the day ${date}`,
      passages: [...events, ...mail],
    });
    const silent = connections.filter(({ state }) => state === 'EXPIRED' || state === 'ERROR');
    return [
      `Write the brief of ${date} (${zone}): first the events in their order with what to prepare for each, then the mail that needs an answer with what it asks, then what waits for a decision. Half a page. Leave out newsletters and notices.`,
      citing(receiptId, `daily-${date}`),
      text === '' ? 'Memory holds no event of that day and no mail since the day before.' : text,
      pending.length === 0
        ? 'Nothing waits for a decision.'
        : framed(
            pending.map((one) => `${one.id}: ${visibleLine(one.summary, 200)}`).join('\n'),
            'Waiting for a decision by a person',
          ),
      ...(silent.length === 0
        ? []
        : [
            `Say that these accounts bring nothing new until a person looks after them: ${silent.map(({ id }) => `connection://${id}`).join(', ')}.`,
          ]),
    ]
      .filter((part) => part !== '')
      .join('\n\n');
  },
});

/** The documents of a span, each with its first passage. */
function newest(
  { org, rooms }: PromptContext,
  span: { kinds: ('event' | 'mail')[]; since: number; until: number },
): Promise<Passage[]> {
  return rooms.memory.latest(org, { ...span, limit: mostOfAKind });
}

function today(now: number, timeZone: string): string {
  return new Intl.DateTimeFormat('en-CA', {
    timeZone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  }).format(now);
}

/** The first moment of a day where the person is. */
function startOf(date: string, zone: string): number {
  return instantOf(`${date}T00:00:00`, zone);
}

function following(date: string): string {
  return iso(parseInstant(`${date}T00:00:00Z`, 'date') + day).slice(0, 10);
}
