// What is written to Slack, as it is proposed, and how a person reads it.
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import { visibleLine } from '../../untrusted.ts';
import { channelId, timestamp } from './shapes.ts';
import { callsIn, plain } from './words.ts';

/** Slack cuts longer texts. */
const longest = 4_000;
const channel = z
  .object({
    id: channelId,
    name: z.string().min(1).max(200).describe('As list-channels says it: #offers, or @Person'),
  })
  .describe('The channel, by its id and by the name that a person reads');
const text = z
  .string()
  .min(1)
  .max(longest)
  .describe('In Slack’s own markup: *bold*, <https://…|words>, <@U…>');
const thread = timestamp.optional().describe('ts of the message that is answered');

export const postInput = z.strictObject({ channel, text, thread });
export type Post = z.infer<typeof postInput>;
export const updateInput = z.strictObject({ channel, ts: timestamp, thread, text });
export type Update = z.infer<typeof updateInput>;
export const deleteInput = z.strictObject({
  channel,
  ts: timestamp,
  thread,
  text: z.string().max(40_000).describe('What it says: another text is not deleted'),
});
export type Delete = z.infer<typeof deleteInput>;

export function excerpt(words: string): string {
  return `“${visibleLine(plain(words), 120)}”`;
}

/** What rings more people than those who are spoken to is said. */
export function calls(words: string): string {
  const found = callsIn(words);
  return found.length === 0 ? '' : ` (notifies ${found.join(', ')})`;
}

/** @throws DrawbridgeError `invalid_request` */
export function checkText({ text: words }: { text: string }): void {
  if (words.trim() !== '') return;
  throw new DrawbridgeError('invalid_request', 'text: write something to be posted.', { field: 'text' });
}
