// search: one question over everything the org can see. Memory answers first; what is older than allowed
// is asked for at its provider, briefly, and everything says how old it is.
import { z } from 'zod';
import { DrawbridgeError } from '../errors.ts';
import type { MemoryQuery, Passage } from '../memory/memory.ts';
import { readTimeZone } from '../memory/question/time-zone.ts';
import { recall } from '../recall/recall.ts';
import { parseInstant } from '../time.ts';
import { framed, visibleLine } from '../untrusted.ts';
import { shutOut } from './answers/freshness.ts';
import {
  alikeOf,
  attributionText,
  type Hit,
  hitFields,
  hitLine,
  hitOf,
  kindsField,
  linksOf,
  passageText,
  understoodLine,
} from './answers/hits.ts';
import { nothingYet } from './answers/nothing.ts';
import { fittingPart } from './answers/pages.ts';
import { receiptFor, receiptLine } from './answers/receipts.ts';
import { defineTool, type ToolContext } from './define.ts';
import { propertyFilter, searchListings } from './listings/listings.ts';
import { accountsNamed } from './names/accounts.ts';
import { candidatesLine } from './names/clients.ts';
import { scopeOf } from './names/scope.ts';

const hit = z.looseObject({ ...hitFields, snippet: z.string() });

export const search = defineTool({
  name: 'search',
  title: 'Search everything',
  description:
    'One question over all connected mail, calendar, contacts, files and listings. Memory answers first, then the live provider where memory is too old; every hit says its source account and age. With `property` it searches listings.',
  kind: 'read',
  live: true,
  input: z.object({
    question: z.string().trim().min(1).max(2_000).optional().describe('Required unless property is given'),
    kinds: kindsField,
    since: z.string().optional().describe('ISO date, UTC; for events: when they begin'),
    until: z.string().optional().describe('Likewise, itself excluded'),
    client: z.string().min(1).optional().describe('Name, address or URI; of a record: its thread'),
    account: z.string().min(1).optional().describe('Label or id from list-connections'),
    property: propertyFilter.optional(),
    maxAge: z.number().min(0).optional().describe('Seconds; older answers are asked for live. 0 forces it'),
    limit: z.number().int().min(1).max(25).default(10),
    cursor: z.string().optional(),
  }),
  output: z.looseObject({
    hits: z.array(hit),
    receiptId: z.string().optional().describe('For record-attribution'),
    nextCursor: z.string().optional(),
    notes: z.array(z.string()).optional().describe('Why the answer may be incomplete'),
    trust: z.literal('untrusted').describe('Hits were written by others'),
  }),
  async run(context, input) {
    const { rooms, org } = context;
    const maxAgeMs = input.maxAge === undefined ? undefined : input.maxAge * 1000;
    if (input.property !== undefined) {
      const found = await searchListings(context, input.property, {
        maxAgeMs,
        limit: input.limit,
        account: input.account,
        cursor: input.cursor,
      });
      return answer(found.hits, [...found.notes, ...leftAside(input)], found.nextCursor, context);
    }
    if (input.question === undefined) {
      throw new DrawbridgeError(
        'invalid_request',
        'question: say what to look for, or give a property filter to search listings.',
        { field: 'question' },
      );
    }
    const span = spanOf(input);
    const { before, timeZone } = await org.read(async () => ({
      before: await rooms.connections.list(org),
      timeZone: await readTimeZone(org),
    }));
    const accounts = input.account === undefined ? undefined : accountsNamed(before, input.account);
    const query: MemoryQuery = {
      question: input.question,
      limit: input.limit,
      understand: { now: rooms.clock.now(), timeZone },
      collapse: true,
      ...span,
      ...(input.kinds === undefined ? {} : { kinds: input.kinds }),
      ...(input.client === undefined ? {} : await scopeOf(context, [input.client], 'client')),
      ...(accounts === undefined ? {} : { connectionIds: accounts.map((c) => c.id) }),
      ...(input.cursor === undefined ? {} : { cursor: input.cursor }),
    };
    const {
      answer: recalled,
      judge,
      notes,
    } = await naming('client', () => recall(rooms, org, query, { maxAgeMs, accounts }));
    const hitFrom = (p: Passage) => ({
      ...hitOf(p, judge),
      snippet: passageText(p.snippet, 300),
      ...alikeOf(p),
    });
    const { answer: found, shown } = fittingPart(recalled, hitFrom);
    const candidates = candidatesLine(found.candidates);
    return answer(
      shown,
      [
        ...notes,
        ...(found.wordsOnly === undefined ? [] : [found.wordsOnly]),
        ...(found.unreranked === undefined ? [] : [found.unreranked]),
        ...shutOut(
          (accounts ?? before).filter(
            (c) => input.kinds === undefined || input.kinds.some((kind) => c.feedKinds.includes(kind)),
          ),
          rooms.pageUrl,
        ),
        ...(candidates === '' ? [] : [candidates]),
      ],
      found.nextCursor,
      context,
      {
        receiptId: receiptFor(context, 'search', input.question, found.passages),
        understood: found.understood,
      },
    );
  },
});

/** What a property filter cannot use is said, and not dropped in silence. */
function leftAside(input: Partial<Record<(typeof wordFields)[number], unknown>>): string[] {
  const given = wordFields.filter((field) => input[field] !== undefined);
  if (given.length === 0) return [];
  return [
    `${given.join(', ')}: left aside, as a property filter searches listings alone. Ask without property to use ${given.length === 1 ? 'it' : 'them'}.`,
  ];
}

const wordFields = ['question', 'kinds', 'since', 'until', 'client'] as const;

/** @throws DrawbridgeError `invalid_request` naming the field */
function spanOf(input: { since?: string | undefined; until?: string | undefined }) {
  const since = input.since === undefined ? undefined : parseInstant(input.since, 'since');
  const until = input.until === undefined ? undefined : parseInstant(input.until, 'until');
  if (since !== undefined && until !== undefined && since >= until) {
    throw new DrawbridgeError(
      'invalid_request',
      `since: ${input.since} is not before until (${input.until}). Swap them, or leave one out.`,
      { field: 'since' },
    );
  }
  return { ...(since === undefined ? {} : { since }), ...(until === undefined ? {} : { until }) };
}

/** Memory names a client by its place in a list; here there is one field. */
async function naming<T>(field: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (thrown) {
    if (!(thrown instanceof DrawbridgeError) || thrown.field !== 'clients.0') throw thrown;
    throw new DrawbridgeError(thrown.code, thrown.message.replace(/^clients\.0/, field), {
      field,
      cause: thrown,
    });
  }
}

type Found = Hit & {
  snippet: string;
  /** What was collapsed into it. */
  more?: string;
  price?: number;
  listingId?: string;
};

async function answer(
  hits: Found[],
  notes: string[],
  nextCursor: string | undefined,
  context: ToolContext,
  { receiptId, understood = [] }: { receiptId?: string | undefined; understood?: readonly string[] } = {},
) {
  const found = hits
    .map(
      (h, i) =>
        `${hitLine(h, i + 1)}\n   ${h.snippet.replaceAll('\n', ' ')}${h.more === undefined ? '' : ` (${h.more})`}${attributionText(h)}`,
    )
    .join('\n');
  return {
    data: {
      hits,
      ...(understood.length === 0 ? {} : { understood: understood.map((one) => visibleLine(one)) }),
      ...(receiptId === undefined ? {} : { receiptId }),
      ...(nextCursor === undefined ? {} : { nextCursor }),
      ...(notes.length === 0 ? {} : { notes }),
      trust: 'untrusted' as const,
    },
    text: [
      hits.length === 0
        ? ((await nothingYet(context)) ??
          'Nothing found. Try other words or fewer filters; list-connections shows what is connected and how fresh it is.')
        : framed(found, 'Search results'),
      ...understoodLine(understood),
      ...notes,
      ...receiptLine(receiptId),
      ...(nextCursor === undefined ? [] : [`More: cursor ${nextCursor}`]),
    ].join('\n'),
    links: linksOf(hits),
  };
}
