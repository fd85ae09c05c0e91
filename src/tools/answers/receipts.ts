// The receipt that comes with an answer of memory.
import type { Passage } from '../../memory/memory.ts';
import { receiptItems } from '../../memory/receipts/receipt-items.ts';
import type { ToolContext } from '../define.ts';

/** Its id; undefined where the answer held nothing. */
export function receiptFor(
  { rooms, org, agent }: ToolContext,
  tool: string,
  question: string,
  passages: readonly Passage[],
): string | undefined {
  if (passages.length === 0) return undefined;
  return rooms.receipts.issue(org, agent, { tool, question, items: receiptItems(passages) });
}

/** As the text of an answer says it. */
export function receiptLine(receiptId: string | undefined): string[] {
  return receiptId === undefined ? [] : [`Receipt: ${receiptId}`];
}
