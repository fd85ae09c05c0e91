// The blocks of a page with what stands within them, level by level, so that a bound cuts off what lies deepest.
// What was left out is said. https://developers.notion.com/reference/get-block-children
import { DrawbridgeError } from '../../errors.ts';
import type { ProviderContext } from '../define.ts';
import { send } from '../request.ts';
import { http, listOf } from './http.ts';
import { type Block, block, contentOf } from './shapes.ts';

export interface Node {
  block: Block;
  within: Node[];
}

export interface Bounds {
  /** Calls to Notion, of 100 blocks each. */
  calls: number;
  /** Levels below the page. */
  depth: number;
}

export interface Tree {
  nodes: Node[];
  /** What is missing, in a sentence; undefined: nothing. */
  cut: string | undefined;
}

/** Notion's own limit of a list. */
const pageSize = 100;
const atOnce = 3;

interface Ask {
  id: string;
  into: Node[];
  depth: number;
  from?: string;
}

const blockList = listOf(block);

/**
 * @param root a page by its id, or a block, which then is the one node
 * @throws DrawbridgeError `not_found` where there is no such page
 */
export async function treeOf(context: ProviderContext, root: string | Block, bounds: Bounds): Promise<Tree> {
  const own = typeof root === 'string' ? undefined : { block: root, within: [] };
  const nodes: Node[] = own === undefined ? [] : [own];
  const cuts = new Set<string>();
  let calls = 0;
  const waiting: Ask[] =
    typeof root === 'string'
      ? [{ id: root, into: nodes, depth: 1 }]
      : sourcesOf(root).map((id) => ({ id, into: own?.within ?? nodes, depth: 2 }));
  // A synced block may hold itself.
  const met = new Set(waiting.map(({ id }) => id));
  while (waiting.length > 0) {
    const left = bounds.calls - calls;
    if (left <= 0) {
      cuts.add(`its first ${bounds.calls} lists of blocks were read, and more are there`);
      break;
    }
    const some = waiting.splice(0, Math.min(atOnce, left));
    calls += some.length;
    const lists = await Promise.all(some.map((ask) => childrenOf(context, ask)));
    for (const [index, list] of lists.entries()) {
      const ask = some[index];
      if (ask === undefined || list === undefined) continue;
      for (const one of list.results) {
        const node = { block: one, within: [] };
        ask.into.push(node);
        const below = sourcesOf(one).filter((source) => !met.has(source));
        if (below.length > 0 && ask.depth >= bounds.depth) {
          cuts.add(`what stands more than ${bounds.depth} levels deep was not read`);
          continue;
        }
        for (const source of below) {
          met.add(source);
          waiting.push({ id: source, into: node.within, depth: ask.depth + 1 });
        }
      }
      // The rest of a list comes before what lies deeper.
      if (list.has_more && list.next_cursor !== null) waiting.unshift({ ...ask, from: list.next_cursor });
    }
  }
  return { nodes, cut: cuts.size === 0 ? undefined : [...cuts].join('; ') };
}

/** Undefined where it is not shared: an original elsewhere, say, of which the page shows a copy. */
async function childrenOf(context: ProviderContext, { id, depth, from }: Ask) {
  try {
    return await send(context, http, {
      method: 'GET',
      path: '/v1/blocks/{id}/children',
      params: { id },
      query: { page_size: pageSize, start_cursor: from },
      output: blockList,
    });
  } catch (error) {
    if (depth > 1 && error instanceof DrawbridgeError && error.code === 'not_found') return undefined;
    throw error;
  }
}

/** Whose children stand within a block. Pages and databases within are records of their own. */
function sourcesOf(one: Block): string[] {
  if (one.type === 'child_page' || one.type === 'child_database') return [];
  const { synced_from: original, children } = contentOf(one);
  if (original?.block_id !== undefined) return [original.block_id];
  if (children !== undefined) {
    const { summary_block_id: summary, notes_block_id: notes, transcript_block_id: transcript } = children;
    return [summary, notes, transcript].filter((id) => id !== undefined);
  }
  return one.has_children === true ? [one.id] : [];
}
