// The databases that the queue's promises are tested on: each test gets an org of its own.
import { afterAll } from 'vitest';
import type { OrgStore, Store } from '../../src/store/store.ts';
import { databases as all, type OpenedDatabase, type TestDatabase } from '../store/databases.ts';
import { addConnection } from './world.ts';

export interface OpenDatabase {
  org(): Promise<OrgStore>;
  /** The same org, as another process would open it. */
  again(): Promise<OrgStore>;
  /** Another org in the same store. */
  otherOrg(): Promise<OrgStore>;
  close(): Promise<void>;
}

const opened = new Map<string, Promise<OpenedDatabase>>();

afterAll(async () => {
  for (const database of opened.values()) await (await database).close();
  opened.clear();
});

export interface Ground {
  name: TestDatabase['name'];
  open(): Promise<OpenDatabase>;
}

/** One database a test file, one org a test. */
function inOne(database: TestDatabase): Ground {
  return {
    name: database.name,
    async open() {
      const open = opened.get(database.name) ?? database.open();
      opened.set(database.name, open);
      const { store, again } = await open;
      const others: Store[] = [];
      const newOrg = async () => {
        const org = await store.forOrg(await store.createOrg('Test'));
        await addConnection(org);
        return org;
      };
      const org = await newOrg();
      return {
        org: async () => org,
        async again() {
          const other = await again();
          others.push(other);
          return other.forOrg(org.orgId);
        },
        otherOrg: newOrg,
        async close() {
          for (const other of others) await other.close();
        },
      };
    },
  };
}

export const databases = all.map(inOne);
