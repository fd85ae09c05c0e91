import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { Emulated } from '../../sandbox/emulated.ts';
import { catalog } from '../../src/providers/catalog.ts';
import { defineProvider, readOperation } from '../../src/providers/define.ts';
import { entryOf } from '../connections/agency.ts';
import { injectionFaults } from './injection.ts';
import { partsOf, promisesOf } from './provider-parts.ts';
import { openProviderWorld } from './provider-world.ts';

for (const entry of catalog) {
  const parts = partsOf(await entry.load());
  describe(entry.id, () => {
    const promise = promisesOf(entry.id);
    promise(
      'whatever stands in an input, hosts, paths and parameters stay',
      parts.operations,
      async () => {
        const world = await openProviderWorld(entry, { unlimited: true });
        const { reached, faults } = await injectionFaults(world);
        expect(faults).toEqual([]);
        expect(reached).toBeGreaterThan(0);
      },
      180_000,
    );
  });
}

describe('the suite sees', () => {
  /** A provider that puts its input where `address` says. */
  const faultsOf = async (address: (text: string) => string) => {
    const other: Emulated = {
      emulators: [
        {
          provider: 'invented',
          hosts: ['api.invented.example', 'evil.example'],
          handle: () => ({ status: 200, body: '{}' }),
        },
      ],
      way: { kind: 'form', secrets: {}, wrong: {} },
      fields: {},
      samples: {},
      feeds: {},
    };
    const provider = defineProvider({
      id: 'invented',
      title: 'Invented',
      fields: z.object({}),
      secrets: [],
      auth: { kind: 'none' },
      http: { baseUrl: 'https://api.invented.example' },
      identity: async () => ({ id: '1', label: '1' }),
      operations: {
        get: readOperation({
          effect: 'read',
          title: 'Get',
          input: z.object({ id: z.string() }),
          run: async (context, { id }) => (await context.fetch(address(id))).json(),
        }),
      },
      capabilities: {},
      feeds: {},
      limit: { perSecond: 100, burst: 100, concurrent: 4 },
    });
    const world = await openProviderWorld(entryOf(provider), { unlimited: true, other });
    return (await injectionFaults(world)).faults;
  };

  test.each([
    [
      'a path that takes its input as it is',
      (id: string) => `https://api.invented.example/things/${id}/parts`,
    ],
    ['a query that takes its input as it is', (id: string) => `https://api.invented.example/things?q=${id}`],
    [
      'a whole address that is input',
      (id: string) => (URL.canParse(id) ? id : `https://api.invented.example/${id}`),
    ],
  ])('%s', async (_what, address) => {
    expect((await faultsOf(address)).length).toBeGreaterThan(0);
  });

  test('nothing in one that encodes it', async () => {
    expect(
      await faultsOf(
        (id) => `https://api.invented.example/things/${encodeURIComponent(id)}?q=${encodeURIComponent(id)}`,
      ),
    ).toEqual([]);
  });
});
