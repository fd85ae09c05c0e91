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
  /** So many of the first hits a reranker had put in order; 0: pages follow as they are ranked. */
  reranked: number;
}

/** So many of them are remembered, and those that were put in order: they may fall back into the order before. */
export const mostGiven = 40;
/** Most that a reranker may put in order, so that a cursor does not grow without end. */
export const mostReranked = 40;

/** Pages beyond this are not given: ask a narrower question. */
export const deepest = 1000;

/** Characters. */
const longest = 1500;
const numbers = z.number();
const form = z
  .tuple([
    numbers,
    numbers,
    numbers,
    z.array(numbers).max(mostGiven + mostReranked),
    z.int().min(1).max(mostReranked).optional(),
  ])
  .transform(
    ([offset, maxSeq, best, near, reranked = 0]): Place => ({
      offset,
      maxSeq,
      best,
      given: near.map((before) => maxSeq - before),
      reranked,
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
  const near = given.slice(-mostGiven - reranked).map((seq) => maxSeq - seq);
  const body = Buffer.from(
    JSON.stringify([offset, maxSeq, best, near, ...(reranked > 0 ? [reranked] : [])]),
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
