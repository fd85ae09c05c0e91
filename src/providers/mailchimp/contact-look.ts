// Whether an audience is as it was when it was last read: one look at whoever is in it, and one at the archived ones.
// Mailchimp's own counts of an audience are minutes old, and say nothing of who changed: they are not asked.
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { ProviderContext } from '../define.ts';
import { send } from '../request.ts';
import { http } from './http.ts';
import { changedAt, rawMember } from './shapes.ts';

const lookPage = 1000;

export const look = z.object({
  /** How many there are, the archived ones among them. */
  total: z.number().int(),
  /**
   * Of both lists how long they are, and who changed last: another one where anything changed, came or went. Absent
   * where more of it may still come to light.
   */
  mark: z.string().optional(),
});
export type Look = z.infer<typeof look>;

const page = z.object({
  members: z.array(rawMember.pick({ id: true, last_changed: true })),
  total_items: z.number().int(),
});

/**
 * @param lateMs a change comes to light so much later than others, at most; times are told to the second
 * @throws DrawbridgeError
 */
export async function lookAt(context: ProviderContext, list: string, lateMs: number): Promise<Look> {
  const settledAt = context.clock.now() - lateMs;
  let total = 0;
  let isSettled = true;
  const mark = createHash('sha256');
  for (const status of [undefined, 'archived']) {
    const { members, total_items } = await send(context, http, {
      method: 'GET',
      path: '/lists/{list}/members',
      params: { list },
      query: {
        count: lookPage,
        status,
        sort_field: 'last_changed',
        sort_dir: 'DESC',
        fields: 'members.id,members.last_changed,total_items',
      },
      output: page,
    });
    const newest = Math.max(0, ...members.map(changedAt));
    const late = members.filter((one) => changedAt(one) >= newest - lateMs);
    const isCut = late.length === members.length && members.length < total_items;
    if (isCut || newest > settledAt) isSettled = false;
    total += total_items;
    const lines = late.map((one) => `${one.id} ${one.last_changed ?? ''}`).sort();
    mark.update(`${total_items}\n${lines.join('\n')}\n\n`);
  }
  return isSettled ? { total, mark: mark.digest('base64url').slice(0, 22) } : { total };
}
