// Who may see what: every way to read memory shows a principal the documents that name it, and an agent nothing of
// what people hid.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Agent, Person } from '../../src/auth/principal.ts';
import { loadConfig } from '../../src/config.ts';
import { seenBy } from '../../src/memory/documents/seen-by.ts';
import { changeSensitivity, readSensitivity } from '../../src/memory/documents/sensitivity.ts';
import { resourceKinds } from '../../src/resources/surface.ts';
import { openRooms, type Rooms } from '../../src/rooms.ts';
import type { SeenOrg } from '../../src/store/store.ts';
import { callTool } from '../../src/tools/call/call.ts';
import { tools } from '../../src/tools/surface.ts';
import { json } from './ground.ts';

const home = mkdtempSync(join(tmpdir(), 'drawbridge-readers-'));
let rooms: Rooms;
let source: { connectionId: string; provider: string };
const ids = new Map<string, string>();
let receiptId = '';

const person = (memberId: string): Person => ({
  kind: 'person',
  orgId: rooms.org.orgId,
  memberId,
  name: memberId,
});
const agent = (memberId?: string): Agent => ({
  kind: 'agent',
  orgId: rooms.org.orgId,
  agentId: memberId === undefined ? 'key_1' : 'oauth_1',
  name: 'test',
  ...(memberId === undefined ? {} : { memberId }),
  scopes: ['read', 'propose'],
});
const seen = (who: Person | Agent) => seenBy(rooms.store, rooms.org, who);

/** Titles of these tests' documents that one way to read shows. */
type Way = (org: SeenOrg, as: Agent) => Promise<string>;
async function call(name: string, input: object, org: SeenOrg, as: Agent): Promise<string> {
  const tool = tools.find((one) => one.name === name);
  if (tool === undefined) throw new Error(`no tool ${name}`);
  const result = await callTool(tool, input, async () => ({
    rooms: { ...rooms, approveUrl: (id) => id },
    org,
    agent: as,
    signal: new AbortController().signal,
    progress: async () => undefined,
  }));
  return JSON.stringify(result);
}
const resource = (name: string) => {
  const kind = resourceKinds.find((one) => one.name === name);
  if (kind === undefined) throw new Error(`no resource ${name}`);
  return kind;
};
const each = async (read: (id: string) => Promise<string>) => {
  let all = '';
  for (const id of ids.values()) {
    try {
      all += await read(id);
    } catch (thrown) {
      expect(String(thrown)).toMatch(/no such document/);
    }
  }
  return all;
};
const ways: Record<string, Way> = {
  search: (org, as) => call('search', { question: 'quarterly figures', limit: 25 }, org, as),
  'ime-search': (org, as) => call('ime-search', { question: 'quarterly figures', limit: 20 }, org, as),
  'read-source': (org, as) => each((id) => call('read-source', { uri: `ime://documents/${id}` }, org, as)),
  'the bytes that a mail can carry along': (org) =>
    each(async (id) => Buffer.from(await rooms.memory.payload(org, id)).toString()),
  'the document resource': (org) =>
    each(async (id) => {
      const { text } = await resource('document').read(
        { org, rooms: { ...rooms, approveUrl: (a) => a } },
        id,
      );
      return text;
    }),
  'the list of documents, and completion': async (org) =>
    JSON.stringify(
      await resource('document').list({ org, rooms: { ...rooms, approveUrl: (id) => id } }, 500),
    ),
  'the source resource': async (org) =>
    (await resource('source').read({ org, rooms: { ...rooms, approveUrl: (id) => id } }, source.connectionId))
      .text,
  'informed-by': (org, as) => call('informed-by', { output: 'figures' }, org, as),
  latest: async (org) =>
    JSON.stringify(
      await rooms.memory.latest(org, {
        kinds: ['note', 'file', 'mail'],
        since: 0,
        until: Number.MAX_SAFE_INTEGER,
        limit: 100,
      }),
    ),
};

const peopleWays: Record<string, Way> = {
  'client-profile': async (org, as) => {
    let all = '';
    for (const title of titles) {
      const said = await call('client-profile', { client: `${title}@people.test` }, org, as);
      if (!said.includes('isError')) all += said;
    }
    return all;
  },
  'the list of clients, and completion': async (org) =>
    JSON.stringify(await resource('client').list({ org, rooms: { ...rooms, approveUrl: (id) => id } }, 500)),
  'the client that a question means': async (org, as) => {
    let all = '';
    for (const title of titles) {
      const said = await call('ime-search', { question: `what of ${title}@people.test` }, org, as);
      all += JSON.stringify(JSON.parse(said).structuredContent?.client ?? '');
    }
    return all;
  },
};

const titles = ['whole-org', 'anns-own', 'of-the-domain', 'nobodys', 'labelled', 'a-mail'];

beforeAll(async () => {
  rooms = await openRooms(
    loadConfig({ DRAWBRIDGE_HOME: home, DRAWBRIDGE_LOG_LEVEL: 'fatal', DRAWBRIDGE_ALLOW_LOOPBACK: '1' }),
  );
  const { id } = await rooms.connections.own(rooms.org, 'files');
  source = { connectionId: id, provider: 'files' };
  const record = (title: string, kind: 'note' | 'mail', more: object = {}) => ({
    ...json(title, kind, {
      title,
      text: `The quarterly figures, as ${title} has them.`,
      at: '2026-03-01',
      people: [{ address: `${title}@people.test`, role: 'contact' }],
    }),
    ...more,
  });
  await rooms.memory.ingest(rooms.org, source, {
    records: [
      record('whole-org', 'note'),
      record('anns-own', 'note', { readers: ['Ann@Agency.test'] }),
      record('of-the-domain', 'note', { readers: ['domain:agency.test', 'eve@elsewhere.test'] }),
      record('nobodys', 'note', { readers: [] }),
      record('labelled', 'note', { labels: ['Confidential'] }),
      record('a-mail', 'mail'),
    ],
  });
  for (const { id: document, title } of await rooms.memory.documents(rooms.org, { limit: 50 }))
    ids.set(title, document);
  const everything = await rooms.memory.search(rooms.org, { question: 'quarterly figures', limit: 50 });
  receiptId = rooms.receipts.issue(rooms.org, agent(), {
    tool: 'search',
    question: 'q',
    items: (await import('../../src/memory/receipts/receipt-items.ts')).receiptItems(everything.passages),
  });
  await rooms.receipts.flush();
  await rooms.receipts.record(rooms.org, agent(), {
    receiptId,
    outputId: 'figures',
    section: 'all',
    role: 'researcher',
    hits: everything.passages.map((_, i) => i + 1),
  });
});
afterAll(async () => {
  await rooms.close();
  rmSync(home, { recursive: true, force: true });
});

async function shown(way: Way, who: Person | Agent): Promise<string[]> {
  const said = await way(await seen(who), who.kind === 'agent' ? who : agent());
  return titles.filter((title) => said.includes(title)).sort();
}

Object.assign(ways, peopleWays);

describe('by every way to read', () => {
  test.for(Object.keys(ways))('%s: the one member of an org sees all of it', async (name) => {
    const way = ways[name] as Way;
    expect(await shown(way, agent(rooms.owner.memberId))).toEqual([...titles].sort());
  });

  describe('in an org of several', () => {
    beforeAll(async () => {
      await rooms.store.control.write((tx) =>
        tx
          .insertInto('members')
          .values(
            ['ann@agency.test', 'bob@agency.test', 'eve@elsewhere.test'].map((email) => ({
              org_id: rooms.org.orgId,
              id: `mem_${email.slice(0, 3)}`,
              email,
              name: email,
              role: 'member' as const,
              created_at: 1,
            })),
          )
          .execute(),
      );
    });
    const open = ['a-mail', 'labelled', 'whole-org'];
    const expected: [string, string | undefined, string[]][] = [
      ['Ann', 'mem_ann', [...open, 'anns-own', 'of-the-domain']],
      ['Bob, of her domain', 'mem_bob', [...open, 'of-the-domain']],
      ['Eve, of another', 'mem_eve', [...open, 'of-the-domain']],
      ['a key of the org', undefined, open],
      ['one who is a member no more', 'mem_gone', open],
    ];
    test.for(Object.keys(ways).flatMap((name) => expected.map((one) => [name, ...one] as const)))(
      '%s: an agent for %s sees what names them',
      async ([name, , member, titlesSeen]) => {
        expect(await shown(ways[name] as Way, agent(member))).toEqual([...titlesSeen].sort());
      },
    );
    test('a person sees what names them, and no more', async () => {
      const asBob = await shown(ways['latest'] as Way, person('mem_bob'));
      expect(asBob).toEqual([...open, 'of-the-domain'].sort());
    });

    describe('with a label and a kind hidden from agents', () => {
      beforeAll(async () => {
        await changeSensitivity(rooms, rooms.org, rooms.owner, {
          change: { hide: { labels: ['CONFIDENTIAL'], kinds: ['mail'] } },
          channel: 'test',
        });
      });
      test.for(Object.keys(ways))('%s: agents see neither', async (name) => {
        expect(await shown(ways[name] as Way, agent('mem_ann'))).toEqual(
          ['anns-own', 'of-the-domain', 'whole-org'].sort(),
        );
      });
      test('people see both', async () => {
        const asAnn = await shown(ways['latest'] as Way, person('mem_ann'));
        expect(asAnn).toEqual([...open, 'anns-own', 'of-the-domain'].sort());
      });
      test.for(Object.keys(ways))('%s: an account that is hidden shows nothing', async (name) => {
        const connections = [source.connectionId];
        await changeSensitivity(rooms, rooms.org, rooms.owner, {
          change: { hide: { connections } },
          channel: 'test',
        });
        try {
          expect(await shown(ways[name] as Way, agent('mem_ann'))).toEqual([]);
        } finally {
          await changeSensitivity(rooms, rooms.org, rooms.owner, {
            change: { show: { connections } },
            channel: 'test',
          });
        }
      });
      test('an account that is hidden is not read live for agents', async () => {
        const hidden = { kinds: [], connections: ['con_x'], labels: [] };
        const org = { ...rooms.org, viewer: { readerNames: undefined, hidden } };
        const files = await rooms.connections.own(rooms.org, 'files');
        await expect(
          rooms.connections.runRead(org, { ...files, id: 'con_x' }, 'get', {}),
        ).rejects.toMatchObject({ code: 'permission_denied' });
      });
      test('attack: an agent cannot say what agents see', async () => {
        const change = { change: { reset: true }, channel: 'test' };
        await expect(
          changeSensitivity(rooms, rooms.org, agent('mem_ann') as unknown as Person, change),
        ).rejects.toMatchObject({ code: 'permission_denied' });
      });
      test('what was hidden is on record, its labels among what can be erased', async () => {
        const rows = await rooms.org.read((db) =>
          db.selectFrom('audit_log').select('entry').where('kind', '=', 'sensitivity.changed').execute(),
        );
        expect(rows.length).toBeGreaterThan(0);
        expect(rows[0]?.entry).not.toContain('confidential');
      });
    });
  });
});

test('a change of readers alone counts with the next question', async () => {
  const found = async () =>
    (await rooms.memory.search(await seen(agent()), { question: 'moving target', limit: 5 })).passages.map(
      ({ title }) => title,
    );
  const moving = json('moving', 'note', { title: 'moving', text: 'A moving target.' });
  const store = (readers?: string[]) =>
    rooms.memory.ingest(rooms.org, source, {
      records: [{ ...moving, ...(readers === undefined ? {} : { readers }) }],
    });
  await changeSensitivity(rooms, rooms.org, rooms.owner, { change: { reset: true }, channel: 'test' });
  await store();
  expect(await found()).toContain('moving');
  expect(await store(['ann@agency.test'])).toMatchObject({ updated: 1 });
  expect(await found()).not.toContain('moving');
  expect(await store()).toMatchObject({ updated: 1 });
  expect(await found()).toContain('moving');
});

test('a setting that cannot be read shows agents nothing', async () => {
  await rooms.org.write((tx) =>
    tx.updateTable('org_settings').set({ value: '{"kinds":7}' }).where('name', '=', 'sensitivity').execute(),
  );
  await expect(readSensitivity(rooms.org)).rejects.toMatchObject({ code: 'internal' });
  await expect(seen(agent())).rejects.toMatchObject({ code: 'internal' });
});
