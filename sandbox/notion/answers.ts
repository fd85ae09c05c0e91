// What Notion answers alike: JSON, refusals in its own form, lists by cursor, rich text.
import type { Answer } from '../http.ts';

/** A refusal that a handler throws, and the server answers with. */
export class Refused extends Error {
  readonly answer: Answer;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.answer = json({ object: 'error', status, code, message, request_id: requestId }, status);
  }
}

const requestId = '5f0c9a3e-0000-4000-8000-000000000000';

export const json = (body: unknown, status = 200): Answer => ({
  status,
  headers: { 'content-type': 'application/json; charset=utf-8', 'x-notion-request-id': requestId },
  body: JSON.stringify(body),
});

export const notFound = (what: string, id: string): Refused =>
  new Refused(
    404,
    'object_not_found',
    `Could not find ${what} with ID: ${id}. Make sure the relevant pages and databases are shared with your integration.`,
  );
export const invalid = (message: string): Refused => new Refused(400, 'validation_error', message);

/** A page of a list. The cursor is the id of the next one, as far as anybody can see. */
export function listed<Item extends { id: string }>(
  all: readonly Item[],
  asked: { start_cursor?: unknown; page_size?: unknown },
  kind: 'block' | 'page_or_data_source',
): Answer {
  const size = Number(asked.page_size ?? 100);
  if (!(size >= 1 && size <= 100)) throw invalid('page_size should be between 1 and 100.');
  const cursor = asked.start_cursor;
  const start = cursor == null ? 0 : all.findIndex(({ id }) => id === cursor);
  if (start < 0) throw invalid('The start_cursor provided is invalid.');
  const next = all[start + size];
  return json({
    object: 'list',
    results: all.slice(start, start + size),
    next_cursor: next?.id ?? null,
    has_more: next !== undefined,
    type: kind,
    [kind]: {},
    request_id: requestId,
  });
}

export interface Rich {
  type: 'text';
  text: { content: string; link: { url: string } | null };
  annotations: Record<string, unknown>;
  plain_text: string;
  href: string | null;
}

const unmarked = {
  bold: false,
  italic: false,
  strikethrough: false,
  underline: false,
  code: false,
  color: 'default',
};

/** Rich text as it is answered, from a text or from what was asked for. */
export function rich(given: unknown): Rich[] {
  const items = typeof given === 'string' ? [{ text: { content: given } }] : (given ?? []);
  if (!Array.isArray(items)) throw invalid('rich_text should be an array.');
  if (items.length > 100) throw invalid('rich_text.length should be ≤ 100.');
  return items.flatMap((item: Record<string, unknown>): Rich[] => {
    // Mentions and equations come whole.
    if (item['plain_text'] !== undefined) return [item as unknown as Rich];
    if (item['equation'] !== undefined) {
      const equation = item['equation'] as { expression: string };
      const shown = { type: 'equation', equation, annotations: unmarked, plain_text: equation.expression };
      return [{ ...shown, href: null } as unknown as Rich];
    }
    const { content, link } = item['text'] as { content: string; link?: { url: string } | null };
    if (content.length > 2000) throw invalid('text.content.length should be ≤ 2000.');
    if (content === '') return [];
    return [
      {
        type: 'text',
        text: { content, link: link ?? null },
        annotations: { ...unmarked, ...(item['annotations'] as object | undefined) },
        plain_text: content,
        href: link?.url ?? null,
      },
    ];
  });
}

export const plainOf = (texts: readonly Rich[]): string => texts.map(({ plain_text }) => plain_text).join('');

/** A mention of a person or a page, as Notion answers it. */
export function mention(words: string, of: Record<string, unknown>, href: string | null = null): Rich {
  return { type: 'mention', mention: of, annotations: unmarked, plain_text: words, href } as unknown as Rich;
}
