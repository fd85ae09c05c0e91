import { expect, test } from 'vitest';
import { emulated } from '../../sandbox/emulators.ts';
import { catalog } from '../../src/providers/catalog.ts';
import { describeProvider } from './provider.ts';
import { sideOf } from './provider-world.ts';

test('every provider of the catalogue that asks anybody has its other side in the sandbox', async () => {
  for (const entry of catalog) {
    expect(emulated[entry.id] ?? sideOf(await entry.load()), entry.id).toBeDefined();
  }
});

for (const entry of catalog) await describeProvider(entry);
