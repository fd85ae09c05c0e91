// Several processes with a store and a memory of their own on one home: the normal case of a desktop. The long
// form is crowd-soak.ts, which measures event loops too.
import { expect, test } from 'vitest';
import { databases } from '../store/databases.ts';
import { runCrowd } from './crowd.ts';

test.each(databases.filter((database) => database.name !== 'PGlite'))(
  'four processes that ingest, claim and search at once on $name lose nothing, find what they stored and hear no error',
  async (database) => {
    const opened = await database.open();
    try {
      const crowd = await runCrowd(opened, { processes: 4, seconds: 3 });
      expect(crowd.lost).toEqual([]);
      expect(crowd.askedAtTheEnd).toBeGreaterThan(0);
      expect(crowd.workers.map(({ errors }) => errors)).toEqual(Array.from({ length: 4 }, () => ({})));
      expect(crowd.notFoundAtTheEnd).toEqual([]);
      expect(crowd.workers.flatMap(({ missed }) => missed)).toEqual([]);
      for (const worker of crowd.workers) {
        expect(worker.ingested, `mails of ${worker.worker}`).toBeGreaterThan(0);
        expect(worker.searches, `searches of ${worker.worker}`).toBeGreaterThan(0);
      }
      expect(crowd.workers.some(({ claimed }) => claimed > 0)).toBe(true);
    } finally {
      await opened.close();
    }
  },
);
