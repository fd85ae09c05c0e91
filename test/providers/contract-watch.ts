// Runs before each file of tests: whatever the code under test asks of an emulator, and whatever the emulator
// answers, must keep the provider's contract. What tests of the sandbox itself ask is theirs to break, and so is
// what is asked for with hostile input.
import { afterAll, expect } from 'vitest';
import { exchangesInBatch as inGoogles } from '../../sandbox/google/batch.ts';
import { exchangesInBatch as inMicrosofts } from '../../sandbox/microsoft/batch.ts';
import { onExchange } from '../../sandbox/providers.ts';
import { contractChecker, type Exchange, exchangeOf, faultsOf } from './contract.ts';

const { testPath = '' } = expect.getState();
if (!/\/test\/sandbox\/|\/injection\.test\.ts$/.test(testPath)) {
  const exchanges: Exchange[] = [];
  const end = onExchange((exchanged) => {
    const made = inMicrosofts(exchanged) ?? inGoogles(exchanged) ?? [exchanged];
    exchanges.push(...made.flatMap((one) => exchangeOf(one) ?? []));
  });
  afterAll(async () => {
    end();
    if (exchanges.length === 0) return;
    const checker = await contractChecker();
    if ('missing' in checker) return;
    const faults = faultsOf(checker, exchanges);
    if (faults.length > 0)
      throw new Error(`${faults.length} exchanges break a contract:\n${faults.join('\n')}`);
  });
}
