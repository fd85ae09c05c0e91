// What is asked of Notion: a search by title, a page or a block with its text.
import { z } from 'zod';
import { readRequest } from '../declared.ts';
import { readOperation } from '../define.ts';
import { send } from '../request.ts';
import { http, listOf, notionId } from './http.ts';
import { getPage, textOf } from './page.ts';
import { propertiesOf, titleOf } from './properties.ts';
import { plain } from './rich-text.ts';
import { block, type Found, found } from './shapes.ts';

/** A person waits: 8 s of calls at most. */
const shown = { calls: 24, depth: 8 };
const cut = z.string().optional().describe('What of it is not here; absent: nothing is missing');

const hit = z.object({
  id: z.string(),
  kind: z.enum(['page', 'database']),
  title: z.string(),
  url: z.string().optional(),
  editedAt: z.string().optional(),
});

export function hitOf(one: Found): z.infer<typeof hit> {
  const isPage = one.object === 'page';
  return {
    id: one.id,
    kind: isPage ? 'page' : 'database',
    title: isPage ? titleOf(one) : plain(one.title) || 'Untitled',
    ...(one.url === undefined ? {} : { url: one.url }),
    ...(one.last_edited_time === undefined ? {} : { editedAt: one.last_edited_time }),
  };
}

const kinds = { page: 'page', database: 'data_source' } as const;

export const search = readRequest(http, {
  title: 'Search pages and databases',
  description:
    'Finds pages and databases by words of their title, the newest edit first. Texts are not searched.',
  input: z.object({
    query: z.string().trim().max(500).optional().describe('Words of the title; left out: everything'),
    kind: z.enum(['page', 'database']).optional(),
    limit: z.number().int().min(1).max(50).default(20),
    cursor: z.string().max(500).optional().describe('nextCursor of the answer before'),
  }),
  output: z.object({ found: z.array(hit), nextCursor: z.string().optional() }),
  method: 'POST',
  path: '/v1/search',
  body: ({ query, kind, limit, cursor }) => ({
    ...(query === undefined ? {} : { query }),
    ...(kind === undefined ? {} : { filter: { property: 'object', value: kinds[kind] } }),
    sort: { timestamp: 'last_edited_time', direction: 'descending' },
    page_size: limit,
    ...(cursor === undefined ? {} : { start_cursor: cursor }),
  }),
  answer: listOf(found),
  result: ({ results, next_cursor: next }) => ({
    found: results.map(hitOf),
    ...(next === null ? {} : { nextCursor: next }),
  }),
});

export const readPage = readOperation({
  effect: 'read',
  title: 'Read a page',
  description: 'A page, or a row of a database, with its properties and its text as markdown.',
  input: z.object({ id: notionId.describe('Id or address of the page') }),
  output: hit.extend({
    inTrash: z.boolean(),
    properties: z.record(z.string(), z.string()),
    text: z.string(),
    cut,
  }),
  async run(context, { id }) {
    const one = await getPage(context, id);
    const read = await textOf(context, id, shown);
    return { ...hitOf(one), inTrash: one.in_trash === true, properties: propertiesOf(one), ...read };
  },
});

export const readBlock = readOperation({
  effect: 'read',
  title: 'Read a block',
  description:
    'One block of a page (a toggle, a column, a synced block) with what stands within it, as markdown.',
  input: z.object({ id: notionId.describe('Id of the block') }),
  output: z.object({ id: z.string(), type: z.string(), text: z.string(), cut }),
  async run(context, { id }) {
    const one = await send(context, http, {
      method: 'GET',
      path: '/v1/blocks/{id}',
      params: { id },
      output: block,
    });
    const { text, cut: missing } = await textOf(context, one, shown);
    return {
      id: one.id,
      type: one.type ?? 'hidden',
      text,
      ...(missing === undefined ? {} : { cut: missing }),
    };
  },
});
