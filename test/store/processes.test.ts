// Several processes on one database are the normal case. With memory, and in a long form: test/faults/crowd-soak.ts.
import { expect, test } from 'vitest';
import { runCrowd, total } from './crowd.ts';
import { databases } from './databases.ts';

const several = databases.filter((database) => database.name !== 'PGlite');

test.each(several)(
  'four processes that write, claim and read at once on $name lose nothing, and none is told that it is locked',
  async (database) => {
    const opened = await database.open();
    try {
      const place = { home: opened.home, url: opened.url };
      const { workers, kept } = await runCrowd(opened.store, place, { processes: 4, seconds: 3 });
      expect(workers.flatMap((worker) => worker.failures)).toEqual([]);
      expect(kept).toEqual({
        rows: total(workers, 'written'),
        counter: total(workers, 'counted'),
        claims: total(workers, 'claimed'),
      });
      for (const worker of workers) expect(worker.written, `worker ${worker.worker}`).toBeGreaterThan(0);
      expect(total(workers, 'claimed')).toBeGreaterThan(0);
    } finally {
      await opened.close();
    }
  },
);
