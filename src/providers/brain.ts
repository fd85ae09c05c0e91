// What the org says of itself, as a provider: no account, no operation, no network. Its records are entered by
// people of the org (memory/receipts/brain.ts).
import { z } from 'zod';
import { defineProvider } from './define.ts';
import { ownLabels } from './own.ts';

export const provider = defineProvider({
  id: 'brain',
  title: ownLabels.brain,
  fields: z.object({}),
  secrets: [],
  auth: { kind: 'none' },
  identity: async () => ({ id: 'brain', label: ownLabels.brain }),
  operations: {},
  capabilities: {},
  feeds: {},
  limit: { perSecond: 1, burst: 1, concurrent: 1 },
  notes: [
    'Services, prices, voice and other facts of the org itself, entered with `drawbridge brain` or on the page About us. Agents read and cite them; only people write them.',
  ],
  verified: 'The tests of test/memory/receipts.test.ts and test/dashboard/memory.test.ts.',
});
