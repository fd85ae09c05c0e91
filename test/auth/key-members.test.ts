// API keys that act for a member: over HTTP, each reads what its member may, and no more than they.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAudit } from '../../src/audit/create.ts';
import { createKeys } from '../../src/auth/keys.ts';
import { createMembers } from '../../src/auth/members.ts';
import { systemClock } from '../../src/clock.ts';
import { createLog } from '../../src/log.ts';
import { seenBy } from '../../src/memory/documents/seen-by.ts';
import type { Serving } from '../../src/serving.ts';
import { json } from '../memory/ground.ts';
import { serveFrom } from '../protocol/serve.ts';
import { databases } from '../store/databases.ts';

const home = mkdtempSync(join(tmpdir(), 'drawbridge-key-members-'));
const log = createLog({ level: 'silent' });
let serving: Serving;

beforeAll(async () => {
  serving = await serveFrom(home);
  const { rooms } = serving;
  const members = createMembers(rooms);
  for (const name of ['Ann', 'Bob', 'Cy']) {
    const email = `${name.toLowerCase()}@${name.toLowerCase()}.test`;
    await members.add(rooms.org.orgId, { email, name, role: 'member' });
  }
  const { id } = await rooms.connections.own(rooms.org, 'files');
  const record = (title: string, readers?: string[]) => ({
    ...json(title, 'note', { title, text: `The quarterly figures, as ${title} has them.` }),
    ...(readers === undefined ? {} : { readers }),
  });
  await rooms.memory.ingest(
    rooms.org,
    { connectionId: id, provider: 'files' },
    {
      records: [
        record('the-house'),
        record('anns-own', ['ann@ann.test']),
        record('bobs-own', ['bob@bob.test']),
      ],
    },
  );
});
afterAll(async () => {
  await serving?.close();
  rmSync(home, { recursive: true, force: true });
});

const titles = ['the-house', 'anns-own', 'bobs-own'];

async function keyFor(member?: string): Promise<{ id: string; header: string }> {
  const { rooms } = serving;
  const made = await createKeys(rooms).create(rooms.org.orgId, 'Desk', ['read'], { member });
  return { id: made.id, header: `Bearer ${made.key.reveal()}` };
}

async function connect(header: string): Promise<Client> {
  const client = new Client({ name: 'desk', version: '1' });
  const url = new URL(`${serving.web()?.programUrl}/mcp`);
  await client.connect(
    new StreamableHTTPClientTransport(url, { requestInit: { headers: { Authorization: header } } }),
  );
  return client;
}

async function found(client: Client): Promise<string[]> {
  const asked = { name: 'search', arguments: { question: 'quarterly figures', limit: 25 } };
  const said = JSON.stringify(await client.callTool(asked));
  return titles.filter((title) => said.includes(title));
}

test.for([
  ['Ann', 'ann@ann.test', ['the-house', 'anns-own']],
  ['Bob, however his address is written', ' Bob@Bob.test', ['the-house', 'bobs-own']],
  ['Cy, whom no document names', 'cy@cy.test', ['the-house']],
  ['nobody in particular', undefined, ['the-house']],
] as const)('a key that acts for %s reads what they may', async ([, member, expected]) => {
  const client = await connect((await keyFor(member)).header);
  expect(await found(client)).toEqual(expected);
  await client.close();
});

test('attack: a key goes on after its member was removed; an open session of it is as closed as a new one', async () => {
  const { rooms } = serving;
  const members = createMembers(rooms);
  await members.add(rooms.org.orgId, { email: 'dee@dee.test', name: 'Dee', role: 'member' });
  const { header } = await keyFor('dee@dee.test');
  const client = await connect(header);
  expect(await found(client)).toEqual(['the-house']);
  await members.remove(rooms.org.orgId, 'dee@dee.test');
  await expect(found(client)).rejects.toThrow();
  await expect(connect(header)).rejects.toThrow();
});

test('whoever acts for a member who is gone sees nothing that names readers, though one member is left', async () => {
  const { rooms } = serving;
  const lone = await rooms.store.forOrg(await rooms.store.createOrg('Lone'));
  const agent = { kind: 'agent' as const, orgId: lone.orgId, agentId: 'key_1', name: 'x', scopes: [] };
  const gone = await seenBy(rooms.store, lone, { ...agent, memberId: 'mbr_gone' });
  expect(gone.viewer.readerNames).toEqual([]);
  expect((await seenBy(rooms.store, lone, agent)).viewer.readerNames).toBeUndefined();
});

describe.each(databases)('on $name', (database) => {
  test('a key is made for a member of its own org alone, and ends with them', async () => {
    const opened = await database.open();
    try {
      const { store } = opened;
      const audit = createAudit({ signingSeed: () => new Uint8Array(32), knownSeeds: () => [] });
      const by = { kind: 'person' as const, id: 'mbr_1', name: 'Pat' };
      const record = { audit, by, channel: 'terminal' };
      const keys = createKeys({ store, clock: systemClock, log });
      const members = createMembers({ store, clock: systemClock, record });
      const orgId = await store.createOrg('Harbour Homes');
      const other = await store.createOrg('Quay Lettings');
      const ann = await members.add(orgId, { email: 'ann@ann.test', name: 'Ann', role: 'member' });
      await members.add(other, { email: 'eve@eve.test', name: 'Eve', role: 'member' });

      for (const member of ['eve@eve.test', 'nobody@ann.test', '']) {
        await expect(keys.create(orgId, 'Desk', ['read'], { member })).rejects.toMatchObject({
          code: 'not_found',
        });
      }
      const options = { record, member: 'ann@ann.test' };
      const { id, key, member } = await keys.create(orgId, 'Desk', ['read'], options);
      const plain = await keys.create(orgId, 'Plain', ['read'], { record });
      const whose = { id: ann.id, email: 'ann@ann.test', name: 'Ann' };
      expect(member).toEqual(whose);
      const listed = async () =>
        (await keys.list(orgId)).map((one) => [one.name, one.member, one.revokedAt !== undefined]);
      expect(await listed()).toEqual([
        ['Plain', undefined, false],
        ['Desk', whose, false],
      ]);
      const header = `Bearer ${key.reveal()}`;
      expect(await keys.verify(header)).toEqual({
        kind: 'agent',
        orgId,
        agentId: id,
        name: 'Desk for Ann',
        memberId: ann.id,
        scopes: ['read'],
      });

      await members.remove(orgId, 'ann@ann.test');
      expect(await keys.verify(header)).toBeUndefined();
      expect(await listed()).toEqual([
        ['Plain', undefined, false],
        ['Desk', { id: ann.id, email: undefined, name: undefined }, true],
      ]);
      // Though somebody undid that it is revoked.
      await store.control.write((tx) => tx.updateTable('api_keys').set({ revoked_at: null }).execute());
      expect(await keys.verify(header)).toBeUndefined();
      expect(await keys.verify(`Bearer ${plain.key.reveal()}`)).toMatchObject({ name: 'Plain' });

      const org = await store.forOrg(orgId);
      const facts = (await audit.list(org, { limit: 20 })).map(({ kind, facts: said }) => [kind, said]);
      expect(facts).toContainEqual(['key.created', { scopes: 'read', member: ann.id }]);
      expect(facts).toContainEqual(['member.removed', { keys: id }]);
      expect(JSON.stringify(facts)).not.toContain('ann@');
    } finally {
      await opened.close();
    }
  });
});
