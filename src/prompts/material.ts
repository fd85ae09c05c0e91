// What memory holds of a subject, as a prompt lays it out: numbered, framed, each with its address and its age.
import type { Passage } from '../memory/memory.ts';
import { receiptItems } from '../memory/receipts/receipt-items.ts';
import { ageInWords, iso } from '../time.ts';
import { framed, visible, visibleLine } from '../untrusted.ts';
import type { PromptContext } from './define.ts';

const longestPassage = 1_500;

export interface Material {
  text: string;
  /** Undefined where nothing was found. */
  receiptId: string | undefined;
}

export function materialOf(
  { org, agent, rooms }: PromptContext,
  prompt: string,
  { question, passages }: { question: string; passages: readonly Passage[] },
): Material {
  if (passages.length === 0) return { text: '', receiptId: undefined };
  const now = rooms.clock.now();
  const lines = passages.map((passage, i) => {
    const written = passage.writtenAt === undefined ? '' : `, ${iso(passage.writtenAt).slice(0, 10)}`;
    const age = ageInWords(Math.max(0, now - passage.verifiedAt));
    const text = visible(passage.text);
    const lines = (passage.attribution ?? []).map((line) => `\n${visibleLine(line, 300)}`).join('');
    const shown = text.length > longestPassage ? `${text.slice(0, longestPassage)}…` : text;
    return `${i + 1}. [${passage.kind}] ${visibleLine(passage.title)}${written}; ${visibleLine(passage.source, 80)}, verified ${age} ago; ime://documents/${passage.documentId} [${passage.start}–${passage.end}]\n${shown}${lines}`;
  });
  const receiptId = rooms.receipts.issue(org, agent, {
    tool: prompt,
    question,
    items: receiptItems(passages),
  });
  return { text: framed(lines.join('\n\n'), 'From memory'), receiptId };
}

/** How what is made of it is to be cited. */
export function citing(receiptId: string | undefined, output: string): string {
  if (receiptId === undefined) return '';
  return `Cite each statement by the number and the URI of its passage. When you are done, call record-attribution once for each section, with receiptId ${receiptId}, output ${output}, and the numbers that you used.`;
}
