// An org's file of an older program becomes a smaller one with the same rows, and what is stored from then on is packed.
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { deflateSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ByteSink } from '../../src/memory/index/bytes.ts';
import { findInPage, PageWriter, pageOf, plainPage, readDirectory } from '../../src/memory/index/pages.ts';
import { migrations } from '../../src/store/migrations/list.ts';
import type { OrgStore, Store } from '../../src/store/store.ts';
import { start } from '../store/child.ts';
import { openAt } from '../store/fixtures/place.ts';
import { connectAccount, mail, manualClock } from './ground.ts';
import { never, type World, world } from './index/world.ts';

const source = { connectionId: 'con_1', provider: 'mailbox' };
const texts = Array.from(
  { length: 12 },
  (_, i) => `The quendrome ${i} stands beside the house of number ${i}.`,
);
const raws = texts.map((text, i) => Buffer.from(`Subject: House ${i}\r\n\r\n${text}`));

let home: string;
let orgId: string;
let file: string;

/** A file as migration 12 left it, with mails as the program of that day stored them. */
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'drawbridge-smaller-'));
  const older = await openAt(
    { home },
    migrations.filter(({ number }) => number <= 12),
  );
  orgId = await older.createOrg('One');
  file = join(home, 'orgs', `${orgId}.db`);
  await connectAccount(await older.forOrg(orgId), 'con_1', 'me@agency.test', 0);
  await older.close();
  const db = new DatabaseSync(file);
  for (const [i, text] of texts.entries()) {
    const people = JSON.stringify([{ address: `p${i % 3}@x.test`, role: 'from' }]);
    const raw = deflateSync(raws[i] ?? '', { dictionary: Buffer.from(text) });
    db.prepare(
      `insert into source_documents (org_id, id, connection_id, provider, kind, external_id, title, media_type, people,
        thread_id, language, trust, written_at, fetched_at, verified_at, content_hash, facts, text, raw, raw_coding)
      values (?, ?, 'con_1', 'mailbox', 'mail', ?, ?, 'message/rfc822', ?, ?, 'en', 'untrusted', ?, 1, 1, 'h', '{}', ?, ?, 1)`,
    ).run(orgId, `doc_${i}`, `<m${i}@x>`, `House ${i}`, people, `<m${i % 4}@x>`, i, text, raw);
    db.prepare(
      `insert into document_people (org_id, document_id, address, name, role) values (?, ?, ?, null, 'from')`,
    ).run(orgId, `doc_${i}`, `p${i % 3}@x.test`);
    // In an order of their own: a chunk is known by its number.
    db.prepare(
      `insert into chunks (org_id, id, document_id, ordinal, start_at, end_at, seq, header, body, content_hash)
      values (?, ?, ?, 0, 0, ?, ?, ?, ?, ?)`,
    ).run(
      orgId,
      `doc_${i}.0`,
      `doc_${i}`,
      text.length,
      100 - i,
      `mail house ${i}`,
      `the quendrom ${i} stand besid the hous of number ${i}`,
      createHash('sha256').update(text).digest('hex'),
    );
    db.prepare(`insert into chunk_vectors (org_id, model, seq, vector) values (?, 'other@1', ?, ?)`).run(
      orgId,
      100 - i,
      new Uint8Array([i, 1, 2]),
    );
  }
  db.prepare(
    `insert into search_state (org_id, id, change, last_seq, folded_seq, generation, next_id) values (?, 0, 1, 100, 0, 0, 1)`,
  ).run(orgId);
  db.close();
});
afterEach(() => rm(home, { recursive: true }));

const wanted = {
  chunks: `select seq, id, document_id, ordinal, start_at, end_at, header, body, content_hash from chunks order by seq`,
  people: `select org_id, document_id, address, name, role from document_people order by document_id`,
  vectors: `select org_id, model, seq, vector from chunk_vectors order by seq`,
  documents: `select org_id, id, external_id, text, raw, raw_coding from source_documents order by id`,
};

function rowsNow(): Record<string, unknown[]> {
  const db = new DatabaseSync(file);
  try {
    expect(db.prepare('pragma integrity_check').all()).toEqual([{ integrity_check: 'ok' }]);
    expect(db.prepare('pragma foreign_key_check').all()).toEqual([]);
    return Object.fromEntries(Object.entries(wanted).map(([name, text]) => [name, db.prepare(text).all()]));
  } finally {
    db.close();
  }
}

function versions(): unknown[] {
  const db = new DatabaseSync(file);
  try {
    return db
      .prepare('select number from schema_migrations order by number')
      .all()
      .map((row) => row['number']);
  } finally {
    db.close();
  }
}

test('every row of an older file is there afterwards, as it was', async () => {
  const before = rowsNow();
  expect(before['chunks']).toHaveLength(texts.length);
  const store = await openAt({ home });
  await store.forOrg(orgId);
  await store.close();
  expect(rowsNow()).toEqual(before);
});

test('a start that is killed in the middle leaves the file as it was, and the next one resumes', async () => {
  const before = rowsNow();
  const child = start('smaller-files.ts', { home, orgId, number: 13 });
  await child.says('half-way');
  child.process.kill('SIGKILL');
  await child.ended;
  expect(versions()).not.toContain(13);
  expect(rowsNow()).toEqual(before);
  const store = await openAt({ home });
  await store.forOrg(orgId);
  await store.close();
  expect(versions()).toContain(13);
  expect(rowsNow()).toEqual(before);
});

describe('afterwards', () => {
  let store: Store;
  let org: OrgStore;
  let at: World;
  beforeEach(async () => {
    store = await openAt({ home });
    org = await store.forOrg(orgId);
    at = world(never, manualClock());
  });
  afterEach(async () => {
    await at.close();
    await store.close();
  });

  test('what an older program stored is found, read, rebuilt and forgotten', async () => {
    const found = await at.memory.search(org, { question: 'quendrome 7', limit: 3 });
    expect(found.passages[0]).toMatchObject({ text: texts[7], chunkId: 'doc_7.0' });
    const document = await at.memory.document(org, 'doc_7');
    expect(Buffer.compare(document.raw, raws[7] ?? Buffer.of())).toBe(0);
    let after: string | undefined = '';
    while (after !== undefined) after = (await at.memory.rebuild(org, after))?.after;
    const rows = await org.read((db) =>
      db.selectFrom('source_documents').select(['text', 'text_packed', 'raw_coding']).execute(),
    );
    // Too short a text gains nothing.
    expect(rows.map((row) => row.raw_coding)).toEqual(texts.map(() => 4));
    const again = await at.memory.document(org, 'doc_7');
    expect(Buffer.compare(again.raw, raws[7] ?? Buffer.of())).toBe(0);
    await at.memory.ingest(org, source, { records: [], deleted: ['<m7@x>'] });
    const gone = await at.memory.search(org, { question: 'quendrome 7', limit: 20 });
    expect(gone.passages.map((passage) => passage.documentId)).not.toContain('doc_7');
  });

  test('a mail is stored packed, found by its words, and read back as it came', async () => {
    const body = 'The marshal inspected the quondam stables. '.repeat(12);
    const record = mail({ id: 'new@x', subject: 'Stables', body });
    await at.memory.ingest(org, source, { records: [record] });
    const row = await org.read((db) =>
      db
        .selectFrom('source_documents as d')
        .innerJoin('chunks as c', 'c.document_id', 'd.id')
        .select([
          'd.id',
          'd.text',
          'd.text_packed',
          'd.raw',
          'c.id as chunk',
          'c.body',
          'c.header',
          'c.words',
        ])
        .where('d.external_id', '=', record.externalId)
        .executeTakeFirstOrThrow(),
    );
    expect(row).toMatchObject({ text: '', body: '', header: '', chunk: `${row.id}.0` });
    const stored = row.raw.length + (row.text_packed?.length ?? 0) + (row.words?.length ?? 0);
    expect(stored).toBeLessThan(record.raw.length / 2);
    const answer = await at.memory.search(org, {
      question: 'from whom: quondam stables marshal',
      limit: 2,
      understand: { now: Date.UTC(2026, 2, 2), timeZone: 'UTC' },
      collapse: true,
    });
    expect(answer.passages[0]?.text).toContain('The marshal inspected the quondam stables.');
    const document = await at.memory.document(org, row.id);
    expect(document.text).toContain('quondam');
    expect(Buffer.compare(document.raw, record.raw)).toBe(0);
    await at.memory.ingest(org, source, { records: [], deleted: [record.externalId] });
    const left = await org.read((db) =>
      db
        .selectFrom('source_documents')
        .select(['text', 'text_packed'])
        .where('external_id', '=', record.externalId)
        .executeTakeFirst(),
    );
    expect(left).toEqual({ text: '', text_packed: null });
  });

  test("a row of another org is refused, also where its keys are those of this one's", async () => {
    const db = new DatabaseSync(file);
    try {
      db.exec("insert into orgs select 'org_other', name, created_at from orgs where 1 = 0");
      expect(() =>
        db.exec(
          `insert into chunks (org_id, document_id, ordinal, start_at, end_at, seq, header, body, hash)
          values ('org_other', 'doc_7', 0, 0, 1, 93, '', '', x'00') on conflict do nothing`,
        ),
      ).toThrow('org_id');
      expect(() =>
        db.exec(
          `insert into document_people (org_id, document_id, address, role)
          values ('org_other', 'doc_7', 'p1@x.test', 'from') on conflict do nothing`,
        ),
      ).toThrow('org_id');
    } finally {
      db.close();
    }
  });

  test('languages are counted in an index, without a look at a row', () => {
    const db = new DatabaseSync(file);
    try {
      const plan = db
        .prepare(
          `explain query plan select language, count(*) from source_documents
          where exists (select id from orgs where id = ?) and deleted_at is null group by language`,
        )
        .all()
        .map((row) => row['detail']);
      expect(plan).toContainEqual(expect.stringMatching(/COVERING INDEX source_documents_by_language/));
      expect(plan.join()).not.toContain('TEMP');
    } finally {
      db.close();
    }
  });

  test('what is asked for by account, kind and time, thread, address and number is found by an index', () => {
    const db = new DatabaseSync(file);
    const documents = 'from source_documents d where d.org_id = ? and d.deleted_at is null';
    const asked: Record<string, string> = {
      source_documents_by_connection_id_external_id: `select id ${documents} and d.connection_id = ? and d.external_id in (?, ?)`,
      'source_documents_by_connection_id_external_id ': `select external_id, kind ${documents} and d.connection_id = ?`,
      source_documents_by_kind_written_at: `select id ${documents} and d.kind in (?, ?) and d.written_at >= ? and d.written_at < ?`,
      source_documents_by_thread_id: `select id ${documents} and d.thread_id in (?, ?)`,
      sqlite_autoindex_source_documents_1:
        'select * from source_documents where org_id = ? and id > ? order by id limit 50',
      'sqlite_autoindex_source_documents_1 ':
        'select * from source_documents where org_id = ? and id in (?, ?)',
      document_people_by_address:
        'select document_id from document_people where org_id = ? and address in (?, ?)',
      chunks_by_document_id_ordinal: 'select seq from chunks where org_id = ? and document_id in (?, ?)',
      'INTEGER PRIMARY KEY': 'select body from chunks where org_id = ? and seq in (?, ?)',
      'PRIMARY KEY': 'select name from document_people where org_id = ? and document_id in (?, ?)',
    };
    try {
      for (const [index, text] of Object.entries(asked)) {
        const plan = db
          .prepare(`explain query plan ${text}`)
          .all()
          .map((row) => row['detail']);
        expect(plan, text).toEqual([expect.stringMatching(new RegExp(`^SEARCH .*${index.trim()}\\b`))]);
      }
    } finally {
      db.close();
    }
  });
});

test('a page of many terms is stored packed, and each is found in it; one of before is read as it is', () => {
  const pages: Uint8Array[] = [];
  const writer = new PageWriter((page) => pages.push(page));
  const terms = Array.from({ length: 900 }, (_, i) => `term${String(i).padStart(4, '0')}`);
  const postings = Uint8Array.of(1, 2, 3);
  for (const term of terms) writer.add(term, 1, 7, postings);
  const directory = readDirectory(writer.end());
  expect(pages.reduce((sum, page) => sum + page.length, 0)).toBeLessThan((900 * 14) / 2);
  for (const term of terms) {
    const page = plainPage(pages[pageOf(directory, term)] ?? new Uint8Array());
    expect(findInPage(page, term)).toEqual({ count: 1, last: 7, bytes: postings });
  }
  const sink = new ByteSink();
  for (const value of [1, 97, 1, 7, 1, 5]) sink.byte(value);
  expect(findInPage(plainPage(sink.taken()), 'a')).toEqual({ count: 1, last: 7, bytes: Uint8Array.of(5) });
});
