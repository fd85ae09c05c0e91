import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

/**
 * What takes its time by its nature has a run of its own, `npm run test:long`: fault loops, soaks, crowds of
 * processes, every provider in turn, walks through the whole program in a browser or a terminal, and of the suites that
 * run on every database those that take longest there.
 */
const long = [
  'test/auth/{members,vault}.test.ts',
  'test/jobs/{deletions,messages}.test.ts',
  'test/memory/client-identity.test.ts',
  'test/memory/properties/homes.test.ts',
  'test/recall/recall.test.ts',
  'test/tools/lengths.test.ts',
  'test/faults/*.test.ts',
  'test/memory/embed/{change,killed,wire}.test.ts',
  'test/memory/index/{folding,interrupted,old}.test.ts',
  'test/jobs/import-memory.test.ts',
  'test/conformance/*.test.ts',
  'test/e2e/*.test.ts',
  'test/sandbox/{demo,story}.test.ts',
  'test/cli/*.test.ts',
  'test/jobs/import-paths.test.ts',
  'test/check/{dockerfile,new-provider,package}.test.ts',
  'test/egress/shared-{crowd,limits}.test.ts',
  'test/store/processes.test.ts',
];

/**
 * What runs on every database shares a process, and with it the PGlite that takes longer to start than most of these
 * files to run. Each test opens a database of its own; none of them leaves anything in the process.
 */
const together = [
  'test/audit/*.test.ts',
  'test/auth/keys.test.ts',
  'test/connections/{dialects,tokens-dialects}.test.ts',
  'test/jobs/{due-syncs,retention,workers}.test.ts',
  'test/memory/{databases,receipts}.test.ts',
  'test/memory/index/*.test.ts',
  'test/memory/properties/migration.test.ts',
  'test/memory/rerank/chosen.test.ts',
  'test/observe/*.test.ts',
  'test/queue/*.test.ts',
  'test/store/{handle,lease,migrations,tenancy}.test.ts',
];

export default defineConfig(({ mode }) => {
  const include = mode === 'long' ? long : ['test/**/*.test.ts'];
  const exclude = mode === 'test' ? long : [];
  return {
    test: {
      projects: [
        {
          extends: true,
          // Behind the others: a process is shared by files that follow one another.
          test: {
            name: 'apart',
            include,
            exclude: mode === 'long' ? [] : [...exclude, ...together],
            sequence: { groupOrder: 1 },
          },
        },
        {
          extends: true,
          test: {
            name: 'together',
            include: mode === 'long' ? [] : together,
            exclude,
            isolate: false,
          },
        },
      ],
      setupFiles: ['test/providers/contract-watch.ts'],
      globalSetup: ['test/temporary-folder.ts'],
      // A loaded machine takes its time: these are for what hangs. A poll of vitest's own gives up after a second.
      testTimeout: 180_000,
      hookTimeout: 240_000,
      expect: { poll: { timeout: 30_000 } },
      maxWorkers: 2,
      // The program is started some hundred times from its source: compiled once, it starts in half the time.
      env: { NODE_COMPILE_CACHE: join(import.meta.dirname, 'node_modules/.cache/node') },
    },
  };
});
