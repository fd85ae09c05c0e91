// Where the next page of an answer begins: opaque to the caller, and refused when it is not one of ours for
// this question.
import { hash } from 'node:crypto';
import { DrawbridgeError } from '../errors.ts';
import type { MemoryQuery } from './memory.ts';

export interface Place {
  offset: number;
  /** The newest chunk when the first page was given: what came later does not shift the pages. */
  maxSeq: number;
  /** The first page's best score, which all scores are relative to. */
  best: number;
}

/** Pages beyond this are not given: ask a narrower question. */
export const deepest = 1000;

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
  const body = Buffer.from(JSON.stringify([place.offset, place.maxSeq, place.best])).toString('base64url');
  return `${body}.${checksum(orgId, query, body)}`;
}

/** @throws DrawbridgeError `invalid_request` */
export function readCursor(orgId: string, query: MemoryQuery, cursor: string): Place {
  const [body = '', sum = ''] = cursor.split('.');
  if (cursor.length < 300 && sum === checksum(orgId, query, body)) {
    const [offset, maxSeq, best] = JSON.parse(Buffer.from(body, 'base64url').toString()) as number[];
    if (offset !== undefined && maxSeq !== undefined && best !== undefined) return { offset, maxSeq, best };
  }
  throw new DrawbridgeError(
    'invalid_request',
    'cursor: not one that an earlier answer to this question gave. Leave it out to begin at the first page.',
    { field: 'cursor' },
  );
}
