// One record by its id is the record that the feed brings, and what is not there is told as gone.
import { expect, test } from 'vitest';
import type { Provider, ProviderContext } from '../../src/providers/define.ts';
import { provider as gmail } from '../../src/providers/gmail/index.ts';
import { provider as calendar } from '../../src/providers/google-calendar/index.ts';
import { provider as hubspot } from '../../src/providers/hubspot/index.ts';
import { provider as quickbooks } from '../../src/providers/quickbooks/index.ts';
import { openScene as openGoogle } from '../providers/google/scene.ts';
import { openScene as openHubspot } from '../providers/hubspot/scene.ts';
import { Shelf } from '../providers/mailbox/context.ts';
import { openScene as openQuickbooks } from '../providers/quickbooks/scene.ts';

type Open = () => Promise<{ context: ProviderContext }>;

test.each<[string, Provider, Open, (id: string) => string]>([
  ['HubSpot', hubspot, () => openHubspot({ story: true }), (id) => id.replace(/\d+$/, '999999')],
  ['QuickBooks', quickbooks, () => openQuickbooks({ story: true }), (id) => id.replace(/\d+$/, '999999')],
  ['Gmail', gmail, () => openGoogle(gmail), () => 'ffffffffffffffff'],
  ['Google Calendar', calendar, () => openGoogle(calendar), (id) => id.replace(/[^/]+$/, 'nosuchevent0')],
])('%s', async (_name, provider, open, missing) => {
  const { context } = await open();
  for (const [name, feed] of Object.entries(provider.feeds)) {
    const { record } = feed;
    if (record === undefined) throw new Error(`${name} reads no record by its id`);
    const shelf = new Shelf();
    await shelf.run(feed, context);
    const brought = shelf.pages.flatMap(({ records }) => records).slice(0, 4);
    expect(brought.length, name).toBeGreaterThan(0);
    for (const one of brought) {
      expect(record.owns(one.externalId)).toBe(true);
      expect(await record.read(context, one.externalId)).toEqual(one);
    }
    const gone = missing(brought[0]?.externalId ?? '');
    expect(await record.read(context, gone), gone).toBeUndefined();
    for (const other of Object.values(provider.feeds))
      if (other !== feed) expect(other.record?.owns(brought[0]?.externalId ?? '')).toBe(false);
  }
});
