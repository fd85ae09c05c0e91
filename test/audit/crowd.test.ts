// Processes that record at the same time never fork the chain, lose an entry or write one twice.
import { expect, test } from 'vitest';
import { start } from '../store/child.ts';
import { databases } from '../store/databases.ts';
import { auditWith, entry } from './chain-of.ts';

test.each(databases.filter(({ name }) => name !== 'PGlite'))(
  'three processes with many transactions in flight on $name make one chain',
  async (database) => {
    const opened = await database.open();
    try {
      const place = { home: opened.home, url: opened.url };
      const org = await opened.store.forOrg(await opened.store.createOrg('Brightwater Homes'));
      const children = [1, 1_001, 2_001].map((from) =>
        start('../../audit/fixtures/appender.ts', { place, orgId: org.orgId, from, count: 60 }),
      );
      const ends = await Promise.all(children.map((child) => child.ended));
      expect(ends.map(({ code, err }) => ({ code, err }))).toEqual(ends.map(() => ({ code: 0, err: '' })));
      const kept = ends.reduce((sum, { out }) => sum + Number(out), 0);
      expect(kept).toBe(3 * 48);
      expect(await auditWith().verify(org)).toMatchObject({ entries: kept, bad: undefined });
      const subjects = (await auditWith().list(org, { limit: 500 })).map((line) => line.subject);
      expect(new Set(subjects).size).toBe(kept);
    } finally {
      await opened.close();
    }
  },
);

test.each(databases.filter(({ name }) => name === 'PostgreSQL'))(
  'a transaction that $name asks for again is recorded once',
  async (database) => {
    const opened = await database.open();
    try {
      const org = await opened.store.forOrg(await opened.store.createOrg('Brightwater Homes'));
      let runs = 0;
      await org.write(async (tx) => {
        runs += 1;
        await auditWith().append(tx, org.orgId, 1, entry(1));
        // As the database says it when it cannot serialise.
        if (runs === 1) throw Object.assign(new Error('could not serialize access'), { code: '40001' });
      });
      expect(runs).toBe(2);
      expect(await auditWith().verify(org)).toMatchObject({ entries: 1, bad: undefined });
    } finally {
      await opened.close();
    }
  },
);
