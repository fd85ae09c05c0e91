// Blocks on their way to Notion, 100 at a time. What a cut leaves is told: what was sent before it stands.
import { DrawbridgeError } from '../../errors.ts';
import { EffectRefused, type WriteContext } from '../define.ts';
import { sendWrite } from '../request.ts';
import { type BlockRequest, blocksFrom, portions } from './compose.ts';
import { http, listOf } from './http.ts';
import { block } from './shapes.ts';

const mostPortions = 10;
export const longestText = 100_000;

/** @throws DrawbridgeError `invalid_request` with the field `text`, where it makes more than is sent for one approval */
export async function portionsOf(text: string): Promise<BlockRequest[][]> {
  const made = portions(await blocksFrom(text));
  if (made.length <= mostPortions) return made;
  throw new DrawbridgeError(
    'invalid_request',
    `text: makes more than ${mostPortions * 100} blocks; put it on several pages`,
    { field: 'text' },
  );
}

const appended = listOf(block);

/** One portion at the end of a page or block. @returns ids of the new blocks */
export async function appendOne(
  context: WriteContext,
  id: string,
  children: readonly BlockRequest[],
): Promise<string[]> {
  const { results } = await sendWrite(context, http, {
    method: 'PATCH',
    path: '/v1/blocks/{id}/children',
    params: { id },
    body: { children },
    output: appended,
  });
  return results.map((one) => one.id);
}

/**
 * The rest, once something stands: what goes wrong from here is a warning.
 * @param done blocks that are there already
 */
export async function appendRest(
  context: WriteContext,
  id: string,
  rest: readonly (readonly BlockRequest[])[],
  done: number,
): Promise<{ ids: string[]; warning?: string }> {
  const ids: string[] = [];
  const all = rest.reduce((sum, one) => sum + one.length, done);
  for (const children of rest) {
    try {
      ids.push(...(await appendOne(context, id, children)));
    } catch (error) {
      context.log.warn({ err: error, page: id }, 'a text was written in part');
      const stands = `Of ${all} blocks the first ${done + ids.length} are there.`;
      const why = error instanceof Error ? error.message : 'unknown';
      const warning =
        error instanceof EffectRefused
          ? `${stands} Notion refused the rest: ${why}`
          : `${stands} Whether the next ${children.length} are, is not known (${why}); those after them are not.`;
      return { ids, warning };
    }
  }
  return { ids };
}
