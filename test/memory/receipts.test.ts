// What an answer held, what was made of it, and what its sources say by now; and what the org says of itself. On
// every database that the store runs on.
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createAudit } from '../../src/audit/create.ts';
import type { Agent, Person } from '../../src/auth/principal.ts';
import { createLog } from '../../src/log.ts';
import { createMemory } from '../../src/memory/create.ts';
import type { Memory, Source } from '../../src/memory/memory.ts';
import { type Brain, createBrain } from '../../src/memory/receipts/brain.ts';
import { receiptItems } from '../../src/memory/receipts/receipt-items.ts';
import { createReceipts, type Receipts } from '../../src/memory/receipts/receipts.ts';
import type { OrgStore } from '../../src/store/store.ts';
import { databases, type OpenedDatabase } from '../store/databases.ts';
import { connectAccount, json, manualClock } from './ground.ts';

describe.each(databases)('on $name', (database) => {
  let opened: OpenedDatabase;
  let memory: Memory;
  let receipts: Receipts;
  let brain: Brain;
  let org: OrgStore;
  let other: OrgStore;
  let source: Source;
  let agent: Agent;
  let person: Person;
  let failing = false;
  const clock = manualClock();

  beforeAll(async () => {
    opened = await database.open();
    const log = createLog({ level: 'silent' });
    memory = createMemory({ clock, log });
    receipts = createReceipts({ clock, log });
    other = await opened.store.forOrg(await opened.store.createOrg('Two'));
  });
  beforeEach(async () => {
    org = await opened.store.forOrg(await opened.store.createOrg('One'));
    source = await connectAccount(org, 'con_1', 'me@agency.test', clock.now());
    agent = { kind: 'agent', orgId: org.orgId, agentId: 'key_1', name: 'Researcher', scopes: ['read'] };
    person = { kind: 'person', orgId: org.orgId, memberId: 'mem_1', name: 'Ana Ruiz' };
    failing = false;
    brain = createBrain({
      memory: {
        ingest: (...given) => (failing ? Promise.reject(new Error('killed')) : memory.ingest(...given)),
      },
      connections: {
        own: async (at) => {
          const known = await at.read((db) =>
            db.selectFrom('connected_sources').select('id').where('id', '=', 'con_b').executeTakeFirst(),
          );
          if (known === undefined) await connectAccount(at, 'con_b', 'brain', clock.now());
          return { id: 'con_b' } as Awaited<
            ReturnType<Parameters<typeof createBrain>[0]['connections']['own']>
          >;
        },
      },
      audit: createAudit({ signingSeed: () => new Uint8Array(32), knownSeeds: () => [] }),
    });
  });
  afterAll(async () => {
    await receipts.close();
    await memory.close();
    await opened.close();
  });

  const note = (id: string, text: string) => json(id, 'note', { title: `Note ${id}`, text });
  const deal = 'The Keller deal stands at 450,000 and closes in June.';

  async function answered(question: string): Promise<string> {
    const { passages } = await memory.search(org, { question, limit: 5 });
    return receipts.issue(org, agent, { tool: 'ime-search', question, items: receiptItems(passages) });
  }
  const used = (receiptId: string, more: object = {}) => ({
    receiptId,
    outputId: 'brief-1',
    section: 'Deal',
    role: 'researcher',
    hits: [1],
    ...more,
  });
  const states = async () => (await receipts.informedBy(org, 'brief-1')).sources.map((one) => one.state);

  describe('receipts', () => {
    test('an output names the passages that informed it, with their hash and age at use', async () => {
      await memory.ingest(org, source, { records: [note('a', deal), note('b', 'Lunch is at noon.')] });
      const receiptId = await answered('the Keller deal');
      const ids = await receipts.record(org, agent, used(receiptId, { title: 'Brief: Keller' }));
      expect(ids).toHaveLength(1);
      const found = await receipts.informedBy(org, 'brief-1');
      expect(found).toMatchObject({ title: 'Brief: Keller', by: 'Researcher' });
      expect(found.sources).toMatchObject([
        { section: 'Deal', role: 'researcher', title: 'Note a', kind: 'note', state: 'unchanged' },
      ]);
      expect(found.sources[0]?.contentHash).toMatch(/^[0-9a-f]{64}$/u);
      expect(found.sources[0]?.verifiedAt).toBe(clock.now());
      expect(found.sources[0]?.scores).toMatchObject({
        score: 1,
        body: expect.any(Number),
        vectors: expect.any(Number),
      });
    });

    test('a receipt is stored by a write that the event loop does not wait for', async () => {
      await memory.ingest(org, source, { records: [note('a', deal)] });
      const { passages } = await memory.search(org, { question: 'the Keller deal', limit: 5 });
      const beside: OrgStore = { ...org, write: () => Promise.reject(new Error('waited for')) };
      const answer = { tool: 'ime-search', question: 'the Keller deal', items: receiptItems(passages) };
      const receiptId = receipts.issue(beside, agent, answer);
      await receipts.flush();
      expect(await receipts.record(org, agent, used(receiptId))).toHaveLength(1);
    });

    test('the same said twice is one attribution', async () => {
      await memory.ingest(org, source, { records: [note('a', deal)] });
      const receiptId = await answered('the Keller deal');
      const first = await receipts.record(org, agent, used(receiptId));
      expect(await receipts.record(org, agent, used(receiptId, { hits: [1, 1] }))).toEqual(first);
      expect((await receipts.informedBy(org, 'brief-1')).sources).toHaveLength(1);
      expect(await receipts.outputs(org, 10)).toMatchObject([{ id: 'brief-1', sources: 1 }]);
    });

    test('a source that changed is flagged, one that merely grew is not, one that went has vanished', async () => {
      await memory.ingest(org, source, { records: [note('a', deal), note('b', 'Keller has two children.')] });
      await receipts.record(org, agent, used(await answered('the Keller deal'), { hits: [1, 2] }));
      expect(await states()).toEqual(['unchanged', 'unchanged']);
      await memory.ingest(org, source, { records: [note('a', deal.replace('450,000', '430,000'))] });
      expect((await states()).sort()).toEqual(['changed', 'unchanged']);
      await memory.ingest(org, source, { records: [note('a', deal)], deleted: ['b'] });
      const now = await receipts.informedBy(org, 'brief-1');
      expect(now.sources.map((one) => one.state).sort()).toEqual(['unchanged', 'vanished']);
      expect(now.sources.find((one) => one.state === 'vanished')?.title).toBeUndefined();
    });

    test('nothing can be attributed that no answer held', async () => {
      await memory.ingest(org, source, { records: [note('a', deal)] });
      const receiptId = await answered('the Keller deal');
      await expect(receipts.record(org, agent, used(receiptId, { hits: [2] }))).rejects.toMatchObject({
        code: 'invalid_request',
        field: 'used.0',
      });
      await expect(receipts.record(org, agent, used('rcp_unknown'))).rejects.toMatchObject({
        code: 'not_found',
        field: 'receiptId',
      });
      await expect(receipts.record(org, agent, used(receiptId, { outputId: '../x' }))).rejects.toMatchObject({
        field: 'output',
      });
      await expect(receipts.informedBy(org, 'brief-1')).rejects.toMatchObject({ code: 'not_found' });
    });

    test("another org's receipt and output are not there", async () => {
      await memory.ingest(org, source, { records: [note('a', deal)] });
      const receiptId = await answered('the Keller deal');
      await receipts.record(org, agent, used(receiptId));
      await expect(receipts.record(other, agent, used(receiptId))).rejects.toMatchObject({
        code: 'not_found',
      });
      await expect(receipts.informedBy(other, 'brief-1')).rejects.toMatchObject({ code: 'not_found' });
      expect(await receipts.outputs(other, 10)).toEqual([]);
    });

    test('an attribution is neither changed nor removed, and has exactly one target', async () => {
      await memory.ingest(org, source, { records: [note('a', deal)] });
      await receipts.record(org, agent, used(await answered('the Keller deal')));
      const refused = (work: (id: string) => Promise<unknown>) => expect(work(org.orgId)).rejects.toThrow();
      await refused((id) =>
        org.write((tx) =>
          tx.updateTable('source_attribution').set({ section: 'x' }).where('org_id', '=', id).execute(),
        ),
      );
      await refused((id) =>
        org.write((tx) => tx.deleteFrom('source_attribution').where('org_id', '=', id).execute()),
      );
      for (const target of ['null, null, null', "'chk', 'fct', null"]) {
        await refused((id) =>
          org.write((tx) =>
            sql`insert into source_attribution (org_id, id, output_id, section, agent_role, chunk_id, fact_id,
              brain_id, document_id, receipt_id, scores, content_hash, verified_at, used_at, by)
              values (${id}, 'att_x', 'brief-1', 's', 'r', ${sql.raw(target)}, null, 'rcp', '{}', 'h', 1, 1, '{}')`.execute(
              tx,
            ),
          ),
        );
      }
      expect(await states()).toEqual(['unchanged']);
    });
  });

  describe('what the org says of itself', () => {
    const price = { kind: 'price', title: 'Commission', text: 'We take 2.5 % of the sale price, plus VAT.' };

    test('an entry is found and cited like the rest, as its newest version says it', async () => {
      const entry = await brain.add(org, person, price, 'terminal');
      const ask = async () => (await memory.search(org, { question: 'commission', limit: 5 })).passages;
      expect((await ask()).map((one) => one.text).join()).toContain('2.5 %');
      const receiptId = await answered('commission');
      await receipts.record(org, agent, used(receiptId, { section: 'Fees' }));
      expect(await states()).toEqual(['unchanged']);
      await brain.edit(org, person, {
        id: entry.id,
        version: 1,
        text: { ...price, text: 'We take 2 % of the sale price.' },
        channel: 'page',
      });
      expect((await ask()).map((one) => one.text).join()).not.toContain('2.5 %');
      expect(await states()).toEqual(['changed']);
      const targets = await org.read((db) =>
        db
          .selectFrom('source_attribution')
          .select(['brain_id', 'chunk_id'])
          .where('org_id', '=', org.orgId)
          .execute(),
      );
      expect(targets).toEqual([{ brain_id: entry.id, chunk_id: null }]);
    });

    test('what is removed is in no answer, and can be brought back', async () => {
      const { id } = await brain.add(org, person, price, 'terminal');
      await brain.remove(org, person, id, 'terminal');
      expect((await memory.search(org, { question: 'commission', limit: 5 })).passages).toEqual([]);
      expect(await brain.list(org)).toEqual([]);
      await brain.restore(org, person, { id, version: 1, channel: 'terminal' });
      expect((await memory.search(org, { question: 'commission', limit: 5 })).passages).toHaveLength(1);
      expect((await brain.history(org, id)).map((one) => one.version)).toEqual([3, 2, 1]);
    });

    test('of two who edit at once the second is told, and loses nothing of the first', async () => {
      const { id } = await brain.add(org, person, price, 'terminal');
      const edit = (text: string) =>
        brain.edit(org, person, { id, version: 1, text: { ...price, text }, channel: 'page' });
      await edit('We take 3 %.');
      await expect(edit('We take 4 %.')).rejects.toMatchObject({ code: 'conflict' });
      expect((await brain.list(org)).map((one) => one.text)).toEqual(['We take 3 %.']);
    });

    test('an entry stored just before a kill is in memory after the next look', async () => {
      failing = true;
      await expect(brain.add(org, person, price, 'terminal')).rejects.toThrow('killed');
      expect((await memory.search(org, { question: 'commission', limit: 5 })).passages).toEqual([]);
      failing = false;
      expect(await brain.list(org)).toHaveLength(1);
      expect((await memory.search(org, { question: 'commission', limit: 5 })).passages).toHaveLength(1);
    });

    test('only people of the org write it; what is missing is named', async () => {
      const stranger: Person = { ...person, orgId: other.orgId };
      await expect(brain.add(org, stranger, price, 'terminal')).rejects.toMatchObject({
        code: 'permission_denied',
      });
      await expect(brain.add(org, agent as unknown as Person, price, 'mcp')).rejects.toMatchObject({
        code: 'permission_denied',
      });
      await expect(brain.add(org, person, { ...price, title: ' ' }, 'terminal')).rejects.toMatchObject({
        code: 'invalid_request',
        field: 'title',
      });
      expect(await brain.list(org)).toEqual([]);
    });
  });
});
