// search: one question over everything the org can see. Memory answers first; what is older than allowed
// is asked for at its provider, briefly, and everything says how old it is.
import { z } from 'zod';
import type { Connection } from '../connections/connections.ts';
import { DrawbridgeError } from '../errors.ts';
import { parseInstant } from '../time.ts';
import { framed } from '../untrusted.ts';
import { candidatesLine } from './clients.ts';
import { defineTool, type ToolContext } from './define.ts';
import { refreshStale } from './freshness.ts';
import { hitFields, hitLine, hitOf, kindsField, passageText } from './hits.ts';
import { propertyFilter, searchListings } from './listings.ts';

const hit = z.object({
  ...hitFields,
  snippet: z.string(),
  price: z.number().optional(),
  listingId: z.string().optional(),
});

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
    since: z.string().optional().describe('ISO date, on when it was written'),
    until: z.string().optional(),
    client: z.string().min(1).optional().describe('Name or address'),
    account: z.string().min(1).optional().describe('Label or id from list-connections'),
    property: propertyFilter.optional(),
    maxAge: z.number().min(0).optional().describe('Seconds; older answers are asked for live. 0 forces it'),
    limit: z.number().int().min(1).max(25).default(10),
    cursor: z.string().optional(),
  }),
  output: z.object({
    hits: z.array(hit),
    nextCursor: z.string().optional(),
    notes: z.array(z.string()).optional().describe('Why the answer may be incomplete'),
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
      return answer(found.hits, found.notes, found.nextCursor);
    }
    if (input.question === undefined) {
      throw new DrawbridgeError(
        'invalid_request',
        'question: say what to look for, or give a property filter to search listings.',
        { field: 'question' },
      );
    }
    const connections = await rooms.connections.list(org);
    const account = input.account === undefined ? undefined : accountNamed(connections, input.account);
    const notes =
      input.cursor === undefined ? await news(context, connections, account, input.kinds, maxAgeMs) : [];
    const found = await rooms.memory.search(org, {
      question: input.question,
      limit: input.limit,
      ...(input.kinds === undefined ? {} : { kinds: input.kinds }),
      ...(input.since === undefined ? {} : { since: parseInstant(input.since, 'since') }),
      ...(input.until === undefined ? {} : { until: parseInstant(input.until, 'until') }),
      ...(input.client === undefined ? {} : { clients: [input.client] }),
      ...(account === undefined ? {} : { connectionId: account.id }),
      ...(input.cursor === undefined ? {} : { cursor: input.cursor }),
    });
    const now = rooms.clock.now();
    const byId = new Map(connections.map((c) => [c.id, c]));
    const candidates = candidatesLine(found.candidates);
    return answer(
      found.passages.map((p) => ({ ...hitOf(p, byId, now, maxAgeMs), snippet: passageText(p.snippet, 300) })),
      [...notes, ...(candidates === '' ? [] : [candidates])],
      found.nextCursor,
    );
  },
});

/** Asks stale accounts for news, unless the question cannot concern them. */
async function news(
  context: ToolContext,
  connections: Connection[],
  account: Connection | undefined,
  kinds: string[] | undefined,
  maxAgeMs: number | undefined,
): Promise<string[]> {
  const concerned = connections
    .filter((c) => account === undefined || c.id === account.id)
    .filter((c) => kinds === undefined || kinds.some((kind) => c.feedKinds.includes(kind)));
  return refreshStale(context, concerned, maxAgeMs);
}

/** @throws DrawbridgeError `invalid_request` naming the accounts there are */
function accountNamed(connections: Connection[], name: string): Connection {
  const wanted = name.toLowerCase();
  const found = connections.filter((c) =>
    [c.id, c.account, c.label].some((value) => value.toLowerCase() === wanted),
  );
  if (found.length === 1 && found[0] !== undefined) return found[0];
  const labels =
    connections.map((c) => `${c.label} (${c.id})`).join(', ') ||
    'none yet; connect one with: drawbridge connect';
  throw new DrawbridgeError(
    'invalid_request',
    `account: "${name}" names ${found.length === 0 ? 'no account' : 'several accounts'}. There are: ${labels}.`,
    { field: 'account' },
  );
}

type Hit = z.input<typeof hit>;

function answer(hits: Hit[], notes: string[], nextCursor: string | undefined) {
  const found = hits.map((h, i) => `${hitLine(h, i + 1)}\n   ${h.snippet.replaceAll('\n', ' ')}`).join('\n');
  return {
    data: {
      hits,
      ...(nextCursor === undefined ? {} : { nextCursor }),
      ...(notes.length === 0 ? {} : { notes }),
    },
    text: [
      hits.length === 0
        ? 'Nothing found. Try other words or fewer filters; list-connections shows what is connected and how fresh it is.'
        : framed(found, 'Search results'),
      ...notes,
      ...(nextCursor === undefined ? [] : [`More: cursor ${nextCursor}`]),
    ].join('\n'),
  };
}
