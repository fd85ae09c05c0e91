// Where the next page of an answer begins: opaque to the caller, and refused when it is not one of ours for
// this question.
import { hash } from 'node:crypto';
import { z } from 'zod';
import { DrawbridgeError } from '../errors.ts';
import type { MemoryQuery } from './memory.ts';

export interface Place {
  offset: number;
  /** The newest chunk when the first page was given: what came later does not shift the pages. */
  maxSeq: number;
  /** The first page's best score, which all scores are relative to. */
  best: number;
  /** The chunks that were given last, by number: near ties may change places when mail comes in between. */
  given: readonly number[];
  /** A reranker had put the first hits in order. Left out: pages follow as they are ranked. */
  reranked?: boolean;
}

/** So many of them are remembered. */
export const mostGiven = 40;

/** Pages beyond this are not given: ask a narrower question. */
export const deepest = 1000;

/** Characters. */
const longest = 1000;
const numbers = z.number();
const form = z
  .tuple([numbers, numbers, numbers, z.array(numbers).max(mostGiven), z.literal(1).optional()])
  .transform(
    ([offset, maxSeq, best, near, reranked]): Place => ({
      offset,
      maxSeq,
      best,
      given: near.map((before) => maxSeq - before),
      reranked: reranked === 1,
    }),
  );

/** Ties a cursor to its org and question. It grants nothing, so a checksum is enough. */
function checksum(orgId: string, query: MemoryQuery, body: string): string {
  const { question, kinds, since, until, clients, connectionIds, threadId, documentIds } = query;
  const about = JSON.stringify([
    orgId,
    question,
    kinds,
    since,
    until,
    clients,
    connectionIds,
    threadId,
    documentIds,
    body,
  ]);
  return hash('sha256', about, 'base64url').slice(0, 16);
}

export function writeCursor(orgId: string, query: MemoryQuery, place: Place): string {
  const { offset, maxSeq, best, given, reranked } = place;
  const near = given.slice(-mostGiven).map((seq) => maxSeq - seq);
  const body = Buffer.from(
    JSON.stringify([offset, maxSeq, best, near, ...(reranked === true ? [1] : [])]),
  ).toString('base64url');
  return `${body}.${checksum(orgId, query, body)}`;
}

/** @throws DrawbridgeError `invalid_request` */
export function readCursor(orgId: string, query: MemoryQuery, cursor: string): Place {
  const [body = '', sum = ''] = cursor.split('.');
  if (cursor.length < longest && sum === checksum(orgId, query, body)) {
    const place = form.safeParse(JSON.parse(Buffer.from(body, 'base64url').toString())).data;
    if (place !== undefined) return place;
  }
  throw new DrawbridgeError(
    'invalid_request',
    'cursor: not one that an earlier answer to this question gave. Leave it out to begin at the first page.',
    { field: 'cursor' },
  );
}
