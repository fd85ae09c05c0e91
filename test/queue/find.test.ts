// What lists are made of says the same on both databases: filters, words, who asked, the pulse, and whom
// something was sent to.
import { expect, test } from 'vitest';
import { askers, countLines, findLines, pulse } from '../../src/queue/find.ts';
import { lastSentTo, sentTo } from '../../src/queue/sent-to.ts';
import { databases } from './databases.ts';
import { worldOver } from './world.ts';

test.each(databases)(
  'on $name, filters, words, askers and the pulse find what they should',
  async ({ open }) => {
    const database = await open();
    const world = worldOver(await database.org());
    const { org, queue } = world;
    const quiet = await pulse(org, world.clock.now());
    const proposed = await world.propose({ to: 'Maya', text: 'Offer for 100% of Alder_Court' });
    const id = proposed.id;
    expect(await pulse(org, world.clock.now())).not.toBe(quiet);
    await org.write((tx) =>
      tx
        .updateTable('action_queue')
        .set({
          summary: 'Offer for 100% of Alder_Court',
          payload: '{"to":[{"email":"Maya@Lakeside.example"}]}',
          effect: 'send',
        })
        .where('org_id', '=', org.orgId)
        .where('id', '=', id)
        .execute(),
    );
    const found = async (filter: Parameters<typeof findLines>[1]) =>
      (await findLines(org, filter, 10)).map((one) => one.id);
    expect(await found({ words: 'alder_court OFFER' })).toEqual([id]);
    expect(await found({ words: '100_' })).toEqual([]);
    expect(await found({ words: "' or 1=1" })).toEqual([]);
    const [asker] = await askers(org);
    expect(await found({ askedBy: asker?.id })).toEqual([id]);
    expect(await found({ askedBy: 'nobody' })).toEqual([]);
    const now = world.clock.now();
    expect(await countLines(org, { statuses: ['pending'], snoozed: { now, show: 'none' } })).toBe(1);
    await queue.snooze(org, world.person, { actionId: id, until: now + 60_000, channel: 'page' });
    expect(await found({ statuses: ['pending'], snoozed: { now, show: 'none' } })).toEqual([]);
    expect(await found({ statuses: ['pending'], snoozed: { now, show: 'only' } })).toEqual([id]);
    expect(await sentTo(org, ['maya@lakeside.example'])).toEqual(new Set());
    await org.write((tx) =>
      tx.updateTable('action_queue').set({ status: 'completed' }).where('id', '=', id).execute(),
    );
    expect(await sentTo(org, ['maya@lakeside.example', 'a@b.example'])).toEqual(
      new Set(['maya@lakeside.example']),
    );
    expect(await lastSentTo(org)).toEqual(new Set(['maya@lakeside.example']));
    await database.close();
  },
);
