// Where something is written, as it stands there before and after: what tells a repeat of ours from a first try, as
// Notion takes no key of ours.
import { DrawbridgeError } from '../../errors.ts';
import type { ProviderContext } from '../define.ts';
import { pages } from '../pages.ts';
import { send } from '../request.ts';
import { http, listOf, pagingInBody } from './http.ts';
import { titleOf } from './properties.ts';
import { plain } from './rich-text.ts';
import { type Block, block, contentOf, type DataSource, page, self } from './shapes.ts';

/** Of a long page: what fits in the time of a look. */
const mostLists = 12;

/** The top blocks of a page; `whole`: there are no more. */
export async function blocksOf(
  context: ProviderContext,
  id: string,
): Promise<{ blocks: Block[]; whole: boolean }> {
  const request = {
    method: 'GET',
    path: '/v1/blocks/{id}/children',
    params: { id },
    query: { page_size: 100 },
    output: listOf(block),
  } as const;
  const blocks: Block[] = [];
  let lists = 0;
  for await (const { output, next } of pages(context, http, request)) {
    blocks.push(...output.results);
    lists += 1;
    if (next !== undefined && lists === mostLists) return { blocks, whole: false };
  }
  return { blocks, whole: true };
}

interface Found {
  id: string;
  /** Whether this integration made it. */
  ours: boolean;
}

/** Pages of that title under a page, in their order; undefined where there are too many blocks to know. */
export async function titledUnder(
  context: ProviderContext,
  id: string,
  title: string,
): Promise<Found[] | undefined> {
  const [{ blocks, whole }, me] = await Promise.all([blocksOf(context, id), ourId(context)]);
  if (!whole) return undefined;
  return blocks
    .filter((one) => one.type === 'child_page' && contentOf(one).title === title)
    .map((one) => ({ id: one.id, ours: one.created_by?.id === me }));
}

/** Rows of that title, the oldest first. */
export async function titledRows(
  context: ProviderContext,
  source: DataSource,
  title: string,
): Promise<Found[] | undefined> {
  const named = Object.entries(source.properties).find(([, { type }]) => type === 'title')?.[0] ?? 'title';
  const request = {
    method: 'POST',
    path: '/v1/data_sources/{id}/query',
    params: { id: source.id },
    body: {
      // Longer ones are no filter.
      filter: { property: named, title: { starts_with: title.slice(0, 100) } },
      sorts: [{ timestamp: 'created_time', direction: 'ascending' }],
      page_size: 100,
    },
    output: listOf(page),
    idempotent: true,
  } as const;
  const me = await ourId(context);
  const found: Found[] = [];
  for await (const { output, next } of pages(context, http, request, pagingInBody)) {
    for (const one of output.results) {
      if (titleOf(one) === title) found.push({ id: one.id, ours: one.created_by?.id === me });
    }
    if (next !== undefined && found.length > mostLists * 100) return undefined;
  }
  return found;
}

async function ourId(context: ProviderContext): Promise<string> {
  return (await send(context, http, { method: 'GET', path: '/v1/users/me', output: self })).id;
}

/** What a block says, by which it is known again. */
export function saidBy(one: Readonly<Record<string, unknown>> & { type?: string | undefined }): string {
  const content = one[one.type ?? ''] as { rich_text?: unknown; expression?: unknown } | undefined;
  const texts = Array.isArray(content?.rich_text) ? content.rich_text : [];
  const words = texts.map((item: { plain_text?: string; text?: { content: string } }) =>
    item.plain_text === undefined ? (item.text?.content ?? '') : plain([{ plain_text: item.plain_text }]),
  );
  return `${one.type} ${content?.expression ?? ''}${words.join('')}`;
}

/** Where `wanted` stands among `there`, from its first to its last, as indexes of the first. */
export function places(there: readonly string[], wanted: readonly string[]): number[] {
  if (wanted.length === 0) return [];
  return there.flatMap((_, at) => (wanted.every((one, n) => there[at + n] === one) ? [at] : []));
}

/** @throws DrawbridgeError `conflict` with `field`, where what is there bears another title than was told */
export function assertTitle(field: string, told: string, is: unknown): void {
  if (told === is) return;
  throw new DrawbridgeError(
    'conflict',
    `${field}: what has that id is not called “${told}” in Notion; read it again. Nothing was sent.`,
    { field, retry: 'ask' },
  );
}
