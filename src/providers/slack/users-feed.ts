// The feed `users`: the people of the workspace, all of them in each run (Slack tells no changes). External id: users/id.
import { z } from 'zod';
import type { Feed, FeedPage, ProviderContext } from '../define.ts';
import { pages as pagesOf } from '../pages.ts';
import type { SourceRecord, Structured } from '../record.ts';
import { http, paging } from './http.ts';
import type { RawUser } from './shapes.ts';
import { userName, usersList } from './workspace.ts';

const cursorForm = z.object({
  version: z.literal(1),
  /** Set while a round is under way: where it goes on, and whom it has met. */
  round: z.object({ page: z.string(), ids: z.array(z.string()) }).optional(),
});

export const usersFeed: Feed = { kinds: ['contact'], scopes: ['users:read', 'users:read.email'], pages };

async function* pages(context: ProviderContext, cursor: unknown): AsyncGenerator<FeedPage> {
  const round = cursorForm.safeParse(cursor).data?.round;
  const ids = [...(round?.ids ?? [])];
  for await (const { output, next } of pagesOf(context, http, usersList, paging, round?.page)) {
    const records = output.members.filter(isPerson).map(recordOf);
    ids.push(...records.map(({ externalId }) => externalId));
    const deleted: string[] = [];
    if (next === undefined) yield { records, deleted, cursor: { version: 1 }, complete: { ids } };
    else yield { records, deleted, cursor: { version: 1, round: { page: next, ids: [...ids] } } };
  }
}

/** Slack's own robot is marked as none. */
export function isPerson({ id, deleted, is_bot }: RawUser): boolean {
  return deleted !== true && is_bot !== true && id !== 'USLACKBOT';
}

function recordOf(user: RawUser): SourceRecord {
  const { profile, tz } = user;
  const name = userName(user);
  const email = profile?.email?.toLowerCase();
  const facts = { name, email, 'job title': profile?.title, phone: profile?.phone, 'time zone': tz };
  const told = Object.entries(facts).filter(([, value]) => value != null && value !== '');
  const body: Structured = {
    title: name,
    people: [{ name, role: 'contact', ...(email === undefined ? {} : { address: email }) }],
    facts: Object.fromEntries(told),
  };
  return {
    externalId: `users/${user.id}`,
    kind: 'contact',
    mediaType: 'application/json',
    raw: Buffer.from(JSON.stringify(body)),
  };
}
