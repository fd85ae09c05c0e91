// What the workers read of an org: the index's own tables, and the chunks that are not folded into it yet.
import { createHash } from 'node:crypto';
import { textOf, type Words, wordsOf } from '../documents/packed.ts';
import { addressTerm, type Indexed, threadTerm } from './builder.ts';
import { type Columns, decodeColumns } from './columns.ts';
import { letGo } from './let-go.ts';
import { plainPage } from './pages.ts';
import type { Row, Rows } from './rows.sql.ts';
import { vectorTable } from './vector-tables.ts';

/** Chunks, or values in a list, that one statement takes. */
export const atOnce = 1_000;
/** Chunks of long documents come with the whole of them. */
const textsAtOnce = 100;

export interface IndexState {
  /** Grows with every write that adds or removes chunks. */
  change: number;
  lastSeq: number;
  /** Chunks up to here are in runs, the others are loose. */
  foldedSeq: number;
  /** Grows when runs or blocks come or go. */
  generation: number;
}

export interface BlockRow {
  id: number;
  firstSeq: number;
  lastSeq: number;
  slots: number;
}
export type RunRow = BlockRow & { level: number };

export interface LooseChunk extends Indexed {
  seq: number;
  first: boolean;
  kind: string;
  connection: string;
  writtenAt: number;
  thread: number;
}

/** A thread's number: 52 bits of its id's SHA-256, so that all processes agree. */
export function threadNumber(threadId: string): number {
  const digest = createHash('sha256').update(threadId).digest();
  return digest.readUIntBE(0, 6) * 16 + ((digest[6] ?? 0) >> 4);
}

const number = (row: Row | undefined, name: string): number => Number(row?.[name] ?? 0);
const bytes = (row: Row | undefined, name: string): Uint8Array | undefined => {
  const value = row?.[name];
  return value instanceof Uint8Array ? value : undefined;
};
export const marks = (count: number): string => new Array(count).fill('?').join(', ');

export interface Stored {
  readonly orgId: string;
  state(): IndexState;
  blocks(): BlockRow[];
  runs(): RunRow[];
  columns(block: number): Columns;
  /** First terms of a run's pages, and its names. */
  directory(run: number): Uint8Array;
  names(run: number): Uint8Array;
  page(run: number, page: number): Uint8Array;
  /** Numbers of chunks that went after `change`, or that are within a range. */
  goneSince(change: number): number[];
  goneBetween(firstSeq: number, lastSeq: number): number[];
  /** Chunks after `seq` up to `lastSeq`, in order, at most `most`. */
  chunksAfter(seq: number, lastSeq: number, most: number): LooseChunk[];
  bodies(seqs: readonly number[]): Map<number, string>;
  /** What chunks are embedded from. */
  passages(seqs: readonly number[]): { seq: number; title: string; text: string }[];
  signatures(model: string, block: number): Uint8Array | undefined;
  /** Grows with what is embedded by a model of others; 0 for the built-in one, whose vectors come with their chunks. */
  embedderChange(model: string): number;
  vectors(model: string, seqs: readonly number[]): Map<number, Int8Array>;
  vectorCount(model: string, firstSeq: number, lastSeq: number): number;
  chunkCount(firstSeq: number, lastSeq: number): number;
  vectorsBetween(model: string, firstSeq: number, lastSeq: number): { seq: number; vector: Int8Array }[];
}

/** Of chunk `c` and its document `d`, what its terms need; a long text is not read for nothing. */
const termColumns = `c.header, c.body, c.words, c.start_at, c.end_at, d.title, d.people,
  case when c.words is not null then d.text end as text,
  case when c.words is not null then d.text_packed end as text_packed`;

function termsOf(row: Row): Words {
  const text = row['text'];
  return wordsOf({
    header: String(row['header']),
    body: String(row['body']),
    words: bytes(row, 'words') ?? null,
    start_at: number(row, 'start_at'),
    end_at: number(row, 'end_at'),
    people: String(row['people']),
    title: String(row['title']),
    text: typeof text === 'string' ? text : null,
    text_packed: bytes(row, 'text_packed') ?? null,
  });
}

function toLoose(row: Row): LooseChunk {
  const threadId = row['thread_id'];
  const thread = typeof threadId === 'string' && threadId !== '' ? threadNumber(threadId) : 0;
  const people = JSON.parse(String(row['people'])) as { address?: string }[];
  const addresses = new Set(people.flatMap(({ address }) => (address === undefined ? [] : [address])));
  return {
    seq: number(row, 'seq'),
    first: number(row, 'ordinal') === 0,
    ...termsOf(row),
    marks: [...[...addresses].map(addressTerm), ...(thread === 0 ? [] : [threadTerm(thread)])],
    kind: String(row['kind']),
    connection: String(row['connection_id']),
    writtenAt: number(row, 'written_at'),
    thread,
  };
}

function toInt8(vector: Uint8Array): Int8Array {
  return new Int8Array(vector.buffer, vector.byteOffset, vector.byteLength);
}

export function createStored(rows: Rows, orgId: string): Stored {
  const one = (text: string, ...values: (string | number)[]) => rows.all(text, [orgId, ...values])[0];
  const all = (text: string, ...values: (string | number)[]) => rows.all(text, [orgId, ...values]);
  const table = (model: string) => vectorTable(rows.dialect, model);
  const seqsOf = (found: Row[]) => found.map((row) => number(row, 'seq'));
  const need = (found: Uint8Array | undefined, what: string): Uint8Array => {
    if (found === undefined) throw new Error(`The index has lost ${what}.`);
    return found;
  };

  return {
    orgId,
    state() {
      const row = one('select change, last_seq, folded_seq, generation from search_state where org_id = ?');
      // Stored before there was such a row: all of it is loose.
      const lastSeq = row
        ? number(row, 'last_seq')
        : number(one('select max(seq) as seq from chunks where org_id = ?'), 'seq');
      return {
        change: number(row, 'change'),
        lastSeq,
        foldedSeq: number(row, 'folded_seq'),
        generation: number(row, 'generation'),
      };
    },
    blocks: () =>
      all('select id, first_seq, last_seq, slots from search_blocks where org_id = ? order by first_seq').map(
        (row) => ({
          id: number(row, 'id'),
          firstSeq: number(row, 'first_seq'),
          lastSeq: number(row, 'last_seq'),
          slots: number(row, 'slots'),
        }),
      ),
    runs: () =>
      all(
        'select id, first_seq, last_seq, slots, level from search_runs where org_id = ? order by first_seq',
      ).map((row) => ({
        id: number(row, 'id'),
        firstSeq: number(row, 'first_seq'),
        lastSeq: number(row, 'last_seq'),
        slots: number(row, 'slots'),
        level: number(row, 'level'),
      })),
    columns(block) {
      const stored = need(
        bytes(one('select bytes from search_columns where org_id = ? and block = ?', block), 'bytes'),
        `block ${block}`,
      );
      const columns = decodeColumns(stored);
      letGo(stored);
      return columns;
    },
    directory: (run) =>
      need(
        bytes(one('select directory from search_runs where org_id = ? and id = ?', run), 'directory'),
        `run ${run}`,
      ),
    names: (run) =>
      need(
        bytes(one('select names from search_runs where org_id = ? and id = ?', run), 'names'),
        `run ${run}`,
      ),
    page: (run, page) =>
      plainPage(
        need(
          bytes(
            one('select bytes from search_pages where org_id = ? and run = ? and page = ?', run, page),
            'bytes',
          ),
          `page ${page} of run ${run}`,
        ),
      ),
    goneSince: (change) =>
      seqsOf(all('select seq from search_gone where org_id = ? and change > ? order by seq', change)),
    goneBetween: (firstSeq, lastSeq) =>
      seqsOf(
        all(
          'select seq from search_gone where org_id = ? and seq between ? and ? order by seq',
          firstSeq,
          lastSeq,
        ),
      ),
    chunksAfter: (seq, lastSeq, most) =>
      all(
        `select c.seq, c.ordinal, d.kind, d.connection_id, d.written_at, d.thread_id, ${termColumns}
        from chunks c join source_documents d on d.org_id = c.org_id and d.id = c.document_id
        where c.org_id = ? and c.seq > ? and c.seq <= ? order by c.seq limit ?`,
        seq,
        lastSeq,
        most,
      ).map(toLoose),
    bodies(seqs) {
      const found = new Map<number, string>();
      for (let i = 0; i < seqs.length; i += atOnce) {
        const some = seqs.slice(i, i + atOnce);
        for (const row of all(
          `select c.seq, ${termColumns} from chunks c
          join source_documents d on d.org_id = c.org_id and d.id = c.document_id
          where c.org_id = ? and c.seq in (${marks(some.length)})`,
          ...some,
        )) {
          found.set(number(row, 'seq'), termsOf(row).body);
        }
      }
      return found;
    },
    passages(seqs) {
      const found: { seq: number; title: string; text: string }[] = [];
      for (let i = 0; i < seqs.length; i += textsAtOnce) {
        const some = seqs.slice(i, i + textsAtOnce);
        for (const row of all(
          `select c.seq, c.start_at, c.end_at, d.title, d.text, d.text_packed from chunks c
          join source_documents d on d.org_id = c.org_id and d.id = c.document_id
          where c.org_id = ? and c.seq in (${marks(some.length)}) order by c.seq`,
          ...some,
        )) {
          const whole = textOf({ text: String(row['text']), text_packed: bytes(row, 'text_packed') ?? null });
          const text = whole.slice(number(row, 'start_at'), number(row, 'end_at'));
          found.push({ seq: number(row, 'seq'), title: String(row['title']), text });
        }
      }
      return found;
    },
    embedderChange: (model) =>
      number(one('select change from embedders where org_id = ? and name = ?', model), 'change'),
    signatures: (model, block) =>
      bytes(
        one('select bits from search_signatures where org_id = ? and model = ? and block = ?', model, block),
        'bits',
      ),
    vectors(model, seqs) {
      const found = new Map<number, Int8Array>();
      for (let i = 0; i < seqs.length; i += atOnce) {
        const some = seqs.slice(i, i + atOnce);
        for (const row of all(
          `select seq, vector from ${table(model)} where org_id = ? and model = ? and seq in (${marks(some.length)})`,
          model,
          ...some,
        )) {
          const vector = bytes(row, 'vector');
          if (vector !== undefined) found.set(number(row, 'seq'), toInt8(vector));
        }
      }
      return found;
    },
    vectorCount: (model, firstSeq, lastSeq) =>
      number(
        one(
          `select count(*) as n from ${table(model)} where org_id = ? and model = ? and seq between ? and ?`,
          model,
          firstSeq,
          lastSeq,
        ),
        'n',
      ),
    chunkCount: (firstSeq, lastSeq) =>
      number(
        one('select count(*) as n from chunks where org_id = ? and seq between ? and ?', firstSeq, lastSeq),
        'n',
      ),
    vectorsBetween: (model, firstSeq, lastSeq) =>
      all(
        `select seq, vector from ${table(model)} where org_id = ? and model = ? and seq between ? and ? order by seq`,
        model,
        firstSeq,
        lastSeq,
      ).flatMap((row) => {
        const vector = bytes(row, 'vector');
        return vector === undefined ? [] : [{ seq: number(row, 'seq'), vector: toInt8(vector) }];
      }),
  };
}
