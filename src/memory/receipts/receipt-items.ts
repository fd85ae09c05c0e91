// Passages of an answer, as its receipt keeps them.
import type { Passage } from '../memory.ts';
import type { ReceiptItem } from './receipts.ts';

/** In the order of the answer: an attribution names them by their place. */
export function receiptItems(passages: readonly Passage[]): ReceiptItem[] {
  return passages.map((passage) => ({
    target: passage.brainId === undefined ? { chunkId: passage.chunkId } : { brainId: passage.brainId },
    documentId: passage.documentId,
    contentHash: passage.contentHash,
    verifiedAt: passage.verifiedAt,
    scores: { score: passage.score, ...passage.parts, ...passage.lifts },
  }));
}
