// What was erased is gone from the database's file as well, once its log has been folded: not only from the rows.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { addConnection, worldOver } from '../queue/world.ts';
import { databases } from '../store/databases.ts';
import { auditWith } from './chain-of.ts';

test('no byte of an erased action is left in the file when the store is closed', async () => {
  const database = databases.find(({ name }) => name === 'SQLite');
  const opened = await database?.open();
  if (opened === undefined) throw new Error('SQLite is always there');
  try {
    const org = await opened.store.forOrg(await opened.store.createOrg('Brightwater Homes'));
    await addConnection(org);
    const world = worldOver(org, { audit: auditWith() });
    const text = `peony ${'x'.repeat(60_000)} geranium`;
    const action = await world.approved({ to: 'bo@b.example', text });
    await world.queue.runDue(world.org);
    const { actionId } = { actionId: action.id };
    await world.queue.erase(world.org, world.person, { actionId, reason: 'asked for', channel: 'page' });
    await opened.store.close();
    const bytes = await readFile(join(opened.home ?? '', 'orgs', `${org.orgId}.db`));
    expect(bytes.includes(action.payloadHash)).toBe(true);
    for (const word of ['peony', 'geranium', 'bo@b.example']) expect(bytes.includes(word), word).toBe(false);
  } finally {
    await opened.close();
  }
});
