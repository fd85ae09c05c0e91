// The one door into memory: idempotent, whole or not at all, and deaf to no deletion.
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { SourceRecord } from '../../src/providers/record.ts';
import { type Ground, ground, json, mail } from './ground.ts';

let g: Ground;
beforeEach(async () => {
  g = await ground();
});
afterEach(() => g.close());

const ask = async (question: string, more: object = {}) =>
  (await g.memory.search(g.org, { question, limit: 10, ...more })).passages;

test('the same batch twice stores nothing twice, and refreshes when it was last known to be current', async () => {
  const records = [
    mail({ subject: 'Roof', body: 'The roof leaks.' }),
    mail({ subject: 'Key', body: 'Key is lost.' }),
  ];
  expect(await g.memory.ingest(g.org, g.source, { records })).toMatchObject({ inserted: 2, unchanged: 0 });
  const [before] = await ask('roof');
  g.clock.advance(60_000);
  expect(await g.memory.ingest(g.org, g.source, { records })).toMatchObject({ inserted: 0, unchanged: 2 });
  const [after] = await ask('roof');
  expect(after?.documentId).toBe(before?.documentId);
  expect(after?.verifiedAt).toBe((before?.verifiedAt ?? 0) + 60_000);
  expect((await g.memory.stats(g.org)).documents).toBe(2);
});

test('a changed record is found by its new words and no more by its old ones', async () => {
  const note = (text: string) => json('n1', 'note', { title: 'Plan', text });
  await g.memory.ingest(g.org, g.source, {
    records: [note('Paint the quendrome green.'), json('n2', 'note', { text: 'x' })],
  });
  const result = await g.memory.ingest(g.org, g.source, { records: [note('Repair the chimney.')] });
  expect(result).toMatchObject({ updated: 1, inserted: 0 });
  expect(await ask('quendrome')).toEqual([]);
  expect((await ask('chimney'))[0]?.text).toBe('Repair the chimney.');
});

test('a value that only says when we looked changes nothing', async () => {
  const deal = (fetchedAt: number) =>
    json('d', 'deal', { title: 'Deal', facts: { stage: 'won', fetchedAt } });
  await g.memory.ingest(g.org, g.source, { records: [deal(1)] });
  expect(await g.memory.ingest(g.org, g.source, { records: [deal(2)] })).toMatchObject({
    unchanged: 1,
    updated: 0,
  });
});

test('what is deleted at its source is in no answer, and its content is not kept', async () => {
  await g.memory.ingest(g.org, g.source, {
    records: [
      mail({ id: 'a@x', body: 'The boiler is broken.' }),
      mail({ id: 'b@x', body: 'The boiler is new.' }),
    ],
  });
  const [first] = await ask('broken boiler');
  const result = await g.memory.ingest(g.org, g.source, { records: [], deleted: ['a@x', 'never-there'] });
  expect(result.deleted).toBe(1);
  expect((await ask('boiler')).map((one) => one.text)).toEqual(['The boiler is new.']);
  await expect(g.memory.document(g.org, first?.documentId ?? '')).rejects.toMatchObject({
    code: 'not_found',
  });
  const row = await g.org.read((db) =>
    db.selectFrom('source_documents').selectAll().where('external_id', '=', 'a@x').executeTakeFirstOrThrow(),
  );
  expect([row.text, row.title, row.raw.length, row.people]).toEqual(['', '', 0, '[]']);
});

test('a complete list tombstones what it does not name, within its prefix only', async () => {
  const note = (id: string) => json(id, 'note', { title: id, text: `garage ${id}` });
  await g.memory.ingest(g.org, g.source, { records: ['in/1', 'in/2', 'out/1'].map(note) });
  const result = await g.memory.ingest(g.org, g.source, {
    records: [note('in/3')],
    complete: { ids: ['in/2', 'in/3'], prefix: 'in/' },
  });
  expect(result).toMatchObject({ inserted: 1, deleted: 1 });
  expect((await ask('garage')).map((one) => one.title).sort()).toEqual(['in/2', 'in/3', 'out/1']);
});

test('a record that comes back after it was deleted is found again', async () => {
  const records = [json('n', 'note', { text: 'The cellar is dry.' })];
  await g.memory.ingest(g.org, g.source, { records });
  await g.memory.ingest(g.org, g.source, { records: [], deleted: ['n'] });
  expect(await ask('cellar')).toEqual([]);
  expect(await g.memory.ingest(g.org, g.source, { records })).toMatchObject({ inserted: 1 });
  expect(await ask('cellar')).toHaveLength(1);
});

test('a record that cannot be read is rejected with its reason and stops no other', async () => {
  const result = await g.memory.ingest(g.org, g.source, {
    records: [
      { externalId: 'broken', kind: 'note', mediaType: 'application/json', raw: Buffer.from('{"text":') },
      { externalId: 'shape', kind: 'note', mediaType: 'application/json', raw: Buffer.from('{"text":5}') },
      { externalId: 'ics', kind: 'event', mediaType: 'text/calendar', raw: Buffer.from('BEGIN:VCALENDAR') },
      json('good', 'note', { text: 'The gate is open.' }),
    ],
  });
  expect(result.inserted).toBe(1);
  expect(result.rejected.map((one) => one.externalId)).toEqual(['broken', 'shape', 'ics']);
  expect(result.rejected[1]?.reason).toContain('text');
});

test('the cursor is stored with its batch, and not when the batch fails', async () => {
  await g.memory.ingest(g.org, g.source, { records: [], cursor: { feed: 'mail', value: { uid: 7 } } });
  expect(await g.memory.cursor(g.org, 'con_1', 'mail')).toEqual({ uid: 7 });
  const unknown = { connectionId: 'con_none', provider: 'mailbox' };
  const failing = g.memory.ingest(g.org, unknown, {
    records: [json('n', 'note', { text: 'x' })],
    cursor: { feed: 'mail', value: 1 },
  });
  await expect(failing).rejects.toThrow();
  expect(await g.memory.cursor(g.org, 'con_none', 'mail')).toBeUndefined();
  expect((await g.memory.stats(g.org)).documents).toBe(0);
});

test('batches handed in at once are stored in the order of the calls', async () => {
  const big = json('n', 'note', { text: 'first '.repeat(20_000) });
  const first = g.memory.ingest(g.org, g.source, { records: [big], cursor: { feed: 'f', value: 1 } });
  const second = g.memory.ingest(g.org, g.source, {
    records: [json('n', 'note', { text: 'second' })],
    cursor: { feed: 'f', value: 2 },
  });
  await Promise.all([first, second]);
  expect(await g.memory.cursor(g.org, 'con_1', 'f')).toBe(2);
  expect((await ask('second'))[0]?.text).toBe('second');
});

test('whoever listens hears of the documents that changed, and of nothing else', async () => {
  const heard: [string, number][] = [];
  const stop = g.memory.onChange((orgId, ids) => heard.push([orgId, ids.length]));
  const records = [mail({ body: 'Hello there.' })];
  await g.memory.ingest(g.org, g.source, { records });
  await g.memory.ingest(g.org, g.source, { records });
  stop();
  await g.memory.ingest(g.org, g.source, { records: [], deleted: [records[0]?.externalId ?? ''] });
  expect(heard).toEqual([[g.org.orgId, 1]]);
});

test('another org sees nothing of it', async () => {
  const other = await g.store.forOrg(await g.store.createOrg('Other'));
  await g.memory.ingest(g.org, g.source, { records: [mail({ body: 'Our secret garden.' })] });
  const [mine] = await ask('garden');
  expect((await g.memory.search(other, { question: 'garden', limit: 5 })).passages).toEqual([]);
  await expect(g.memory.document(other, mine?.documentId ?? '')).rejects.toMatchObject({ code: 'not_found' });
});

test('a record of which only what its feed calls volatile is another is kept, and known to be current', async () => {
  const { memory, org, source, clock } = g;
  const deal = (stage: string, modified: number, views: number): SourceRecord => ({
    externalId: 'deal/1',
    kind: 'deal',
    mediaType: 'application/json',
    raw: Buffer.from(
      JSON.stringify({ text: `Alder Court, ${stage}`, facts: { stage, properties: { views } } }),
    ),
    writtenAt: modified,
    volatile: ['writtenAt', 'facts.properties.views', 'facts.nothing.there'],
  });
  const ingest = (record: SourceRecord) => memory.ingest(org, source, { records: [record] });
  expect(await ingest(deal('offer', 1_000, 1))).toMatchObject({ inserted: 1 });
  clock.advance(60_000);
  expect(await ingest(deal('offer', 2_000, 7))).toMatchObject({ unchanged: 1, updated: 0 });
  const [kept] = await memory.documents(org, { limit: 1 });
  expect(kept).toMatchObject({ writtenAt: 1_000, verifiedAt: clock.now() });
  expect(await ingest(deal('closed', 3_000, 8))).toMatchObject({ updated: 1 });
});
