// ime-search: semantic memory alone, passages with exact citations. It asks no provider.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { z } from 'zod';
import type { Passage } from '../memory/memory.ts';
import { readFreshness } from '../recall/thresholds.ts';
import { framed, visibleLine } from '../untrusted.ts';
import { shutOut } from './answers/freshness.ts';
import {
  attributionText,
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
import { candidatesLine, clientOf, clientShape } from './names/clients.ts';
import { scopeOf } from './names/scope.ts';

const longestPassage = 4_000;

/** What the hits are judged by. */
async function besideOf({ rooms, org }: ToolContext) {
  // A turn later: the question is with the thread that ranks by then, and this is read while it does.
  await nextTurn();
  // One snapshot: each read of its own costs as much as what it reads.
  return org.read(async () => ({
    known: await rooms.connections.list(org),
    freshness: await readFreshness(org),
  }));
}

const passage = z.looseObject({
  ...hitFields,
  text: z.string(),
  citation: z.object({
    document: z.string(),
    start: z.number().int(),
    end: z.number().int(),
    sha256: z.string().describe('Of the passage'),
  }),
  score: z.number(),
  trust: z.literal('untrusted'),
});

export const imeSearch = defineTool({
  name: 'ime-search',
  title: 'Search memory',
  description:
    "Semantic memory alone (mail, calendar, contacts, files, listings, meetings): passages with exact citations and their age, and the client's row where one is meant. Asks no provider. Use it to research; use search to look for something current.",
  kind: 'read',
  live: false,
  input: z.object({
    question: z.string().trim().min(1).max(2_000),
    clients: z.array(z.string().min(1)).max(20).optional().describe('As in search'),
    kinds: kindsField,
    minScore: z.number().min(0).max(1).optional().describe('Relative to the best hit'),
    limit: z.number().int().min(1).max(20).default(8),
    cursor: z.string().optional(),
  }),
  output: z.object({
    passages: z.array(passage),
    client: clientShape.optional(),
    receiptId: z.string().optional(),
    nextCursor: z.string().optional(),
  }),
  async run(context, input) {
    const { rooms, org } = context;
    const scope = input.clients === undefined ? {} : await scopeOf(context, input.clients, 'clients');
    const searching = rooms.memory.search(org, {
      question: input.question,
      limit: input.limit,
      understand: { now: rooms.clock.now() },
      snippets: false,
      ...scope,
      ...(input.kinds === undefined ? {} : { kinds: input.kinds }),
      ...(input.minScore === undefined ? {} : { minScore: input.minScore }),
      ...(input.cursor === undefined ? {} : { cursor: input.cursor }),
    });
    const [all, { known, freshness }] = await Promise.all([searching, besideOf(context)]);
    const judge = {
      connections: new Map(known.map((c) => [c.id, c])),
      now: rooms.clock.now(),
      maxAgeMs: undefined,
      freshness,
    };
    const shownOf = (p: Passage) => ({
      ...hitOf(p, judge),
      text: passageText(p.text, longestPassage),
      citation: { document: p.documentId, start: p.start, end: p.end, sha256: p.contentHash },
      score: Math.round(p.score * 1000) / 1000,
      trust: 'untrusted' as const,
    });
    const { answer, shown: passages } = fittingPart(all, shownOf);
    const receiptId = receiptFor(context, 'ime-search', input.question, answer.passages);
    const client = answer.client === undefined ? undefined : clientOf(answer.client);
    const found = [
      ...(client === undefined ? [] : [`Client: ${visibleLine(client.name)} ${client.uri}`]),
      ...passages.map(
        (p, i) =>
          `${hitLine(p, i + 1)} [${p.citation.start}–${p.citation.end}]\n${p.text}${attributionText(p, p.text)}`,
      ),
    ];
    const candidates = candidatesLine(answer.candidates);
    const text = [
      ...(found.length === 0 ? [] : [framed(found.join('\n\n'), 'Passages from memory')]),
      ...(passages.length > 0
        ? []
        : [
            (await nothingYet(context)) ??
              'Nothing in memory matches. Try other words, fewer filters, or the search tool.',
          ]),
      ...(candidates === '' ? [] : [candidates]),
      ...(answer.wordsOnly === undefined ? [] : [answer.wordsOnly]),
      ...(answer.unreranked === undefined ? [] : [answer.unreranked]),
      ...understoodLine(answer.understood),
      ...shutOut(known, rooms.pageUrl),
      ...receiptLine(receiptId),
      ...(answer.nextCursor === undefined ? [] : [`More: cursor ${answer.nextCursor}`]),
    ].join('\n');
    return {
      data: {
        passages,
        ...(client === undefined ? {} : { client }),
        ...(receiptId === undefined ? {} : { receiptId }),
        ...(answer.nextCursor === undefined ? {} : { nextCursor: answer.nextCursor }),
      },
      text,
      links: linksOf(passages),
    };
  },
});
