import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

/**
 * What takes its time by its nature has a run of its own, `npm run test:long`: fault loops, soaks, every provider
 * in turn, and walks through the whole program in a browser or a terminal.
 */
const long = [
  'test/faults/*.test.ts',
  'test/memory/embed/killed.test.ts',
  'test/jobs/import-memory.test.ts',
  'test/conformance/*.test.ts',
  'test/e2e/*.test.ts',
  'test/sandbox/{demo,story}.test.ts',
  'test/cli/*.test.ts',
  'test/jobs/import-paths.test.ts',
  'test/check/{dockerfile,package}.test.ts',
];

export default defineConfig(({ mode }) => ({
  test: {
    include: mode === 'long' ? long : ['test/**/*.test.ts'],
    exclude: mode === 'test' ? long : [],
    setupFiles: ['test/providers/contract-watch.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // A loaded machine takes its time; vitest gives up after a second.
    expect: { poll: { timeout: 30_000 } },
    maxWorkers: 2,
    // The program is started some hundred times from its source: compiled once, it starts in half the time.
    env: { NODE_COMPILE_CACHE: join(import.meta.dirname, 'node_modules/.cache/node') },
  },
}));
