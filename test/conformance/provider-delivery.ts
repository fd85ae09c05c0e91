// Webhooks: a delivery is believed by its signature, and by nothing else.
import { expect } from 'vitest';
import type { Provider } from '../../src/providers/define.ts';
import type { CatalogEntry } from '../../src/providers/entry.ts';
import { Secret } from '../../src/secret.ts';
import type { Parts, Promises } from './provider-parts.ts';
import { openProviderWorld } from './provider-world.ts';

export function describeDelivery(
  entry: CatalogEntry,
  provider: Provider,
  { promise, parts }: { promise: Promises; parts: Parts },
): void {
  promise('a delivery is believed with its own signature and soon, and no other', parts.webhook, async () => {
    const world = await openProviderWorld(entry);
    const { webhook } = provider;
    const sign = world.emulated.sign;
    if (webhook === undefined || sign === undefined) throw new Error(`${entry.id} signs nothing here`);
    const now = 1_767_614_400_000;
    const delivery = { method: 'POST', url: 'https://drawbridge.example/hook', body: '[{"id":1}]' };
    const signed = sign(delivery, 'the-signing-secret', now);
    const verify = (
      change: Partial<{
        url: string;
        body: string;
        secret: string;
        now: number;
        headers: Record<string, string>;
      }>,
    ) =>
      webhook.verify(
        {
          method: signed.method,
          url: change.url ?? signed.url,
          headers: new Headers(change.headers ?? signed.headers),
          body: Buffer.from(change.body ?? signed.body),
        },
        new Secret(change.secret ?? 'the-signing-secret'),
        change.now ?? now,
      );
    expect(verify({})).toBe(true);
    expect(verify({ body: '[{"id":2}]' })).toBe(false);
    expect(verify({ secret: 'another-secret' })).toBe(false);
    expect(verify({ headers: {} })).toBe(false);
    for (const [name, value] of Object.entries(signed.headers)) {
      const other = `${value.startsWith('A') ? 'B' : 'A'}${value.slice(1)}`;
      expect(verify({ headers: { ...signed.headers, [name]: other } }), name).toBe(false);
      expect(verify({ headers: { ...signed.headers, [name]: '' } }), name).toBe(false);
    }
    // Where it sends a time, an old delivery and one from the future are refused.
    const later = sign(delivery, 'the-signing-secret', now + 1_000);
    if (JSON.stringify(later.headers) !== JSON.stringify(signed.headers)) {
      expect(verify({ now: now + 3_600_000 })).toBe(false);
      expect(verify({ now: now - 3_600_000 })).toBe(false);
    }
  });
}
