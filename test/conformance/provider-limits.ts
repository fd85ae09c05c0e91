// How much is asked of a provider at once: no more than it declares, whatever protocol it speaks.
import { expect } from 'vitest';
import type { Provider } from '../../src/providers/define.ts';
import type { CatalogEntry } from '../../src/providers/entry.ts';
import { probePath } from '../providers/contract.ts';
import { many } from './provider-asks.ts';
import { group, type Parts, type Promises } from './provider-parts.ts';
import { openProviderWorld } from './provider-world.ts';

export function describeLimits(
  entry: CatalogEntry,
  provider: Provider,
  { promise }: { promise: Promises; parts: Parts },
): void {
  const { concurrent, burst } = provider.limit;
  const asked = Math.min(2 * concurrent + 2, burst + concurrent);

  group('limits', () => {
    promise('no more calls are under way at the provider than it declares', undefined, async () => {
      const world = await openProviderWorld(entry);
      const context = await world.context(await world.connect());
      const release = Promise.withResolvers<void>();
      const place = world.hosts.calls().at(-1);
      const before = world.hosts.calls().length;
      world.hosts.faults.failNext({ kind: 'hold', until: release.promise }, probePath, 4 * many);
      let talks = 0;
      const running = Array.from({ length: asked }, async (_, n) => {
        if (place === undefined) {
          return context.converse(async () => {
            talks += 1;
            await release.promise;
          });
        }
        // Each another one: equal questions are asked once.
        return context.fetch(`https://${place.host}${probePath}?n=${n}`).catch(() => undefined);
      });
      const underWay = () => talks + world.hosts.calls().length - before;
      while (underWay() < Math.min(concurrent, burst)) await turn();
      for (let turns = 0; turns < 50; turns += 1) await turn();
      expect(underWay()).toBeLessThanOrEqual(concurrent);
      release.resolve();
      await Promise.all(running);
    });

    promise('declares a limit that a call fits in', undefined, async () => {
      const { perSecond, windows = [] } = provider.limit;
      for (const value of [perSecond, burst, concurrent]) expect(value).toBeGreaterThan(0);
      expect(burst).toBeGreaterThanOrEqual(1);
      for (const { calls, ms } of windows) expect(calls / ms).toBeGreaterThan(0);
    });
  });
}

/** What is ready to run has run. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
