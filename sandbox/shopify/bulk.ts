// Bulk operations: a query over everything that is there when it begins, done after a while, its result a file of
// lines at another host, records of a connection directly behind the one that they belong to.
import type { Clock } from '../../src/clock.ts';
import type { Answer } from '../http.ts';
import type { Call } from '../providers.ts';
import { type Field, type Node, parse, type Selection, taken } from './graphql.ts';
import { iso } from './state.ts';

export const storageHost = 'storage.googleapis.com';
const mostAtOnce = 5;
const livesMs = 7 * 86_400_000;

interface Operation {
  id: string;
  query: string;
  createdAt: number;
  /** Looks that it takes. */
  left: number;
  file: string;
  lines: string;
  failed: 'whole' | 'partly' | undefined;
}

export interface Bulk {
  run(query: string): { operation: Node } | { code: string; message: string };
  nodes(): Node[];
  node(id: string): Node | undefined;
  /** A file of a result, whole or a range of it. */
  file(call: Call): Answer;
  /** How the next ones end, and after how many looks. */
  next(order: { looks?: number; fails?: 'whole' | 'partly'; host?: string }): void;
  /** Operations that were begun. */
  count(): number;
}

/** @param all the records that a top-level field stands for */
export function createBulk(clock: Clock, all: (field: string) => Node[] | undefined): Bulk {
  const operations: Operation[] = [];
  let order: Parameters<Bulk['next']>[0] = {};

  const isOver = ({ createdAt }: Operation) => clock.now() - createdAt > livesMs;
  const statusOf = (one: Operation) => {
    if (one.left > 0) return 'RUNNING';
    if (one.failed !== undefined) return 'FAILED';
    return isOver(one) ? 'EXPIRED' : 'COMPLETED';
  };
  const told = (one: Operation): Node => {
    const status = statusOf(one);
    const url = `https://${order.host ?? storageHost}/shopify-bulk/${one.file}?Expires=${one.createdAt}&Signature=of-the-sandbox`;
    return {
      __typename: 'BulkOperation',
      id: one.id,
      type: 'QUERY',
      status,
      query: one.query,
      createdAt: iso(one.createdAt),
      errorCode: status === 'FAILED' ? 'TIMEOUT' : null,
      url: status === 'COMPLETED' && one.lines !== '' ? url : null,
      partialDataUrl: status === 'FAILED' && one.failed === 'partly' ? url : null,
    };
  };

  return {
    run(query) {
      if (operations.filter((one) => one.left > 0).length >= mostAtOnce) {
        return { code: 'LIMIT_REACHED', message: 'Bulk operations limit reached. Please try again later.' };
      }
      const [top, ...others] = parse(query).selections;
      const records = top?.kind === 'field' && others.length === 0 ? all(top.name) : undefined;
      if (top?.kind !== 'field' || records === undefined) {
        return { code: 'INVALID', message: 'Bulk queries must contain at least one connection.' };
      }
      const number = 4_000_000 + operations.length;
      const lines = records.flatMap((record) => linesOf(nodeOf(top), record));
      const failed = order.fails;
      const kept = failed === 'partly' ? lines.slice(0, Math.ceil(lines.length / 2)) : lines;
      const operation = {
        id: `gid://shopify/BulkOperation/${number}`,
        query,
        createdAt: clock.now(),
        left: order.looks ?? 2,
        file: `result-${number}.jsonl`,
        lines: kept.map((line) => `${JSON.stringify(line)}\n`).join(''),
        failed,
      };
      operations.push(operation);
      order = { ...(order.host === undefined ? {} : { host: order.host }) };
      return { operation: told(operation) };
    },
    nodes: () => operations.map(told),
    node(id) {
      const found = operations.find((one) => one.id === id);
      if (found === undefined) return undefined;
      if (found.left > 0) found.left -= 1;
      return told(found);
    },
    file({ path, headers, query }) {
      const found = operations.find(({ file }) => path === `/shopify-bulk/${file}`);
      if (found === undefined || query.get('Signature') !== 'of-the-sandbox' || isOver(found)) {
        return { status: 403, headers: { 'content-type': 'application/xml' }, body: '<Error/>' };
      }
      // A signed address takes no other credential beside it.
      if (Object.keys(headers).some((name) => /authorization|token/.test(name))) {
        return { status: 400, headers: { 'content-type': 'application/xml' }, body: '<Error/>' };
      }
      const bytes = Buffer.from(found.lines);
      const type = { 'content-type': 'application/jsonl' };
      const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(headers['range'] ?? '') ?? [];
      if (from === undefined) return { status: 200, headers: type, body: found.lines };
      if (Number(from) >= bytes.length) {
        return { status: 416, headers: { 'content-range': `bytes */${bytes.length}` } };
      }
      const part = bytes.subarray(Number(from), Number(to) + 1);
      const range = `bytes ${from}-${Number(from) + part.length - 1}/${bytes.length}`;
      // As bytes: a range may begin and end within a letter.
      return { status: 206, headers: { ...type, 'content-range': range }, bytes: part };
    },
    next(given) {
      order = given;
    },
    count: () => operations.length,
  };
}

/** What is asked of each record: below `edges` and `node`, or below `nodes`. */
function nodeOf({ selections }: Field): readonly Selection[] {
  for (const one of selections) {
    if (one.kind !== 'field') continue;
    if (one.name === 'nodes' || one.name === 'node') return one.selections;
    if (one.name === 'edges') return nodeOf(one);
  }
  return [];
}

const isList = (one: Selection): one is Field =>
  one.kind === 'field' && one.selections.some((inner) => inner.kind === 'field' && inner.name === 'edges');

function linesOf(selections: readonly Selection[], record: Node, parent?: unknown): Node[] {
  const own = selections.filter((one) => !isList(one));
  const line = taken(own, record, {}) as Node;
  const below = selections.filter(isList).flatMap((list) => {
    const member = record[list.name];
    const { nodes = [] } = (typeof member === 'function' ? member({}) : {}) as { nodes?: Node[] };
    return nodes.flatMap((node) => linesOf(nodeOf(list), node, record['id']));
  });
  return [{ ...line, ...(parent === undefined ? {} : { __parentId: parent }) }, ...below];
}
