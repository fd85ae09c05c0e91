import { expect, test } from 'vitest';
import { emulated } from '../../sandbox/emulators.ts';
import { catalog } from '../../src/providers/catalog.ts';
import { describeProvider } from './provider.ts';

/** No other side to emulate: imported files have no account; any server at all may stand behind `mcp`, which has a suite of its own. */
const without = ['files', 'mcp'];

test('every provider of the catalogue has its other side in the sandbox', () => {
  const missing = catalog.map(({ id }) => id).filter((id) => !without.includes(id) && !(id in emulated));
  expect(missing).toEqual([]);
});

for (const entry of catalog.filter(({ id }) => id in emulated)) await describeProvider(entry);
