// Lists of what is shared with the integration: pages from the newest edit on, databases, their rows, the trash.
import type { ProviderContext } from '../define.ts';
import { pages } from '../pages.ts';
import { http, listOf, pagingInBody } from './http.ts';
import { dataSource, found, page } from './shapes.ts';

const pageList = listOf(page);
const sourceList = listOf(dataSource);
/** Wikis have databases among their rows. */
const rowList = listOf(found);

/** Notion empties its trash after 30 days; what is beyond is found when all is read again. */
const mostTrash = 1_000;
const largest = 100;

const byEdit = { timestamp: 'last_edited_time', direction: 'descending' } as const;

/** @param given.from where to go on: `next` of an earlier page */
export function searchPages(
  context: ProviderContext,
  given: { size: number; trash?: boolean; from?: string | undefined },
) {
  const request = {
    method: 'POST',
    path: '/v1/search',
    body: {
      filter: { property: 'object', value: 'page', ...(given.trash === true ? { in_trash: true } : {}) },
      sort: byEdit,
      page_size: given.size,
    },
    output: pageList,
    // It changes nothing: a repeat is harmless.
    idempotent: true,
  } as const;
  return pages(context, http, request, pagingInBody, given.from);
}

export function sourcesOf(context: ProviderContext) {
  const request = {
    method: 'POST',
    path: '/v1/search',
    body: { filter: { property: 'object', value: 'data_source' }, sort: byEdit, page_size: largest },
    output: sourceList,
    idempotent: true,
  } as const;
  return pages(context, http, request, pagingInBody);
}

export function rowsOf(context: ProviderContext, id: string) {
  const request = {
    method: 'POST',
    path: '/v1/data_sources/{id}/query',
    params: { id },
    body: { page_size: largest },
    output: rowList,
    idempotent: true,
  } as const;
  return pages(context, http, request, pagingInBody);
}

/** Ids of the pages in the trash; `whole`: there are no more. */
export async function trashed(context: ProviderContext): Promise<{ ids: string[]; whole: boolean }> {
  const ids: string[] = [];
  for await (const { output, next } of searchPages(context, { size: largest, trash: true })) {
    ids.push(...output.results.map(({ id }) => id));
    if (next !== undefined && ids.length >= mostTrash) return { ids, whole: false };
  }
  return { ids, whole: true };
}
