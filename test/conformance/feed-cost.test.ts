// What syncing costs a provider when nothing is new, counted at the wire; and that reading everything again finds
// what is not there any more, of every feed there is.
import { expect, onTestFinished, test } from 'vitest';
import { onExchange } from '../../sandbox/providers.ts';
import { syncConnection } from '../../src/jobs/sync.ts';
import { createLog } from '../../src/log.ts';
import { createMemory } from '../../src/memory/create.ts';
import { catalog } from '../../src/providers/catalog.ts';
import { feedAt } from './provider-feeds.ts';
import { openProviderWorld } from './provider-world.ts';

/**
 * Calls of one run that finds nothing new, of feeds that need more than one.
 *
 * Dropbox tells no change of who shares a folder: each shared folder is asked.
 * HubSpot tells deletions apart, and its searches too late to tell them by their count.
 * Notion searches what is there, or what lies in the trash; that something went there is no edit.
 * Slack is asked for its people, for the channels, and in each for its last days, for its members where it is private,
 * and for each of the conversations that go on: edits and deletions show nowhere else.
 * Mailchimp has two lists of who is in an audience, those that are there and the archived ones, and counts of an
 * audience that are minutes old; nothing tells whether a draft of a campaign changed.
 */
const costs: Readonly<Record<string, number>> = {
  'dropbox files': 2,
  'hubspot contacts': 2,
  'hubspot companies': 2,
  'hubspot deals': 2,
  'hubspot notes': 2,
  'hubspot tickets': 2,
  'notion pages': 2,
  'slack messages': 7,
  // Its list of audiences, and of each of the two what was said.
  'mailchimp contacts': 5,
  // The list, and one draft.
  'mailchimp campaigns': 2,
};

const log = createLog({ level: 'silent' });

for (const entry of catalog) {
  if (entry.feedKinds.length === 0) continue;
  const provider = await entry.load();
  for (const name of Object.keys(provider.feeds)) {
    test(`${entry.id}: ${name}: a sync that finds nothing new`, async () => {
      const world = await openProviderWorld(entry);
      feedAt(world, name).add(5);
      const connection = await world.connect();
      const [feed] = (await world.connections.feeds(world.org, connection)).filter(
        (one) => one.name === name,
      );
      if (feed === undefined) throw new Error(`no feed ${name}`);
      const read = async (cursor: unknown): Promise<unknown> => {
        let last = cursor;
        for await (const page of feed.pages(cursor)) last = JSON.parse(JSON.stringify(page.cursor));
        return last;
      };
      let cursor = await read(undefined);
      // What is told late is told by now.
      for (let n = 0; n < 2; n += 1) {
        world.clock.advance(20 * 60_000);
        cursor = await read(cursor);
      }
      world.clock.advance(20 * 60_000);
      const calls: string[] = [];
      onTestFinished(
        onExchange(({ provider: whose, call }) => {
          if (!/token/.test(call.path)) calls.push(`${whose} ${call.method} ${call.path}`);
        }),
      );
      await read(cursor);
      expect(calls.length, calls.join('\n')).toBeLessThanOrEqual(costs[`${entry.id} ${name}`] ?? 1);
    });

    test(`${entry.id}: ${name}: reading everything again finds what went unsaid`, async () => {
      const world = await openProviderWorld(entry);
      const own = feedAt(world, name);
      const [removed = ''] = own.add(12);
      const connection = await world.connect();
      const memory = createMemory({ clock: world.clock, log });
      onTestFinished(() => memory.close());
      const { org, connections, clock } = world;
      const sync = (full: boolean) =>
        syncConnection({ org, connection, connections, memory, clock, log, full });
      await sync(false);
      own.remove(removed);
      world.clock.advance(20 * 60_000);
      const { deleted } = await sync(true);
      expect(deleted).toBe(1);
    });
  }
}
